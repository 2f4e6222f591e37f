"""Encryption: bytes locked and opened with symmetric keys, data keys, random bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call, operation

from . import ciphers, names, pairs
from .errors import (
    DryRunOperationException,
    IncorrectKeyException,
    InvalidCiphertextException,
    InvalidKeyUsageException,
    ValidationException,
)
from .names import Key
from .specs import ENCRYPT, SPECS, SYMMETRIC

_DATA_KEY_BYTES = {"AES_128": 16, "AES_256": 32}


@operation
def encrypt(
    call: Call,
    key_id: str,
    plaintext: bytes,
    encryption_context: dict[str, str] | None = None,
    encryption_algorithm: str = SYMMETRIC,
    dry_run: bool = False,
) -> dict[str, Any]:
    key = _key(call, key_id, "Encrypt", encryption_algorithm, len(plaintext))
    _stop_if(dry_run)
    return {
        "CiphertextBlob": _locked(call, key, encryption_algorithm, plaintext, encryption_context),
        "KeyId": key.arn,
        "EncryptionAlgorithm": encryption_algorithm,
    }


@operation
def decrypt(
    call: Call,
    ciphertext_blob: bytes | None = None,
    encryption_context: dict[str, str] | None = None,
    key_id: str | None = None,
    encryption_algorithm: str = SYMMETRIC,
    dry_run: bool = False,
) -> dict[str, Any]:
    opened = _open(call, ciphertext_blob or b"", encryption_context, key_id, "Decrypt", encryption_algorithm)
    _stop_if(dry_run)
    return {
        "KeyId": opened.key.arn,
        "Plaintext": opened.plain,
        "EncryptionAlgorithm": encryption_algorithm,
        "KeyMaterialId": opened.material_id,
    }


@operation
def re_encrypt(
    call: Call,
    destination_key_id: str,
    ciphertext_blob: bytes | None = None,
    source_encryption_context: dict[str, str] | None = None,
    source_key_id: str | None = None,
    destination_encryption_context: dict[str, str] | None = None,
    source_encryption_algorithm: str = SYMMETRIC,
    destination_encryption_algorithm: str = SYMMETRIC,
    dry_run: bool = False,
) -> dict[str, Any]:
    opened = _open(
        call,
        ciphertext_blob or b"",
        source_encryption_context,
        source_key_id,
        "ReEncrypt",
        source_encryption_algorithm,
    )
    key = _key(call, destination_key_id, "ReEncrypt", destination_encryption_algorithm, len(opened.plain))
    _stop_if(dry_run)
    return {
        "CiphertextBlob": _locked(
            call, key, destination_encryption_algorithm, opened.plain, destination_encryption_context
        ),
        "SourceKeyId": opened.key.arn,
        "KeyId": key.arn,
        "SourceEncryptionAlgorithm": source_encryption_algorithm,
        "DestinationEncryptionAlgorithm": destination_encryption_algorithm,
    }


@operation
def generate_data_key(
    call: Call,
    key_id: str,
    encryption_context: dict[str, str] | None = None,
    number_of_bytes: int | None = None,
    key_spec: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    key = symmetric(call, key_id, "GenerateDataKey")
    if (number_of_bytes is None) == (key_spec is None):
        raise ValidationException("Please specify either number of bytes or key spec.")
    _stop_if(dry_run)
    plain = call.world.random.randbytes(number_of_bytes or _DATA_KEY_BYTES[key_spec or ""])
    return {
        "CiphertextBlob": sealed(call, key, plain, encryption_context),
        "Plaintext": plain,
        "KeyId": key.arn,
    }


@operation
def generate_data_key_without_plaintext(
    call: Call,
    key_id: str,
    encryption_context: dict[str, str] | None = None,
    key_spec: str | None = None,
    number_of_bytes: int | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    made = generate_data_key(call, key_id, encryption_context, number_of_bytes, key_spec, dry_run)
    return {name: value for name, value in made.items() if name != "Plaintext"}


@operation
def generate_random(call: Call, number_of_bytes: int | None = None) -> dict[str, Any]:
    if number_of_bytes is None:
        raise ValidationException("NumberOfBytes is required.")
    return {"Plaintext": call.world.random.randbytes(number_of_bytes)}


@dataclass(frozen=True)
class Opened:
    key: Key
    plain: bytes
    material_id: str | None


def sealed(call: Call, key: Key, plain: bytes, context: dict[str, str] | None) -> bytes:
    material = names.material(call, key.id)
    nonce = call.world.random.randbytes(16)
    return ciphers.seal(key.id, material["seq"], material["secret"], nonce, plain, context or {})


def _locked(call: Call, key: Key, algorithm: str, plain: bytes, context: dict[str, str] | None) -> bytes:
    if algorithm == SYMMETRIC:
        return sealed(call, key, plain, context)
    return pairs.encrypt(_pair(call, key), algorithm, plain)


def _open(
    call: Call,
    blob: bytes,
    context: dict[str, str] | None,
    key_id: str | None,
    operation_name: str,
    algorithm: str,
) -> Opened:
    """A symmetric ciphertext names its key; a key that is named too must be that one."""
    if algorithm != SYMMETRIC:
        return _open_pair(call, blob, key_id, operation_name, algorithm)
    named = names.get(call, key_id) if key_id is not None else None
    if named is not None and (named.usage != ENCRYPT or named.spec != SYMMETRIC):
        raise IncorrectKeyException
    try:
        read = ciphers.read(blob)
    except ciphers.Broken:
        raise InvalidCiphertextException from None
    account = named.row["account"] if named is not None else call.account
    key = names.find_id(call, account, call.region, read.key_id)
    if named is not None and (key is None or key.id != named.id):
        raise IncorrectKeyException
    if key is None:
        raise InvalidCiphertextException
    names.check_state(key)
    material = names.material(call, key.id, read.material)
    if material is None:
        raise InvalidCiphertextException
    try:
        plain = ciphers.unseal(read, material["secret"], context or {})
    except ciphers.Broken:
        raise InvalidCiphertextException from None
    return Opened(key, plain, material["id"])


def symmetric(call: Call, key_id: str, operation_name: str) -> Key:
    return _key(call, key_id, operation_name, SYMMETRIC, 0)


def _key(call: Call, key_id: str, operation_name: str, algorithm: str, length: int) -> Key:
    """The key, if it can do this with so many bytes."""
    key = names.usable(call, key_id, operation_name, ENCRYPT)
    if algorithm not in SPECS[key.spec].algorithms[ENCRYPT]:
        raise InvalidKeyUsageException(f"Algorithm {algorithm} is incompatible with key spec {key.spec}.")
    if algorithm != SYMMETRIC and length > (room := pairs.room(key.spec, algorithm)):
        raise ValidationException(
            f"Algorithm {algorithm} and key spec {key.spec} cannot encrypt data larger than {room} bytes."
        )
    return key


def _open_pair(call: Call, blob: bytes, key_id: str | None, operation_name: str, algorithm: str) -> Opened:
    if key_id is None:
        raise ValidationException("KeyId is required for asymmetric keys.")
    key = _key(call, key_id, operation_name, algorithm, 0)
    try:
        return Opened(key, pairs.decrypt(_pair(call, key), algorithm, blob), None)
    except pairs.Refused:
        raise InvalidCiphertextException from None


def _pair(call: Call, key: Key) -> bytes:
    """The key's pair. Asked for before its job has made it, it is made here, and the loop waits that once."""
    material = names.material(call, key.id)
    if material is None:
        names.keep_material(call, key.id, pairs.generate(key.spec), None)
        material = names.material(call, key.id)
    return bytes(material["secret"])


def _stop_if(dry_run: bool) -> None:
    if dry_run:
        raise DryRunOperationException
