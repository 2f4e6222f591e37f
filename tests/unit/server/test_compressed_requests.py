"""A body that is not of its Content-Encoding is the client's fault."""

from __future__ import annotations

import pytest

from stratolite.testing import TestCloud
from stratolite.wire.http1 import Headers, Request


def broken(target: str, version: str) -> Request:
    fields = [("Host", "localhost"), ("X-Amz-Target", target), ("Content-Type", f"application/x-amz-json-{version}")]
    return Request("POST", "/", Headers([*fields, ("Content-Encoding", "gzip")]), b"not gzip at all")


@pytest.mark.parametrize(
    ("target", "version", "status"),
    [
        ("AmazonSQS.ListQueues", "1.0", 400),
        ("AWSEvents.ListRules", "1.1", 400),
        # As DynamoDB itself does: test/alternator/test_compressed_request.py of ScyllaDB was run against it.
        ("DynamoDB_20120810.ListTables", "1.0", 500),
    ],
)
def test_what_is_not_of_its_coding_is_refused(cloud: TestCloud, target: str, version: str, status: int) -> None:
    assert cloud.ask(broken(target, version)).status == status


def test_a_function_is_not_made_of_it_either(cloud: TestCloud) -> None:
    headers = Headers([("Host", "lambda.us-east-1.amazonaws.com"), ("Content-Encoding", "deflate")])
    answer = cloud.ask(Request("POST", "/2015-03-31/functions", headers, b"junk"))
    assert (answer.status, b"incorrect header check" in answer.body) == (400, True)
