"""Lines and frames in one pipe."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from stratolite.runtimes.output import EVENT_LIMIT_BYTES, Output


class Pipe:
    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        os.set_blocking(reading, False)
        self.output = Output(reading)

    def print(self, data: bytes) -> list[str]:
        os.write(self.writing, data)
        return [message for _, message in self.output.drain(1.0)]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.output.fd)
    os.close(pipe.writing)


def frame(message: str, micros: int = 5_000_000, kind: int = 0xA55A0003) -> bytes:
    data = message.encode()
    return kind.to_bytes(4, "big") + len(data).to_bytes(4, "big") + micros.to_bytes(8, "big") + data


def test_each_printed_line_is_an_event(pipe: Pipe) -> None:
    assert pipe.print(b"one\ntwo\n") == ["one\n", "two\n"]


def test_a_line_is_an_event_when_it_ends(pipe: Pipe) -> None:
    assert pipe.print(b"on") == []
    assert pipe.print(b"e\n") == ["one\n"]


def test_what_never_ends_is_an_event_when_the_process_has(pipe: Pipe) -> None:
    pipe.print(b"rest")
    assert pipe.output.flush(2.0) == [(2.0, "rest")]


def test_a_frame_is_one_event_with_its_own_time_however_many_lines_it_has(pipe: Pipe) -> None:
    os.write(pipe.writing, frame("a\nb\n"))
    assert pipe.output.drain(1.0) == [(5.0, "a\nb\n")]


@pytest.mark.parametrize("kind", [0xA55A0002, 0xA55A0016, 0xA55A001B])
def test_frames_of_every_level_are_understood(pipe: Pipe, kind: int) -> None:
    assert pipe.print(frame("x", kind=kind)) == ["x"]


def test_prints_and_frames_keep_their_order(pipe: Pipe) -> None:
    assert pipe.print(b"a\n" + frame("b") + b"c\n") == ["a\n", "b", "c\n"]


def test_a_print_without_its_newline_ends_where_a_frame_begins(pipe: Pipe) -> None:
    assert pipe.print(b"half" + frame("b")) == ["half", "b"]


@pytest.mark.parametrize("cut", range(1, len(frame("hello")) - 1))
def test_a_frame_cut_anywhere_is_put_together(pipe: Pipe, cut: int) -> None:
    data = frame("hello")
    assert pipe.print(data[:cut]) == []
    assert pipe.print(data[cut:]) == ["hello"]


def test_an_endless_line_is_cut_where_cloudwatch_logs_ends_an_event(pipe: Pipe) -> None:
    sizes = []
    for _ in range(6):
        sizes += [len(message) for message in pipe.print(b"x" * 60_000)]
    assert sizes == [EVENT_LIMIT_BYTES]


def test_what_is_no_utf_8_does_not_stop_the_log(pipe: Pipe) -> None:
    assert pipe.print(b"\xff\xfe\n") == ["\ufffd\ufffd\n"]
