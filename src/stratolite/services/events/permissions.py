"""Permissions: who may put events on a bus."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import buses
from .errors import ResourceNotFoundException, ValidationException, invalid

Statement = dict[str, Any]


def _statements(call: Call, bus: buses.Bus) -> list[Statement]:
    text = call.tx.value("SELECT policy FROM events_bus WHERE key = ?", bus.key)
    return list(json.loads(text)["Statement"]) if text else []


def _store(call: Call, bus: buses.Bus, statements: list[Statement]) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None
    call.tx.run("UPDATE events_bus SET policy = ?, modified_at = ? WHERE key = ?", policy, call.now, bus.key)


def _check(policy: str) -> None:
    try:
        document = json.loads(policy)
    except ValueError:
        raise invalid("Policy") from None
    statements = document.get("Statement") if isinstance(document, dict) else None
    if not isinstance(statements, list) or not all(isinstance(each, dict) for each in statements):
        raise invalid("Policy")


@operation
def put_permission(
    call: Call,
    event_bus_name: str | None = None,
    action: str | None = None,
    principal: str | None = None,
    statement_id: str | None = None,
    condition: dict[str, str] | None = None,
    policy: str | None = None,
) -> dict[str, Any]:
    bus = buses.find(call, event_bus_name)
    if policy is not None:
        _check(policy)
        call.tx.run("UPDATE events_bus SET policy = ?, modified_at = ? WHERE key = ?", policy, call.now, bus.key)
        return {}
    if action is None or principal is None or statement_id is None:
        raise ValidationException("Parameter(s) Action, Principal, StatementId or Policy must be specified.")
    statement: Statement = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": action,
        "Resource": bus.arn,
    }
    if condition is not None:
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    others = [other for other in _statements(call, bus) if other.get("Sid") != statement_id]
    _store(call, bus, [*others, statement])
    return {}


@operation
def remove_permission(
    call: Call,
    statement_id: str | None = None,
    remove_all_permissions: bool | None = None,
    event_bus_name: str | None = None,
) -> dict[str, Any]:
    bus = buses.find(call, event_bus_name)
    if remove_all_permissions:
        _store(call, bus, [])
        return {}
    statements = _statements(call, bus)
    kept = [statement for statement in statements if statement.get("Sid") != statement_id]
    if len(kept) == len(statements):
        raise ResourceNotFoundException("Statement with the provided id does not exist.")
    _store(call, bus, kept)
    return {}
