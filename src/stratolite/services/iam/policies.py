"""Managed policies: made, described, with up to five versions."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .attachments import parse
from .errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    LimitExceededException,
    NoSuchEntityException,
    NotEmulated,
)
from .pages import PAGE, paged

_MAX_VERSIONS = 5
_SYNTAX = "Syntax errors in policy."
_MEMBERS = {"role": ("PolicyRoles", "Role"), "user": ("PolicyUsers", "User"), "group": ("PolicyGroups", "Group")}


@operation
def create_policy(
    call: Call,
    policy_name: str,
    policy_document: str,
    path: str = "/",
    description: str | None = None,
    tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    names.checked(policy_document, _SYNTAX)
    if call.tx.value("SELECT 1 FROM iam_policy WHERE account = ? AND name = ?", call.account, policy_name):
        raise EntityAlreadyExistsException(
            f"A policy called {policy_name} already exists. Duplicate names are not allowed."
        )
    made = call.tx.run(
        """INSERT INTO iam_policy (account, name, path, id, description, default_version, last_version, created_at,
                                   updated_at, tags)
           VALUES (?, ?, ?, ?, ?, 1, 1, ?, ?, ?)""",
        call.account,
        policy_name,
        path,
        names.unique_id(call, "ANPA"),
        description,
        call.now,
        call.now,
        names.tagged(tags),
    )
    _add_version(call, made.lastrowid or 0, 1, policy_document)
    row = get(call, f"arn:aws:iam::{call.account}:policy{path}{policy_name}")
    return {"Policy": described(call, row) | {"Description": None, "Tags": _tags(row) or None}}


@operation
def get_policy(call: Call, policy_arn: str) -> dict[str, Any]:
    if parse(policy_arn)["account"] == "aws":
        return {"Policy": _of_aws(call, policy_arn)}
    row = get(call, policy_arn)
    return {"Policy": described(call, row) | {"Tags": _tags(row)}}


@operation
def list_policies(
    call: Call,
    scope: str = "All",
    only_attached: bool = False,
    path_prefix: str = "/",
    marker: str | None = None,
    max_items: int = PAGE,
) -> dict[str, Any]:
    """The account's own policies. AWS's are accepted wherever one may be named, and listed when they are attached."""
    rows = call.tx.all("SELECT * FROM iam_policy WHERE account = ? ORDER BY name", call.account)
    found = [described(call, row) for row in rows if row["path"].startswith(path_prefix)] if scope != "AWS" else []
    if scope != "Local":
        attached = call.tx.all(
            """SELECT DISTINCT a.policy FROM iam_attachment a JOIN iam_entity e ON e.key = a.entity
               WHERE e.account = ? AND a.policy LIKE 'arn:aws:iam::aws:%'""",
            call.account,
        )
        found += [
            _of_aws(call, row["policy"]) for row in attached if parse(row["policy"])["path"].startswith(path_prefix)
        ]
    wanted = [policy for policy in found if policy["AttachmentCount"] or not only_attached]
    wanted.sort(key=lambda policy: str(policy["Arn"]))
    page, rest = paged(wanted, max_items, marker, lambda policy: str(policy["Arn"]))
    return {"Policies": page, **rest}


@operation
def delete_policy(call: Call, policy_arn: str) -> None:
    row = get(call, policy_arn)
    if _attached(call, policy_arn):
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    if call.tx.value("SELECT count(*) FROM iam_policy_version WHERE policy = ?", row["key"]) > 1:
        raise DeleteConflictException(
            "This policy has more than one version. Before you delete a policy, you must "
            "delete the policy's versions. The default version is deleted with the policy."
        )
    call.tx.run("DELETE FROM iam_policy_version WHERE policy = ?", row["key"])
    call.tx.run("DELETE FROM iam_policy WHERE key = ?", row["key"])


@operation
def create_policy_version(
    call: Call, policy_arn: str, policy_document: str, set_as_default: bool = False
) -> dict[str, Any]:
    row = get(call, policy_arn)
    names.checked(policy_document, _SYNTAX)
    if call.tx.value("SELECT count(*) FROM iam_policy_version WHERE policy = ?", row["key"]) >= _MAX_VERSIONS:
        raise LimitExceededException(
            "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
            "version."
        )
    number = row["last_version"] + 1
    _add_version(call, row["key"], number, policy_document)
    call.tx.run("UPDATE iam_policy SET last_version = ?, updated_at = ? WHERE key = ?", number, call.now, row["key"])
    if set_as_default:
        set_default_policy_version(call, policy_arn, f"v{number}")
    return {"PolicyVersion": _version(get(call, policy_arn), _get_version(call, row, f"v{number}"), False)}


@operation
def get_policy_version(call: Call, policy_arn: str, version_id: str) -> dict[str, Any]:
    row = get(call, policy_arn)
    return {"PolicyVersion": _version(row, _get_version(call, row, version_id), True)}


@operation
def list_policy_versions(
    call: Call, policy_arn: str, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    row = get(call, policy_arn)
    versions = call.tx.all("SELECT * FROM iam_policy_version WHERE policy = ? ORDER BY number DESC", row["key"])
    page, rest = paged(versions, max_items, marker, lambda version: f"{10**9 - version['number']}")
    return {"Versions": [_version(row, version, False) for version in page], **rest}


@operation
def set_default_policy_version(call: Call, policy_arn: str, version_id: str) -> None:
    row = get(call, policy_arn)
    version = _get_version(call, row, version_id)
    call.tx.run(
        "UPDATE iam_policy SET default_version = ?, updated_at = ? WHERE key = ?",
        version["number"],
        call.now,
        row["key"],
    )


@operation
def delete_policy_version(call: Call, policy_arn: str, version_id: str) -> None:
    row = get(call, policy_arn)
    version = _get_version(call, row, version_id)
    if version["number"] == row["default_version"]:
        raise DeleteConflictException("Cannot delete the default version of a policy.")
    call.tx.run("DELETE FROM iam_policy_version WHERE policy = ? AND number = ?", row["key"], version["number"])


@operation
def list_entities_for_policy(
    call: Call,
    policy_arn: str,
    entity_filter: str | None = None,
    path_prefix: str = "/",
    marker: str | None = None,
    max_items: int = PAGE,
) -> dict[str, Any]:
    if parse(policy_arn)["account"] != "aws":
        get(call, policy_arn)
    rows = call.tx.all(
        """SELECT e.* FROM iam_attachment a JOIN iam_entity e ON e.key = a.entity
           WHERE a.policy = ? AND e.account = ? ORDER BY e.kind, e.name""",
        policy_arn,
        call.account,
    )
    wanted = [
        row for row in rows if row["path"].startswith(path_prefix) and entity_filter in (None, row["kind"].title())
    ]
    page, rest = paged(wanted, max_items, marker, lambda row: f"{row['kind']} {row['name'].lower()}")
    found: dict[str, Any] = {members: [] for members, _ in _MEMBERS.values()}
    for row in page:
        members, kind = _MEMBERS[row["kind"]]
        found[members].append({f"{kind}Name": row["name"], f"{kind}Id": row["id"]})
    return {**found, **rest}


def get(call: Call, arn: str) -> Any:
    """The row of one of an account's own policies."""
    parts = parse(arn)
    if parts["account"] == "aws":
        raise NotEmulated(arn=arn)
    row = call.tx.one(
        "SELECT * FROM iam_policy WHERE account = ? AND path = ? AND name = ?",
        parts["account"],
        parts["path"],
        parts["name"],
    )
    if row is None:
        raise NoSuchEntityException(f"Policy {arn} was not found.")
    return row


def described(call: Call, row: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::{row['account']}:policy{row['path']}{row['name']}"
    return {
        "PolicyName": row["name"],
        "PolicyId": row["id"],
        "Arn": arn,
        "Path": row["path"],
        "DefaultVersionId": f"v{row['default_version']}",
        "AttachmentCount": _attached(call, arn),
        "PermissionsBoundaryUsageCount": call.tx.value("SELECT count(*) FROM iam_entity WHERE boundary = ?", arn),
        "IsAttachable": True,
        "Description": row["description"],
        "CreateDate": row["created_at"],
        "UpdateDate": row["updated_at"],
    }


def _of_aws(call: Call, arn: str) -> dict[str, Any]:
    """What can be told of AWS's own policy without having it."""
    parts = parse(arn)
    return {
        "PolicyName": parts["name"],
        "Arn": arn,
        "Path": parts["path"],
        "DefaultVersionId": "v1",
        "AttachmentCount": _attached(call, arn),
        "PermissionsBoundaryUsageCount": call.tx.value("SELECT count(*) FROM iam_entity WHERE boundary = ?", arn),
        "IsAttachable": True,
    }


def _attached(call: Call, arn: str) -> int:
    return int(
        call.tx.value(
            """SELECT count(*) FROM iam_attachment a JOIN iam_entity e ON e.key = a.entity
               WHERE a.policy = ? AND e.account = ?""",
            arn,
            call.account,
        )
    )


def _add_version(call: Call, policy: int, number: int, document: str) -> None:
    call.tx.run(
        "INSERT INTO iam_policy_version (policy, number, document, created_at) VALUES (?, ?, ?, ?)",
        policy,
        number,
        document,
        call.now,
    )


def _get_version(call: Call, row: Any, version_id: str) -> Any:
    version = call.tx.one(
        "SELECT * FROM iam_policy_version WHERE policy = ? AND 'v' || number = ?", row["key"], version_id
    )
    if version is None:
        arn = f"arn:aws:iam::{row['account']}:policy{row['path']}{row['name']}"
        raise NoSuchEntityException(f"Policy {arn} version {version_id} does not exist or is not attachable.")
    return version


def _version(row: Any, version: Any, document: bool) -> dict[str, Any]:
    return {
        "VersionId": f"v{version['number']}",
        "IsDefaultVersion": version["number"] == row["default_version"],
        "CreateDate": version["created_at"],
        "Document": names.encoded(version["document"]) if document else None,
    }


def _tags(row: Any) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in json.loads(row["tags"]).items()]
