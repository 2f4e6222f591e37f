"""Names: roles, users, groups and instance profiles by name; their ids and ARNs; policy documents as text."""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from stratolite.kernel import Call

from .errors import EntityAlreadyExistsException, MalformedPolicyDocumentException, NoSuchEntityException

_ID_CHARACTERS = string.ascii_uppercase + string.digits

NOT_ENFORCED = "iam: the enforcement of policies"
"""They are kept, checked and told; nobody is refused because of them."""


@dataclass(frozen=True)
class Kind:
    """`prefix`: of its ids, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""

    kind: str
    prefix: str
    missing: str
    taken: str


ROLE = Kind("role", "AROA", "The role with name {} cannot be found.", "Role with name {} already exists.")
USER = Kind("user", "AIDA", "The user with name {} cannot be found.", "User with name {} already exists.")
GROUP = Kind("group", "AGPA", "The group with name {} cannot be found.", "Group with name {} already exists.")
PROFILE = Kind(
    "instance-profile", "AIPA", "Instance Profile {} cannot be found.", "Instance Profile {} already exists."
)


@dataclass(frozen=True)
class Entity:
    row: Any

    @property
    def key(self) -> int:
        return int(self.row["key"])

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def arn(self) -> str:
        row = self.row
        return f"arn:aws:iam::{row['account']}:{row['kind']}{row['path']}{row['name']}"

    @property
    def tags(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in json.loads(self.row["tags"]).items()]


def get(call: Call, kind: Kind, name: str) -> Entity:
    row = _row(call, kind, name)
    # Names differ by more than their case, but are found only as they are written.
    if row is None or row["name"] != name:
        raise NoSuchEntityException(kind.missing.format(name))
    return Entity(row)


def listed(call: Call, kind: Kind, path_prefix: str | None) -> list[Entity]:
    rows = call.tx.all("SELECT * FROM iam_entity WHERE account = ? AND kind = ? ORDER BY name", call.account, kind.kind)
    return [Entity(row) for row in rows if row["path"].startswith(path_prefix or "/")]


def add(call: Call, kind: Kind, name: str, path: str, **columns: Any) -> Entity:
    if _row(call, kind, name) is not None:
        raise EntityAlreadyExistsException(kind.taken.format(name))
    values = {
        "kind": kind.kind,
        "account": call.account,
        "name": name,
        "path": path,
        "id": unique_id(call, kind.prefix),
        "created_at": call.now,
        **columns,
    }
    call.tx.run(
        f"INSERT INTO iam_entity ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", *values.values()
    )
    return get(call, kind, name)


def rename(call: Call, kind: Kind, name: str, new_name: str | None, new_path: str | None) -> None:
    entity = get(call, kind, name)
    other = _row(call, kind, new_name) if new_name else None
    if other is not None and other["key"] != entity.key:
        raise EntityAlreadyExistsException(kind.taken.format(new_name))
    call.tx.run(
        "UPDATE iam_entity SET name = coalesce(?, name), path = coalesce(?, path) WHERE key = ?",
        new_name,
        new_path,
        entity.key,
    )


def remove(call: Call, entity: Entity) -> None:
    call.tx.run("DELETE FROM iam_entity WHERE key = ?", entity.key)


def unique_id(call: Call, prefix: str, length: int = 21) -> str:
    return prefix + "".join(call.world.random.choice(_ID_CHARACTERS) for _ in range(length - len(prefix)))


def checked(document: str, refusal: str | None = None) -> str:
    """A policy document that is JSON and has statements."""
    try:
        policy = json.loads(document)
    except ValueError:
        raise (MalformedPolicyDocumentException(refusal) if refusal else MalformedPolicyDocumentException()) from None
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise MalformedPolicyDocumentException("Syntax errors in policy.")
    return document


def encoded(document: str) -> str:
    """Policy documents travel percent-encoded (RFC 3986)."""
    return quote(document, safe="")


def tagged(tags: list[dict[str, str]] | None) -> str:
    return json.dumps({tag["Key"]: tag["Value"] for tag in tags or []})


def boundary(entity: Entity) -> dict[str, str] | None:
    arn = entity.row["boundary"]
    return {"PermissionsBoundaryArn": arn, "PermissionsBoundaryType": "Policy"} if arn else None


def _row(call: Call, kind: Kind, name: str) -> Any | None:
    return call.tx.one(
        "SELECT * FROM iam_entity WHERE account = ? AND kind = ? AND name = ?", call.account, kind.kind, name
    )
