"""News: what functions say, as it is shown."""

from __future__ import annotations

import pytest

from stratolite.cli.news import speaker


@pytest.mark.parametrize(
    ("group", "stream", "whose"),
    [
        ("/aws/lambda/ingest", "2026/01/02/[$LATEST]0a1b", "ingest"),
        ("/forms/app", "2026/01/02/ingest[$LATEST]0a1b", "ingest"),
        ("/forms/access", "api-1", "access"),
        ("plain", "stream", "plain"),
    ],
)
def test_a_line_is_its_functions_even_in_a_group_that_functions_share(group: str, stream: str, whose: str) -> None:
    assert speaker(group, stream) == whose
