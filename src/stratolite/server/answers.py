"""Answers: a `Response` as bytes, by HTTP's rules on bodies and lengths (RFC 9110, RFC 9112)."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus

from ..wire.http1 import Headers, Response

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# The connection's own business, whatever the answer's author wrote: a proxied function's headers may hold them.
CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "te"})


class Dates:
    """The Date header line, made once a second."""

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._line = ""

    def line(self, now: float) -> str:
        second = int(now)
        if second != self._second:
            self._second = second
            self._line = f"date: {formatdate(second, usegmt=True)}\r\n"
        return self._line


def bodiless(status: int) -> bool:
    """1xx, 204 and 304 never carry a body, whatever the handler made (RFC 9110 section 6.4.1)."""
    return status in (204, 304) or status < 200


def refusal(status: int, text: str) -> Response:
    """An answer of the connection itself, to what is no request."""
    return Response(status, Headers([("content-type", "text/plain")]), f"{text}\n".encode())


def head(response: Response, framing: str, date: str, close: bool) -> bytes:
    """The status line and header fields.

    `framing` is the line that says where the body ends: a content-length, a transfer-encoding, or nothing. A handler's
    own content-length is kept only where `framing` is empty (HEAD, 304: it tells of a body that is not sent).
    """
    status = response.status
    lines = [STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"]
    dated = False
    for name, value in response.headers.pairs:
        lower = name.lower()
        if lower in CONNECTION_FIELDS or (lower == "content-length" and (framing or status == 204)):
            continue
        if lower == "date":
            dated = True
        lines.append(f"{name}: {value}\r\n")
    if not dated:
        lines.append(date)
    if framing:
        lines.append(framing)
    if close:
        lines.append("connection: close\r\n")
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        # A line break inside a field would let its author write headers of his own (response splitting).
        text = "".join(_clean(line) for line in lines)
    text += "\r\n"
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def _clean(line: str) -> str:
    return line[:-2].replace("\r", " ").replace("\n", " ").replace("\0", " ") + "\r\n"
