"""Errors in each protocol's shape."""

from __future__ import annotations

import json
from typing import Any

import botocore.parsers
import cbor2
import pytest
from botocore.awsrequest import HeadersDict

from stratolite.wire import models
from stratolite.wire.errors import encode_error
from stratolite.wire.faults import WireError
from stratolite.wire.http1 import Response
from stratolite.wire.protocols import SERVICES


def parsed(service: str, protocol: str, answer: Response) -> Any:
    document = {"status_code": answer.status, "headers": HeadersDict(answer.headers.items()), "body": answer.body}
    return botocore.parsers.create_parser(protocol).parse(document, None)


def test_sqs_says_the_old_code_beside_the_new() -> None:
    error = WireError("QueueDoesNotExist", "The specified queue does not exist.", 400)
    answer = encode_error("sqs", "GetQueueUrl", "json", error, "rid")
    assert answer.status == 400
    assert answer.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert answer.headers["x-amzn-requestid"] == "rid"
    assert json.loads(answer.body) == {
        "__type": "com.amazonaws.sqs#QueueDoesNotExist",
        "message": "The specified queue does not exist.",
    }


def test_sqs_over_query_says_the_old_code_alone() -> None:
    error = WireError("QueueDoesNotExist", "The specified queue does not exist.", 400)
    answer = encode_error("sqs", "GetQueueUrl", "query", error, "rid")
    assert answer.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>Sender</Type>'
        b"<Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist.</Message>"
        b"<Detail/></Error><RequestId>rid</RequestId></ErrorResponse>"
    )


def test_sqs_over_query_has_statuses_of_its_own() -> None:
    error = WireError("PurgeQueueInProgress", "Only one PurgeQueue operation every 60 seconds.")
    assert encode_error("sqs", "PurgeQueue", "query", error, "rid").status == 403
    assert encode_error("sqs", "PurgeQueue", "json", error, "rid").status == 400


def test_lambda_names_the_type_in_a_header_and_the_side_in_the_body() -> None:
    error = WireError("ResourceNotFoundException", "Function not found: f", None)  # type: ignore[arg-type]
    answer = encode_error("lambda", "GetFunction", "rest-json", error, "rid")
    assert answer.status == 404
    assert answer.headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert json.loads(answer.body) == {"Type": "User", "Message": "Function not found: f"}


def test_s3_adds_what_its_model_does_not_know() -> None:
    error = WireError("NoSuchKey", "The specified key does not exist.", 404, fields={"Key": "a<b"})
    answer = encode_error("s3", "GetObject", "rest-xml", error, "rid")
    assert answer.headers["x-amz-request-id"] == "rid"
    assert answer.headers["x-amz-id-2"]
    got = parsed("s3", "rest-xml", answer)["Error"]
    assert {k: got[k] for k in ("Code", "Message", "Key")} == {
        "Code": "NoSuchKey",
        "Message": "The specified key does not exist.",
        "Key": "a<b",
    }


def test_cloudwatch_answers_in_the_protocol_it_was_asked_in() -> None:
    error = WireError("ResourceNotFound", "Unknown alarm", 404)
    answer = encode_error("cloudwatch", "SetAlarmState", "smithy-rpc-v2-cbor", error, "rid")
    assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert cbor2.loads(answer.body)["message"] == "Unknown alarm"
    assert parsed("cloudwatch", "smithy-rpc-v2-cbor", answer)["Error"]["Code"] == "ResourceNotFound"
    assert parsed("cloudwatch", "query", encode_error("cloudwatch", "X", "query", error, "rid"))["Error"] == {
        "Type": "Sender",
        "Code": "ResourceNotFound",
        "Message": "Unknown alarm",
    }


def test_members_of_an_error_are_written_and_other_fields_are_not() -> None:
    error = WireError("ConditionalCheckFailedException", "The conditional request failed", 400)
    error.fields = {"Item": {"pk": {"B": b"x"}}, "table": "only for the message"}
    body = json.loads(encode_error("dynamodb", "PutItem", "json", error, "rid").body)
    assert body == {
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": {"pk": {"B": "eA=="}},
    }


def test_what_the_front_end_says_stands_under_a_capital() -> None:
    body = json.loads(encode_error("dynamodb", "PutItem", "json", WireError("SerializationException", "x"), "r").body)
    assert body == {"__type": "com.amazon.coral.service#SerializationException", "Message": "x"}


def test_our_own_fault_is_a_500_in_every_protocol() -> None:
    error = WireError("InternalFailure", "oops", None, sender=False)  # type: ignore[arg-type]
    for service, protocol in ((n, p) for n, row in SERVICES.items() for p in row.protocols):
        answer = encode_error(service, None, protocol, error, "rid")
        assert answer.status == 500
        assert parsed(service, protocol, answer)["Error"]["Code"].endswith("InternalFailure")


@pytest.mark.parametrize("service", SERVICES)
def test_every_error_of_every_model_is_read_back(service: str) -> None:
    for protocol in SERVICES[service].protocols:
        for shape in models.service(service).error_shapes:
            error = WireError(shape.name, "a <b> & c", None)  # type: ignore[arg-type]
            answer = encode_error(service, None, protocol, error, "rid")
            got = parsed(service, protocol, answer)
            code = shape.metadata.get("error", {}).get("code")
            assert answer.status == shape.metadata.get("error", {}).get("httpStatusCode", answer.status)
            assert got["Error"]["Message"] == "a <b> & c"
            assert got["Error"]["Code"].rpartition(":")[2] in (shape.name, code) or service == "sqs"
            assert got["ResponseMetadata"]["RequestId"] == "rid"
