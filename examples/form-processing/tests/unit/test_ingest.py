"""Ingest takes a submission in once, and refuses by name."""

import json
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr
from botocore.stub import ANY, Stubber
from world import Context, headers, request

from forms.functions import ingest
from forms.signing import Signed

BODY = json.dumps({"form": "contact", "key": "k1", "fields": {"name": "Ada"}}).encode()


@pytest.fixture
def table() -> Any:
    with Stubber(ingest.table.meta.client) as stubber:
        yield stubber


@pytest.fixture
def bus() -> Any:
    with Stubber(ingest.events) as stubber:
        yield stubber


def claimed(table: Stubber) -> None:
    table.add_response(
        "put_item", {}, {"TableName": "forms", "Item": ANY, "ConditionExpression": Attr("PK").not_exists()}
    )


def claimed_before(table: Stubber, body: bytes, tenant: str = "acme") -> None:
    table.add_client_error("put_item", "ConditionalCheckFailedException")
    digest = Signed.of(headers(content=body), "POST", "/").digest
    claim = {
        "digest": {"S": digest},
        "received_at": {"S": "2026-01-01T00:00:00.000Z"},
        "expires_at": {"N": "1800000000"},
    }
    table.add_response(
        "get_item",
        {"Item": claim},
        {"TableName": "forms", "Key": {"PK": f"TENANT#{tenant}", "SK": "KEY#k1"}, "ConsistentRead": True},
    )


def published(bus: Stubber) -> None:
    bus.add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": ANY})


def submit(event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    response = ingest.handler(event, Context())
    return response["statusCode"], json.loads(response["body"])


@pytest.mark.parametrize("encoded", [False, True])
def test_a_new_submission_is_claimed_and_published(table: Stubber, bus: Stubber, encoded: bool) -> None:
    claimed(table)
    published(bus)
    status, answer = submit(request(BODY, encoded=encoded))
    assert (status, answer["id"], answer["status"]) == (202, "k1", "accepted")
    table.assert_no_pending_responses()
    bus.assert_no_pending_responses()


def test_a_duplicate_is_a_success_with_the_first_ones_time_and_is_published_again(table: Stubber, bus: Stubber) -> None:
    claimed_before(table, BODY)
    published(bus)
    expected = {"id": "k1", "status": "duplicate", "received_at": "2026-01-01T00:00:00.000Z"}
    assert submit(request(BODY)) == (200, expected)
    bus.assert_no_pending_responses()


def test_the_same_key_with_another_body_is_a_named_conflict(table: Stubber, bus: Stubber) -> None:
    claimed_before(table, BODY.replace(b"Ada", b"Eve"))
    status, answer = submit(request(BODY))
    assert (status, answer["error"]) == (409, "IdempotencyConflict")


def test_a_captured_signature_does_not_cover_another_body(table: Stubber, bus: Stubber) -> None:
    status, answer = submit(request(BODY, signed=headers(content=b"something else")))
    assert (status, answer["error"]) == (403, "DigestMismatch")


def test_a_request_the_authorizers_cache_let_in_too_late_is_refused(table: Stubber, bus: Stubber) -> None:
    status, answer = submit(request(BODY, signed=headers(content=BODY, age_s=310)))
    assert (status, answer["error"]) == (403, "StaleRequest")


def test_a_malformed_body_is_refused(table: Stubber, bus: Stubber) -> None:
    status, answer = submit(request(b"{"))
    assert (status, answer["error"]) == (400, "MalformedBody")


def test_a_key_outside_the_signature_is_refused(table: Stubber, bus: Stubber) -> None:
    status, answer = submit(request(BODY, signed=headers(content=BODY) | {"idempotency-key": "k2"}))
    assert (status, answer["error"]) == (400, "MalformedBody")


def test_an_event_the_bus_did_not_take_is_no_success(table: Stubber, bus: Stubber) -> None:
    claimed(table)
    bus.add_response(
        "put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}, {"Entries": ANY}
    )
    status, answer = submit(request(BODY))
    assert (status, answer["error"]) == (503, "TryAgain")


def test_the_tenant_is_the_authorizers_word_and_not_the_headers(table: Stubber, bus: Stubber) -> None:
    event = request(BODY)
    event["requestContext"]["authorizer"]["lambda"]["tenant"] = "bolt"
    claimed_before(table, BODY, tenant="bolt")
    published(bus)
    assert submit(event)[0] == 200
