"""MACs: messages authenticated with HMAC keys."""

from __future__ import annotations

import hmac
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import DryRunOperationException, InvalidKeyUsageException, KMSInvalidMacException
from .specs import MAC, SPECS

_HASHES = {"HMAC_SHA_224": "sha224", "HMAC_SHA_256": "sha256", "HMAC_SHA_384": "sha384", "HMAC_SHA_512": "sha512"}


@operation
def generate_mac(call: Call, message: bytes, key_id: str, mac_algorithm: str, dry_run: bool = False) -> dict[str, Any]:
    key = _key(call, key_id, mac_algorithm, "GenerateMac")
    if dry_run:
        raise DryRunOperationException
    return {"Mac": _mac(call, key, mac_algorithm, message), "MacAlgorithm": mac_algorithm, "KeyId": key.arn}


@operation
def verify_mac(
    call: Call, message: bytes, key_id: str, mac_algorithm: str, mac: bytes, dry_run: bool = False
) -> dict[str, Any]:
    key = _key(call, key_id, mac_algorithm, "VerifyMac")
    if dry_run:
        raise DryRunOperationException
    if not hmac.compare_digest(_mac(call, key, mac_algorithm, message), mac):
        raise KMSInvalidMacException
    return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": mac_algorithm}


def _key(call: Call, key_id: str, algorithm: str, operation_name: str) -> names.Key:
    key = names.usable(call, key_id, operation_name, MAC)
    if algorithm not in SPECS[key.spec].algorithms[MAC]:
        raise InvalidKeyUsageException(f"Algorithm {algorithm} is incompatible with key spec {key.spec}.")
    return key


def _mac(call: Call, key: names.Key, algorithm: str, message: bytes) -> bytes:
    return hmac.digest(names.material(call, key.id)["secret"], message, _HASHES[algorithm])
