"""API destinations: HTTP endpoints outside, as targets."""

from __future__ import annotations

import base64
import json
import urllib.parse
from typing import Any

from stratolite.kernel import AwsError, Call, Delivery, Undeliverable, operation, target
from stratolite.languages import arns

from . import connections
from .connections import pairs
from .errors import ResourceAlreadyExistsException, ResourceNotFoundException
from .pages import page

RATE_LIMIT = 300  # invocations a second, when none is given
TIMEOUT_S = 5.0  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
RETRIED = frozenset({401, 407, 409, 429})  # and every 5xx


def destination_arn(row: Any) -> str:
    return f"arn:aws:events:{row['region']}:{row['account']}:api-destination/{row['name']}/{row['id']}"


def _look(call: Call, name: str) -> Any:
    return call.tx.one(
        "SELECT * FROM events_destination WHERE account = ? AND region = ? AND name = ?",
        call.account, call.region, name,
    )  # fmt: skip


def _find(call: Call, name: str, verb: str) -> Any:
    row = _look(call, name)
    if row is None:
        raise ResourceNotFoundException(
            f"Failed to {verb} the api-destination(s). An api-destination '{name}' does not exist."
        )
    return row


def _connection(call: Call, arn: str) -> Any:
    row = connections.by_arn(call, arn)
    if row is None:
        name = arns.parse(arn).name.partition("/")[0]
        raise ResourceNotFoundException(f"Failed to describe the connection(s). Connection '{name}' does not exist.")
    return row


def _state(call: Call, row: Any) -> str:
    connection = connections.by_arn(call, row["connection"])
    return "ACTIVE" if connection is not None and connection["state"] == connections.AUTHORIZED else "INACTIVE"


def _changed(call: Call, row: Any) -> dict[str, Any]:
    return {
        "ApiDestinationArn": destination_arn(row),
        "ApiDestinationState": _state(call, row),
        "CreationTime": row["created_at"],
        "LastModifiedTime": row["modified_at"],
    }


def _listed(call: Call, row: Any) -> dict[str, Any]:
    return {
        **_changed(call, row),
        "Name": row["name"],
        "ConnectionArn": row["connection"],
        "InvocationEndpoint": row["endpoint"],
        "HttpMethod": row["method"],
        "InvocationRateLimitPerSecond": row["rate_limit"],
    }


# ---------------------------------------------------------------------- operations


@operation(ignores=["InvocationRateLimitPerSecond"])
def create_api_destination(
    call: Call,
    name: str,
    connection_arn: str,
    invocation_endpoint: str,
    http_method: str,
    description: str | None = None,
    invocation_rate_limit_per_second: int | None = None,
) -> dict[str, Any]:
    _connection(call, connection_arn)
    if _look(call, name) is not None:
        raise ResourceAlreadyExistsException(f"An api-destination '{name}' already exists.")
    call.tx.run(
        """INSERT INTO events_destination (account, region, name, id, description, connection, endpoint, method,
                                           rate_limit, created_at, modified_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        call.account, call.region, name, call.world.id(), description, connection_arn, invocation_endpoint,
        http_method, invocation_rate_limit_per_second or RATE_LIMIT, call.now, call.now,
    )  # fmt: skip
    return _changed(call, _look(call, name))


@operation
def describe_api_destination(call: Call, name: str) -> dict[str, Any]:
    row = _find(call, name, "describe")
    return {**_listed(call, row), "Description": row["description"]}


@operation
def list_api_destinations(
    call: Call,
    name_prefix: str | None = None,
    connection_arn: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    rows, token = page(
        lambda after, count: call.tx.all(
            """SELECT * FROM events_destination
                WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, ?) = ? AND ? IN ('', connection)
                ORDER BY name LIMIT ?""",
            call.account, call.region, after, len(name_prefix or ""), name_prefix or "", connection_arn or "", count,
        ),
        limit, next_token, lambda row: row["name"],
    )  # fmt: skip
    return {"ApiDestinations": [_listed(call, row) for row in rows], "NextToken": token}


@operation(ignores=["InvocationRateLimitPerSecond"])
def update_api_destination(
    call: Call,
    name: str,
    description: str | None = None,
    connection_arn: str | None = None,
    invocation_endpoint: str | None = None,
    http_method: str | None = None,
    invocation_rate_limit_per_second: int | None = None,
) -> dict[str, Any]:
    row = _find(call, name, "update")
    if connection_arn is not None:
        _connection(call, connection_arn)
    call.tx.run(
        """UPDATE events_destination
              SET description = coalesce(?, description), connection = coalesce(?, connection),
                  endpoint = coalesce(?, endpoint), method = coalesce(?, method),
                  rate_limit = coalesce(?, rate_limit), modified_at = ?
            WHERE key = ?""",
        description, connection_arn, invocation_endpoint, http_method, invocation_rate_limit_per_second, call.now,
        row["key"],
    )  # fmt: skip
    return _changed(call, _look(call, name))


@operation
def delete_api_destination(call: Call, name: str) -> dict[str, Any]:
    row = _find(call, name, "delete")
    call.tx.run("DELETE FROM events_destination WHERE key = ?", row["key"])
    return {}


# ---------------------------------------------------------------------- delivery

_FAILED = "Unable to invoke ApiDestination endpoint: "


@target("events:api-destination")
async def invoke(call: Call, delivery: Delivery) -> None:
    """One HTTP request, authorized by the connection; its parameters win over the target's."""
    name, _, unique = arns.parse(delivery.to).name.partition("/")
    row = _look(call, name)
    if row is None or row["id"] != unique:
        raise Undeliverable("NO_RESOURCE", f"{_FAILED}API destination {name} does not exist.", retry=False)
    connection = connections.by_arn(call, row["connection"])
    if connection is None:
        raise Undeliverable("NO_RESOURCE", f"{_FAILED}Connection does not exist.", retry=False)
    try:
        secret = connections.secret_of(call, connection)
        authorization = await _authorization(call, connection, secret)
    except (OSError, ValueError, KeyError, AwsError) as error:
        raise Undeliverable(
            "SDK_CLIENT_ERROR", f"{_FAILED}The connection could not be authorized.", retry=True
        ) from error
    http, given = secret.get("invocation_http_parameters", {}), delivery.context.get("http") or {}
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Amazon/EventBridge/ApiDestinations",
        "Range": "bytes=0-1048575",
        **(given.get("HeaderParameters") or {}),
        **pairs(http, "header_parameters"),
        **authorization,
    }
    query = {**(given.get("QueryStringParameters") or {}), **pairs(http, "query_string_parameters")}
    try:
        answer = await call.world.fetch(
            row["method"],
            _url(row["endpoint"], given.get("PathParameterValues") or [], query),
            headers,
            _body(delivery.payload, pairs(http, "body_parameters")),
            timeout_s=TIMEOUT_S,
        )
    except TimeoutError:
        reason = "The request failed because the connection to the endpoint timed out."
        raise Undeliverable("SDK_CLIENT_ERROR", _FAILED + reason, retry=True) from None
    except OSError:
        reason = "API destination endpoint cannot be reached."
        raise Undeliverable("SDK_CLIENT_ERROR", _FAILED + reason, retry=True) from None
    if answer.status >= 300:
        reason = f"The request failed because the endpoint answered with status {answer.status}."
        retry = answer.status in RETRIED or answer.status >= 500
        after = answer.headers.get("retry-after", "") or ""
        raise Undeliverable(
            "SDK_CLIENT_ERROR", _FAILED + reason, retry=retry, after_s=float(after) if after.isdigit() else None
        )


async def _authorization(call: Call, connection: Any, secret: dict[str, Any]) -> dict[str, str]:
    if connection["kind"] == "BASIC":
        pair = f"{secret['username']}:{secret['password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if connection["kind"] == "API_KEY":
        return {secret["api_key_name"]: secret["api_key_value"]}
    return {"Authorization": f"Bearer {await connections.token_of(call, connection, secret)}"}


def _url(endpoint: str, path_values: list[str], query: dict[str, str]) -> str:
    """Each `*` of the endpoint's path takes a value in turn; values beyond them are further segments."""
    url, _, own = endpoint.partition("?")
    for value in path_values:
        part = urllib.parse.quote(value, safe="")
        url = url.replace("*", part, 1) if "*" in url else f"{url.rstrip('/')}/{part}"
    both = "&".join(text for text in (own, urllib.parse.urlencode(query)) if text)
    return f"{url}?{both}" if both else url


def _body(payload: bytes, parameters: dict[str, str]) -> bytes:
    """Body parameters of the connection are members of the JSON object that is sent."""
    if not parameters:
        return payload
    document = json.loads(payload)
    if not isinstance(document, dict):
        return payload
    return json.dumps({**document, **parameters}, separators=(",", ":"), ensure_ascii=False).encode()
