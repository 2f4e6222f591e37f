"""Attachments: managed policies on roles, users and groups."""

from __future__ import annotations

import re
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import DeleteConflictException, LimitExceededException, NoSuchEntityException, ValidationError
from .names import GROUP, ROLE, USER, Entity, Kind
from .pages import PAGE, paged

_ARN = re.compile(r"arn:[^:]+:iam::(?P<account>aws|\d{12}):policy(?P<path>/(?:.+/)?)(?P<name>[^/]+)")
_MAX_ATTACHED = 20  # AWS: 10, and 20 for who asks


@operation
def attach_role_policy(call: Call, role_name: str, policy_arn: str) -> None:
    _attach(call, ROLE, role_name, policy_arn)


@operation
def attach_user_policy(call: Call, user_name: str, policy_arn: str) -> None:
    _attach(call, USER, user_name, policy_arn)


@operation
def attach_group_policy(call: Call, group_name: str, policy_arn: str) -> None:
    _attach(call, GROUP, group_name, policy_arn)


@operation
def detach_role_policy(call: Call, role_name: str, policy_arn: str) -> None:
    _detach(call, ROLE, role_name, policy_arn)


@operation
def detach_user_policy(call: Call, user_name: str, policy_arn: str) -> None:
    _detach(call, USER, user_name, policy_arn)


@operation
def detach_group_policy(call: Call, group_name: str, policy_arn: str) -> None:
    _detach(call, GROUP, group_name, policy_arn)


@operation
def list_attached_role_policies(
    call: Call, role_name: str, path_prefix: str = "/", marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    return _list(call, ROLE, role_name, path_prefix, marker, max_items)


@operation
def list_attached_user_policies(
    call: Call, user_name: str, path_prefix: str = "/", marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    return _list(call, USER, user_name, path_prefix, marker, max_items)


@operation
def list_attached_group_policies(
    call: Call, group_name: str, path_prefix: str = "/", marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    return _list(call, GROUP, group_name, path_prefix, marker, max_items)


def parse(arn: str) -> re.Match[str]:
    """Account (`aws`: AWS's own policies), path and name of a policy's ARN."""
    if not (parts := _ARN.fullmatch(arn)):
        raise ValidationError
    return parts


def attach(call: Call, entity: Entity, arn: str) -> None:
    parts = parse(arn)
    # AWS's own policies are attached by any name: which there are is AWS's to say.
    known = parts["account"] == "aws" or call.tx.value(
        "SELECT 1 FROM iam_policy WHERE account = ? AND path = ? AND name = ?",
        parts["account"],
        parts["path"],
        parts["name"],
    )
    if not known:
        raise NoSuchEntityException(f"Policy {arn} does not exist or is not attachable.")
    if call.tx.value("SELECT count(*) FROM iam_attachment WHERE entity = ?", entity.key) >= _MAX_ATTACHED:
        raise LimitExceededException(what=f"PoliciesPer{entity.row['kind'].title()}", limit=_MAX_ATTACHED)
    call.tx.run(
        "INSERT OR IGNORE INTO iam_attachment (entity, policy, name) VALUES (?, ?, ?)", entity.key, arn, parts["name"]
    )


def check_bare(call: Call, entity: Entity) -> None:
    """What still has policies cannot be deleted."""
    if call.tx.value("SELECT 1 FROM iam_attachment WHERE entity = ?", entity.key):
        raise DeleteConflictException(first="detach all policies first")
    if call.tx.value("SELECT 1 FROM iam_inline WHERE entity = ?", entity.key):
        raise DeleteConflictException(first="delete policies first")


def _attach(call: Call, kind: Kind, name: str, arn: str) -> None:
    parse(arn)
    call.cloud.notice(names.NOT_ENFORCED)
    attach(call, names.get(call, kind, name), arn)


def _detach(call: Call, kind: Kind, name: str, arn: str) -> None:
    parse(arn)
    entity = names.get(call, kind, name)
    gone = call.tx.run("DELETE FROM iam_attachment WHERE entity = ? AND policy = ?", entity.key, arn)
    if not gone.rowcount:
        raise NoSuchEntityException(f"Policy {arn} was not found.")


def _list(call: Call, kind: Kind, name: str, prefix: str, marker: str | None, limit: int) -> dict[str, Any]:
    entity = names.get(call, kind, name)
    rows = call.tx.all("SELECT * FROM iam_attachment WHERE entity = ? ORDER BY name, policy", entity.key)
    wanted = [row for row in rows if parse(row["policy"])["path"].startswith(prefix)]
    page, rest = paged(wanted, limit, marker, lambda row: f"{row['name']} {row['policy']}")
    return {
        "AttachedPolicies": [{"PolicyName": row["name"], "PolicyArn": row["policy"]} for row in page],
        **rest,
    }
