"""Chunked: bodies in AWS's own chunks (Content-Encoding: aws-chunked), signed or not, with or without trailers.

A chunk is `hex-size[;chunk-signature=...]\\r\\n`, so many bytes, `\\r\\n`; the last has size 0 and may be followed by
trailers. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
"""

from __future__ import annotations

from collections.abc import Iterator

from stratolite.wire.faults import Malformed
from stratolite.wire.http1 import BodyFile, Headers, Request

# A size and a signature; longer is no chunk header of any SDK.
_HEADER_MAX_BYTES = 1024
_TRAILERS_MAX_BYTES = 16 * 1024
_CHUNK_MAX_BYTES = 5 * 1024**3


def is_chunked(headers: Headers) -> bool:
    """Whether a body with these headers is in AWS's chunks."""
    if (headers.get("x-amz-content-sha256") or "").startswith("STREAMING-"):
        return True
    codings = (headers.get("content-encoding") or "").split(",")
    return any(coding.strip().lower() == "aws-chunked" for coding in codings)


def content_encoding(headers: Headers) -> str | None:
    """The body's content encoding without `aws-chunked`, which S3 takes away and does not keep."""
    codings = [c.strip() for c in (headers.get("content-encoding") or "").split(",")]
    return ",".join(c for c in codings if c and c.lower() != "aws-chunked") or None


class Chunks:
    """Takes a chunked body piece by piece, gives back what was in it.

    `feed` may be called with any cut of the bytes; `finish` raises when the last chunk has not been seen or the
    length announced in `x-amz-decoded-content-length` is not the length there was.
    """

    def __init__(self, decoded_length: int | None = None) -> None:
        self.trailers: dict[str, str] = {}
        """Trailing headers by lower-case name: checksums, mostly."""
        self.signatures: list[str] = []
        """The chunks' signatures in order, the trailer's last."""
        self._announced = decoded_length
        self._length = 0
        self._buffer = bytearray()
        self._left = 0
        self._state = "size"

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The content in these bytes."""
        self._buffer += data
        while True:
            if self._state == "data":
                if not self._buffer:
                    return
                piece = bytes(self._buffer[: self._left])
                del self._buffer[: len(piece)]
                self._left -= len(piece)
                self._length += len(piece)
                if not self._left:
                    self._state = "end"
                yield piece
            elif self._state == "end":
                if len(self._buffer) < 2:
                    return
                if self._buffer[:2] != b"\r\n":
                    raise _incomplete()
                del self._buffer[:2]
                self._state = "size"
            elif self._state == "size":
                line = self._line()
                if line is None:
                    return
                self._begin(line)
            elif self._state == "trailers":
                line = self._line()
                if line is None:
                    return
                self._trailer(line)
            else:
                return  # what follows the end is nobody's

    def finish(self) -> None:
        if self._state == "trailers" and not self._buffer.strip():
            self._state = "done"
        elif self._state == "trailers":
            self._trailer(bytes(self._buffer))  # some SDKs end the last trailer without a line end
            self._state = "done"
        if self._state != "done" or (self._announced is not None and self._announced != self._length):
            raise _incomplete()

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > (_TRAILERS_MAX_BYTES if self._state == "trailers" else _HEADER_MAX_BYTES):
                raise _incomplete()
            return None
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return line

    def _begin(self, line: bytes) -> None:
        size, _, extension = line.partition(b";")
        try:
            if not size or size.strip(b"0123456789abcdefABCDEF"):
                raise ValueError
            self._left = int(size, 16)
        except ValueError:
            raise _incomplete() from None
        if self._left > _CHUNK_MAX_BYTES:
            raise _incomplete()
        name, _, signature = extension.partition(b"=")
        if name.strip() == b"chunk-signature":
            self.signatures.append(signature.strip().decode("ascii", "replace"))
        self._state = "data" if self._left else "trailers"

    def _trailer(self, line: bytes) -> None:
        if not line:
            self._state = "done"
            return
        if len(self.trailers) > 32:
            raise _incomplete()
        name, _, value = line.decode("latin-1").partition(":")
        if name.strip().lower() == "x-amz-trailer-signature":
            self.signatures.append(value.strip())
        else:
            self.trailers[name.strip().lower()] = value.strip()


def decode(body: bytes, headers: Headers) -> tuple[bytes, dict[str, str]]:
    """The content of a whole chunked body, and its trailers. Raises `Malformed` (IncompleteBody)."""
    chunks = Chunks(decoded_length(headers))
    content = b"".join(chunks.feed(body))
    chunks.finish()
    return content, chunks.trailers


def unwrapped(request: Request) -> Request:
    """The request as it would have been without chunks: its content as the body, its trailers as headers."""
    assert isinstance(request.body, bytes)
    content, trailers = decode(request.body, request.headers)
    headers = _without_coding(request.headers)
    for name, value in trailers.items():
        headers.set(name, value)
    headers.set("Content-Length", str(len(content)))
    return Request(request.method, request.target, headers, content, request.peer, request.http_version)


def marked(request: Request) -> Request:
    """The request with a body in a file that is known to be chunked."""
    assert isinstance(request.body, BodyFile)
    body = BodyFile(request.body.path, request.body.size, True, decoded_length(request.headers))
    headers = _without_coding(request.headers)
    return Request(request.method, request.target, headers, body, request.peer, request.http_version)


def _without_coding(headers: Headers) -> Headers:
    """The same headers with `aws-chunked` taken out of the content encoding."""
    rest = Headers(headers.items())
    encoding = content_encoding(rest)
    rest.remove("content-encoding")
    if encoding is not None:
        rest.add("Content-Encoding", encoding)
    return rest


def decoded_length(headers: Headers) -> int | None:
    """What `x-amz-decoded-content-length` announces; None when it announces nothing."""
    text = headers.get("x-amz-decoded-content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise _incomplete()
    return int(text)


def _incomplete() -> Malformed:
    return Malformed("IncompleteBody", "The request body terminated unexpectedly")
