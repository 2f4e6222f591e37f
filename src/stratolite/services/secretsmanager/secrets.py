"""Secrets: made, described, changed, deleted, restored."""

from __future__ import annotations

import json
import string
from typing import Any

from stratolite.kernel import Call, job, operation

from . import names, replicas, tags, values
from .errors import InvalidParameterException, InvalidRequestException, ResourceExistsException
from .names import Secret

_SUFFIX = string.ascii_letters + string.digits
_DAY_S = 86400.0
_DEFAULT_WINDOW_DAYS = 30
_WINDOW_DAYS = range(7, 31)


@operation
def create_secret(
    call: Call,
    name: str,
    client_request_token: str | None = None,
    description: str | None = None,
    kms_key_id: str | None = None,
    secret_binary: bytes | None = None,
    secret_string: str | None = None,
    tags: list[dict[str, str]] | None = None,
    add_replica_regions: list[dict[str, str]] | None = None,
    force_overwrite_replica_secret: bool = False,
) -> dict[str, Any]:
    token = values.token(client_request_token)
    names.check(name)
    value = values.Value.of(secret_string, secret_binary, kms_key_id)
    existing = call.tx.one(
        "SELECT * FROM secretsmanager_secret WHERE account = ? AND region = ? AND name = ?",
        call.account,
        call.region,
        name,
    )
    if existing is not None:
        secret = Secret(existing, call.region)
        if existing["delete_at"] is not None:
            raise InvalidRequestException(
                "You can't create this secret because a secret with this name is already scheduled for deletion."
            )
        if value and values.is_repeated(call, secret, token, value):
            return {"ARN": secret.arn, "Name": name, "VersionId": token}
        raise ResourceExistsException(name=name)
    values.check_key(call, kms_key_id)
    call.tx.run(
        """INSERT INTO secretsmanager_secret
               (account, region, name, suffix, description, kms_key, tags, created_at, changed_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        call.account,
        call.region,
        name,
        suffix(call),
        description or None,
        kms_key_id or None,
        json.dumps(_tags(tags)) if tags else None,
        call.now,
        call.now,
    )
    secret = names.get(call, name)
    answer: dict[str, Any] = {"ARN": secret.arn, "Name": name}
    if value:
        values.put(call, secret, token, value, ["AWSCURRENT"])
        answer["VersionId"] = token
    if add_replica_regions:
        replicas.add(call, secret, add_replica_regions, force_overwrite_replica_secret)
        answer["ReplicationStatus"] = replicas.status(call, secret)
    return answer


@operation
def describe_secret(call: Call, secret_id: str) -> dict[str, Any]:
    secret = names.get(call, secret_id, deleted=True)
    return summary(secret) | {
        "VersionIdsToStages": values.stages_by_version(call, secret.key) or None,
        "ReplicationStatus": replicas.status(call, secret) or None,
        "PrimaryRegion": secret.row["region"] if replicas.regions(call, secret) else None,
    }


@operation
def update_secret(
    call: Call,
    secret_id: str,
    client_request_token: str | None = None,
    description: str | None = None,
    kms_key_id: str | None = None,
    secret_binary: bytes | None = None,
    secret_string: str | None = None,
) -> dict[str, Any]:
    token = values.token(client_request_token)
    value = values.Value.of(secret_string, secret_binary, kms_key_id)
    secret = names.get_primary(call, secret_id)
    if kms_key_id:
        values.check_key(call, kms_key_id)
        values.reencrypt(call, secret, kms_key_id)
    call.tx.run(
        """UPDATE secretsmanager_secret
           SET description = coalesce(?, description), kms_key = coalesce(?, kms_key), changed_at = ?
           WHERE key = ?""",
        description,
        kms_key_id,
        call.now,
        secret.key,
    )
    answer = {"ARN": secret.arn, "Name": secret.name}
    if value:
        if not values.is_repeated(call, secret, token, value):
            values.put(call, names.get(call, secret_id), token, value, ["AWSCURRENT"])
        answer["VersionId"] = token
    return answer


@operation
def delete_secret(
    call: Call,
    secret_id: str,
    recovery_window_in_days: int | None = None,
    force_delete_without_recovery: bool = False,
) -> dict[str, Any]:
    """Schedules a deletion, or deletes at once.

    AWS: a forced deletion takes some seconds. Here: at once.
    """
    if force_delete_without_recovery and recovery_window_in_days is not None:
        raise InvalidParameterException(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
        )
    if recovery_window_in_days is not None and recovery_window_in_days not in _WINDOW_DAYS:
        raise InvalidParameterException("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
    if force_delete_without_recovery and names.find(call, secret_id) is None:
        # AWS answers as if the secret had existed.
        gone = {"account": call.account, "region": call.region, "name": secret_id, "suffix": suffix(call)}
        return {"ARN": names.arn(gone), "Name": secret_id, "DeletionDate": call.now}
    secret = names.get_primary(call, secret_id, deleted=force_delete_without_recovery)
    if replicas.regions(call, secret):
        raise InvalidRequestException(
            f"You can't delete secret {secret.name} that still has replica regions {replicas.regions(call, secret)}"
        )
    if force_delete_without_recovery:
        _remove(call, secret.key)
        return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": call.now}
    at = call.now + (recovery_window_in_days or _DEFAULT_WINDOW_DAYS) * _DAY_S
    call.tx.run("UPDATE secretsmanager_secret SET delete_at = ? WHERE key = ?", at, secret.key)
    call.later("secretsmanager.delete_due", at, secret=secret.key, at=at)
    return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": at}


@job
def delete_due(call: Call, secret: int, at: float) -> None:
    """Deletes a secret whose recovery window ended, unless it was restored, or restored and deleted anew."""
    if call.tx.value("SELECT delete_at FROM secretsmanager_secret WHERE key = ?", secret) == at:
        _remove(call, secret)


@operation
def restore_secret(call: Call, secret_id: str) -> dict[str, Any]:
    secret = names.get(call, secret_id, deleted=True)
    call.tx.run("UPDATE secretsmanager_secret SET delete_at = NULL WHERE key = ?", secret.key)
    return {"ARN": secret.arn, "Name": secret.name}


def summary(secret: Secret) -> dict[str, Any]:
    """What describing and listing have in common."""
    row = secret.row
    described = {
        "ARN": secret.arn,
        "Name": secret.name,
        "Description": row["description"] or None,
        "KmsKeyId": row["kms_key"],
        "Tags": json.loads(row["tags"]) if row["tags"] else None,
        "CreatedDate": row["created_at"],
        "LastChangedDate": row["changed_at"],
        "LastAccessedDate": row["accessed_on"],
        "DeletedDate": row["delete_at"],
    }
    if row["rotation_enabled"] is not None:
        described |= {
            "RotationEnabled": bool(row["rotation_enabled"]),
            "RotationLambdaARN": row["rotation_lambda"],
            "RotationRules": json.loads(row["rotation_rules"]) if row["rotation_rules"] else None,
            "LastRotatedDate": row["rotated_at"],
            "NextRotationDate": row["rotate_at"] if row["rotation_enabled"] else None,
        }
    return described


def suffix(call: Call) -> str:
    return "".join(call.world.random.choice(_SUFFIX) for _ in range(6))


def _tags(given: list[dict[str, str]]) -> list[dict[str, str]]:
    return tags.merged([], given)


def _remove(call: Call, key: int) -> None:
    call.tx.run("DELETE FROM secretsmanager_stage WHERE secret = ?", key)
    call.tx.run("DELETE FROM secretsmanager_version WHERE secret = ?", key)
    call.tx.run("DELETE FROM secretsmanager_replica WHERE secret = ?", key)
    call.tx.run("DELETE FROM secretsmanager_secret WHERE key = ?", key)
