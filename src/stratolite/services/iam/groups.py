"""Groups of users."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation

from . import names, users
from .attachments import check_bare
from .errors import DeleteConflictException
from .names import GROUP, USER, Entity
from .pages import PAGE, paged


@operation
def create_group(call: Call, group_name: str, path: str = "/") -> dict[str, Any]:
    return {"Group": described(names.add(call, GROUP, group_name, path))}


@operation
def get_group(call: Call, group_name: str, marker: str | None = None, max_items: int = PAGE) -> dict[str, Any]:
    group = names.get(call, GROUP, group_name)
    rows = call.tx.all(
        """SELECT e.*, m.seq FROM iam_member m JOIN iam_entity e ON e.key = m.member
           WHERE m.holder = ? ORDER BY m.seq""",
        group.key,
    )
    page, rest = paged(rows, max_items, marker, lambda row: [row["seq"]])
    return {"Group": described(group), "Users": [users.described(Entity(row)) for row in page], **rest}


@operation
def list_groups(
    call: Call, path_prefix: str | None = None, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    page, rest = paged(names.listed(call, GROUP, path_prefix), max_items, marker, lambda group: group.name.lower())
    return {"Groups": [described(group) for group in page], **rest}


@operation
def list_groups_for_user(
    call: Call, user_name: str, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    user = names.get(call, USER, user_name)
    rows = call.tx.all(
        """SELECT e.*, m.seq FROM iam_member m JOIN iam_entity e ON e.key = m.holder
           WHERE m.member = ? ORDER BY m.seq""",
        user.key,
    )
    page, rest = paged(rows, max_items, marker, lambda row: [row["seq"]])
    return {"Groups": [described(Entity(row)) for row in page], **rest}


@operation
def update_group(call: Call, group_name: str, new_path: str | None = None, new_group_name: str | None = None) -> None:
    names.rename(call, GROUP, group_name, new_group_name, new_path)


@operation
def delete_group(call: Call, group_name: str) -> None:
    group = names.get(call, GROUP, group_name)
    if call.tx.value("SELECT 1 FROM iam_member WHERE holder = ?", group.key):
        raise DeleteConflictException(first="remove users from group first")
    check_bare(call, group)
    names.remove(call, group)


@operation
def add_user_to_group(call: Call, group_name: str, user_name: str) -> None:
    group, user = names.get(call, GROUP, group_name), names.get(call, USER, user_name)
    call.tx.run(
        """INSERT OR IGNORE INTO iam_member (holder, member, seq)
           SELECT ?, ?, coalesce(max(seq), 0) + 1 FROM iam_member""",
        group.key,
        user.key,
    )


@operation
def remove_user_from_group(call: Call, group_name: str, user_name: str) -> None:
    group, user = names.get(call, GROUP, group_name), names.get(call, USER, user_name)
    call.tx.run("DELETE FROM iam_member WHERE holder = ? AND member = ?", group.key, user.key)


def described(group: Entity) -> dict[str, Any]:
    row = group.row
    return {
        "Path": row["path"],
        "GroupName": group.name,
        "GroupId": row["id"],
        "Arn": group.arn,
        "CreateDate": row["created_at"],
    }
