"""The Lambda Runtime API: what a runtime says to the platform and the platform to a runtime, over HTTP.

Every environment has a listener of its own on 127.0.0.1, so a request needs no name.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; error bodies
are those of AWS's runtime interface emulator.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from .failures import RESPONSE_LIMIT_BYTES
from .function import Invocation

VERSION = "/2018-06-01/runtime"
HEADER_LIMIT_BYTES = 2 << 20
"""AWS's clients send an X-Ray cause of up to 1 MB as a header."""


class Answered:
    """What a runtime posted: a response, or an error."""

    __slots__ = ("body", "error_body", "error_type", "headers", "streamed", "too_large")

    def __init__(
        self, body: bytes, headers: dict[bytes, bytes], too_large: bool, streamed: bool, error_type: str
    ) -> None:
        self.body = body
        self.headers = headers
        self.too_large = too_large
        self.streamed = streamed
        self.error_type = error_type
        """`Lambda-Runtime-Function-Error-Type`: a header of an error, a trailer of a stream that broke."""
        self.error_body = b""

    @property
    def content_type(self) -> str:
        return self.headers.get(b"content-type", b"application/octet-stream").decode("latin-1")


class Host(Protocol):
    """The environment behind the API."""

    def asked(self) -> None:
        """The runtime wants its next event."""

    def answered(self, answer: Answered) -> None: ...

    def refused(self, answer: Answered) -> None:
        """The runtime reports the handler's error."""

    def init_failed(self, answer: Answered) -> None: ...

    def restoring(self) -> bool:
        """The runtime is ready for its snapshot; false if nobody takes one and it may go on."""

    def restore_failed(self, answer: Answered) -> None: ...

    def streamed(self, piece: bytes) -> None: ...


def _response(status: str, body: bytes, content_type: str = "application/json") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode("latin-1")
        + body
    )


ACCEPTED = _response("202 Accepted", b'{"status":"OK"}\n')
RESTORED = _response("200 OK", b"")
NOT_FOUND = _response("404 Not Found", b"404 page not found\n", "text/plain; charset=utf-8")
UNKNOWN_REQUEST = _response(
    "400 Bad Request", b'{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}\n'
)
BAD_REQUEST = _response("400 Bad Request", b'{"errorMessage":"Bad request","errorType":"InvalidRequestFormat"}\n')
TOO_LARGE = _response(
    "413 Request Entity Too Large",
    b'{"errorMessage":"Exceeded maximum allowed payload size (%d bytes).","errorType":"RequestEntityTooLarge"}\n'
    % RESPONSE_LIMIT_BYTES,
)


def wrong_state(was: str, wanted: str) -> bytes:
    text = f"State transition from {was} to {wanted} failed for runtime. Error: State transition is not allowed"
    return _response("403 Forbidden", b'{"errorMessage":"%b","errorType":"InvalidStateTransition"}\n' % text.encode())


class RuntimeApi:
    """One environment's side of the conversation: which event is out, who waits for the next."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.ready = False
        """The runtime asked for its first event: INIT is over."""
        self.current: Invocation | None = None
        self.waiting: Connection | None = None
        self.connections: set[Connection] = set()
        self._head = b""
        self._head_of = ""

    def connect(self) -> Connection:
        return Connection(self)

    def hand_over(self, invocation: Invocation, deadline_ms: int) -> bool:
        """Give the runtime its next event; false if it is not there to take it."""
        waiting = self.waiting
        if waiting is None or waiting.transport is None or waiting.transport.is_closing():
            return False
        self.waiting, self.current = None, invocation
        if invocation.invoked_arn != self._head_of:
            self._head_of = invocation.invoked_arn
            self._head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                f"Lambda-Runtime-Invoked-Function-Arn: {invocation.invoked_arn}\r\n"
            ).encode("latin-1")
        lines = [
            f"Lambda-Runtime-Aws-Request-Id: {invocation.request_id}",
            f"Lambda-Runtime-Deadline-Ms: {deadline_ms}",
        ]
        if invocation.trace:
            lines.append("Lambda-Runtime-Trace-Id: " + invocation.trace)
        if invocation.client_context:
            lines.append("Lambda-Runtime-Client-Context: " + invocation.client_context)
        if invocation.cognito_identity:
            lines.append("Lambda-Runtime-Cognito-Identity: " + invocation.cognito_identity)
        if invocation.tenant:
            lines.append("Lambda-Runtime-Aws-Tenant-Id: " + invocation.tenant)
        lines.append(f"Content-Length: {len(invocation.payload)}\r\n\r\n")
        waiting.say(self._head + "\r\n".join(lines).encode("utf-8") + invocation.payload)
        if not waiting.reading:
            waiting.flush()
        return True

    def close(self) -> None:
        for connection in list(self.connections):
            if connection.transport is not None:
                connection.transport.abort()

    # ---- what a runtime may ask; the extensions' and telemetry's paths join this table

    def next_event(self, connection: Connection, _: str) -> bytes | None:
        if self.current is not None:
            return wrong_state("Running", "Ready")
        self.ready = True
        self.waiting = connection
        self.host.asked()
        return None

    def take_response(self, connection: Connection, request_id: str) -> bytes:
        return self._take(connection, request_id, "InvocationResponse", self.host.answered)

    def take_error(self, connection: Connection, request_id: str) -> bytes:
        return self._take(connection, request_id, "InvocationErrorResponse", self.host.refused)

    def _take(self, connection: Connection, request_id: str, what: str, tell: Callable[[Answered], None]) -> bytes:
        if self.current is None:
            return wrong_state("Ready", what)
        if request_id != self.current.request_id:
            return UNKNOWN_REQUEST
        self.current = None
        answer = connection.answer()
        tell(answer)
        return TOO_LARGE if answer.too_large else ACCEPTED

    def take_init_error(self, connection: Connection, _: str) -> bytes:
        if self.ready:
            return wrong_state("Ready", "InitError")
        self.host.init_failed(connection.answer())
        return ACCEPTED

    def restore_next(self, connection: Connection, _: str) -> bytes | None:
        if self.host.restoring():
            self.waiting = connection
            return None
        return RESTORED

    def take_restore_error(self, connection: Connection, _: str) -> bytes:
        self.host.restore_failed(connection.answer())
        return ACCEPTED


def _decoded(trailer: bytes) -> bytes:
    """AWS's clients say it in base64: a trailer is one line of ASCII."""
    try:
        return base64.b64decode(trailer, validate=True)
    except ValueError:
        return trailer


Route = Callable[[RuntimeApi, "Connection", str], bytes | None]

ROUTES: dict[tuple[bytes, str], Route] = {
    (b"GET", f"{VERSION}/invocation/next"): RuntimeApi.next_event,
    (b"POST", f"{VERSION}/invocation/*/response"): RuntimeApi.take_response,
    (b"POST", f"{VERSION}/invocation/*/error"): RuntimeApi.take_error,
    (b"POST", f"{VERSION}/init/error"): RuntimeApi.take_init_error,
    (b"GET", f"{VERSION}/restore/next"): RuntimeApi.restore_next,
    (b"POST", f"{VERSION}/restore/error"): RuntimeApi.take_restore_error,
}
"""Method and path (`*`: a request id) to what answers; None when the answer comes later."""


class Connection(asyncio.Protocol):
    """A connection of a runtime. Requests may be pipelined: a response, and the wish for the next event."""

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        self.transport: asyncio.Transport | None = None
        self.parser = httptools.HttpRequestParser(self)
        self.reading = False
        self._unsaid: list[bytes] = []
        self._reset()

    def _reset(self) -> None:
        self.url = b""
        self.headers: dict[bytes, bytes] = {}
        self.pieces: list[bytes] = []
        self.size = 0
        self.header_size = 0
        self.in_body = False
        self.streaming = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.api.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.api.connections.discard(self)
        if self.api.waiting is self:
            self.api.waiting = None

    def data_received(self, data: bytes) -> None:
        self.reading = True
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.say(BAD_REQUEST)
            self.flush()
            if self.transport is not None:
                self.transport.close()
        self.reading = False
        # Who has asked for the next event already need not be woken to hear that its response was taken.
        if self.api.waiting is not self:
            self.flush()

    def say(self, answer: bytes) -> None:
        self._unsaid.append(answer)

    def flush(self) -> None:
        if self._unsaid and self.transport is not None:
            self.transport.write(self._unsaid[0] if len(self._unsaid) == 1 else b"".join(self._unsaid))
            self._unsaid.clear()

    def on_message_begin(self) -> None:
        self._reset()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # Those after the body are trailers: a stream that broke tells so in them.
        self.header_size += len(name) + len(value)
        if self.header_size > HEADER_LIMIT_BYTES:
            raise ValueError("headers too large")
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.in_body = True
        self.streaming = self.headers.get(b"lambda-runtime-function-response-mode") == b"streaming"

    def on_body(self, body: bytes) -> None:
        self.size += len(body)
        if self.streaming:
            current = self.api.current
            if current is not None and current.stream is not None:
                self.api.host.streamed(body)
                return
        # AWS takes 6 MB; the rest is read and dropped so that the runtime can read our answer.
        if self.size <= RESPONSE_LIMIT_BYTES or self.streaming:
            self.pieces.append(body)

    def on_message_complete(self) -> None:
        path = self.url.partition(b"?")[0].decode("latin-1")
        route = ROUTES.get((self.parser.get_method(), path))
        request_id = ""
        if route is None:
            parts = path.split("/")
            if len(parts) == 6:
                request_id, parts[4] = parts[4], "*"
                route = ROUTES.get((self.parser.get_method(), "/".join(parts)))
        answer = NOT_FOUND if route is None else route(self.api, self, request_id)
        if answer is not None:
            self.say(answer)

    def answer(self) -> Answered:
        """The request just read, as an answer to an event."""
        error_type = self.headers.get(b"lambda-runtime-function-error-type", b"").decode("latin-1")
        too_large = self.size > RESPONSE_LIMIT_BYTES and not self.streaming
        body = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        answer = Answered(b"" if too_large else body, self.headers, too_large, self.streaming, error_type)
        if self.streaming:
            answer.error_body = _decoded(self.headers.get(b"lambda-runtime-function-error-body", b""))
        return answer
