"""Pairs: what keys of two halves do, by the `cryptography` library, which is loaded at the first use.

A pair is its private half as PKCS #8 DER. Its chance is the library's own, not the World's: nothing here can be seeded.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from .errors import UnsupportedOperationException

_CURVES = {
    "ECC_NIST_P256": "SECP256R1",
    "ECC_NIST_P384": "SECP384R1",
    "ECC_NIST_P521": "SECP521R1",
    "ECC_SECG_P256K1": "SECP256K1",
}
_NEEDED = "Key pairs and imported key material need the library cryptography: pip install 'stratolite[kms]'"


class Refused(ValueError):
    """The bytes are not what the key can take."""


def check_library() -> None:
    """Raises UnsupportedOperationException where the library is not installed."""
    _library()


def generate(spec: str) -> bytes:
    """A new pair; the larger RSA ones take a second."""
    rsa, ec = _library().rsa, _library().ec
    if spec.startswith("RSA_"):
        return _private_der(rsa.generate_private_key(public_exponent=65537, key_size=int(spec.removeprefix("RSA_"))))
    return _private_der(ec.generate_private_key(getattr(ec, _CURVES[spec])()))


def public(pair: bytes) -> bytes:
    """The public half, SubjectPublicKeyInfo DER."""
    serialization = _library().serialization
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(_load(pair).public_key().public_bytes(encoding, form))


def check(pair: bytes, spec: str) -> None:
    """Raises Refused unless the bytes are a private key of this spec."""
    try:
        key = _load(pair)
        matches = (
            f"RSA_{key.key_size}" == spec
            if spec.startswith("RSA_")
            else key.curve.name.lower() == _CURVES[spec].lower()
        )
    except (ValueError, TypeError, AttributeError):
        raise Refused from None
    if not matches:
        raise Refused


def digest(algorithm: str, message: bytes) -> bytes:
    return hashlib.new(_hash_name(algorithm), message).digest()


def digest_bytes(algorithm: str) -> int:
    return hashlib.new(_hash_name(algorithm)).digest_size


def sign(pair: bytes, algorithm: str, digest: bytes) -> bytes:
    key = _load(pair)
    if algorithm.startswith("ECDSA"):
        return bytes(key.sign(digest, _library().ec.ECDSA(_prehashed(algorithm))))
    return bytes(key.sign(digest, _padding(algorithm), _prehashed(algorithm)))


def verify(pair: bytes, algorithm: str, digest: bytes, signature: bytes) -> bool:
    key = _load(pair).public_key()
    try:
        if algorithm.startswith("ECDSA"):
            key.verify(signature, digest, _library().ec.ECDSA(_prehashed(algorithm)))
        else:
            key.verify(signature, digest, _padding(algorithm), _prehashed(algorithm))
    except _library().exceptions.InvalidSignature:
        return False
    return True


def room(spec: str, algorithm: str) -> int:
    """How many bytes OAEP leaves for a plaintext: RFC 8017, 7.1.1."""
    return int(spec.removeprefix("RSA_")) // 8 - 2 * digest_bytes(algorithm) - 2


def encrypt(pair: bytes, algorithm: str, plain: bytes) -> bytes:
    return bytes(_load(pair).public_key().encrypt(plain, _oaep(algorithm)))


def decrypt(pair: bytes, algorithm: str, cipher: bytes) -> bytes:
    """Raises Refused."""
    try:
        return bytes(_load(pair).decrypt(cipher, _oaep(algorithm)))
    except ValueError:
        raise Refused from None


def agree(pair: bytes, peer: bytes) -> bytes:
    """The secret shared with a peer by its public half. Raises Refused."""
    library = _library()
    try:
        return bytes(_load(pair).exchange(library.ec.ECDH(), library.serialization.load_der_public_key(peer)))
    except (ValueError, TypeError, AttributeError):
        raise Refused from None


def unwrap(pair: bytes, wrapping: str, wrapped: bytes) -> bytes:
    """Imported material out of its wrapping: RSA alone, or an AES key in RSA and the rest in that. Raises Refused."""
    if not wrapping.startswith("RSA_AES_KEY_WRAP"):
        return decrypt(pair, wrapping, wrapped)
    size = _load(pair).key_size // 8
    key = decrypt(pair, wrapping, wrapped[:size])
    try:
        return bytes(_library().keywrap.aes_key_unwrap_with_padding(key, wrapped[size:]))
    except (ValueError, _library().keywrap.InvalidUnwrap):
        raise Refused from None


_PARTS = {
    "ec": "hazmat.primitives.asymmetric.ec",
    "hashes": "hazmat.primitives.hashes",
    "keywrap": "hazmat.primitives.keywrap",
    "padding": "hazmat.primitives.asymmetric.padding",
    "rsa": "hazmat.primitives.asymmetric.rsa",
    "serialization": "hazmat.primitives.serialization",
    "utils": "hazmat.primitives.asymmetric.utils",
    "exceptions": "exceptions",
}


@cache
def _library() -> Any:
    """The parts of `cryptography` in use."""
    try:
        return SimpleNamespace(**{name: import_module(f"cryptography.{path}") for name, path in _PARTS.items()})
    except ImportError:
        raise UnsupportedOperationException(_NEEDED) from None


def _load(pair: bytes) -> Any:
    return _library().serialization.load_der_private_key(pair, password=None)


def _private_der(key: Any) -> bytes:
    serialization = _library().serialization
    return bytes(
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _hash_name(algorithm: str) -> str:
    return "sha" + algorithm.rpartition("_")[2]


def _hash(algorithm: str) -> Any:
    return getattr(_library().hashes, _hash_name(algorithm).upper())()


def _prehashed(algorithm: str) -> Any:
    return _library().utils.Prehashed(_hash(algorithm))


def _padding(algorithm: str) -> Any:
    padding = _library().padding
    if "PSS" in algorithm:
        return padding.PSS(padding.MGF1(_hash(algorithm)), digest_bytes(algorithm))
    return padding.PKCS1v15()


def _oaep(algorithm: str) -> Any:
    padding = _library().padding
    return padding.OAEP(mgf=padding.MGF1(_hash(algorithm)), algorithm=_hash(algorithm), label=None)
