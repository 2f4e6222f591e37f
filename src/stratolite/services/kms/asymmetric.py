"""Key pairs: made, their public halves, signatures, shared secrets, data key pairs."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, job, operation

from . import names, pairs
from .encryption import sealed, symmetric
from .errors import (
    DryRunOperationException,
    InvalidKeyUsageException,
    KMSInvalidSignatureException,
    UnsupportedOperationException,
    ValidationException,
)
from .names import Key
from .specs import AGREE, MEMBERS, SIGN, SPECS

_LOOK_AGAIN_S = 30.0


@job
async def make_pair(call: Call, key_id: str, spec: str) -> None:
    """Makes a key's pair in a thread: RSA takes its time, and nobody else should wait for it."""
    pair = await call.world.offload(pairs.generate, spec)
    with call.settle() as c:
        if names.material(c, key_id) is None:
            names.keep_material(c, key_id, pair, None)
        c.signal("kms", key_id, n=None)


@operation
async def get_public_key(call: Call, key_id: str) -> dict[str, Any]:
    with call.write() as c:
        key = names.get(c, key_id)
        names.check_state(key)
    spec = SPECS[key.spec]
    if spec.material_bytes is not None:
        raise UnsupportedOperationException
    public = await call.world.offload(pairs.public, await _pair(call, key))
    return {
        "KeyId": key.arn,
        "PublicKey": public,
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
        MEMBERS[key.usage]: list(spec.algorithms[key.usage]),
    }


@operation
async def sign(
    call: Call,
    key_id: str,
    message: bytes,
    signing_algorithm: str,
    message_type: str = "RAW",
    dry_run: bool = False,
) -> dict[str, Any]:
    key = _signing(call, key_id, "Sign", signing_algorithm, dry_run)
    digest = _digest(message, message_type, signing_algorithm)
    signature = await call.world.offload(pairs.sign, await _pair(call, key), signing_algorithm, digest)
    return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": signing_algorithm}


@operation
async def verify(
    call: Call,
    key_id: str,
    message: bytes,
    signature: bytes,
    signing_algorithm: str,
    message_type: str = "RAW",
    dry_run: bool = False,
) -> dict[str, Any]:
    key = _signing(call, key_id, "Verify", signing_algorithm, dry_run)
    digest = _digest(message, message_type, signing_algorithm)
    pair = await _pair(call, key)
    if not await call.world.offload(pairs.verify, pair, signing_algorithm, digest, signature):
        raise KMSInvalidSignatureException
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": signing_algorithm}


@operation
async def derive_shared_secret(
    call: Call, key_id: str, key_agreement_algorithm: str, public_key: bytes, dry_run: bool = False
) -> dict[str, Any]:
    with call.write() as c:
        key = names.usable(c, key_id, "DeriveSharedSecret", AGREE)
    _stop_if(dry_run)
    try:
        secret = await call.world.offload(pairs.agree, await _pair(call, key), public_key)
    except pairs.Refused:
        raise ValidationException("") from None
    return {
        "KeyId": key.arn,
        "SharedSecret": secret,
        "KeyAgreementAlgorithm": key_agreement_algorithm,
        "KeyOrigin": key.row["origin"],
    }


@operation
async def generate_data_key_pair(
    call: Call,
    key_id: str,
    key_pair_spec: str,
    encryption_context: dict[str, str] | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    with call.write() as c:
        key = symmetric(c, key_id, "GenerateDataKeyPair")
    _stop_if(dry_run)
    if key_pair_spec not in SPECS:
        raise UnsupportedOperationException(f"Key pairs of spec {key_pair_spec} are not emulated here.")
    pair = await call.world.offload(pairs.generate, key_pair_spec)
    return {
        "PrivateKeyCiphertextBlob": sealed(call, key, pair, encryption_context),
        "PrivateKeyPlaintext": pair,
        "PublicKey": pairs.public(pair),
        "KeyId": key.arn,
        "KeyPairSpec": key_pair_spec,
    }


@operation
async def generate_data_key_pair_without_plaintext(
    call: Call,
    key_id: str,
    key_pair_spec: str,
    encryption_context: dict[str, str] | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    made = await generate_data_key_pair(call, key_id, key_pair_spec, encryption_context, dry_run)
    return {name: value for name, value in made.items() if name != "PrivateKeyPlaintext"}


async def _pair(call: Call, key: Key) -> bytes:
    """The key's pair, once it is made."""
    while (material := names.material(call, key.id)) is None:
        await call.wait(("kms", key.id), _LOOK_AGAIN_S)
    return bytes(material["secret"])


def _signing(call: Call, key_id: str, operation_name: str, algorithm: str, dry_run: bool) -> Key:
    with call.write() as c:
        key = names.usable(c, key_id, operation_name, SIGN)
    if algorithm not in SPECS[key.spec].algorithms[SIGN]:
        raise InvalidKeyUsageException(f"Algorithm {algorithm} is incompatible with key spec {key.spec}.")
    _stop_if(dry_run)
    return key


def _digest(message: bytes, message_type: str, algorithm: str) -> bytes:
    if message_type == "RAW":
        return pairs.digest(algorithm, message)
    if len(message) != pairs.digest_bytes(algorithm):
        raise ValidationException(f"Digest is invalid length for algorithm {algorithm}.")
    return message


def _stop_if(dry_run: bool) -> None:
    if dry_run:
        raise DryRunOperationException
