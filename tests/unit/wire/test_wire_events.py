"""Event streams: frames that are whole, frames that are not, and streams that end in an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from stratolite.wire import models
from stratolite.wire.encode import encode
from stratolite.wire.eventstream import EventReader, EventWriter, Frame, decode_frames, encode_frame
from stratolite.wire.faults import Unreadable, WireError

FRAME = Frame({"a": "text", "b": True, "c": False, "d": 7, "e": b"\x00", "f": 1.5}, b"payload")


def test_frames_come_back_as_they_went() -> None:
    data = encode_frame(FRAME) + encode_frame(Frame({}))
    assert decode_frames(data) == ([FRAME, Frame({})], len(data))


def test_botocore_reads_our_frames() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(encode_frame(Frame({"a": "text", "n": 7, "t": True}, b"payload")))
    (message,) = buffer
    assert (message.headers, message.payload) == ({"a": "text", "n": 7, "t": True}, b"payload")


def test_a_frame_that_is_not_yet_whole_waits() -> None:
    data = encode_frame(FRAME)
    for size in range(len(data)):
        assert decode_frames(data[:size]) == ([], 0)


def test_a_bit_that_flips_is_noticed() -> None:
    random, data = Random(3), encode_frame(FRAME)
    for _ in range(200):
        bad = bytearray(data)
        bad[random.randrange(len(bad))] ^= 1 << random.randrange(8)
        with pytest.raises(Unreadable):
            decode_frames(bad)


def streamed(service: str, operation: str, protocol: str, events: list[Any]) -> list[Frame]:
    shape = models.operation(service, operation).output_shape
    assert shape is not None and shape.event_stream_name is not None

    async def source() -> AsyncIterator[dict[str, Any]]:
        for event in events:
            if isinstance(event, Exception):
                raise event
            yield event

    async def gathered() -> bytes:
        answer = encode(service, operation, {shape.event_stream_name: source()}, protocol, "rid")
        assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
        assert not isinstance(answer.body, bytes)
        return b"".join([chunk async for chunk in answer.body])

    return decode_frames(asyncio.run(gathered()))[0]


def test_an_rpc_stream_begins_with_the_initial_response() -> None:
    first, second = streamed(
        "kinesis",
        "SubscribeToShard",
        "json",
        [{"SubscribeToShardEvent": {"Records": [], "ContinuationSequenceNumber": "1", "MillisBehindLatest": 0}}],
    )
    assert first.headers[":event-type"] == "initial-response"
    assert second.headers == {
        ":message-type": "event",
        ":event-type": "SubscribeToShardEvent",
        ":content-type": "application/json",
    }
    assert second.payload == b'{"Records":[],"ContinuationSequenceNumber":"1","MillisBehindLatest":0}'


def test_a_rest_stream_is_nothing_but_its_events() -> None:
    chunk, end = streamed(
        "lambda",
        "InvokeWithResponseStream",
        "rest-json",
        [{"PayloadChunk": {"Payload": b"ab"}}, {"InvokeComplete": {"ErrorCode": "x"}}],
    )
    assert (chunk.payload, chunk.headers[":content-type"]) == (b"ab", "application/octet-stream")
    assert end.payload == b'{"ErrorCode":"x"}'


def test_an_error_of_the_stream_ends_it_as_an_exception() -> None:
    *_, last = streamed("kinesis", "SubscribeToShard", "json", [WireError("ResourceNotFoundException", "gone")])
    assert last.headers[":exception-type"] == "ResourceNotFoundException"
    assert last.payload == b'{"message":"gone"}'


def test_any_other_error_ends_it_with_a_code() -> None:
    (last,) = streamed("s3", "SelectObjectContent", "rest-xml", [WireError("InternalError", "oops")])
    assert last.headers == {":message-type": "error", ":error-code": "InternalError", ":error-message": "oops"}


def test_a_failure_of_ours_is_not_hidden_in_a_stream() -> None:
    with pytest.raises(ZeroDivisionError):
        streamed("s3", "SelectObjectContent", "rest-xml", [ZeroDivisionError()])


@pytest.mark.parametrize("kind", ["json", "xml", "cbor"])
def test_events_are_read_back(kind: str) -> None:
    shape = models.operation("s3", "SelectObjectContent").output_shape
    assert shape is not None
    stream = shape.members["Payload"]
    for event in ({"Stats": {"Details": {"BytesScanned": 1}}}, {"Records": {"Payload": b"a,b"}}, {"End": {}}):
        frames, _ = decode_frames(EventWriter(stream, kind).frame(event))
        assert EventReader(stream, kind).event(frames[0]) == event
    with pytest.raises(Unreadable):
        EventReader(stream, kind).event(Frame({":event-type": "Nothing"}))
