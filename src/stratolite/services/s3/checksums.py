"""Checksums: which there are, computed over a body, and judged against what the client said."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from stratolite.wire.chunked import Chunks
from stratolite.wire.http1 import BodyFile

from .crc import CRC32, CRC32C, CRC64NVME, Crc
from .errors import S3Error, refused

DEFAULT = "CRC64NVME"
"""What S3 computes when the client says nothing."""

PIECE_BYTES = 1024 * 1024

CRCS: dict[str, Crc] = {"CRC32": CRC32, "CRC32C": CRC32C, "CRC64NVME": CRC64NVME}
BYTES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}
MEMBERS = {name: f"Checksum{name}" for name in BYTES}


class _Running:
    """One checksum while a body goes by."""

    def __init__(self, update: Callable[[bytes, int], int], size: int) -> None:
        self._update, self._size, self._crc = update, size, 0

    def update(self, data: bytes) -> None:
        self._crc = self._update(data, self._crc)

    def digest(self) -> bytes:
        return self._crc.to_bytes(self._size, "big")


_STARTED: dict[str, Callable[[], Any]] = {
    "CRC32": lambda: _Running(zlib.crc32, 4),
    "CRC32C": lambda: _Running(CRC32C.update, 4),
    "CRC64NVME": lambda: _Running(CRC64NVME.update, 8),
    "SHA1": lambda: hashlib.sha1(usedforsecurity=False),
    "SHA256": hashlib.sha256,
}


def known(algorithm: str | None) -> str | None:
    """The algorithm asked for, as S3 spells it. Raises InvalidRequest for one it does not have."""
    if algorithm is None:
        return None
    name = algorithm.upper()
    if name not in BYTES:
        raise refused(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types:"
            " [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
        )
    return name


def text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Told:
    """What a client says of a body: its checksums by algorithm, the algorithm it wanted, its MD5 (base64)."""

    values: dict[str, str] = field(default_factory=dict)
    algorithm: str | None = None
    md5: str | None = None

    @staticmethod
    def of(values: dict[str, str | None], algorithm: str | None, md5: str | None = None) -> Told:
        given = {name: value for name, value in values.items() if value is not None}
        if len(given) > 1:
            raise refused(
                "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            )
        for name, value in given.items():
            _check_form(name, value)
        return Told(given, known(algorithm), md5)


def _check_form(name: str, value: str) -> None:
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != BYTES[name]:
        raise refused("InvalidRequest", f"Value for x-amz-checksum-{name.lower()} header is invalid.")


@dataclass(frozen=True)
class Absorbed:
    """A body that went by: what is in it, without chunks."""

    body: bytes | BodyFile
    size: int
    md5: bytes
    algorithm: str
    checksums: dict[str, bytes]

    @property
    def value(self) -> str:
        return text(self.checksums[self.algorithm])


def absorb(body: bytes | BodyFile, told: Told, default: str = DEFAULT, also: Iterable[str] = ()) -> Absorbed:
    """Hash a body and judge it. Blocks: run it off the loop when the body is long.

    Raises InvalidRequest, InvalidDigest, BadDigest, IncompleteBody.
    """
    if isinstance(body, BodyFile) and body.is_chunked:
        body, trailers = _unwrapped(body)
        values = dict(told.values)
        for name in BYTES:
            if (value := trailers.get(f"x-amz-checksum-{name.lower()}")) is not None:
                _check_form(name, value)
                values[name] = value
        told = replace(told, values=values)
    algorithm = next(iter(told.values), None) or told.algorithm or default
    running = {name: _STARTED[name]() for name in {algorithm, *also, *told.values}}
    md5, size = hashlib.md5(usedforsecurity=False), 0
    for piece in pieces(body):
        md5.update(piece)
        size += len(piece)
        for one in running.values():
            one.update(piece)
    digests = {name: one.digest() for name, one in running.items()}
    _judge(told, digests, md5.digest())
    return Absorbed(body, size, md5.digest(), algorithm, digests)


def _judge(told: Told, digests: dict[str, bytes], md5: bytes) -> None:
    if told.md5 is not None:
        try:
            expected = base64.b64decode(told.md5, validate=True)
        except (binascii.Error, ValueError):
            expected = b""
        if len(expected) != 16:
            raise refused("InvalidDigest", **{"Content-MD5": told.md5})
        if expected != md5:
            raise refused("BadDigest", ExpectedDigest=expected.hex(), CalculatedDigest=text(md5))
    for name, value in told.values.items():
        if text(digests[name]) != value:
            raise mismatched(name)


def mismatched(name: str) -> S3Error:
    return refused("BadDigest", f"The {name} you specified did not match the calculated checksum.")


def pieces(body: bytes | BodyFile) -> Iterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    with body.path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _unwrapped(body: BodyFile) -> tuple[BodyFile, dict[str, str]]:
    """A spooled body without its chunks, in a file beside it; the chunked one goes."""
    chunks, size = Chunks(body.decoded_length), 0
    plain = body.path.with_name(body.path.name + ".plain")
    try:
        with plain.open("wb") as file:
            for piece in pieces(body):
                for content in chunks.feed(piece):
                    size += file.write(content)
        chunks.finish()
    except BaseException:
        plain.unlink(missing_ok=True)
        raise
    body.path.unlink(missing_ok=True)
    return BodyFile(plain, size), chunks.trailers


def joined(algorithm: str, parts: list[tuple[bytes, int]]) -> bytes:
    """The checksum of a whole object from those of its parts: (digest, size) of each. CRCs only."""
    crc, total = CRCS[algorithm], 0
    for digest, size in parts:
        total = crc.joined(total, int.from_bytes(digest, "big"), size)
    return total.to_bytes(crc.bytes, "big")


def composite(algorithm: str, digests: list[bytes]) -> str:
    """The checksum of the parts' checksums, as S3 writes it: with the number of parts behind a hyphen."""
    running = _STARTED[algorithm]()
    running.update(b"".join(digests))
    return f"{text(running.digest())}-{len(digests)}"
