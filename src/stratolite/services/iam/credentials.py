"""Service-specific credentials: a user's name and password for one service."""

from __future__ import annotations

import string
from typing import Any

from stratolite.kernel import Call, operation

from . import names, users
from .errors import NoSuchEntityException
from .names import USER, Entity

_SERVICES = {"codecommit.amazonaws.com", "cassandra.amazonaws.com"}
_PASSWORD = string.ascii_letters + string.digits + "+/"


@operation
def create_service_specific_credential(call: Call, user_name: str, service_name: str) -> dict[str, Any]:
    user = names.get(call, USER, user_name)
    _check_service(service_name)
    credential_id = names.unique_id(call, "ACCA")
    taken = call.tx.value(
        "SELECT count(*) FROM iam_service_credential WHERE entity = ? AND service = ?", user.key, service_name
    )
    more = f"+{taken}" if taken else ""
    call.tx.run(
        """INSERT INTO iam_service_credential (id, entity, service, user_name, status, created_at)
           VALUES (?, ?, ?, ?, 'Active', ?)""",
        credential_id,
        user.key,
        service_name,
        f"{user.name}{more}-at-{user.row['account']}",
        call.now,
    )
    return {"ServiceSpecificCredential": _described(user, _get(call, user, credential_id)) | _secret(call)}


@operation
def list_service_specific_credentials(
    call: Call, user_name: str | None = None, service_name: str | None = None
) -> dict[str, Any]:
    user = _user(call, user_name)
    if service_name is not None:
        _check_service(service_name)
    rows = call.tx.all(
        """SELECT * FROM iam_service_credential WHERE entity = ? AND (? IS NULL OR service = ?)
           ORDER BY created_at, id""",
        user.key,
        service_name,
        service_name,
    )
    return {"ServiceSpecificCredentials": [_described(user, row) for row in rows]}


@operation
def update_service_specific_credential(
    call: Call, service_specific_credential_id: str, status: str, user_name: str | None = None
) -> None:
    row = _get(call, _user(call, user_name), service_specific_credential_id)
    call.tx.run("UPDATE iam_service_credential SET status = ? WHERE id = ?", status, row["id"])


@operation
def reset_service_specific_credential(
    call: Call, service_specific_credential_id: str, user_name: str | None = None
) -> dict[str, Any]:
    user = _user(call, user_name)
    row = _get(call, user, service_specific_credential_id)
    return {"ServiceSpecificCredential": _described(user, row) | _secret(call)}


@operation
def delete_service_specific_credential(
    call: Call, service_specific_credential_id: str, user_name: str | None = None
) -> None:
    row = _get(call, _user(call, user_name), service_specific_credential_id)
    call.tx.run("DELETE FROM iam_service_credential WHERE id = ?", row["id"])


def _user(call: Call, name: str | None) -> Entity:
    return names.get(call, USER, name if name is not None else users.own_name(call))


def _check_service(name: str) -> None:
    if name not in _SERVICES:
        raise NoSuchEntityException(f"No such service {name} is supported for Service Specific Credentials")


def _get(call: Call, user: Entity, credential_id: str) -> Any:
    row = call.tx.one("SELECT * FROM iam_service_credential WHERE id = ? AND entity = ?", credential_id, user.key)
    if row is None:
        raise NoSuchEntityException(f"No such credential {credential_id} exists")
    return row


def _described(user: Entity, row: Any) -> dict[str, Any]:
    return {
        "UserName": user.name,
        "Status": row["status"],
        "ServiceUserName": row["user_name"],
        "CreateDate": row["created_at"],
        "ServiceSpecificCredentialId": row["id"],
        "ServiceName": row["service"],
    }


def _secret(call: Call) -> dict[str, str]:
    """Told once; nothing here asks for it again."""
    return {"ServicePassword": "".join(call.world.random.choice(_PASSWORD) for _ in range(44))}
