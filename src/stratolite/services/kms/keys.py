"""Keys: made, described, enabled and disabled, deleted after a wait, replicated to other regions."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, job, operation

from . import names, pairs
from .errors import AlreadyExistsException, UnsupportedOperationException, ValidationException
from .names import Key
from .pages import paged
from .specs import ENCRYPT, MEMBERS, SPECS, SYMMETRIC
from .tags import checked

_DAY_S = 86400.0
_PAGE = 100
_ORIGINS = {"AWS_KMS", "EXTERNAL"}
_WINDOW_DAYS = range(7, 31)


@operation
def create_key(
    call: Call,
    policy: str | None = None,
    description: str = "",
    key_usage: str | None = None,
    customer_master_key_spec: str | None = None,
    key_spec: str | None = None,
    origin: str = "AWS_KMS",
    tags: list[dict[str, str]] | None = None,
    multi_region: bool = False,
) -> dict[str, Any]:
    spec = key_spec or customer_master_key_spec or SYMMETRIC
    if key_usage is None and spec != SYMMETRIC:
        raise ValidationException(
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
        )
    usage = key_usage or ENCRYPT
    if spec not in SPECS:
        raise UnsupportedOperationException(f"Keys of spec {spec} are not emulated here.")
    if usage not in SPECS[spec].algorithms:
        raise ValidationException(f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    if origin not in _ORIGINS:
        raise UnsupportedOperationException(f"Keys of origin {origin} are not emulated here.")
    is_pair = SPECS[spec].material_bytes is None
    if is_pair or origin == "EXTERNAL":
        pairs.check_library()
    key_id = f"mrk-{call.world.hex(32)}" if multi_region else call.world.id()
    call.tx.run(
        """INSERT INTO kms_key (account, region, id, description, usage, spec, state, manager, origin, policy, tags,
                                primary_region, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, 'CUSTOMER', ?, ?, ?, ?, ?)""",
        call.account,
        call.region,
        key_id,
        description,
        usage,
        spec,
        "PendingImport" if origin == "EXTERNAL" else "Enabled",
        origin,
        policy or names.default_policy(call.account),
        json.dumps(checked({}, tags or [])),
        call.region if multi_region else None,
        call.now,
    )
    if origin == "AWS_KMS" and is_pair:
        call.later("kms.make_pair", key_id=key_id, spec=spec)
    elif origin == "AWS_KMS":
        names.add_material(call, key_id, spec, None)
    return {"KeyMetadata": metadata(call, names.get(call, key_id))}


@operation
def describe_key(call: Call, key_id: str) -> dict[str, Any]:
    return {"KeyMetadata": metadata(call, names.get(call, key_id))}


@operation
def list_keys(call: Call, limit: int = _PAGE, marker: str | None = None) -> dict[str, Any]:
    rows = call.tx.all("SELECT * FROM kms_key WHERE account = ? AND region = ? ORDER BY id", call.account, call.region)
    page, more = paged([Key(row) for row in rows], limit, marker, lambda key: key.id)
    return {
        "Keys": [{"KeyId": key.id, "KeyArn": key.arn} for key in page],
        "NextMarker": more,
        "Truncated": more is not None,
    }


@operation
def update_key_description(call: Call, key_id: str, description: str) -> None:
    key = names.get(call, key_id)
    names.check_state(key, disabled_ok=True)
    call.tx.run("UPDATE kms_key SET description = ? WHERE key = ?", description, key.key)


@operation
def enable_key(call: Call, key_id: str) -> None:
    _set_state(call, key_id, "Enabled")


@operation
def disable_key(call: Call, key_id: str) -> None:
    _set_state(call, key_id, "Disabled")


@operation
def schedule_key_deletion(call: Call, key_id: str, pending_window_in_days: int = 30) -> dict[str, Any]:
    key = names.get(call, key_id)
    if pending_window_in_days not in _WINDOW_DAYS:
        raise ValidationException("PendingWindowInDays must be between 7 and 30 days, inclusive.")
    if key.row["state"] != "PendingImport":
        names.check_state(key, disabled_ok=True)
    at = call.now + pending_window_in_days * _DAY_S
    call.tx.run("UPDATE kms_key SET state = 'PendingDeletion', delete_at = ? WHERE key = ?", at, key.key)
    call.later("kms.delete_due", at, key=key.key, at=at)
    return {
        "KeyId": key.arn,
        "DeletionDate": at,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": pending_window_in_days,
    }


@operation
def cancel_key_deletion(call: Call, key_id: str) -> dict[str, Any]:
    key = names.get(call, key_id)
    if key.row["state"] == "PendingDeletion":
        call.tx.run("UPDATE kms_key SET state = 'Disabled', delete_at = NULL WHERE key = ?", key.key)
    return {"KeyId": key.arn}


@job
def delete_due(call: Call, key: int, at: float) -> None:
    """Deletes a key at the end of its wait, unless that was called off."""
    row = call.tx.one("SELECT * FROM kms_key WHERE key = ?", key)
    if row is None or row["delete_at"] != at:
        return
    call.tx.run("DELETE FROM kms_grant WHERE key = ?", key)
    call.tx.run(
        "DELETE FROM kms_alias WHERE account = ? AND region = ? AND key_id = ?",
        row["account"],
        row["region"],
        row["id"],
    )
    call.tx.run("DELETE FROM kms_key WHERE key = ?", key)
    if call.tx.value("SELECT 1 FROM kms_key WHERE id = ?", row["id"]) is None:
        call.tx.run("DELETE FROM kms_material WHERE key_id = ?", row["id"])


@operation
def replicate_key(
    call: Call,
    key_id: str,
    replica_region: str,
    policy: str | None = None,
    description: str = "",
    tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Copies a multi-region key to another region; the replica shares its material."""
    key = names.get(call, key_id)
    names.check_state(key)
    if key.row["primary_region"] != key.row["region"]:
        raise UnsupportedOperationException(f"{key.arn} is not a multi-region primary key.")
    if names.find_id(call, key.row["account"], replica_region, key.id) is not None:
        raise AlreadyExistsException(
            f"Unable to replicate key {key.arn} to region {replica_region}, as it already exist."
        )
    call.tx.run(
        """INSERT INTO kms_key (account, region, id, description, usage, spec, state, manager, origin, policy, tags,
                                primary_region, created_at)
           SELECT account, ?, id, ?, usage, spec, 'Enabled', manager, origin, ?, ?, primary_region, ?
           FROM kms_key WHERE key = ?""",
        replica_region,
        description,
        policy or names.default_policy(key.row["account"]),
        json.dumps(checked({}, tags or [])),
        call.now,
        key.key,
    )
    replica = names.find_id(call, key.row["account"], replica_region, key.id)
    assert replica is not None
    # AWS: the replica is being created for some seconds, and says so in this answer. Here: it is there at once.
    creating = metadata(call, replica) | {"KeyState": "Creating", "Enabled": False, "CurrentKeyMaterialId": None}
    return {
        "ReplicaKeyMetadata": creating,
        "ReplicaPolicy": replica.row["policy"],
        "ReplicaTags": tags or None,
    }


def metadata(call: Call, key: Key) -> dict[str, Any]:
    row = key.row
    current = names.material(call, key.id) if key.spec == SYMMETRIC else None
    return {
        "AWSAccountId": row["account"],
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": row["created_at"],
        "Enabled": row["state"] == "Enabled",
        "Description": row["description"],
        "KeyUsage": key.usage,
        "KeyState": row["state"],
        "DeletionDate": row["delete_at"],
        "Origin": row["origin"],
        "ExpirationModel": row["expiration"],
        "ValidTo": row["valid_to"],
        "KeyManager": row["manager"],
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        MEMBERS[key.usage]: list(SPECS[key.spec].algorithms[key.usage]),
        "MultiRegion": row["primary_region"] is not None,
        "MultiRegionConfiguration": _regions(call, key) if row["primary_region"] else None,
        "CurrentKeyMaterialId": current["id"] if current is not None else None,
    }


def _regions(call: Call, key: Key) -> dict[str, Any]:
    primary = key.row["primary_region"]
    rows = call.tx.all("SELECT region FROM kms_key WHERE id = ? AND region <> ? ORDER BY region", key.id, primary)
    return {
        "MultiRegionKeyType": "PRIMARY" if key.row["region"] == primary else "REPLICA",
        "PrimaryKey": {"Arn": names.arn(key.row["account"], primary, key.id), "Region": primary},
        "ReplicaKeys": [
            {"Arn": names.arn(key.row["account"], row["region"], key.id), "Region": row["region"]} for row in rows
        ],
    }


def _set_state(call: Call, key_id: str, state: str) -> None:
    key = names.get(call, key_id)
    names.check_state(key, disabled_ok=True)
    call.tx.run("UPDATE kms_key SET state = ? WHERE key = ?", state, key.key)
