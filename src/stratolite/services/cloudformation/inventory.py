"""Inventory: what a stack is made of."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import rows
from .errors import ValidationError, no_stack

_PAGE = 100
_DRIFT = {"StackResourceDriftStatus": "NOT_CHECKED"}


def _stack(call: Call, name: str) -> Row:
    found = rows.stack(call, name)
    if found is None:
        raise ValidationError(f"Stack '{name}' does not exist")
    return found


def _listed(call: Call, stack: Row) -> list[Row]:
    """By logical id, as AWS lists them; of a deleted stack, what it had."""
    roles = "('live', 'gone')" if stack["status"] == rows.DELETED else "('live')"
    return call.tx.all(
        f"SELECT * FROM cloudformation_resource WHERE stack = ? AND role IN {roles} ORDER BY logical_id, key",
        stack["key"],
    )


@operation
def describe_stack_resource(call: Call, stack_name: str, logical_resource_id: str) -> dict[str, Any]:
    stack = _stack(call, stack_name)
    for row in _listed(call, stack):
        if row["logical_id"] == logical_resource_id:
            return {
                "StackResourceDetail": {
                    "StackName": stack["name"],
                    "StackId": stack["id"],
                    "LogicalResourceId": row["logical_id"],
                    "PhysicalResourceId": row["physical_id"],
                    "ResourceType": row["type"],
                    "LastUpdatedTimestamp": row["changed_at"],
                    "ResourceStatus": row["status"],
                    "ResourceStatusReason": row["reason"],
                    "Metadata": row["metadata"] or "{}",
                    "DriftInformation": _DRIFT,
                }
            }
    raise ValidationError(f"Resource {logical_resource_id} does not exist for stack {stack_name}")


@operation
def describe_stack_resources(
    call: Call,
    stack_name: str | None = None,
    logical_resource_id: str | None = None,
    physical_resource_id: str | None = None,
) -> dict[str, Any]:
    if stack_name is None and physical_resource_id is None:
        raise ValidationError("StackName or PhysicalResourceId must be specified.")
    if stack_name is None:
        row = call.tx.one(
            """SELECT s.id FROM cloudformation_resource r JOIN cloudformation_stack s ON s.key = r.stack
                WHERE r.physical_id = ? AND r.role = 'live' AND s.account = ? AND s.region = ?""",
            physical_resource_id, call.account, call.region,
        )  # fmt: skip
        if row is None:
            raise ValidationError(f"Stack for {physical_resource_id} does not exist")
        stack_name = str(row["id"])
    stack = rows.stack(call, stack_name)
    if stack is None:
        raise no_stack(stack_name)
    listed = [each for each in _listed(call, stack) if logical_resource_id in (None, each["logical_id"])]
    if logical_resource_id is not None and not listed:
        raise ValidationError(f"Resource {logical_resource_id} does not exist for stack {stack_name}")
    return {
        "StackResources": [
            {
                "StackName": stack["name"],
                "StackId": stack["id"],
                "LogicalResourceId": row["logical_id"],
                "PhysicalResourceId": row["physical_id"],
                "ResourceType": row["type"],
                "Timestamp": row["changed_at"],
                "ResourceStatus": row["status"],
                "ResourceStatusReason": row["reason"],
                "DriftInformation": _DRIFT,
            }
            for row in listed[:_PAGE]
        ]
    }


@operation
def list_stack_resources(call: Call, stack_name: str, next_token: str | None = None) -> dict[str, Any]:
    stack = rows.stack(call, stack_name)
    if stack is None:
        raise no_stack(stack_name)
    start = int(next_token) if next_token and next_token.isdigit() else 0
    listed = _listed(call, stack)
    return {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": row["logical_id"],
                "PhysicalResourceId": row["physical_id"],
                "ResourceType": row["type"],
                "LastUpdatedTimestamp": row["changed_at"],
                "ResourceStatus": row["status"],
                "ResourceStatusReason": row["reason"],
                "DriftInformation": _DRIFT,
            }
            for row in listed[start : start + _PAGE]
        ],
        "NextToken": str(start + _PAGE) if len(listed) > start + _PAGE else None,
    }
