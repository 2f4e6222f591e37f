"""Persist stores exactly once."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr
from botocore.stub import Stubber
from world import Context, headers

from forms.functions import persist
from forms.signing import Signed
from forms.submissions import Form, Submission

SIGNED = Signed.of(headers(), "POST", "/v1/submissions")


@pytest.fixture
def table() -> Any:
    with Stubber(persist.table.meta.client) as stubber:
        yield stubber


def submission() -> Submission:
    form = Form("contact", {"price": 19.99, "count": 3, "ok": True, "none": None, "list": [0.5]}, "k1")
    return form.accepted("acme", SIGNED, datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC), keep_s=60)


def announced() -> dict[str, Any]:
    detail = json.loads(submission().event("bus", "correlation-1")["Detail"])
    return {"detail-type": "SubmissionAccepted", "source": "forms.ingest", "detail": detail}


def stored() -> dict[str, Any]:
    return {
        "TableName": "forms",
        "Item": {
            "PK": "TENANT#acme",
            "SK": "SUB#k1",
            "TIME_PK": "TENANT#acme",
            "TIME_SK": "2026-01-02T03:04:05.678Z#k1",
            "correlation_id": "correlation-1",
            "tenant": "acme",
            "id": "k1",
            "form": "contact",
            "fields": {"price": Decimal("19.99"), "count": 3, "ok": True, "none": None, "list": [Decimal("0.5")]},
            "digest": SIGNED.digest,
            "received_at": "2026-01-02T03:04:05.678Z",
            "expires_at": 1_767_323_105,
        },
        "ConditionExpression": Attr("PK").not_exists(),
    }


def test_a_submission_is_stored_with_its_times_and_its_fractions_as_decimals(table: Stubber) -> None:
    table.add_response("put_item", {}, stored())
    persist.handler(announced(), Context())
    table.assert_no_pending_responses()


def test_a_duplicate_is_a_success(table: Stubber) -> None:
    table.add_client_error("put_item", "ConditionalCheckFailedException")
    persist.handler(announced(), Context())


def test_trouble_is_raised_so_that_lambda_tries_again(table: Stubber) -> None:
    table.add_client_error("put_item", "InternalServerError")
    with pytest.raises(Exception, match="InternalServerError"):
        persist.handler(announced(), Context())
