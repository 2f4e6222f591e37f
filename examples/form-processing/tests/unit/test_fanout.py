"""Fan-out writes one letter for each destination of the registry."""

import json
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from world import Context

from forms.functions import fanout


@pytest.fixture
def table() -> Any:
    with Stubber(fanout.table.meta.client) as stubber:
        yield stubber


@pytest.fixture
def queue() -> Any:
    with Stubber(fanout.sqs) as stubber:
        yield stubber


def inserted(*ids: str) -> dict[str, Any]:
    def image(submission: str) -> dict[str, Any]:
        values = {"SK": f"SUB#{submission}", "tenant": "acme", "id": submission, "correlation_id": "correlation-1"}
        return {name: {"S": value} for name, value in values.items()}

    return {
        "Records": [
            {
                "eventID": submission,
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {"SequenceNumber": str(number), "NewImage": image(submission)},
            }
            for number, submission in enumerate(ids, start=100)
        ]
    }


def registered(table: Stubber, *names: str) -> None:
    table.add_response("query", {"Items": [{"name": {"S": name}, "url": {"S": "https://x"}} for name in names]})


def letters(first: int, count: int, submission: str = "k1") -> dict[str, Any]:
    def body(number: int) -> str:
        letter = {
            "tenant": "acme",
            "submission": submission,
            "destination": f"d{first + number}",
            "correlation_id": "correlation-1",
        }
        return json.dumps(letter, separators=(",", ":"))

    entries = [{"Id": str(number), "MessageBody": body(number)} for number in range(count)]
    return {"QueueUrl": fanout.QUEUE, "Entries": entries}


def test_every_destination_gets_a_letter_ten_in_a_call(table: Stubber, queue: Stubber) -> None:
    registered(table, *(f"d{number}" for number in range(12)))
    queue.add_response("send_message_batch", {"Successful": [], "Failed": []}, letters(0, 10))
    queue.add_response("send_message_batch", {"Successful": [], "Failed": []}, letters(10, 2))
    assert fanout.handler(inserted("k1"), Context()) == {"batchItemFailures": []}
    queue.assert_no_pending_responses()


def test_a_tenant_without_destinations_gets_none(table: Stubber, queue: Stubber) -> None:
    registered(table)
    assert fanout.handler(inserted("k1"), Context()) == {"batchItemFailures": []}


def test_a_letter_that_was_not_taken_fails_its_record_and_no_other(table: Stubber, queue: Stubber) -> None:
    failure = {"Id": "0", "Code": "InternalError", "SenderFault": False}
    for failed in ([], [failure]):
        registered(table, "d0")
        queue.add_response(
            "send_message_batch", {"Successful": [], "Failed": failed}, {"QueueUrl": ANY, "Entries": ANY}
        )
    assert fanout.handler(inserted("k1", "k2"), Context()) == {"batchItemFailures": [{"itemIdentifier": "101"}]}
