"""Rotation: new material for a key, by itself after so many days, or when asked."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, job, operation

from . import names
from .errors import KMSInvalidStateException, LimitExceededException, UnsupportedOperationException
from .names import Key
from .pages import paged
from .specs import SYMMETRIC

_DAY_S = 86400.0
_DEFAULT_DAYS = 365
_MAX_ON_DEMAND = 25
_PAGE = 100


@operation
def enable_key_rotation(call: Call, key_id: str, rotation_period_in_days: int | None = None) -> None:
    key = _key(call, key_id)
    names.check_state(key)
    days = rotation_period_in_days or key.row["rotation_days"] or _DEFAULT_DAYS
    _schedule(call, key, days)


@operation
def disable_key_rotation(call: Call, key_id: str) -> None:
    key = _key(call, key_id)
    names.check_state(key)
    call.tx.run("UPDATE kms_key SET rotation_days = NULL, rotate_at = NULL WHERE key = ?", key.key)


@operation
def get_key_rotation_status(call: Call, key_id: str) -> dict[str, Any]:
    key = names.get(call, key_id)
    days = key.row["rotation_days"]
    return {
        "KeyRotationEnabled": days is not None,
        "KeyId": key.arn,
        "RotationPeriodInDays": days,
        "NextRotationDate": key.row["rotate_at"],
    }


@operation
def rotate_key_on_demand(call: Call, key_id: str) -> dict[str, Any]:
    """AWS: takes minutes. Here: at once."""
    key = names.get(call, key_id)
    names.check_state(key)
    if key.spec != SYMMETRIC:
        raise UnsupportedOperationException
    done = call.tx.value("SELECT count(*) FROM kms_material WHERE key_id = ? AND cause = 'ON_DEMAND'", key.id)
    if done >= _MAX_ON_DEMAND:
        raise LimitExceededException(arn=key.arn)
    if key.row["origin"] == "EXTERNAL":
        _take_up_pending(call, key)
    else:
        names.add_material(call, key.id, key.spec, "ON_DEMAND")
    return {"KeyId": key.arn}


@operation
def list_key_rotations(
    call: Call, key_id: str, include_key_material: str = "ROTATIONS_ONLY", limit: int = _PAGE, marker: str | None = None
) -> dict[str, Any]:
    key = _key(call, key_id)
    rows = call.tx.all(
        "SELECT * FROM kms_material WHERE key_id = ? AND (? OR cause IS NOT NULL) ORDER BY seq",
        key.id,
        include_key_material == "ALL_KEY_MATERIAL",
    )
    newest = names.material(call, key.id)["seq"]
    page, more = paged(rows, limit, marker, lambda row: f"{row['seq']:020d}")
    return {
        "Rotations": [
            {
                "KeyId": key.arn,
                "KeyMaterialId": row["id"],
                "KeyMaterialState": "CURRENT" if row["seq"] == newest else "NON_CURRENT",
                "RotationDate": row["created_at"] if row["cause"] else None,
                "RotationType": row["cause"],
            }
            for row in page
        ],
        "NextMarker": more,
        "Truncated": more is not None,
    }


@job
def rotation_due(call: Call, key: int, at: float) -> None:
    """Gives a key new material when its period ends, and begins the next one."""
    row = call.tx.one("SELECT * FROM kms_key WHERE key = ?", key)
    if row is None or row["rotate_at"] != at:
        return
    if row["state"] == "Enabled":
        names.add_material(call, row["id"], row["spec"], "AUTOMATIC")
    _schedule(call, Key(row), row["rotation_days"])


def _take_up_pending(call: Call, key: Key) -> None:
    """Imported keys rotate to material that was imported for it."""
    taken = call.tx.run(
        "UPDATE kms_material SET is_pending = 0, cause = 'ON_DEMAND' WHERE key_id = ? AND is_pending", key.id
    )
    if not taken.rowcount:
        raise KMSInvalidStateException(f"No available key material pending rotation for the key: {key.arn}.")


def _schedule(call: Call, key: Key, days: int) -> None:
    at = call.now + days * _DAY_S
    call.tx.run("UPDATE kms_key SET rotation_days = ?, rotate_at = ? WHERE key = ?", days, at, key.key)
    call.later("kms.rotation_due", at, key=key.key, at=at)


def _key(call: Call, key_id: str) -> Key:
    key = names.get(call, key_id)
    if key.spec != SYMMETRIC:
        raise UnsupportedOperationException
    return key
