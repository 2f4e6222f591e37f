"""HTTP on a raw socket: each rule a library would have kept for us (RFC 9110, RFC 9112)."""

# ruff: noqa: ASYNC110, ASYNC240 -- a test that watches a server in its own loop has nothing better to wait on

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stratolite.server import http as http_module
from stratolite.server.http import Server
from stratolite.server.limits import Limits
from stratolite.wire.http1 import BodyFile, Headers, Request, Response

WALL = 1_750_000_000.0
DATE = b"date: Sun, 15 Jun 2025 15:06:40 GMT\r\n"


class Client:
    """A socket that writes and reads bytes, and parses nothing."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), 10)

    async def exactly(self, n: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(n), 10)

    async def rest(self) -> bytes:
        """Everything up to the close."""
        return await asyncio.wait_for(self.reader.read(), 10)

    async def head(self) -> bytes:
        return await self.until(b"\r\n\r\n")


@contextlib.asynccontextmanager
async def serving(
    handler: Callable[[Request], Response | Awaitable[Response]], spool: Path | None = None, **limits: Any
) -> AsyncIterator[tuple[Server, Callable[[], Awaitable[Client]]]]:
    server = Server(handler, wall=lambda: WALL, limits=dataclasses.replace(Limits(), **limits), spool=spool)
    port = await server.listen()
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)))
        return clients[-1]

    try:
        yield server, connect
    finally:
        for client in clients:
            client.writer.close()
        await server.close(0.1)


async def ask(handler: Callable[[Request], Any], data: bytes, **limits: Any) -> bytes:
    """What one connection is sent for these bytes, up to its close."""
    async with serving(handler, **limits) as (_, connect):
        client = await connect()
        await client.send(data)
        return await client.rest()


def echo(request: Request) -> Response:
    return Response(200, Headers([("x-target", request.target)]), request.bytes())


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def run(main: Any) -> Any:
    return uvloop.run(main)


def test_an_answer_has_length_date_and_the_handlers_fields() -> None:
    answer = run(ask(echo, b"POST /a?b=%20 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"))
    assert answer == (
        b"HTTP/1.1 200 OK\r\nx-target: /a?b=%20\r\n" + DATE + b"content-length: 3\r\nconnection: close\r\n\r\nabc"
    )


def test_a_connection_is_kept_for_the_next_request() -> None:
    async def main() -> None:
        async with serving(echo) as (server, connect):
            client = await connect()
            for _ in range(3):
                await client.send(GET)
                await client.head()
            assert len(server.connections) == 1

    run(main())


def test_pipelined_requests_are_answered_in_order_although_later_ones_are_ready_first() -> None:
    async def handler(request: Request) -> Response:
        await asyncio.sleep(0.02 if request.target == "/0" else 0)
        return Response(body=request.target.encode())

    data = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(40)) + LAST
    answer = run(ask(handler, data))
    bodies = [part.rpartition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK")][1:]
    assert bodies == [b"/%d" % n for n in range(40)] + [b"/last"]


def test_a_body_may_come_in_chunks_and_its_trailers_are_no_header_fields() -> None:
    seen: list[Request] = []

    def handler(request: Request) -> Response:
        seen.append(request)
        return Response(body=request.bytes())

    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = head + b"3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nHost: evil\r\n\r\n"
    assert run(ask(handler, data + LAST)).count(b"abcde") == 1
    assert seen[0].headers.all("host") == ["x"]


def test_a_request_may_come_byte_by_byte() -> None:
    async def main() -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            for byte in b"POST /path HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok":
                await client.send(bytes([byte]))
                await asyncio.sleep(0)
            assert b"x-target: /path\r\n" in await client.head()
            assert await client.exactly(2) == b"ok"

    run(main())


def test_a_body_over_the_memory_limit_is_a_file_that_goes_with_the_answer(tmp_path: Path) -> None:
    seen: list[BodyFile] = []

    def handler(request: Request) -> Response:
        assert isinstance(request.body, BodyFile)
        seen.append(request.body)
        return Response(body=b"%d %d" % (request.body.size, len(set(request.body.read()))))

    async def main() -> None:
        async with serving(handler, spool=tmp_path, memory_bytes=1000) as (_, connect):
            client = await connect()
            body = bytes(range(256)) * 5000
            await client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
            await client.send(body)
            await client.head()
            assert await client.exactly(11) == b"1280000 256"
            assert seen[0].path.parent == tmp_path and not seen[0].path.exists()

    run(main())


def test_a_spooled_body_that_was_taken_stays(tmp_path: Path) -> None:
    def handler(request: Request) -> Response:
        assert isinstance(request.body, BodyFile)
        request.body.path.rename(tmp_path / "taken")
        return Response()

    data = b"PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000
    run(ask(handler, data, spool=tmp_path, memory_bytes=1000))
    assert [f.name for f in tmp_path.iterdir()] == ["taken"]


def test_an_unfinished_spooled_body_leaves_no_file(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(echo, spool=tmp_path, memory_bytes=1000) as (server, connect):
            client = await connect()
            await client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + b"x" * 2000)
            while not list(tmp_path.iterdir()):
                await asyncio.sleep(0)
            client.writer.close()
            while server.connections:
                await asyncio.sleep(0)
        assert not list(tmp_path.iterdir())

    run(main())


def test_expect_100_continue_is_answered_before_the_body() -> None:
    async def main() -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            await client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(b"ok")
            assert (await client.head()).startswith(b"HTTP/1.1 200")

    run(main())


def test_100_continue_waits_for_the_answers_in_front_of_it() -> None:
    async def handler(request: Request) -> Response:
        await asyncio.sleep(0.01)
        return Response(body=b"")

    async def main() -> None:
        async with serving(handler) as (_, connect):
            client = await connect()
            await client.send(GET + b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            assert (await client.head()).startswith(b"HTTP/1.1 200")
            assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            await client.send(b"ok")
            assert (await client.head()).startswith(b"HTTP/1.1 200")

    run(main())


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),  # a TLS greeting
        (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        (
            400,
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        ),
        (400, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
        (400, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        (405, b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"),
        (413, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n"),
        (413, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n" + b"x" * 10_001),
        (417, b"POST / HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"a" * 3000),
        (431, b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: abcdefgh\r\n" * 300 + b"\r\n"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(status: int, data: bytes) -> None:
    seen: list[Request] = []

    async def main() -> bytes:
        async with serving(lambda r: seen.append(r) or Response(), head_bytes=2048, body_bytes=10_000) as (_, connect):  # type: ignore[func-returns-value]
            client = await connect()
            await client.send(data)
            return await client.rest()

    answer = run(main())
    assert answer.startswith(b"HTTP/1.1 %d " % status) and b"connection: close\r\n" in answer
    assert not seen


def test_requests_before_the_garbage_get_their_answers_first() -> None:
    answer = run(ask(echo, GET + GET + b"what is this\r\n\r\n"))
    assert [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1")] == [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 400 Bad Request",
    ]


def test_a_refusal_reaches_a_client_that_goes_on_sending() -> None:
    async def main() -> None:
        async with serving(echo, body_bytes=1000) as (_, connect):
            client = await connect()
            await client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                for _ in range(50):
                    await client.send(b"x" * 100_000)
            assert (await client.head()).startswith(b"HTTP/1.1 413")

    run(main())


def test_head_and_bodiless_statuses_send_no_body() -> None:
    def handler(request: Request) -> Response:
        match request.target:
            case "/told":
                return Response(200, Headers([("Content-Length", "12345")]))
            case "/204":
                return Response(204, Headers([("Content-Length", "4")]), b"gone")
            case "/304":
                return Response(304, Headers([("ETag", '"a"')]), b"gone")
        return Response(body=b"body")

    def head(target: bytes, method: bytes = b"HEAD") -> bytes:
        answer: bytes = run(ask(handler, method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        assert answer.endswith(b"\r\n\r\n")
        return answer

    assert b"content-length: 4\r\n" in head(b"/")
    assert b"Content-Length: 12345\r\n" in head(b"/told")
    assert b"ontent-" not in head(b"/204", b"GET")
    assert b"ontent-" not in head(b"/304", b"GET")


def test_http_1_0_closes_unless_asked_to_stay() -> None:
    assert run(ask(echo, b"GET / HTTP/1.0\r\n\r\n")).endswith(b"connection: close\r\n\r\n")

    async def main() -> None:
        async with serving(echo) as (_, connect):
            client = await connect()
            for _ in range(2):
                await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                await client.head()

    run(main())


def test_an_offer_to_upgrade_is_declined_and_the_body_read() -> None:
    # Java's HttpClient offers h2c with every request of plain HTTP.
    data = (
        b"POST /j HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: x\r\nContent-Length: 3\r\n"
        b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n\r\nabc"
    )
    answer = run(ask(echo, data + LAST))
    assert answer.count(b"HTTP/1.1 200 OK") == 2 and b"x-target: /j" in answer and b"\r\n\r\nabc" in answer


def test_a_line_break_in_a_field_starts_no_field() -> None:
    answer = run(ask(lambda r: Response(200, Headers([("x-a", "b\r\nset-cookie: evil\0")])), LAST))
    assert b"x-a: b  set-cookie: evil \r\n" in answer


def test_a_handler_cannot_break_the_framing() -> None:
    fields = Headers([("Transfer-Encoding", "chunked"), ("Connection", "keep-alive"), ("Content-Length", "99")])
    answer = run(ask(lambda r: Response(200, fields, b"ok"), LAST))
    assert b"chunked" not in answer and b"99" not in answer and b"content-length: 2\r\n" in answer


def test_a_handler_that_fails_is_a_500_and_the_connection_lives() -> None:
    def handler(request: Request) -> Response:
        if request.target == "/":
            raise RuntimeError("boom")
        return Response(99 if request.target == "/99" else 200)

    answer = run(ask(handler, GET + b"GET /99 HTTP/1.1\r\nHost: x\r\n\r\n" + LAST))
    assert answer.count(b"HTTP/1.1 500") == 2 and answer.count(b"HTTP/1.1 200") == 1


class TestStreams:
    def test_pieces_are_sent_as_they_come(self) -> None:
        async def main() -> None:
            go = asyncio.Event()

            async def pieces() -> AsyncIterator[bytes]:
                yield b"first"
                await go.wait()
                yield b""
                yield b"second"

            async with serving(lambda r: Response(body=pieces())) as (_, connect):
                client = await connect()
                await client.send(LAST)
                assert b"transfer-encoding: chunked\r\n" in await client.head()
                assert await client.until(b"first\r\n") == b"5\r\nfirst\r\n"
                go.set()
                assert await client.rest() == b"6\r\nsecond\r\n0\r\n\r\n"

        run(main())

    def test_a_told_length_is_kept_and_http_1_0_gets_no_chunks(self) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"ab"
            yield b"c"

        def told(request: Request) -> Response:
            return Response(200, Headers([("content-length", "3")]), pieces())

        assert run(ask(told, LAST)).endswith(b"content-length: 3\r\nconnection: close\r\n\r\nabc")
        answer = run(ask(lambda r: Response(body=pieces()), b"GET / HTTP/1.0\r\n\r\n"))
        assert b"chunked" not in answer and answer.endswith(b"connection: close\r\n\r\nabc")

    @pytest.mark.parametrize("length", ["2", "4"])
    def test_a_broken_promise_cuts_the_connection(self, length: str) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"abc"

        async def main() -> bytes:
            handler = lambda r: Response(200, Headers([("content-length", length)]), pieces())  # noqa: E731
            async with serving(handler) as (_, connect):
                client = await connect()
                await client.send(GET)
                try:
                    return await client.rest()
                except ConnectionError:
                    return b""

        assert not run(main()).endswith(b"abcd")

    def test_a_client_that_reads_slowly_slows_the_stream(self) -> None:
        async def main() -> None:
            made = 0

            async def pieces() -> AsyncIterator[bytes]:
                nonlocal made
                for _ in range(1000):
                    made += 1
                    yield b"x" * 100_000

            async with serving(lambda r: Response(body=pieces())) as (_, connect):
                _, writer = await asyncio.open_connection(*(await _address(connect)), limit=1000)
                writer.write(GET)
                previous = -1
                while made != previous or made == 0:
                    previous = made
                    await asyncio.sleep(0.05)
                assert made < 1000
                writer.close()

        run(main())

    def test_a_stream_is_ended_when_its_client_goes(self) -> None:
        async def main() -> None:
            ended = asyncio.Event()

            async def pieces() -> AsyncIterator[bytes]:
                try:
                    while True:
                        yield b"tick"
                        await asyncio.sleep(0.001)
                finally:
                    ended.set()

            async with serving(lambda r: Response(body=pieces())) as (_, connect):
                client = await connect()
                await client.send(GET)
                await client.until(b"tick")
                client.writer.close()
                await asyncio.wait_for(ended.wait(), 10)

        run(main())


async def _address(connect: Callable[[], Awaitable[Client]]) -> tuple[str, int]:
    client = await connect()
    host, port = client.writer.get_extra_info("peername")[:2]
    return host, port


class TestWaiting:
    def test_a_client_that_goes_cancels_its_long_poll(self) -> None:
        async def main() -> None:
            began, cancelled = asyncio.Event(), asyncio.Event()

            async def handler(request: Request) -> Response:
                began.set()
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    cancelled.set()
                    raise
                return Response()

            async with serving(handler) as (_, connect):
                client = await connect()
                await client.send(GET)
                await began.wait()
                client.writer.close()
                await asyncio.wait_for(cancelled.wait(), 10)

        run(main())

    def test_a_client_that_only_stops_sending_gets_its_answer(self) -> None:
        async def handler(request: Request) -> Response:
            await asyncio.sleep(0.005)
            return Response(body=b"here")

        async def main() -> None:
            async with serving(handler) as (_, connect):
                client = await connect()
                await client.send(GET)
                client.writer.write_eof()
                assert (await client.rest()).endswith(b"here")

        run(main())

    def test_an_idle_connection_and_half_a_request_do_not_stay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http_module, "SWEEP_S", 0.01)

        async def main() -> None:
            limits = {"idle_s": 0.03, "head_s": 0.03, "body_s": 0.03, "linger_s": 0.03}
            async with serving(echo, **limits) as (server, connect):
                silent, idle, head, body = [await connect() for _ in range(4)]
                await idle.send(GET)
                await head.send(b"GET / HTTP/1.1\r\nHo")
                await body.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
                assert await silent.rest() == b""
                assert (await idle.rest()).startswith(b"HTTP/1.1 200")
                assert (await head.rest()).startswith(b"HTTP/1.1 408")
                assert (await body.rest()).startswith(b"HTTP/1.1 408")
                while server.connections:
                    await asyncio.sleep(0.01)

        run(main())

    def test_a_client_that_reads_nothing_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http_module, "SWEEP_S", 0.01)

        async def main() -> None:
            async with serving(lambda r: Response(body=b"x" * 50_000_000), write_s=0.05) as (server, connect):
                address = await _address(connect)
                _, writer = await asyncio.open_connection(*address, limit=1000)
                before = len(server.connections)
                writer.write(GET)
                while len(server.connections) >= before and before:
                    await asyncio.sleep(0.01)
                writer.close()

        run(main())

    def test_a_client_that_reads_slowly_gets_it_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(http_module, "SWEEP_S", 0.01)

        async def main() -> int:
            async with serving(lambda r: Response(body=b"x" * 30_000_000), write_s=0.1) as (_, connect):
                reader, writer = await asyncio.open_connection(*(await _address(connect)), limit=100_000)
                writer.write(LAST)
                total = 0
                while piece := await asyncio.wait_for(reader.read(1_000_000), 10):
                    total += len(piece)
                    await asyncio.sleep(0.002)
                writer.close()
                return total

        assert run(main()) > 30_000_000

    def test_a_closing_server_lets_answers_under_way_finish(self) -> None:
        async def main() -> None:
            began = asyncio.Event()

            async def handler(request: Request) -> Response:
                began.set()
                await asyncio.sleep(0.02)
                return Response(body=b"done")

            async with serving(handler) as (server, connect):
                idle, busy = await connect(), await connect()
                await busy.send(GET)
                await began.wait()
                await server.close()
                answer = await busy.rest()
                assert answer.endswith(b"done") and b"connection: close\r\n" in answer
                assert await idle.rest() == b""

        run(main())


PIECES = st.sampled_from(
    [b"GET / HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n", b"POST /a HTTP/1.1\r\n", b"Content-Length: 5\r\n", b"hello",
     b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
     b"Expect: 100-continue\r\n", b" ", b"\0", b":", b"HTTP/1.1", b"\xff\xfe"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(PIECES, st.binary(max_size=20)), max_size=20), st.integers(1, 50))
def test_no_bytes_bring_a_500_or_a_stuck_connection(pieces: list[bytes], step: int) -> None:
    async def main() -> bytes:
        async with serving(echo) as (server, connect):
            client = await connect()
            data = b"".join(pieces)
            try:
                for at in range(0, len(data), step):
                    await client.send(data[at : at + step])
                client.writer.write_eof()
                answer = await client.rest()
            except (ConnectionError, OSError):
                answer = b""
            while server.connections:
                await asyncio.sleep(0)
            return answer

    assert b"HTTP/1.1 500" not in run(main())
