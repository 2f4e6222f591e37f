"""Destinations: names for streams that other accounts' subscription filters may write to."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from .errors import InvalidParameterException, ResourceNotFoundException
from .names import ms
from .pages import paged

_PAGE = 50


@operation
def put_destination(
    call: Call, destination_name: str, target_arn: str, role_arn: str, tags: dict[str, str] | None = None
) -> dict[str, Any]:
    call.tx.run(
        """INSERT INTO logs_destination (account, region, name, target, role, created_at, tags)
           VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (account, region, name) DO UPDATE SET target = excluded.target, role = excluded.role""",
        call.account,
        call.region,
        destination_name,
        target_arn,
        role_arn,
        call.now,
        json.dumps(tags or {}),
    )
    return {"destination": _described(_get(call, destination_name)) | {"accessPolicy": None}}


@operation
def put_destination_policy(call: Call, destination_name: str, access_policy: str) -> None:
    _get(call, destination_name)
    call.tx.run(
        "UPDATE logs_destination SET policy = ? WHERE account = ? AND region = ? AND name = ?",
        access_policy,
        call.account,
        call.region,
        destination_name,
    )


@operation
def describe_destinations(
    call: Call, destination_name_prefix: str = "", next_token: str | None = None, limit: int = _PAGE
) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT * FROM logs_destination WHERE account = ? AND region = ? ORDER BY name", call.account, call.region
    )
    wanted = [row for row in rows if row["name"].startswith(destination_name_prefix)]
    page, more = paged(wanted, limit, next_token, lambda row: str(row["name"]))
    return {"destinations": [_described(row) for row in page], "nextToken": more}


@operation
def delete_destination(call: Call, destination_name: str) -> None:
    _get(call, destination_name)
    call.tx.run(
        "DELETE FROM logs_destination WHERE account = ? AND region = ? AND name = ?",
        call.account,
        call.region,
        destination_name,
    )


def find(call: Call, arn: str) -> Any | None:
    """The row of a destination's ARN; None for other ARNs and for those that are not there."""
    parts = arn.split(":", 6)
    if len(parts) < 7 or parts[2] != "logs" or parts[5] != "destination":
        return None
    return call.tx.one(
        "SELECT * FROM logs_destination WHERE account = ? AND region = ? AND name = ?", parts[4], parts[3], parts[6]
    )


def target_of(call: Call, arn: str) -> str:
    """What lines for this ARN are handed to: a destination's target, otherwise the ARN itself."""
    if arn.split(":")[2] != "logs":
        return arn
    destination = find(call, arn)
    if destination is None:
        raise InvalidParameterException(f"destinationArn {arn} does not exist.")
    return str(destination["target"])


def _get(call: Call, name: str) -> Any:
    row = call.tx.one(
        "SELECT * FROM logs_destination WHERE account = ? AND region = ? AND name = ?", call.account, call.region, name
    )
    if row is None:
        raise ResourceNotFoundException(what="destination")
    return row


def _described(row: Any) -> dict[str, Any]:
    return {
        "destinationName": row["name"],
        "targetArn": row["target"],
        "roleArn": row["role"],
        "accessPolicy": row["policy"],
        "arn": f"arn:aws:logs:{row['region']}:{row['account']}:destination:{row['name']}",
        "creationTime": ms(row["created_at"]),
    }
