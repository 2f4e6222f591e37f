"""A tenant lists its own submissions, by time, page by page."""

import json
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key
from botocore.stub import Stubber
from world import Context, headers, request

from forms.functions import listing


@pytest.fixture
def table() -> Any:
    with Stubber(listing.table.meta.client) as stubber:
        yield stubber


def asks(
    first: str = "0001-01-01T00:00:00.000Z", last: str = "9999-12-31T23:59:59.999Z", **more: Any
) -> dict[str, Any]:
    return {
        "TableName": "forms",
        "IndexName": "by-time",
        "KeyConditionExpression": Key("TIME_PK").eq("TENANT#acme") & Key("TIME_SK").between(first, f"{last}$"),
        "ScanIndexForward": False,
        "Limit": 25,
    } | more


def stored(number: int) -> dict[str, Any]:
    return {
        "PK": {"S": "TENANT#acme"},
        "SK": {"S": f"SUB#k{number}"},
        "TIME_SK": {"S": f"2026-01-0{number}T00:00:00.000Z#k{number}"},
        "id": {"S": f"k{number}"},
        "form": {"S": "contact"},
        "received_at": {"S": f"2026-01-0{number}T00:00:00.000Z"},
        "correlation_id": {"S": "c"},
        "fields": {"M": {"price": {"N": "19.99"}, "count": {"N": "3"}}},
    }


def get(query: str = "", signed: dict[str, str] | None = None, **parameters: str) -> tuple[int, dict[str, Any]]:
    response = listing.handler(request(method="GET", query=query, parameters=parameters, signed=signed), Context())
    return response["statusCode"], json.loads(response["body"])


def test_a_page_leads_to_the_next_one(table: Stubber) -> None:
    end = {"PK": {"S": "TENANT#acme"}, "SK": {"S": "SUB#k2"}, "TIME_SK": stored(2)["TIME_SK"]}
    table.add_response("query", {"Items": [stored(3), stored(2)], "LastEvaluatedKey": end}, asks(Limit=2))
    status, first = get("limit=2", limit="2")
    assert status == 200
    assert [submission["id"] for submission in first["submissions"]] == ["k3", "k2"]
    assert first["submissions"][0]["fields"] == {"price": 19.99, "count": 3}

    start = {"PK": "TENANT#acme", "SK": "SUB#k2", "TIME_PK": "TENANT#acme", "TIME_SK": "2026-01-02T00:00:00.000Z#k2"}
    table.add_response("query", {"Items": [stored(1)]}, asks(Limit=2, ExclusiveStartKey=start))
    _, second = get(f"limit=2&next={first['next']}", limit="2", next=first["next"])
    assert [submission["id"] for submission in second["submissions"]] == ["k1"]
    assert second["next"] is None


def test_from_and_to_bound_the_time(table: Stubber) -> None:
    table.add_response("query", {"Items": []}, asks("2026-01-01T00:00:00.000Z", "2026-01-31T12:00:00.500Z"))
    parameters = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T12:00:00.500Z"}
    assert get("x", **parameters) == (200, {"submissions": [], "next": None})


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"from": "yesterday"},
        {"from": "2026-02-30T00:00:00Z"},
        {"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        {"next": "garbage"},
        {"next": "W10="},
        {"tenant": "bolt"},
    ],
)
def test_a_malformed_query_is_refused(table: Stubber, parameters: dict[str, str]) -> None:
    status, answer = get("x", **parameters)
    assert (status, answer["error"]) == (400, "MalformedQuery")


def test_a_captured_signature_does_not_cover_another_query(table: Stubber) -> None:
    status, answer = get("limit=100", signed=headers(method="GET", content=b"limit=1"), limit="100")
    assert (status, answer["error"]) == (403, "DigestMismatch")
