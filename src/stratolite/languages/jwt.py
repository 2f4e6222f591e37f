"""JSON Web Tokens signed with RSA: read, and checked against a key set. (RFC 7519, RFC 7515, RFC 7517, RFC 8017)"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The DER prefix of each digest inside a PKCS #1 v1.5 signature (RFC 8017, 9.2).
_ALGORITHMS = {
    "RS256": (hashlib.sha256, bytes.fromhex("3031300d060960864801650304020105000420")),
    "RS384": (hashlib.sha384, bytes.fromhex("3041300d060960864801650304020205000430")),
    "RS512": (hashlib.sha512, bytes.fromhex("3051300d060960864801650304020305000440")),
}


class InvalidToken(Exception):
    """The token is none, or not signed by the key, or not in a way that counts."""


@dataclass(frozen=True)
class Key:
    """An RSA public key."""

    modulus: int
    exponent: int


@dataclass(frozen=True)
class Token:
    """A token as it was sent; nothing in it is true before `verify`."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @property
    def key_id(self) -> str | None:
        return self.header.get("kid")

    def verify(self, key: Key) -> None:
        """Raises InvalidToken unless the key signed it."""
        algorithm = _ALGORITHMS.get(str(self.header.get("alg")))
        if algorithm is None:
            raise InvalidToken("the token's algorithm is not supported")
        digest, prefix = algorithm
        length = (key.modulus.bit_length() + 7) // 8
        tail = prefix + digest(self.signed).digest()
        expected = b"\x00\x01" + b"\xff" * (length - len(tail) - 3) + b"\x00" + tail
        value = int.from_bytes(self.signature, "big")
        if len(self.signature) != length or value >= key.modulus:
            raise InvalidToken("the token's signature is invalid")
        actual = pow(value, key.exponent, key.modulus).to_bytes(length, "big")
        if not hmac.compare_digest(actual, expected):
            raise InvalidToken("the token's signature is invalid")


def parse(text: str) -> Token:
    """Read a token's three parts. Raises InvalidToken."""
    parts = text.split(".")
    if len(parts) != 3:
        raise InvalidToken("the token is not three parts")
    try:
        header, claims, signature = (_decoded(part) for part in parts)
        token = Token(json.loads(header), json.loads(claims), ".".join(parts[:2]).encode("ascii"), signature)
    except (ValueError, binascii.Error):
        raise InvalidToken("the token cannot be read") from None
    if not isinstance(token.header, dict) or not isinstance(token.claims, dict):
        raise InvalidToken("the token cannot be read")
    return token


def keys(document: Mapping[str, Any]) -> dict[str, Key]:
    """A key set's RSA keys, by their ids."""
    return {
        str(key.get("kid", "")): Key(_number(key["n"]), _number(key["e"]))
        for key in document.get("keys") or []
        if key.get("kty") == "RSA" and key.get("use", "sig") == "sig"
    }


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text), "big")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
