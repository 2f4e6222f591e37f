"""One HTTP/1.1 connection: bytes in, requests to a handler in order, answers out, and never stuck.

A connection reads ahead but handles one request at a time, so pipelined answers cannot change places. A handler that
answers with a `Response` costs no task; one that answers with an awaitable becomes a future, and is cancelled when its
client goes away.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache, partial
from pathlib import Path
from types import CoroutineType
from typing import Protocol, cast

import httptools

from ..wire.http1 import Headers, Request, Response
from .answers import CONTINUE, bodiless, head, refusal
from .bodies import Body, release
from .limits import Limits
from .streams import chunked, finish, pump, sized, unframed

log = logging.getLogger("stratolite.server")

Handler = Callable[[Request], Response | Awaitable[Response]]

TURN_REQUESTS = 16
"""Requests of one connection handled in one turn of the loop, so that a long pipeline lets others in between."""

JOINED_BYTES = 65_536
"""Below this, head and body are copied into one write."""

HALF_CLOSED_S = 0.05
"""A client that stops sending is gone, or still waits (`printf ... | nc`): its handler may go on this long."""


@lru_cache(maxsize=1024)
def _names(name: bytes) -> tuple[str, str]:
    """A field's name as it was spelled, and in lower case: clients use the same few in every request."""
    spelled = name.decode("latin-1")
    return spelled, spelled.lower()


class Host(Protocol):
    """What a connection needs from its server."""

    handler: Handler
    limits: Limits
    spool: Path | None
    closing: bool

    def date(self) -> str: ...
    def opened(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None: ...
    def lost(self, connection: Connection) -> None: ...


class Connection(asyncio.Protocol):
    """One client's connection. Its parser calls the `on_...` methods."""

    _transport: asyncio.Transport

    def __init__(self, server: Host, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._limits = server.limits
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._peer = ""
        self._url = b""
        self._fields: list[tuple[str, str]] = []
        self._last: dict[str, str] = {}
        """The same by name in lower case, each with its last value."""
        self._head_bytes = 0
        self._reading_head = False
        self._body: Body | None = None
        self._refusal: Response | None = None
        """What this connection ends with; nothing is parsed any more."""
        self._queue: deque[tuple[Request, bool]] = deque()
        """Requests to handle, each with whether the connection may stay afterwards."""
        self._running: asyncio.Future[Response] | None = None
        self._streaming: asyncio.Task[None] | None = None
        self._continue_due = False
        self._writable = True
        self._unsent = 0
        """Bytes the client had still to take when its deadline was last set."""
        self._drained: asyncio.Future[None] | None = None
        self._paused = False
        self._eof = False
        self._ended = False
        self._lingering = False
        self.deadline = math.inf

    # ---- the transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is not a subclass
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else ""
        self.deadline = self._loop.time() + self._limits.head_s
        self._server.opened(self, self._loop)
        if self._server.closing:
            self._end()

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None or self._ended:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._without_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            self._refuse(self._refusal or refusal(400, f"Bad Request: {error}"))
        if self._reading_head:
            # A field without an end never reaches on_header: what was fed is what counts.
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes:
                self._refuse(refusal(431, "Request Header Fields Too Large"))
        elif self._body is not None and self._running is None:
            self.deadline = self._loop.time() + self._limits.body_s
        if self._queue or self._refusal is not None:
            self._advance()

    def eof_received(self) -> bool:
        """True keeps our half open for the answers still due."""
        self._eof = True
        if self._lingering or not (self._queue or self._running or self._streaming):
            return False
        if self._running is not None:
            self._loop.call_later(HALF_CLOSED_S, self._abandon, self._running)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self.deadline = math.inf
        self._server.lost(self)
        for work in (self._running, self._streaming):
            if work is not None:
                work.cancel()
        if self._drained is not None and not self._drained.done():
            self._drained.cancel()
        if self._body is not None:
            self._body.discard()
        for request, _ in self._queue:
            release(request.body)
        self._queue.clear()

    def pause_writing(self) -> None:
        self._writable = False
        self._unsent = self._transport.get_write_buffer_size()
        self.deadline = self._loop.time() + self._limits.write_s

    def resume_writing(self) -> None:
        self._writable = True
        self.deadline = math.inf
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._advance()

    # ---- the parser's calls

    def on_message_begin(self) -> None:
        self._url = b""
        self._fields = []
        self._last = {}
        self._head_bytes = 0
        self._reading_head = True
        if self._running is None and self._writable:
            self.deadline = self._loop.time() + self._limits.head_s

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reading_head:  # else a trailer after a chunked body, which no AWS protocol reads
            spelled, lower = _names(name)
            text = value.decode("latin-1")
            self._fields.append((spelled, text))
            self._last[lower] = text

    def on_headers_complete(self) -> None:
        self._reading_head = False
        limits = self._limits
        fields, last = self._fields, self._last
        size = len(self._url)
        for name, value in fields:
            size += len(name) + len(value)
        hosts = "host" in last
        if hosts and len(last) != len(fields):  # some name is there twice
            hosts = sum(name.lower() == "host" for name, _ in fields) == 1
        length = int(last.get("content-length", 0))
        expect = last.get("expect", "").lower()
        if size > limits.head_bytes:
            raise self._refused(431, "Request Header Fields Too Large")
        if self._parser.get_method() == b"CONNECT":
            raise self._refused(405, "Method Not Allowed")
        if not hosts and self._parser.get_http_version() == "1.1":
            raise self._refused(400, "Bad Request: one Host header field is required")
        if length > limits.body_bytes:
            raise self._refused(413, "Content Too Large")
        if expect:
            if expect != "100-continue":
                raise self._refused(417, "Expectation Failed")
            if self._running or self._streaming or self._queue:
                self._continue_due = True
            else:
                self._transport.write(CONTINUE)
        self._body = Body(self._server.spool, limits.memory_bytes)

    def on_body(self, piece: bytes) -> None:
        body = self._body
        assert body is not None
        try:
            body.add(piece)
        except OSError as error:
            log.error("a request body could not be stored: %s", error)
            raise self._refused(507, "Insufficient Storage") from None
        if body.size > self._limits.body_bytes:
            raise self._refused(413, "Content Too Large")

    def on_message_complete(self) -> None:
        body, self._body = self._body, None
        assert body is not None
        request = Request(
            self._parser.get_method().decode("latin-1"),
            self._url.decode("latin-1"),
            Headers.read(self._fields, self._last),
            body.finish(),
            self._peer,
            self._parser.get_http_version(),
        )
        self._continue_due = False
        self._queue.append((request, self._parser.should_keep_alive()))
        if len(self._queue) >= self._limits.pipelined and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    # ---- requests to answers

    def _advance(self) -> None:
        """Handle what is next, as long as the client takes the answers."""
        queue = self._queue
        turn = 0
        while queue and self._running is None and self._streaming is None and self._writable and not self._ended:
            turn += 1
            if turn > TURN_REQUESTS:
                self._loop.call_soon(self._advance)
                return
            request, keep = queue.popleft()
            try:
                answer = self._server.handler(request)
            except Exception:
                log.exception("%s %s", request.method, request.target)
                answer = refusal(500, "Internal Server Error")
            if isinstance(answer, Response):
                self._answer(request, keep, answer)
            else:
                self._running = self._future(answer)
                self._running.add_done_callback(partial(self._answered, request, keep))
                self.deadline = math.inf
        if self._ended or self._running is not None or self._streaming is not None or queue:
            return
        if self._refusal is not None:
            self._linger(self._refusal)
        elif self._eof:
            self._end()
        else:
            self._await_more()

    def _future(self, answer: Awaitable[Response]) -> asyncio.Future[Response]:
        """What `asyncio.ensure_future` does, by the two ways that every request takes."""
        if isinstance(answer, asyncio.Future):
            return answer
        if isinstance(answer, CoroutineType):
            return self._loop.create_task(answer)
        return asyncio.ensure_future(answer)

    def _await_more(self) -> None:
        """Every answer is out: what comes next, and how long it may take."""
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if self._continue_due:
            self._continue_due = False
            self._transport.write(CONTINUE)
        if self._writable:
            limits = self._limits
            waits = limits.head_s if self._reading_head else limits.body_s if self._body is not None else limits.idle_s
            self.deadline = self._loop.time() + waits

    def _answered(self, request: Request, keep: bool, future: asyncio.Future[Response]) -> None:
        self._running = None
        if self._ended:
            release(request.body)
            if not future.cancelled():
                future.exception()  # nobody is left to hear of it
            return
        if future.cancelled():
            answer = refusal(503, "Service Unavailable")
        elif error := future.exception():
            log.error("%s %s", request.method, request.target, exc_info=error)
            answer = refusal(500, "Internal Server Error")
        else:
            answer = future.result()
        self._answer(request, keep, answer)
        self._advance()

    def _answer(self, request: Request, keep: bool, response: Response) -> None:
        release(request.body)
        if not 200 <= response.status <= 999:
            log.error("%s %s: %d is no final status", request.method, request.target, response.status)
            response = refusal(500, "Internal Server Error")
        body = response.body
        close = not keep or self._server.closing or (self._eof and not self._queue)
        if request.method == "HEAD" or bodiless(response.status):
            # HEAD tells the length of what GET would send; a handler that says it knows better than the empty body.
            mute = "content-length" in response.headers or bodiless(response.status)
            if isinstance(body, bytes):
                self._write_head(response, "" if mute else f"content-length: {len(body)}\r\n", close)
                self._sent(close)
            else:
                self._write_head(response, "", close)
                self._await_stream(finish(body), close)
        elif isinstance(body, bytes):
            text = head(response, f"content-length: {len(body)}\r\n", self._server.date(), close)
            if len(body) < JOINED_BYTES:
                self._transport.write(text + body)
            else:
                self._transport.write(text)
                self._transport.write(body)
            self._sent(close)
        else:
            told = response.headers.get("content-length")
            if told is not None and told.isdecimal():
                framing = sized(int(told))
            elif request.http_version == "1.1":
                framing = chunked
            else:  # HTTP/1.0 knows no chunks
                framing, close = unframed, True
            self._write_head(response, framing.line, close)
            self._await_stream(pump(body, self._write, framing), close)

    def _write_head(self, response: Response, framing: str, close: bool) -> None:
        self._transport.write(head(response, framing, self._server.date(), close))

    def _sent(self, close: bool) -> None:
        if close:
            self._end()

    # ---- streamed answers

    def _await_stream(self, work: Coroutine[None, None, None], close: bool) -> None:
        if self._writable:
            self.deadline = math.inf
        self._streaming = self._loop.create_task(work)
        self._streaming.add_done_callback(partial(self._streamed, close))

    def _write(self, piece: bytes) -> Awaitable[None] | None:
        self._transport.write(piece)
        if self._writable:
            return None
        self._drained = self._loop.create_future()
        return self._drained

    def _streamed(self, close: bool, task: asyncio.Task[None]) -> None:
        self._streaming = None
        if task.cancelled():
            self.abort()
        elif error := task.exception():
            # The status is out already: a connection cut short is the only way left to say that the body is not whole.
            log.error("a streamed answer broke off", exc_info=error)
            self.abort()
        elif close:
            self._end()
        else:
            self._advance()

    # ---- endings

    def _refused(self, status: int, text: str) -> Exception:
        """What a parser's call raises: the parser stops and `data_received` answers."""
        self._refusal = refusal(status, text)
        return ValueError(text)

    def _refuse(self, response: Response) -> None:
        self._refusal = response
        self._reading_head = False
        if self._body is not None:
            self._body.discard()
            self._body = None

    def _linger(self, response: Response) -> None:
        """Answer, close our half and drain the client's: to close over unread input would reset the answer away."""
        assert isinstance(response.body, bytes)
        self._write_head(response, f"content-length: {len(response.body)}\r\n", True)
        self._transport.write(response.body)
        self._lingering = True
        if self._eof or not self._transport.can_write_eof():
            self._end()
            return
        self._transport.write_eof()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        self.deadline = self._loop.time() + self._limits.linger_s

    def _without_upgrade(self, rest: bytes) -> None:
        """An offer to change protocols is declined by answering in this one (RFC 9110 section 7.8).

        Java's client offers h2c with every request. The parser took the offer for the message's end, so the message is
        read once more without it.
        """
        request, _ = self._queue.pop()
        kept = "".join(
            f"{name}: {value}\r\n"
            for name, value in request.headers.pairs
            if name.lower() not in ("upgrade", "connection", "http2-settings", "expect")
        )
        self._parser = httptools.HttpRequestParser(self)
        text = f"{request.method} {request.target} HTTP/{request.http_version}\r\n{kept}\r\n"
        self.data_received(text.encode("latin-1") + rest)

    def _abandon(self, running: asyncio.Future[Response]) -> None:
        if self._running is running and not self._ended:
            self._end()
            running.cancel()

    def expire(self) -> None:
        """The deadline has passed."""
        if self._ended or self._lingering or not self._writable:
            unsent = self._transport.get_write_buffer_size()
            if 0 < unsent < self._unsent:  # slow, but it reads
                self._unsent = unsent
                self.deadline = self._loop.time() + self._limits.write_s
            else:
                self.abort()
        elif self._reading_head or self._body is not None:
            self._refuse(refusal(408, "Request Timeout"))
            self._advance()
        else:
            self._end()

    def close_if_idle(self) -> None:
        busy = self._queue or self._running or self._streaming or self._reading_head or self._body is not None
        if not busy:
            self._end()

    def _end(self) -> None:
        """Close once everything written has left; a client that does not take it has `write_s`."""
        self._ended = True
        self._unsent = self._transport.get_write_buffer_size()
        self.deadline = self._loop.time() + self._limits.write_s
        self._transport.close()

    def abort(self) -> None:
        self._ended = True
        self._transport.abort()
