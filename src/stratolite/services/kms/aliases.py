"""Aliases: other names of keys."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import AlreadyExistsException, NotAuthorizedException, NotFoundException, ValidationException
from .pages import paged

_PAGE = 50


@operation
def create_alias(call: Call, alias_name: str, target_key_id: str) -> None:
    _check(alias_name)
    key = names.get(call, target_key_id)
    if _find(call, alias_name) is not None:
        raise AlreadyExistsException(arn=names.alias_arn(call.account, call.region, alias_name))
    call.tx.run(
        "INSERT INTO kms_alias (account, region, name, key_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
        call.account,
        call.region,
        alias_name,
        key.id,
        call.now,
        call.now,
    )


@operation
def update_alias(call: Call, alias_name: str, target_key_id: str) -> None:
    _check(alias_name)
    _get(call, alias_name)
    key = names.get(call, target_key_id)
    call.tx.run(
        "UPDATE kms_alias SET key_id = ?, updated_at = ? WHERE account = ? AND region = ? AND name = ?",
        key.id,
        call.now,
        call.account,
        call.region,
        alias_name,
    )


@operation
def delete_alias(call: Call, alias_name: str) -> None:
    _check(alias_name)
    _get(call, alias_name)
    call.tx.run(
        "DELETE FROM kms_alias WHERE account = ? AND region = ? AND name = ?", call.account, call.region, alias_name
    )


@operation
def list_aliases(
    call: Call, key_id: str | None = None, limit: int = _PAGE, marker: str | None = None
) -> dict[str, Any]:
    wanted = names.get(call, key_id).id if key_id is not None else None
    rows = call.tx.all(
        "SELECT * FROM kms_alias WHERE account = ? AND region = ? AND (? IS NULL OR key_id = ?) ORDER BY name",
        call.account,
        call.region,
        wanted,
        wanted,
    )
    page, more = paged(rows, limit, marker, lambda row: str(row["name"]))
    return {
        "Aliases": [
            {
                "AliasName": row["name"],
                "AliasArn": names.alias_arn(row["account"], row["region"], row["name"]),
                "TargetKeyId": row["key_id"],
                "CreationDate": row["created_at"],
                "LastUpdatedDate": row["updated_at"],
            }
            for row in page
        ],
        "NextMarker": more,
        "Truncated": more is not None,
    }


def _check(name: str) -> None:
    if not name.startswith("alias/"):
        raise ValidationException(
            'Alias must start with the prefix "alias/". '
            "Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith("alias/aws/"):
        raise NotAuthorizedException


def _find(call: Call, name: str) -> Any | None:
    return call.tx.one(
        "SELECT * FROM kms_alias WHERE account = ? AND region = ? AND name = ?", call.account, call.region, name
    )


def _get(call: Call, name: str) -> Any:
    alias = _find(call, name)
    if alias is None:
        raise NotFoundException(f"Alias {names.alias_arn(call.account, call.region, name)} is not found.")
    return alias
