"""The connection to the Runtime API, under the name AWS's Python client imports: `runtime_client`.

AWS's is a C++ extension that does not survive a fork and exists for Linux alone. This one holds a
response back until the next event is asked for, so that both leave in one write and wake the server once.
"""

from __future__ import annotations

import os
import socket

_NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n"
_POST = "POST /2018-06-01/runtime/invocation/{}/{} HTTP/1.1\r\nHost: runtime\r\n{}\r\n\r\n"
_DEADLINE = "Lambda-Runtime-Deadline-Ms"
TOO_LARGE = 413


class _Connection:
    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.unread = b""

    def read(self) -> tuple[int, dict[str, str], bytes]:
        """One response: status, headers, body."""
        unread = self.unread
        while True:
            end = unread.find(b"\r\n\r\n")
            if end >= 0:
                break
            received = self.socket.recv(262144)
            if not received:
                # The server is gone; nobody is left to tell.
                os._exit(0)
            unread += received
        lines = unread[:end].decode("latin-1").split("\r\n")
        headers: dict[str, str] = dict(line.split(": ", 1) for line in lines[1:])
        length, start = int(headers.get("Content-Length", 0)), end + 4
        if len(unread) - start < length:
            parts, have = [unread], len(unread)
            while have < start + length:
                received = self.socket.recv(1 << 20)
                if not received:
                    os._exit(0)
                parts.append(received)
                have += len(received)
            unread = b"".join(parts)
        self.unread = unread[start + length :]
        return int(lines[0][9:12]), headers, unread[start : start + length]


_connection: _Connection | None = None
_held: bytes | None = None


def adopt(descriptor: int) -> None:
    """The environment's own connection, made before it was."""
    global _connection
    _connection = _Connection(socket.socket(fileno=descriptor))


def initialize_client(user_agent: str) -> None:
    """AWS's client introduces itself here; our server asks nobody's name."""


def next() -> tuple[bytes, dict[str, str | int]]:
    """Send the response that is held, if any, and wait for the next event: its body and headers."""
    global _held
    assert _connection is not None
    if _held is None:
        _connection.socket.sendall(_NEXT)
    else:
        held, _held = _held, None
        _connection.socket.sendall(held + _NEXT)
        status, _, body = _connection.read()
        if status != 202 and status != TOO_LARGE:
            raise RuntimeError(f"Failed to post invocation response: {status} {body.decode('utf-8', 'replace')}")
    status, headers, body = _connection.read()
    if status != 200:
        raise RuntimeError(f"Failed to get next: {status} {body.decode('utf-8', 'replace')}")
    # AWS's extension gives the deadline as a number, and the context's remaining time is computed with it.
    return body, {**headers, _DEADLINE: int(headers[_DEADLINE])}


def _hold(request_id: str, verb: str, body: str | bytes, content_type: str, *more: str) -> None:
    global _held
    data = body.encode() if isinstance(body, str) else body
    headers = "\r\n".join([f"Content-Type: {content_type}", *more, f"Content-Length: {len(data)}"])
    _held = _POST.format(request_id, verb, headers).encode("latin-1", "replace") + data


def post_invocation_result(request_id: str, result: bytes, content_type: str, invocation_id: str | None = None) -> None:
    _hold(request_id, "response", result, content_type)


def post_error(request_id: str, error: str, xray_cause: str, invocation_id: str | None = None) -> None:
    _hold(request_id, "error", error, "application/json", "Lambda-Runtime-Function-Error-Type: Unhandled")
