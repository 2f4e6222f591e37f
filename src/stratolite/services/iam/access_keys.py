"""Access keys of users: a key stands for its user from the moment it is made."""

from __future__ import annotations

import string
from typing import Any

from stratolite.kernel import Call, Principal, operation

from . import names, users
from .errors import LimitExceededException, NoSuchEntityException
from .names import USER, Entity
from .pages import PAGE, paged

_MAX_KEYS = 2
_SECRET = string.ascii_letters + string.digits + "+/"


@operation
def create_access_key(call: Call, user_name: str | None = None) -> dict[str, Any]:
    user = _user(call, user_name)
    if call.tx.value("SELECT count(*) FROM iam_access_key WHERE entity = ?", user.key) >= _MAX_KEYS:
        raise LimitExceededException(what="AccessKeysPerUser", limit=_MAX_KEYS)
    key_id = names.unique_id(call, "AKIA", 20)
    secret = "".join(call.world.random.choice(_SECRET) for _ in range(40))
    call.tx.run(
        "INSERT INTO iam_access_key (id, entity, secret, status, created_at) VALUES (?, ?, ?, 'Active', ?)",
        key_id,
        user.key,
        secret,
        call.now,
    )
    call.cloud.hand_out(call.tx, Principal(user.row["account"], user.arn, key_id, user.row["id"]))
    return {
        "AccessKey": {
            "UserName": user.name,
            "AccessKeyId": key_id,
            "Status": "Active",
            "SecretAccessKey": secret,
            "CreateDate": call.now,
        }
    }


@operation
def list_access_keys(
    call: Call, user_name: str | None = None, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    user = _user(call, user_name)
    rows = call.tx.all("SELECT * FROM iam_access_key WHERE entity = ? ORDER BY id", user.key)
    page, rest = paged(rows, max_items, marker, lambda row: str(row["id"]))
    return {
        "AccessKeyMetadata": [
            {
                "UserName": user.name,
                "AccessKeyId": row["id"],
                "Status": row["status"],
                "CreateDate": row["created_at"],
            }
            for row in page
        ],
        **rest,
    }


@operation
def update_access_key(call: Call, access_key_id: str, status: str, user_name: str | None = None) -> None:
    user = _user(call, user_name)
    row = _get(call, user, access_key_id)
    call.tx.run("UPDATE iam_access_key SET status = ? WHERE id = ?", status, access_key_id)
    if status == "Active":
        call.cloud.hand_out(call.tx, Principal(user.row["account"], user.arn, row["id"], user.row["id"]))
    else:
        call.cloud.take_back(call.tx, access_key_id)


@operation
def delete_access_key(call: Call, access_key_id: str, user_name: str | None = None) -> None:
    _get(call, _user(call, user_name), access_key_id)
    call.tx.run("DELETE FROM iam_access_key WHERE id = ?", access_key_id)
    call.cloud.take_back(call.tx, access_key_id)


def _user(call: Call, name: str | None) -> Entity:
    return names.get(call, USER, name if name is not None else users.own_name(call))


def _get(call: Call, user: Entity, key_id: str) -> Any:
    row = call.tx.one("SELECT * FROM iam_access_key WHERE id = ? AND entity = ?", key_id, user.key)
    if row is None:
        raise NoSuchEntityException(f"The Access Key with id {key_id} cannot be found.")
    return row
