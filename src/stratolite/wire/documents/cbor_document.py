"""CBOR documents: byte strings as blobs, tag 1 as instants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from stratolite.wire import instants
from stratolite.wire.documents import json_document
from stratolite.wire.faults import Mismatch, Unreadable
from stratolite.wire.shapes import Shape

Convert = Callable[[Any], Any]


def loads(body: bytes) -> Any:
    """The document in a body; an empty one is an empty map."""
    if not body:
        return {}
    import cbor2  # here: only two services of the cloud speak it, and start-up must not pay

    try:
        return cbor2.loads(body)
    except Exception as error:  # whatever a hostile tag makes of its content
        raise Unreadable from error


def dumps(value: Any) -> bytes:
    import cbor2

    return cbor2.dumps(value)


def _timestamp(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    if type(value) is int or type(value) is float:
        return instants.bounded(value)
    raise Mismatch(value, "timestamp")


def _float(value: Any) -> float:
    if type(value) is float or (type(value) is int and -(2**1000) < value < 2**1000):
        return value  # infinities too: CBOR has them
    raise Mismatch(value, "double")


class Reader(json_document.Reader):
    """Like JSON, but blobs are bytes and instants are tagged."""

    def field(self, shape: Shape) -> json_document.Field:
        if shape.type_name == "blob":
            return bytes, None
        if shape.type_name == "timestamp":
            return None, _timestamp
        if shape.type_name in ("float", "double"):
            return None, _float
        return super().field(shape)


def _timestamp_out(value: Any) -> Any:
    from cbor2 import CBORTag

    return CBORTag(1, instants.unix(value))


def _blob_out(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


class Writer(json_document.Writer):
    def field(self, shape: Shape) -> Convert | None:
        match shape.type_name:
            case "blob":
                return _blob_out
            case "timestamp":
                return _timestamp_out
            case "float" | "double":
                return float
        return super().field(shape)
