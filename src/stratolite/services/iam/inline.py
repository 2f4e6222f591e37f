"""Inline policies: documents that belong to one role, user or group."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import NoSuchEntityException
from .names import GROUP, ROLE, USER, Kind
from .pages import PAGE, paged

_SYNTAX = "Syntax errors in policy."


@operation
def put_role_policy(call: Call, role_name: str, policy_name: str, policy_document: str) -> None:
    _put(call, ROLE, role_name, policy_name, policy_document)


@operation
def put_user_policy(call: Call, user_name: str, policy_name: str, policy_document: str) -> None:
    _put(call, USER, user_name, policy_name, policy_document)


@operation
def put_group_policy(call: Call, group_name: str, policy_name: str, policy_document: str) -> None:
    _put(call, GROUP, group_name, policy_name, policy_document)


@operation
def get_role_policy(call: Call, role_name: str, policy_name: str) -> dict[str, Any]:
    return {"RoleName": role_name, **_get(call, ROLE, role_name, policy_name)}


@operation
def get_user_policy(call: Call, user_name: str, policy_name: str) -> dict[str, Any]:
    return {"UserName": user_name, **_get(call, USER, user_name, policy_name)}


@operation
def get_group_policy(call: Call, group_name: str, policy_name: str) -> dict[str, Any]:
    return {"GroupName": group_name, **_get(call, GROUP, group_name, policy_name)}


@operation
def list_role_policies(call: Call, role_name: str, marker: str | None = None, max_items: int = PAGE) -> dict[str, Any]:
    return _list(call, ROLE, role_name, marker, max_items)


@operation
def list_user_policies(call: Call, user_name: str, marker: str | None = None, max_items: int = PAGE) -> dict[str, Any]:
    return _list(call, USER, user_name, marker, max_items)


@operation
def list_group_policies(
    call: Call, group_name: str, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    return _list(call, GROUP, group_name, marker, max_items)


@operation
def delete_role_policy(call: Call, role_name: str, policy_name: str) -> None:
    _delete(call, ROLE, role_name, policy_name)


@operation
def delete_user_policy(call: Call, user_name: str, policy_name: str) -> None:
    _delete(call, USER, user_name, policy_name)


@operation
def delete_group_policy(call: Call, group_name: str, policy_name: str) -> None:
    _delete(call, GROUP, group_name, policy_name)


def _put(call: Call, kind: Kind, name: str, policy: str, document: str) -> None:
    call.cloud.notice(names.NOT_ENFORCED)
    entity = names.get(call, kind, name)
    call.tx.run(
        """INSERT INTO iam_inline (entity, name, document) VALUES (?, ?, ?)
           ON CONFLICT (entity, name) DO UPDATE SET document = excluded.document""",
        entity.key,
        policy,
        names.checked(document, _SYNTAX),
    )


def _get(call: Call, kind: Kind, name: str, policy: str) -> dict[str, Any]:
    entity = names.get(call, kind, name)
    document = call.tx.value("SELECT document FROM iam_inline WHERE entity = ? AND name = ?", entity.key, policy)
    if document is None:
        raise _missing(kind, policy)
    return {"PolicyName": policy, "PolicyDocument": names.encoded(document)}


def _list(call: Call, kind: Kind, name: str, marker: str | None, limit: int) -> dict[str, Any]:
    entity = names.get(call, kind, name)
    found = [row["name"] for row in call.tx.all("SELECT name FROM iam_inline WHERE entity = ?", entity.key)]
    page, rest = paged(sorted(found), limit, marker, str)
    return {"PolicyNames": page, **rest}


def _delete(call: Call, kind: Kind, name: str, policy: str) -> None:
    entity = names.get(call, kind, name)
    gone = call.tx.run("DELETE FROM iam_inline WHERE entity = ? AND name = ?", entity.key, policy)
    if not gone.rowcount:
        raise _missing(kind, policy)


def _missing(kind: Kind, policy: str) -> NoSuchEntityException:
    return NoSuchEntityException(f"The {kind.kind} policy with name {policy} cannot be found.")
