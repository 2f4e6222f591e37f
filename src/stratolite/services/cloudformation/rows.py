"""Rows: stacks and their resources, found by what callers name them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call
from stratolite.kernel.store import Row

from .errors import no_stack

DELETED = "DELETE_COMPLETE"


def stack(call: Call, name: str) -> Row | None:
    """A stack by name or id; a deleted one only by id."""
    if name.startswith("arn:"):
        return call.tx.one("SELECT * FROM cloudformation_stack WHERE id = ?", name)
    return call.tx.one(
        """SELECT * FROM cloudformation_stack
            WHERE account = ? AND region = ? AND name = ? AND status <> 'DELETE_COMPLETE'""",
        call.account,
        call.region,
        name,
    )


def live_stack(call: Call, name: str) -> Row:
    """The same, or ValidationError."""
    found = stack(call, name)
    if found is None:
        raise no_stack(name)
    return found


def by_key(call: Call, key: int) -> Row:
    found = call.tx.one("SELECT * FROM cloudformation_stack WHERE key = ?", key)
    assert found is not None, f"no stack {key}"
    return found


def resources(call: Call, stack_key: int, role: str = "live") -> dict[str, Row]:
    """A stack's resources of one role by logical id."""
    found = call.tx.all(
        "SELECT * FROM cloudformation_resource WHERE stack = ? AND role = ? ORDER BY key", stack_key, role
    )
    return {each["logical_id"]: each for each in found}


def loads(text: str | None) -> Any:
    return None if text is None else json.loads(text)
