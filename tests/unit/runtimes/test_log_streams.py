"""Log streams: one per environment, named as AWS names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stratolite.runtimes.function import Code, Function


@pytest.mark.parametrize(
    ("group", "stream"),
    [
        ("/aws/lambda/f", "2026/01/02/[$LATEST]abc"),
        # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
        ("/shared", "2026/01/02/f[$LATEST]abc"),
    ],
)
def test_a_stream_has_the_functions_name_where_functions_may_share_the_group(group: str, stream: str) -> None:
    function = Function(
        "k", "g", "000000000000", "us-east-1", "f", "$LATEST", "python3.12", "a.b", Code(Path()), log_group=group
    )
    assert function.log_stream("2026-01-02", "abc") == stream
