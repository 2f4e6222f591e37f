"""Raw operations: wire JSON in, wire JSON out, whatever protocol the caller speaks."""

from __future__ import annotations

import json

import pytest

from stratolite.wire.decode import decode
from stratolite.wire.encode import encode
from stratolite.wire.faults import Malformed
from stratolite.wire.http1 import Headers, Request


def body(document: object) -> Request:
    return Request("POST", "/", Headers(), json.dumps(document).encode())


def test_blobs_stay_base64_and_numbers_stay_text() -> None:
    item = {"b": {"B": "eA=="}, "n": {"N": "1"}, "m": {"M": {"x": {"BS": ["eA=="]}}}}
    sent = body({"TableName": "t", "Item": item, "Unknown": 1, "ConditionExpression": None})
    assert decode("dynamodb", "PutItem", sent, "json", raw=True) == {"TableName": "t", "Item": item}


@pytest.mark.parametrize(
    "document",
    [
        {"TableName": 1},
        {"TableName": "t", "Item": []},
        {"TableName": "t", "Item": {"a": "b"}},
        {"TableName": "t", "Item": {}, "Expected": {"a": {"Exists": 1}}},
        {"TableName": "t", "ExpressionAttributeNames": {"#a": 1}},
        [],
        None,
        "text",
    ],
)
def test_kinds_are_looked_at_all_the_same(document: object) -> None:
    with pytest.raises(Malformed) as caught:
        decode("dynamodb", "PutItem", body(document), "json", raw=True)
    assert caught.value.code == "SerializationException"


def test_a_form_becomes_the_same_wire_json() -> None:
    form = (
        b"Action=SendMessage&Version=2012-11-05&MessageBody=hi&DelaySeconds=5&MessageAttribute.1.Name=a"
        b"&MessageAttribute.1.Value.DataType=Binary&MessageAttribute.1.Value.BinaryValue=eA%3D%3D"
    )
    sent = Request("POST", "/000000000000/q", Headers({"host": "localhost:1"}), form)
    assert decode("sqs", "SendMessage", sent, "query", raw=True) == {
        "QueueUrl": "http://localhost:1/000000000000/q",
        "MessageBody": "hi",
        "DelaySeconds": 5,
        "MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "eA=="}},
    }


@pytest.mark.parametrize("result", [{"Count": 0, "Items": []}, b'{"Count":0,"Items":[]}'])
def test_a_result_may_be_a_dict_or_bytes(result: object) -> None:
    assert encode("dynamodb", "Query", result, "json", "rid", raw=True).body == b'{"Count":0,"Items":[]}'


def test_wire_json_is_written_as_xml_to_who_asked_in_a_form() -> None:
    message = {"MessageId": "1", "Body": "<hi>", "Attributes": {"SenderId": "a"}}
    message["MessageAttributes"] = {"a": {"DataType": "Binary", "BinaryValue": "eA=="}}  # type: ignore[assignment]
    answer = encode("sqs", "ReceiveMessage", {"Messages": [message]}, "query", "rid", raw=True)
    assert answer.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ReceiveMessageResult><Message>'
        b"<MessageId>1</MessageId><Body>&lt;hi&gt;</Body><Attribute><Name>SenderId</Name><Value>a</Value></Attribute>"
        b"<MessageAttribute><Name>a</Name><Value><BinaryValue>eA==</BinaryValue><DataType>Binary</DataType></Value>"
        b"</MessageAttribute></Message></ReceiveMessageResult>"
        b"<ResponseMetadata><RequestId>rid</RequestId></ResponseMetadata></ReceiveMessageResponse>"
    )
