"""Streams: an answer whose body comes piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Framing:
    """How a body's end is told: its length beforehand, chunks, or the end of the connection."""

    line: str
    """The header line that says so."""
    piece: Callable[[bytes], bytes] = bytes
    last: bytes = b""
    length: int | None = None
    """What was promised; sending anything else would put the next answer in the wrong place."""


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


chunked = Framing("transfer-encoding: chunked\r\n", _chunk, b"0\r\n\r\n")
unframed = Framing("")


def sized(length: int) -> Framing:
    return Framing(f"content-length: {length}\r\n", length=length)


class BrokenPromise(Exception):
    """A body is longer or shorter than its content-length."""


async def pump(body: AsyncIterator[bytes], write: Callable[[bytes], Awaitable[None] | None], framing: Framing) -> None:
    """Write a body as it comes. `write` answers with something to await when the client is slower than we are."""
    sent = 0
    try:
        async for piece in body:
            if not piece:
                continue
            sent += len(piece)
            if framing.length is not None and sent > framing.length:
                raise BrokenPromise(f"a body of {framing.length} bytes has more")
            drained = write(framing.piece(piece))
            if drained is not None:
                await drained
        if framing.length is not None and sent != framing.length:
            raise BrokenPromise(f"a body of {framing.length} bytes ended after {sent}")
        if framing.last:
            write(framing.last)
    finally:
        await finish(body)


async def finish(body: AsyncIterator[bytes]) -> None:
    """End a body that nobody reads to its end."""
    close = getattr(body, "aclose", None)
    if close is not None:
        await close()
