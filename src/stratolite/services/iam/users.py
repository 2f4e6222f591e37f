"""Users: made, described, changed, deleted, with their console passwords."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .attachments import check_bare
from .errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    NoSuchEntityException,
    ValidationError,
)
from .names import USER, Entity
from .pages import PAGE, paged


@operation
def create_user(
    call: Call,
    user_name: str,
    path: str = "/",
    permissions_boundary: str | None = None,
    tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    user = names.add(call, USER, user_name, path, boundary=permissions_boundary, tags=names.tagged(tags))
    return {"User": described(user) | {"Tags": user.tags or None}}


@operation
def get_user(call: Call, user_name: str | None = None) -> dict[str, Any]:
    """A user, or without a name whoever asks."""
    if user_name is None:
        arn = call.principal.arn
        if arn.endswith(":root"):
            return {"User": _root(call)}
        user_name = own_name(call)
    user = names.get(call, USER, user_name)
    return {"User": described(user) | {"Tags": user.tags or None}}


@operation
def list_users(
    call: Call, path_prefix: str | None = None, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    page, rest = paged(names.listed(call, USER, path_prefix), max_items, marker, lambda user: user.name.lower())
    return {"Users": [described(user) | {"PermissionsBoundary": None} for user in page], **rest}


@operation
def update_user(call: Call, user_name: str, new_path: str | None = None, new_user_name: str | None = None) -> None:
    names.rename(call, USER, user_name, new_user_name, new_path)


@operation
def delete_user(call: Call, user_name: str) -> None:
    user = names.get(call, USER, user_name)
    check_bare(call, user)
    for table, column, first in _REFERENCES:
        if call.tx.value(f"SELECT 1 FROM {table} WHERE {column} = ?", user.key):
            raise DeleteConflictException(first=first)
    names.remove(call, user)


@operation
def put_user_permissions_boundary(call: Call, user_name: str, permissions_boundary: str) -> None:
    user = names.get(call, USER, user_name)
    call.tx.run("UPDATE iam_entity SET boundary = ? WHERE key = ?", permissions_boundary, user.key)


@operation
def delete_user_permissions_boundary(call: Call, user_name: str) -> None:
    user = names.get(call, USER, user_name)
    call.tx.run("UPDATE iam_entity SET boundary = NULL WHERE key = ?", user.key)


@operation
def create_login_profile(
    call: Call, user_name: str | None = None, password: str | None = None, password_reset_required: bool = False
) -> dict[str, Any]:
    """There is no console here to log in to: a profile is kept and told, the password is not kept."""
    user = names.get(call, USER, user_name or own_name(call))
    if _login(call, user) is not None:
        raise EntityAlreadyExistsException(f"Login Profile for user {user.name} already exists.")
    call.tx.run(
        "INSERT INTO iam_login_profile (entity, created_at, reset_required) VALUES (?, ?, ?)",
        user.key,
        call.now,
        password_reset_required,
    )
    return get_login_profile(call, user.name)


@operation
def get_login_profile(call: Call, user_name: str | None = None) -> dict[str, Any]:
    user = names.get(call, USER, user_name or own_name(call))
    login = _login(call, user)
    if login is None:
        raise _no_login(user)
    return {
        "LoginProfile": {
            "UserName": user.name,
            "CreateDate": login["created_at"],
            "PasswordResetRequired": bool(login["reset_required"]),
        }
    }


@operation
def update_login_profile(
    call: Call, user_name: str, password: str | None = None, password_reset_required: bool | None = None
) -> None:
    user = names.get(call, USER, user_name)
    if _login(call, user) is None:
        raise _no_login(user)
    if password_reset_required is not None:
        call.tx.run(
            "UPDATE iam_login_profile SET reset_required = ? WHERE entity = ?", password_reset_required, user.key
        )


@operation
def delete_login_profile(call: Call, user_name: str | None = None) -> None:
    user = names.get(call, USER, user_name or own_name(call))
    if _login(call, user) is None:
        raise _no_login(user)
    call.tx.run("DELETE FROM iam_login_profile WHERE entity = ?", user.key)


def own_name(call: Call) -> str:
    """The name of the user who asks."""
    arn = call.principal.arn
    if ":user/" not in arn:
        raise ValidationError("Must specify userName when calling with non-User credentials")
    return arn.rsplit("/", 1)[1]


def described(user: Entity) -> dict[str, Any]:
    row = user.row
    return {
        "Path": row["path"],
        "UserName": user.name,
        "UserId": row["id"],
        "Arn": user.arn,
        "CreateDate": row["created_at"],
        "PermissionsBoundary": names.boundary(user),
    }


# What must go before a user: where it is said, and AWS's words for it.
_REFERENCES = (
    ("iam_member", "member", "remove users from group first"),
    ("iam_access_key", "entity", "delete access keys first"),
    ("iam_login_profile", "entity", "delete login profile first"),
    ("iam_service_credential", "entity", "remove referenced objects first"),
)


def _root(call: Call) -> dict[str, Any]:
    return {
        "Path": "/",
        "UserName": "root",
        "UserId": call.account,
        "Arn": f"arn:aws:iam::{call.account}:root",
        "CreateDate": 0.0,
    }


def _login(call: Call, user: Entity) -> Any | None:
    return call.tx.one("SELECT * FROM iam_login_profile WHERE entity = ?", user.key)


def _no_login(user: Entity) -> NoSuchEntityException:
    return NoSuchEntityException(f"Login Profile for User {user.name} cannot be found.")
