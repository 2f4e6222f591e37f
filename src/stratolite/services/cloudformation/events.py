"""Events: what happened to a stack, newest first."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import rows
from .errors import ValidationError

STACK_TYPE = "AWS::CloudFormation::Stack"
_PAGE = 100


def record(
    call: Call,
    stack: int,
    logical_id: str,
    type_name: str,
    status: str,
    *,
    physical_id: str = "",
    reason: str | None = None,
    properties: str | None = None,
) -> None:
    """Write an event. Each one of a stack has an instant of its own, later than the one before."""
    last = call.tx.value("SELECT event_at FROM cloudformation_stack WHERE key = ?", stack) or 0.0
    at = max(call.now, last + 0.001)
    call.tx.run("UPDATE cloudformation_stack SET event_at = ? WHERE key = ?", at, stack)
    if type_name == STACK_TYPE and properties is None:
        identity = call.world.id()
    else:
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        identity = f"{logical_id}-{status}-{moment}"
    call.tx.run(
        """INSERT INTO cloudformation_event
                  (stack, id, at, logical_id, physical_id, type, status, reason, properties)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        stack, identity, at, logical_id, physical_id, type_name, status, reason, properties,
    )  # fmt: skip


def stack_status(call: Call, stack: Row, status: str, reason: str | None = None) -> None:
    """Change a stack's status, and say so."""
    call.tx.run("UPDATE cloudformation_stack SET status = ?, reason = ? WHERE key = ?", status, reason, stack["key"])
    record(call, stack["key"], stack["name"], STACK_TYPE, status, physical_id=stack["id"], reason=reason)


@operation
def describe_stack_events(call: Call, stack_name: str, next_token: str | None = None) -> dict[str, Any]:
    stack = rows.stack(call, stack_name)
    if stack is None:
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    before = int(next_token) if next_token and next_token.isdigit() else None
    found = call.tx.all(
        """SELECT * FROM cloudformation_event
            WHERE stack = ? AND key < ? ORDER BY key DESC LIMIT ?""",
        stack["key"], before if before is not None else 1 << 62, _PAGE + 1,
    )  # fmt: skip
    return {
        "StackEvents": [_shown(stack, each) for each in found[:_PAGE]],
        "NextToken": str(found[_PAGE - 1]["key"]) if len(found) > _PAGE else None,
    }


def _shown(stack: Row, event: Row) -> dict[str, Any]:
    return {
        "StackId": stack["id"],
        "EventId": event["id"],
        "StackName": stack["name"],
        "LogicalResourceId": event["logical_id"],
        "PhysicalResourceId": event["physical_id"],
        "ResourceType": event["type"],
        "Timestamp": event["at"],
        "ResourceStatus": event["status"],
        "ResourceStatusReason": event["reason"],
        "ResourceProperties": event["properties"],
    }


def properties_text(properties: Any) -> str:
    """Resolved properties as an event shows them."""
    return json.dumps(properties, separators=(",", ":"))
