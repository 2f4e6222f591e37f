"""The Runtime API byte by byte: a runtime on a connection that is a list, an environment that takes notes."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from stratolite.runtimes.function import Invocation
from stratolite.runtimes.runtime_api import Answered, Connection, RuntimeApi

BASE = "/2018-06-01/runtime"


class Wire:
    """What is written, one entry a write: each one wakes the runtime."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


class Notes:
    """An environment that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.pieces: list[bytes] = []

    def asked(self) -> None:
        self.told.append("asked")

    def answered(self, answer: Answered) -> None:
        self.told.append(("answered", answer))

    def refused(self, answer: Answered) -> None:
        self.told.append(("refused", answer))

    def init_failed(self, answer: Answered) -> None:
        self.told.append(("init failed", answer))

    def restoring(self) -> bool:
        return False

    def restore_failed(self, answer: Answered) -> None:
        self.told.append(("restore failed", answer))

    def streamed(self, piece: bytes) -> None:
        self.pieces.append(piece)


class Runtime:
    def __init__(self, api: RuntimeApi | None = None) -> None:
        self.notes = Notes()
        self.api = api or RuntimeApi(self.notes)
        self.wire = Wire()
        self.connection: Connection = self.api.connect()
        self.connection.connection_made(cast(asyncio.BaseTransport, self.wire))

    def send(self, *requests: bytes) -> bytes:
        """Several requests in one write; what came back."""
        before = len(self.wire.writes)
        self.connection.data_received(b"".join(requests))
        return b"".join(self.wire.writes[before:])

    def another(self) -> Runtime:
        """The same runtime on a second connection."""
        return Runtime(self.api)

    def busy(self, **about: Any) -> Invocation:
        self.send(get("/invocation/next"))
        invocation = Invocation("id-1", b'{"n":1}', "arn:f", **about)
        assert self.api.hand_over(invocation, 1234)
        return invocation


def get(path: str) -> bytes:
    return f"GET {BASE}{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def post(path: str, body: bytes = b"{}", *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"POST {BASE}{path} HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


def test_the_next_event_comes_when_there_is_one_with_all_that_belongs_to_it(runtime: Runtime) -> None:
    assert runtime.send(get("/invocation/next")) == b""
    assert runtime.notes.told == ["asked"] and runtime.api.ready
    runtime.busy(trace="Root=1-2-3", client_context='{"a":1}', cognito_identity='{"b":2}', tenant="t")
    head, _, body = runtime.wire.writes[-1].partition(b"\r\n\r\n")
    assert body == b'{"n":1}'
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"Content-Type: application/json",
        b"Lambda-Runtime-Invoked-Function-Arn: arn:f",
        b"Lambda-Runtime-Aws-Request-Id: id-1",
        b"Lambda-Runtime-Deadline-Ms: 1234",
        b"Lambda-Runtime-Trace-Id: Root=1-2-3",
        b'Lambda-Runtime-Client-Context: {"a":1}',
        b'Lambda-Runtime-Cognito-Identity: {"b":2}',
        b"Lambda-Runtime-Aws-Tenant-Id: t",
        b"Content-Length: 7",
    ]


def test_a_response_is_accepted(runtime: Runtime) -> None:
    runtime.busy()
    assert runtime.send(post("/invocation/id-1/response", b'"done"')).startswith(b"HTTP/1.1 202 Accepted\r\n")
    kind, answer = runtime.notes.told[-1]
    assert kind == "answered" and answer.body == b'"done"'


def test_who_asks_for_the_next_event_with_its_response_is_woken_once(runtime: Runtime) -> None:
    runtime.busy()
    writes = len(runtime.wire.writes)
    runtime.send(post("/invocation/id-1/response"), get("/invocation/next"))
    assert len(runtime.wire.writes) == writes
    runtime.api.hand_over(Invocation("id-2", b"{}", "arn:f"), 1)
    assert len(runtime.wire.writes) == writes + 1
    assert runtime.wire.writes[-1].startswith(b"HTTP/1.1 202") and b"HTTP/1.1 200 OK" in runtime.wire.writes[-1]


def test_an_error_names_its_type(runtime: Runtime) -> None:
    runtime.busy()
    error = post("/invocation/id-1/error", b'{"errorMessage":"no"}', "Lambda-Runtime-Function-Error-Type: Unhandled")
    assert runtime.send(error).startswith(b"HTTP/1.1 202")
    kind, answer = runtime.notes.told[-1]
    assert kind == "refused" and answer.error_type == "Unhandled"


def test_an_init_error_is_taken_before_the_first_event_only(runtime: Runtime) -> None:
    assert runtime.send(post("/init/error")).startswith(b"HTTP/1.1 202")
    runtime.send(get("/invocation/next"))
    other = runtime.another()
    assert other.send(post("/init/error")).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    ("request_", "status", "text"),
    [
        (post("/invocation/other/response"), b"400", b'"errorType":"InvalidRequestID"'),
        (get("/invocation/next"), b"403", b'"errorType":"InvalidStateTransition"'),
        (get("/nothing"), b"404", b"404 page not found"),
        (post("/invocation/next"), b"404", b"404 page not found"),
    ],
)
def test_what_makes_no_sense_is_refused(runtime: Runtime, request_: bytes, status: bytes, text: bytes) -> None:
    runtime.busy()
    answer = runtime.send(request_)
    assert answer.startswith(b"HTTP/1.1 " + status) and text in answer


def test_a_second_answer_is_refused(runtime: Runtime) -> None:
    runtime.busy()
    runtime.send(post("/invocation/id-1/response"))
    answer = runtime.send(post("/invocation/id-1/response"))
    assert answer.startswith(b"HTTP/1.1 403") and b"InvocationResponse failed" in answer
    assert len(runtime.notes.told) == 2


def test_a_response_above_six_megabytes_is_read_and_refused(runtime: Runtime) -> None:
    runtime.busy()
    assert runtime.send(post("/invocation/id-1/response", b"x" * 6_291_557)).startswith(b"HTTP/1.1 413")
    kind, answer = runtime.notes.told[-1]
    assert kind == "answered" and answer.too_large and answer.body == b""


STREAM = (
    f"POST {BASE}/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
    "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"
).encode()


def test_a_stream_is_passed_on_piece_by_piece(runtime: Runtime) -> None:
    runtime.busy(stream=lambda piece: None)
    runtime.send(STREAM, b"3\r\none\r\n")
    assert runtime.notes.pieces == [b"one"]
    runtime.send(b"3\r\ntwo\r\n0\r\n\r\n")
    assert runtime.notes.pieces == [b"one", b"two"]
    kind, answer = runtime.notes.told[-1]
    assert kind == "answered" and answer.streamed and not answer.error_type


def test_a_stream_that_breaks_says_so_in_its_trailers(runtime: Runtime) -> None:
    runtime.busy()
    trailers = b"Lambda-Runtime-Function-Error-Type: Broken\r\nLambda-Runtime-Function-Error-Body: e30=\r\n\r\n"
    runtime.send(STREAM, b"3\r\none\r\n0\r\n", trailers)
    _, answer = runtime.notes.told[-1]
    assert answer.body == b"one" and answer.error_type == "Broken" and answer.error_body == b"{}"


def test_garbage_closes_the_connection(runtime: Runtime) -> None:
    assert runtime.send(b"\x00\x01\x02\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert runtime.wire.closed


def test_a_runtime_that_has_gone_takes_no_event(runtime: Runtime) -> None:
    runtime.send(get("/invocation/next"))
    runtime.connection.connection_lost(None)
    assert runtime.api.hand_over(Invocation("id", b"{}", "arn:f"), 1) is False


def test_a_runtime_that_waits_for_its_snapshot_goes_on_when_none_is_taken(runtime: Runtime) -> None:
    assert runtime.send(get("/restore/next")).startswith(b"HTTP/1.1 200 OK")
    runtime.send(post("/restore/error"))
    assert runtime.notes.told[-1][0] == "restore failed"
