"""Rows: stacks and their resources, found by what callers name them."""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import Call
from stratolite.kernel.store import Row

from .errors import no_stack

DELETED = "DELETE_COMPLETE"


def stack(call: Call, name: str, or_deleted: bool = False) -> Row | None:
    """A stack by name or id; a deleted one only by id, unless any will do (the newest then)."""
    if name.startswith("arn:"):
        return call.tx.one("SELECT * FROM cloudformation_stack WHERE id = ?", name)
    found = call.tx.one(
        """SELECT * FROM cloudformation_stack
            WHERE account = ? AND region = ? AND name = ? AND status <> 'DELETE_COMPLETE'""",
        call.account, call.region, name,
    )  # fmt: skip
    if found is None and or_deleted:
        found = call.tx.one(
            """SELECT * FROM cloudformation_stack
                WHERE account = ? AND region = ? AND name = ? ORDER BY key DESC LIMIT 1""",
            call.account, call.region, name,
        )  # fmt: skip
    return found


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


def account_of(stack_id: str) -> str:
    return stack_id.split(":")[4]


def is_name(text: str) -> bool:
    """Whether a text can be a stack's name: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
    return re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", text) is not None
