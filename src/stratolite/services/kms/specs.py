"""Specs: the kinds of keys there are, and what each is good for.

https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from __future__ import annotations

from dataclasses import dataclass

ENCRYPT, SIGN, MAC, AGREE = "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"
SYMMETRIC = "SYMMETRIC_DEFAULT"

_RSA_SIGNATURES = (
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
)


@dataclass(frozen=True)
class Spec:
    """What a key of this spec can do, by usage: the algorithms."""

    algorithms: dict[str, tuple[str, ...]]
    material_bytes: int | None = None
    """Of keys that are plain secrets; None: a key pair."""


def _rsa() -> Spec:
    return Spec({ENCRYPT: ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"), SIGN: _RSA_SIGNATURES})


def _curve(signature: str, agrees: bool = True) -> Spec:
    return Spec({SIGN: (signature,), **({AGREE: ("ECDH",)} if agrees else {})})


def _mac(bits: int, material_bytes: int) -> Spec:
    return Spec({MAC: (f"HMAC_SHA_{bits}",)}, material_bytes)


SPECS = {
    SYMMETRIC: Spec({ENCRYPT: (SYMMETRIC,)}, 32),
    "HMAC_224": _mac(224, 28),
    "HMAC_256": _mac(256, 32),
    "HMAC_384": _mac(384, 48),
    "HMAC_512": _mac(512, 64),
    "RSA_2048": _rsa(),
    "RSA_3072": _rsa(),
    "RSA_4096": _rsa(),
    "ECC_NIST_P256": _curve("ECDSA_SHA_256"),
    "ECC_NIST_P384": _curve("ECDSA_SHA_384"),
    "ECC_NIST_P521": _curve("ECDSA_SHA_512"),
    "ECC_SECG_P256K1": _curve("ECDSA_SHA_256", agrees=False),
}

MEMBERS = {
    ENCRYPT: "EncryptionAlgorithms",
    SIGN: "SigningAlgorithms",
    MAC: "MacAlgorithms",
    AGREE: "KeyAgreementAlgorithms",
}
