"""Roles: made, described, changed, deleted."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .attachments import check_bare
from .errors import DeleteConflictException, UnmodifiableEntityException
from .names import ROLE, Entity
from .pages import PAGE, paged

_SESSION_S = 3600
LINKED = "/aws-service-role/"


@operation
def create_role(
    call: Call,
    role_name: str,
    assume_role_policy_document: str,
    path: str = "/",
    description: str | None = None,
    max_session_duration: int = _SESSION_S,
    permissions_boundary: str | None = None,
    tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    role = names.add(
        call,
        ROLE,
        role_name,
        path,
        trust=names.checked(assume_role_policy_document),
        description=description,
        max_session_s=max_session_duration,
        boundary=permissions_boundary,
        tags=names.tagged(tags),
    )
    return {"Role": described(role) | {"MaxSessionDuration": None, "Tags": role.tags or None}}


@operation
def get_role(call: Call, role_name: str) -> dict[str, Any]:
    role = names.get(call, ROLE, role_name)
    return {"Role": described(role) | {"Tags": role.tags or None, "RoleLastUsed": {}}}


@operation
def list_roles(
    call: Call, path_prefix: str | None = None, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    page, rest = paged(names.listed(call, ROLE, path_prefix), max_items, marker, lambda role: role.name.lower())
    # Lists leave out what takes AWS a second look: boundaries, tags, last use.
    return {"Roles": [described(role) | {"PermissionsBoundary": None} for role in page], **rest}


@operation
def update_role(
    call: Call, role_name: str, description: str | None = None, max_session_duration: int | None = None
) -> dict[str, Any]:
    role = _own(call, role_name)
    call.tx.run(
        "UPDATE iam_entity SET description = ?, max_session_s = coalesce(?, max_session_s) WHERE key = ?",
        description if description is not None else role.row["description"],
        max_session_duration,
        role.key,
    )
    return {}


@operation
def update_role_description(call: Call, role_name: str, description: str) -> dict[str, Any]:
    update_role(call, role_name, description)
    return {"Role": described(names.get(call, ROLE, role_name))}


@operation
def update_assume_role_policy(call: Call, role_name: str, policy_document: str) -> None:
    role = _own(call, role_name)
    call.tx.run("UPDATE iam_entity SET trust = ? WHERE key = ?", names.checked(policy_document), role.key)


@operation
def put_role_permissions_boundary(call: Call, role_name: str, permissions_boundary: str) -> None:
    role = _own(call, role_name)
    call.tx.run("UPDATE iam_entity SET boundary = ? WHERE key = ?", permissions_boundary, role.key)


@operation
def delete_role_permissions_boundary(call: Call, role_name: str) -> None:
    role = _own(call, role_name)
    call.tx.run("UPDATE iam_entity SET boundary = NULL WHERE key = ?", role.key)


@operation
def delete_role(call: Call, role_name: str) -> None:
    role = _own(call, role_name)
    if call.tx.value("SELECT 1 FROM iam_member WHERE member = ?", role.key):
        raise DeleteConflictException(first="remove roles from instance profile first")
    check_bare(call, role)
    names.remove(call, role)


def described(role: Entity) -> dict[str, Any]:
    row = role.row
    return {
        "Path": row["path"],
        "RoleName": role.name,
        "RoleId": row["id"],
        "Arn": role.arn,
        "CreateDate": row["created_at"],
        "AssumeRolePolicyDocument": names.encoded(row["trust"]),
        "Description": row["description"],
        "MaxSessionDuration": row["max_session_s"],
        "PermissionsBoundary": names.boundary(role),
    }


def _own(call: Call, name: str) -> Entity:
    """A role that is not some service's."""
    role = names.get(call, ROLE, name)
    if role.row["path"].startswith(LINKED):
        raise UnmodifiableEntityException(name=name)
    return role
