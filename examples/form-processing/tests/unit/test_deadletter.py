"""Dead letters are recorded by name, whoever gave up and in whatever form."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from world import Context, headers

from forms.functions import deadletter
from forms.signing import Signed
from forms.sizes import ITEM_BYTES, item_bytes
from forms.submissions import Form

STREAM = "arn:aws:dynamodb:eu-central-1:000000000000:table/forms/stream/2026-01-01T00:00:00.000"

SHARD = "shardId-00000001767225600000-00000001"


def sequence(number: int) -> str:
    return f"1{number:020d}"


@pytest.fixture
def streams() -> Any:
    with Stubber(deadletter.streams) as stubber:
        yield stubber


@pytest.fixture
def buried(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    monkeypatch.setattr(deadletter.table, "put_item", lambda Item: items.append(Item))
    return items


def message(body: Any, reason: str | None = None) -> dict[str, Any]:
    attributes = {"reason": {"stringValue": reason, "dataType": "String"}} if reason else {}
    return {
        "messageId": "m1",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "8"},
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:any",
    }


def bury(*messages: dict[str, Any]) -> list[str]:
    answer = deadletter.handler({"Records": list(messages)}, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


LETTER = {"tenant": "acme", "submission": "k1", "destination": "crm", "correlation_id": "c1"}


def test_a_letter_is_recorded_with_the_destinations_reason(buried: list[dict[str, Any]]) -> None:
    assert bury(message(LETTER, "crm answered 422")) == []
    [item] = buried
    assert (item["PK"], item["SK"]) == ("TENANT#acme", "DEAD#connector#k1#crm")
    assert (item["reason"], item["correlation_id"], item["content"]) == ("crm answered 422", "c1", LETTER)
    assert item["expires_at"] > datetime.now(UTC).timestamp()


def test_a_letter_the_queue_gave_up_says_after_how_many_receives(buried: list[dict[str, Any]]) -> None:
    bury(message(LETTER))
    assert buried[0]["reason"] == "given up, received 8 times"


def accepted_event(size: int) -> dict[str, Any]:
    signed = Signed.of(headers(), "POST", "/v1/submissions")
    submission = Form("contact", {"price": 0.5, "t": "x" * size}, "k1").accepted("acme", signed, datetime.now(UTC), 60)
    return {"detail-type": "SubmissionAccepted", "detail": json.loads(submission.event("bus", "c1")["Detail"])}


def test_a_failed_invocation_of_persist_keeps_the_whole_submission(buried: list[dict[str, Any]]) -> None:
    event = accepted_event(390_000)
    record = {
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responsePayload": {"errorType": "ClientError", "errorMessage": "no " * 1_000},
    }
    assert bury(message(record)) == []
    [item] = buried
    assert (item["PK"], item["SK"]) == ("TENANT#acme", "DEAD#persist#k1")
    assert item["reason"].startswith("RetriesExhausted: ClientError no")
    assert item["content"]["fields"]["t"] == "x" * 390_000
    assert item_bytes(item) <= ITEM_BYTES


def test_an_event_the_rule_could_not_hand_over_is_recorded_as_well(buried: list[dict[str, Any]]) -> None:
    assert bury(message(accepted_event(10))) == []
    assert buried[0]["SK"] == "DEAD#persist#k1"


BATCH = {
    "requestContext": {"condition": "RetryAttemptsExhausted"},
    "DDBStreamBatchInfo": {
        "shardId": SHARD,
        "startSequenceNumber": sequence(100),
        "endSequenceNumber": sequence(102),
        "streamArn": STREAM,
    },
}


def test_a_failed_batch_of_the_stream_is_read_again_and_recorded_submission_by_submission(
    buried: list[dict[str, Any]], streams: Stubber
) -> None:
    streams.add_response(
        "get_shard_iterator",
        {"ShardIterator": "one"},
        {
            "StreamArn": STREAM,
            "ShardId": SHARD,
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "SequenceNumber": sequence(100),
        },
    )

    def record(number: int, key: str, event: str = "INSERT") -> dict[str, Any]:
        values = {"SK": key, "tenant": "acme", "id": key.partition("#")[2], "correlation_id": "c1"}
        image = {name: {"S": value} for name, value in values.items()}
        return {"eventName": event, "dynamodb": {"SequenceNumber": sequence(number), "NewImage": image}}

    streams.add_response("get_records", {"Records": [], "NextShardIterator": "two"}, {"ShardIterator": "one"})
    first = [record(100, "SUB#k1"), record(101, "KEY#k2")]
    streams.add_response("get_records", {"Records": first, "NextShardIterator": "three"}, {"ShardIterator": "two"})
    last = [record(102, "SUB#k2"), record(103, "SUB#k3")]
    streams.add_response("get_records", {"Records": last}, {"ShardIterator": "three"})
    assert bury(message(BATCH)) == []
    assert [item["SK"] for item in buried] == ["DEAD#fan-out#k1", "DEAD#fan-out#k2"]


def test_a_batch_the_stream_forgot_is_recorded_as_a_range(buried: list[dict[str, Any]], streams: Stubber) -> None:
    streams.add_client_error("get_shard_iterator", "TrimmedDataAccessException")
    assert bury(message(BATCH)) == []
    assert (buried[0]["PK"], buried[0]["SK"]) == ("TENANT#?", f"DEAD#fan-out#{SHARD}#{sequence(100)}")


@pytest.mark.parametrize("body", ["garbage", "[]", "7", "{}"])
def test_what_is_not_understood_is_recorded_as_it_is(buried: list[dict[str, Any]], body: str) -> None:
    assert bury(message(body)) == []
    assert (buried[0]["PK"], buried[0]["SK"], buried[0]["content"]) == ("TENANT#?", "DEAD#unknown#m1", {"text": body})


def test_what_cannot_be_recorded_stays_in_its_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    with Stubber(deadletter.table.meta.client) as table:
        table.add_client_error("put_item", "InternalServerError", expected_params={"TableName": ANY, "Item": ANY})
        assert bury(message(LETTER)) == ["m1"]
