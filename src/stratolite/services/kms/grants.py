"""Grants: permissions to use a key, kept and told; nothing is denied here for want of one."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import DryRunOperationException, InvalidGrantIdException
from .pages import paged

_PAGE = 50


@operation
def create_grant(
    call: Call,
    key_id: str,
    operations: list[str],
    grantee_principal: str | None = None,
    retiring_principal: str | None = None,
    constraints: dict[str, Any] | None = None,
    name: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """A named grant that is asked for twice is made once."""
    key = names.get(call, key_id)
    names.check_state(key)
    wanted = (json.dumps(operations), json.dumps(constraints) if constraints else None)
    if dry_run:
        raise DryRunOperationException
    if name is not None:
        same = call.tx.one(
            """SELECT * FROM kms_grant WHERE key = ? AND name = ? AND grantee = ? AND retiring_principal IS ?
               AND operations = ? AND constraints IS ?""",
            key.key,
            name,
            grantee_principal,
            retiring_principal,
            *wanted,
        )
        if same is not None:
            return {"GrantId": same["id"], "GrantToken": same["token"]}
    grant_id, token = call.world.hex(64), call.world.hex(128)
    call.tx.run(
        """INSERT INTO kms_grant (id, token, key, grantee, retiring_principal, operations, constraints, name, issuer,
                                  created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        grant_id,
        token,
        key.key,
        grantee_principal or "",
        retiring_principal,
        *wanted,
        name,
        f"arn:aws:iam::{call.account}:root",
        call.now,
    )
    return {"GrantId": grant_id, "GrantToken": token}


@operation
def list_grants(
    call: Call,
    key_id: str,
    limit: int = _PAGE,
    marker: str | None = None,
    grant_id: str | None = None,
    grantee_principal: str | None = None,
) -> dict[str, Any]:
    key = names.get(call, key_id)
    rows = call.tx.all(
        """SELECT g.*, k.account, k.region, k.id AS key_id FROM kms_grant g JOIN kms_key k ON k.key = g.key
           WHERE g.key = ? AND (? IS NULL OR g.id = ?) AND (? IS NULL OR g.grantee = ?) ORDER BY g.id""",
        key.key,
        grant_id,
        grant_id,
        grantee_principal,
        grantee_principal,
    )
    return _listed(rows, limit, marker)


@operation
def list_retirable_grants(
    call: Call, retiring_principal: str | None = None, limit: int = _PAGE, marker: str | None = None
) -> dict[str, Any]:
    rows = call.tx.all(
        """SELECT g.*, k.account, k.region, k.id AS key_id FROM kms_grant g JOIN kms_key k ON k.key = g.key
           WHERE k.account = ? AND k.region = ? AND g.retiring_principal = ? ORDER BY g.id""",
        call.account,
        call.region,
        retiring_principal,
    )
    return _listed(rows, limit, marker)


@operation
def revoke_grant(call: Call, key_id: str, grant_id: str, dry_run: bool = False) -> None:
    key = names.get(call, key_id)
    _remove(call, "key = ? AND id = ?", (key.key, grant_id), grant_id, dry_run)


@operation
def retire_grant(
    call: Call,
    grant_token: str | None = None,
    key_id: str | None = None,
    grant_id: str | None = None,
    dry_run: bool = False,
) -> None:
    if grant_token is not None:
        _remove(call, "token = ?", (grant_token,), grant_token, dry_run)
        return
    key = names.get(call, key_id or "")
    _remove(call, "key = ? AND id = ?", (key.key, grant_id), grant_id or "", dry_run)


def _remove(call: Call, where: str, which: tuple[Any, ...], told: str, dry_run: bool) -> None:
    if call.tx.value(f"SELECT 1 FROM kms_grant WHERE {where}", *which) is None:
        raise InvalidGrantIdException(id=told)
    if dry_run:
        raise DryRunOperationException
    call.tx.run(f"DELETE FROM kms_grant WHERE {where}", *which)


def _listed(rows: list[Any], limit: int, marker: str | None) -> dict[str, Any]:
    page, more = paged(rows, limit, marker, lambda row: str(row["id"]))
    return {
        "Grants": [
            {
                "KeyId": names.arn(row["account"], row["region"], row["key_id"]),
                "GrantId": row["id"],
                "Name": row["name"],
                "CreationDate": row["created_at"],
                "GranteePrincipal": row["grantee"],
                "RetiringPrincipal": row["retiring_principal"],
                "IssuingAccount": row["issuer"],
                "Operations": json.loads(row["operations"]),
                "Constraints": json.loads(row["constraints"]) if row["constraints"] else None,
            }
            for row in page
        ],
        "NextMarker": more,
        "Truncated": more is not None,
    }
