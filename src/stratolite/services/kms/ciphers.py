"""Ciphers: how symmetric keys lock bytes, bound to a context.

What KMS makes of a plaintext is opaque and only KMS opens it again, so any authenticated cipher will do: here
SHAKE-256 as a keyed stream and HMAC-SHA-256 over all of it, from the standard library.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass

_MAGIC = b"\x01K"
_NONCE_BYTES = 16
_TAG_BYTES = 32


class Broken(ValueError):
    """Not made by this key, for this context, or changed since."""


@dataclass(frozen=True)
class Sealed:
    """The readable head of a ciphertext: which key and which of its materials made it."""

    key_id: str
    material: int
    head: bytes
    nonce: bytes
    body: bytes
    tag: bytes


def seal(key_id: str, material: int, secret: bytes, nonce: bytes, plain: bytes, context: dict[str, str]) -> bytes:
    name = key_id.encode()
    head = _MAGIC + bytes([len(name)]) + name + material.to_bytes(8, "big")
    body = _stream(secret, nonce, plain)
    return head + nonce + body + _tag(secret, head, nonce, body, context)


def read(sealed: bytes) -> Sealed:
    """Raises Broken when the bytes are no ciphertext of ours."""
    if sealed[:2] != _MAGIC or len(sealed) < 3:
        raise Broken
    end = 3 + sealed[2] + 8
    head, rest = sealed[:end], sealed[end:]
    if len(head) < end or len(rest) < _NONCE_BYTES + _TAG_BYTES:
        raise Broken
    try:
        name = head[3 : 3 + sealed[2]].decode()
    except UnicodeDecodeError:
        raise Broken from None
    nonce, body, tag = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:-_TAG_BYTES], rest[-_TAG_BYTES:]
    return Sealed(name, int.from_bytes(head[-8:], "big"), head, nonce, body, tag)


def unseal(sealed: Sealed, secret: bytes, context: dict[str, str]) -> bytes:
    """Raises Broken."""
    tag = _tag(secret, sealed.head, sealed.nonce, sealed.body, context)
    if not hmac.compare_digest(tag, sealed.tag):
        raise Broken
    return _stream(secret, sealed.nonce, sealed.body)


def _stream(secret: bytes, nonce: bytes, text: bytes) -> bytes:
    mask = hashlib.shake_256(b"stream" + secret + nonce).digest(len(text))
    return (int.from_bytes(text, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(text), "big")


def _tag(secret: bytes, head: bytes, nonce: bytes, body: bytes, context: dict[str, str]) -> bytes:
    bound = json.dumps(context, sort_keys=True).encode()
    lengths = b"".join(len(part).to_bytes(8, "big") for part in (head, bound))
    return hmac.digest(b"tag" + secret, lengths + head + bound + nonce + body, "sha256")
