"""Imports: key material that a customer brings.

https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html
"""

from __future__ import annotations

import hashlib
from typing import Any

from stratolite.kernel import Call, job, operation

from . import names, pairs
from .errors import (
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KMSInvalidStateException,
    UnsupportedOperationException,
    ValidationException,
)
from .names import Key
from .specs import SPECS, SYMMETRIC

_DAY_S = 86400.0
_TOKEN_BYTES = 512
_FOREVER = "KEY_MATERIAL_DOES_NOT_EXPIRE"


@operation
async def get_parameters_for_import(
    call: Call, key_id: str, wrapping_algorithm: str, wrapping_key_spec: str
) -> dict[str, Any]:
    """A public key to wrap material with, good for a day."""
    with call.write() as c:
        key = _external(c, key_id)
    private = await call.world.offload(pairs.generate, wrapping_key_spec)
    token = call.world.random.randbytes(_TOKEN_BYTES)
    with call.write() as c:
        at = c.now + _DAY_S
        c.tx.run(
            "INSERT INTO kms_import (token, key_id, wrapping, private, expire_at) VALUES (?, ?, ?, ?, ?)",
            hashlib.sha256(token).hexdigest(),
            key.id,
            wrapping_algorithm,
            private,
            at,
        )
        c.later("kms.forget_import", at, token=hashlib.sha256(token).hexdigest())
    return {"KeyId": key.arn, "ImportToken": token, "PublicKey": pairs.public(private), "ParametersValidTo": at}


@job
def forget_import(call: Call, token: str) -> None:
    """Drops a wrapping key a day after it could last be used, so that a late import is told why it is refused."""
    expire_at = call.tx.value("SELECT expire_at FROM kms_import WHERE token = ?", token)
    if expire_at is not None and call.now < expire_at + _DAY_S:
        call.later("kms.forget_import", expire_at + _DAY_S, token=token)
    else:
        call.tx.run("DELETE FROM kms_import WHERE token = ?", token)


@operation
def import_key_material(
    call: Call,
    key_id: str,
    import_token: bytes,
    encrypted_key_material: bytes,
    valid_to: float | None = None,
    expiration_model: str = "KEY_MATERIAL_EXPIRES",
    import_type: str | None = None,
) -> dict[str, Any]:
    """Material for a key that has none, or the same again; for a symmetric key also new, pending a rotation."""
    key = _external(call, key_id)
    if expiration_model != _FOREVER and valid_to is None:
        raise ValidationException("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
    secret = _unwrapped(call, key, import_token, encrypted_key_material)
    material_id = hashlib.sha256(secret).hexdigest()
    known = call.tx.one("SELECT * FROM kms_material WHERE key_id = ? AND id = ?", key.id, material_id)
    first = names.material(call, key.id) is None
    if known is not None:
        call.tx.run("UPDATE kms_material SET secret = ? WHERE seq = ?", secret, known["seq"])
    elif first:
        names.keep_material(call, key.id, secret, None, material_id)
    elif import_type == "NEW_KEY_MATERIAL" and key.spec == SYMMETRIC:
        _check_none_pending(call, key, material_id)
        names.keep_material(call, key.id, secret, None, material_id, is_pending=True)
    else:
        raise IncorrectKeyMaterialException
    call.tx.run(
        "UPDATE kms_key SET state = 'Enabled', expiration = ?, valid_to = ? WHERE key = ?",
        expiration_model,
        valid_to if expiration_model != _FOREVER else None,
        key.key,
    )
    if expiration_model != _FOREVER and valid_to is not None:
        call.later("kms.material_due", valid_to, key=key.key, at=valid_to)
    return {"KeyId": key.arn, "KeyMaterialId": material_id if key.spec == SYMMETRIC else None}


@operation
def delete_imported_key_material(call: Call, key_id: str) -> dict[str, Any]:
    key = _external(call, key_id)
    current = names.material(call, key.id)
    _forget(call, key)
    return {
        "KeyId": key.arn,
        "KeyMaterialId": current["id"] if current is not None and key.spec == SYMMETRIC else None,
    }


@job
def material_due(call: Call, key: int, at: float) -> None:
    """Forgets material at the end of its time."""
    row = call.tx.one("SELECT * FROM kms_key WHERE key = ?", key)
    if row is not None and row["valid_to"] == at:
        _forget(call, Key(row))


def _forget(call: Call, key: Key) -> None:
    """The secrets go, their ids stay: the same material may come again."""
    call.tx.run("UPDATE kms_material SET secret = X'' WHERE key_id = ?", key.id)
    call.tx.run("UPDATE kms_key SET state = 'PendingImport', expiration = NULL, valid_to = NULL WHERE key = ?", key.key)


def _external(call: Call, key_id: str) -> Key:
    key = names.get(call, key_id)
    if key.row["origin"] != "EXTERNAL":
        raise UnsupportedOperationException(
            f"{key.arn} origin is {key.row['origin']} which is not valid for this operation."
        )
    return key


def _unwrapped(call: Call, key: Key, token: bytes, wrapped: bytes) -> bytes:
    row = call.tx.one("SELECT * FROM kms_import WHERE token = ?", hashlib.sha256(token).hexdigest())
    if row is None or row["key_id"] != key.id:
        raise InvalidImportTokenException
    if row["expire_at"] < call.now:
        raise ExpiredImportTokenException
    try:
        secret = pairs.unwrap(row["private"], row["wrapping"], wrapped)
        length = SPECS[key.spec].material_bytes
        if length is None:
            pairs.check(secret, key.spec)
    except pairs.Refused:
        raise InvalidCiphertextException from None
    if length is not None and len(secret) != length:
        raise IncorrectKeyMaterialException
    return secret


def _check_none_pending(call: Call, key: Key, material_id: str) -> None:
    pending = call.tx.value("SELECT id FROM kms_material WHERE key_id = ? AND is_pending", key.id)
    if pending is not None:
        raise KMSInvalidStateException(
            f"New key material (id: {material_id}) cannot be imported into KMS key {key.arn}, because another key "
            f"material (id: {pending}) is pending rotation."
        )
