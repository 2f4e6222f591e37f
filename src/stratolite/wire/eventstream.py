"""Event streams: AWS's binary frames, and the events of a shape in them.

A frame is: total length, length of headers, CRC-32 of those eight bytes; headers; payload; CRC-32 of all before it.
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from stratolite.wire import instants
from stratolite.wire.documents import cbor_document, json_document, xml_document
from stratolite.wire.faults import Unreadable
from stratolite.wire.shapes import Shape

CONTENT_TYPE = "application/vnd.amazon.eventstream"

HeaderValue = bool | int | float | str | bytes
Headers = dict[str, HeaderValue]
Write = Callable[[Any], bytes]

_PRELUDE = struct.Struct("!III")
_PRELUDE_BYTES = 12
_OVERHEAD_BYTES = 16
_HEADERS_MAX_BYTES = 128 * 1024
_PAYLOAD_MAX_BYTES = 24 * 1024 * 1024

# Types of header values: those of fixed size, by number.
_FIXED: dict[int, struct.Struct] = {2: struct.Struct("!b"), 3: struct.Struct("!h"), 4: struct.Struct("!i")} | {
    5: struct.Struct("!q"),
    8: struct.Struct("!q"),
}
_TRUE, _FALSE, _INT32, _BYTES, _STRING, _TIMESTAMP, _UUID = 0, 1, 4, 6, 7, 8, 9


@dataclass(frozen=True, slots=True)
class Frame:
    headers: Headers
    payload: bytes = b""


# Frames --------------------------------------------------------------------------------


def encode_frame(frame: Frame) -> bytes:
    """The bytes of one frame. A float header is an instant: seconds in, milliseconds on the wire."""
    headers = b"".join([_encode_header(name, value) for name, value in frame.headers.items()])
    total = _OVERHEAD_BYTES + len(headers) + len(frame.payload)
    lengths = struct.pack("!II", total, len(headers))
    message = lengths + struct.pack("!I", crc32(lengths)) + headers + frame.payload
    return message + struct.pack("!I", crc32(message))


def _encode_header(name: str, value: HeaderValue) -> bytes:
    spelled = name.encode()
    head = bytes([len(spelled)]) + spelled
    match value:
        case bool():
            return head + bytes([_TRUE if value else _FALSE])
        case int():
            return head + struct.pack("!Bi", _INT32, value)
        case float():
            return head + struct.pack("!Bq", _TIMESTAMP, round(value * 1000))
        case str():
            text = value.encode()
            return head + struct.pack("!BH", _STRING, len(text)) + text
    return head + struct.pack("!BH", _BYTES, len(value)) + value


def decode_frames(buffer: bytes | bytearray) -> tuple[list[Frame], int]:
    """The whole frames at the start of a buffer, and how many bytes they took.

    Raises Unreadable for a frame whose lengths or checksums are wrong.
    """
    frames: list[Frame] = []
    at = 0
    while len(buffer) - at >= _PRELUDE_BYTES:
        total, headers, checksum = _PRELUDE.unpack_from(buffer, at)
        if crc32(buffer[at : at + 8]) != checksum:
            raise Unreadable("Prelude checksum mismatch")
        if (
            headers > _HEADERS_MAX_BYTES
            or total > _PAYLOAD_MAX_BYTES + _HEADERS_MAX_BYTES
            or total < headers + _OVERHEAD_BYTES
        ):
            raise Unreadable("Message length out of bounds")
        if len(buffer) - at < total:
            break
        end = at + total
        if crc32(buffer[at : end - 4]) != int.from_bytes(buffer[end - 4 : end], "big"):
            raise Unreadable("Message checksum mismatch")
        start = at + _PRELUDE_BYTES
        frames.append(
            Frame(_decode_headers(bytes(buffer[start : start + headers])), bytes(buffer[start + headers : end - 4]))
        )
        at = end
    return frames, at


def _decode_headers(data: bytes) -> Headers:
    out: Headers = {}
    at = 0
    try:
        while at < len(data):
            size = data[at]
            name = data[at + 1 : at + 1 + size].decode()
            at += 1 + size
            kind = data[at]
            at += 1
            if kind in (_TRUE, _FALSE):
                out[name] = kind == _TRUE
            elif kind in _FIXED:
                (number,) = _FIXED[kind].unpack_from(data, at)
                out[name] = number / 1000 if kind == _TIMESTAMP else number
                at += _FIXED[kind].size
            elif kind in (_BYTES, _STRING):
                (size,) = struct.unpack_from("!H", data, at)
                value = data[at + 2 : at + 2 + size]
                if len(value) != size:
                    raise Unreadable("Truncated header")
                out[name] = value if kind == _BYTES else value.decode()
                at += 2 + size
            elif kind == _UUID:
                out[name] = data[at : at + 16]
                at += 16
            else:
                raise Unreadable(f"Unknown header type {kind}")
    except (IndexError, struct.error, UnicodeDecodeError):
        raise Unreadable("Malformed headers") from None
    return out


# Events --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Event:
    """How one member of an event stream becomes a frame."""

    fixed: Headers
    headers: list[tuple[str, bool]] = field(default_factory=list)
    """Members that travel in headers, and whether they are instants."""
    payload: str | None = None
    """The member that is the payload; None when the rest of the members are."""
    write: Callable[[Any], bytes] = lambda value: b""


class EventWriter:
    """Writes the events of one event stream shape. `kind` is the protocol's kind of document: json, xml or cbor."""

    def __init__(self, shape: Shape, kind: str) -> None:
        self._kind = kind
        self._events = {name: self._event(name, member) for name, member in shape.members.items()}
        self._errors = {n: m for n, m in shape.members.items() if m.metadata.get("exception")}

    def _event(self, name: str, shape: Shape) -> _Event:
        event = _Event({":message-type": "event", ":event-type": name})
        if shape.metadata.get("exception"):
            event.fixed = {":message-type": "exception", ":exception-type": name}
        members = shape.members
        event.headers = [
            (n, m.type_name == "timestamp") for n, m in members.items() if m.serialization.get("eventheader")
        ]
        event.payload = next((n for n, m in members.items() if m.serialization.get("eventpayload")), None)
        rest = frozenset(members) - {n for n, _ in event.headers}
        if event.payload is not None:
            body = members[event.payload]
            if body.type_name in ("blob", "string"):
                event.fixed[":content-type"] = "application/octet-stream" if body.type_name == "blob" else "text/plain"
                event.write = lambda value: value.encode() if isinstance(value, str) else bytes(value)
                return event
            event.write = document_writer(self._kind, body, None)
        elif rest:
            event.write = document_writer(self._kind, shape, rest)
        else:
            return event
        event.fixed[":content-type"] = _CONTENT_TYPES[self._kind]
        return event

    def frame(self, event: dict[str, Any]) -> bytes:
        """The frame of `{"MemberName": {...}}`."""
        ((name, value),) = event.items()
        plan = self._events[name]
        headers = dict(plan.fixed)
        for member, instant in plan.headers:
            if (item := value.get(member)) is not None:
                headers[member] = float(instants.seconds(item)) if instant else item
        body = value if plan.payload is None else value.get(plan.payload)
        return encode_frame(Frame(headers, b"" if body is None else plan.write(body)))

    def fault(self, code: str, message: str) -> bytes:
        """The frame that ends a stream with an error: one of the shape's, or any other."""
        if code in self._errors:
            key = next((n for n in self._errors[code].members if n.lower() == "message"), "message")
            return self.frame({code: {key: message}})
        headers: Headers = {":message-type": "error", ":error-code": code, ":error-message": message}
        return encode_frame(Frame(headers))

    async def stream(self, events: AsyncIterator[dict[str, Any]], first: bytes | None = None) -> AsyncIterator[bytes]:
        """The frames of a stream as they come. An error with a code ends it in an exception frame."""
        if first is not None:
            yield first
        try:
            async for event in events:
                yield self.frame(event)
        except Exception as error:
            code = getattr(error, "code", None)
            if code is None:
                raise
            yield self.fault(code, getattr(error, "message", None) or "")


_CONTENT_TYPES = {"json": "application/json", "xml": "text/xml", "cbor": "application/cbor"}


def initial_response(content_type: str, body: bytes) -> bytes:
    """The first frame of an RPC protocol's stream: the members that are no events."""
    return encode_frame(
        Frame({":message-type": "event", ":event-type": "initial-response", ":content-type": content_type}, body)
    )


def document_writer(kind: str, shape: Shape, only: frozenset[str] | None) -> Write:
    """A writer of a structure, or of some of its members, as a document of that kind."""
    if kind == "json":
        write = json_document.Writer().structure(shape, only)
        return lambda value: json_document.dumps(write(value))
    if kind == "cbor":
        pack = cbor_document.Writer().structure(shape, only)
        return lambda value: cbor_document.dumps(pack(value))
    inside: Callable[[Any], str] = xml_document.Writer(instants.iso_millis).inside(shape, only)
    tag: str = shape.name
    return lambda value: f"<{tag}>{inside(value)}</{tag}>".encode()


class EventReader:
    """Reads the frames of one event stream shape back into events: what a client would see."""

    def __init__(self, shape: Shape, kind: str) -> None:
        self._shape = shape
        self._kind = kind

    def event(self, frame: Frame) -> dict[str, Any]:
        """`{"MemberName": {...}}`. Raises Unreadable for an event that the shape does not know."""
        name = frame.headers.get(":event-type") or frame.headers.get(":exception-type")
        if not isinstance(name, str) or name not in self._shape.members:
            raise Unreadable("Unknown event")
        shape = self._shape.members[name]
        out: dict[str, Any] = {}
        for member, value in shape.members.items():
            if value.serialization.get("eventheader") and member in frame.headers:
                out[member] = frame.headers[member]
            elif value.serialization.get("eventpayload"):
                out[member] = self._payload(value, frame.payload)
        if not any(m.serialization.get("eventpayload") for m in shape.members.values()) and frame.payload:
            out.update(self._document(shape, frame.payload))
        return {name: out}

    def _payload(self, shape: Shape, payload: bytes) -> Any:
        if shape.type_name == "blob":
            return payload
        if shape.type_name == "string":
            return payload.decode(errors="replace")
        return self._document(shape, payload)

    def _document(self, shape: Shape, payload: bytes) -> Any:
        if self._kind == "json":
            return json_document.Reader().document(shape)(json_document.loads(payload))
        if self._kind == "cbor":
            return cbor_document.Reader().document(shape)(cbor_document.loads(payload))
        return xml_document.Reader().structure(shape)(xml_document.parse(payload))
