"""Exports: values one stack gives to others of the same account and region."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from .errors import ValidationError

_PAGE = 100


def value(call: Call, name: str) -> str | None:
    """What an export holds; None when there is none of that name."""
    found: str | None = call.tx.value(
        "SELECT value FROM cloudformation_export WHERE account = ? AND region = ? AND name = ?",
        call.account, call.region, name,
    )  # fmt: skip
    return found


def importers(call: Call, name: str) -> list[str]:
    """The names of the stacks that import an export."""
    found = call.tx.all(
        """SELECT s.name FROM cloudformation_import i JOIN cloudformation_stack s ON s.key = i.stack
            WHERE i.account = ? AND i.region = ? AND i.name = ? ORDER BY s.name""",
        call.account, call.region, name,
    )  # fmt: skip
    return [each["name"] for each in found]


def publish(call: Call, stack: Row, outputs: list[dict[str, Any]]) -> None:
    """Make a stack's exports those of its outputs. Raises ValidationError when others stand in the way."""
    wanted = {each["ExportName"]: each["OutputValue"] for each in outputs if "ExportName" in each}
    held = {
        each["name"]: each["value"]
        for each in call.tx.all("SELECT name, value FROM cloudformation_export WHERE stack = ?", stack["key"])
    }
    for name, old in held.items():
        if wanted.get(name) != old and (users := importers(call, name)):
            verb = "updated" if name in wanted else "deleted"
            raise ValidationError(f"Export {name} cannot be {verb} as it is in use by {' and '.join(users)}")
    for name in wanted:
        other = call.tx.one(
            """SELECT s.name FROM cloudformation_export e JOIN cloudformation_stack s ON s.key = e.stack
                WHERE e.account = ? AND e.region = ? AND e.name = ? AND e.stack <> ?""",
            call.account, call.region, name, stack["key"],
        )  # fmt: skip
        if other is not None:
            raise ValidationError(f"Export with name {name} is already exported by stack {other['name']}")
    withdraw(call, stack["key"])
    call.tx.many(
        "INSERT INTO cloudformation_export (account, region, name, value, stack) VALUES (?, ?, ?, ?, ?)",
        [(call.account, call.region, name, text, stack["key"]) for name, text in wanted.items()],
    )


def withdraw(call: Call, stack_key: int) -> None:
    call.tx.run("DELETE FROM cloudformation_export WHERE stack = ?", stack_key)


def note_imports(call: Call, stack_key: int, names: set[str]) -> None:
    """Remember what a stack imports."""
    call.tx.run("DELETE FROM cloudformation_import WHERE stack = ?", stack_key)
    call.tx.many(
        "INSERT INTO cloudformation_import (account, region, name, stack) VALUES (?, ?, ?, ?)",
        [(call.account, call.region, name, stack_key) for name in sorted(names)],
    )


def check_unused(call: Call, stack_key: int) -> None:
    """Raises ValidationError when another stack imports what this one exports."""
    for each in call.tx.all("SELECT name FROM cloudformation_export WHERE stack = ? ORDER BY name", stack_key):
        users = importers(call, each["name"])
        if users:
            raise ValidationError(f"Export {each['name']} cannot be deleted as it is in use by {' and '.join(users)}")


@operation
def list_exports(call: Call, next_token: str | None = None) -> dict[str, Any]:
    start = int(next_token) if next_token and next_token.isdigit() else 0
    found = call.tx.all(
        """SELECT e.name, e.value, s.id FROM cloudformation_export e JOIN cloudformation_stack s ON s.key = e.stack
            WHERE e.account = ? AND e.region = ? ORDER BY e.name LIMIT ? OFFSET ?""",
        call.account, call.region, _PAGE + 1, start,
    )  # fmt: skip
    return {
        "Exports": [
            {"ExportingStackId": each["id"], "Name": each["name"], "Value": each["value"]} for each in found[:_PAGE]
        ],
        "NextToken": str(start + _PAGE) if len(found) > _PAGE else None,
    }


@operation
def list_imports(call: Call, export_name: str, next_token: str | None = None) -> dict[str, Any]:
    if value(call, export_name) is None:
        raise ValidationError(f"No export named {export_name} found.")
    found = importers(call, export_name)
    if not found:
        raise ValidationError(f"Export '{export_name}' is not imported by any stack.")
    start = int(next_token) if next_token and next_token.isdigit() else 0
    return {
        "Imports": found[start : start + _PAGE],
        "NextToken": str(start + _PAGE) if len(found) > start + _PAGE else None,
    }
