"""JSON documents: objects as structures and maps, base64 text as blobs, numbers as instants."""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Any

from stratolite.wire import instants
from stratolite.wire.faults import Unreadable
from stratolite.wire.shapes import Shape

Convert = Callable[[Any], Any]
Field = tuple[type | None, Convert | None]
"""The JSON type a value must have (None: the conversion looks itself) and what is made of it (None: nothing)."""

_SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_KINDS: dict[str, type] = {"string": str, "structure": dict, "map": dict, "list": list, "boolean": bool, "blob": str}
_EXPECTED = {str: "String", dict: "Map", list: "List", bool: "Boolean"}


def mismatch(value: object, expected: str) -> Unreadable:
    """What AWS's JSON parser says of a token of the wrong kind."""
    if isinstance(value, list):
        return Unreadable("Unexpected list" if expected == "Map" else "Start of list found where not expected")
    if isinstance(value, dict):
        return Unreadable("Start of structure or map found where not expected.")
    if isinstance(value, bool):
        token = "TRUE_VALUE" if value else "FALSE_VALUE"
    else:
        token = "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
    if expected in ("Map", "List"):
        return Unreadable("Unexpected field type")
    return Unreadable(f"{token} cannot be converted to {expected}")


# Text and bytes ----------------------------------------------------------------


def _refuse_constant(name: str) -> Any:
    raise Unreadable(f"Unexpected token {name}")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def loads(body: bytes) -> Any:
    """The document in a body; an empty one is an empty object."""
    if not body:
        return {}
    try:
        value = _DECODER.decode(body.decode("utf-8-sig" if body.startswith(b"\xef\xbb\xbf") else "utf-8"))
        # A lone surrogate is legal JSON and no Unicode text: nothing further in could store it.
        if b"\\ud" in body or b"\\uD" in body:
            dumps(value)
    except (ValueError, RecursionError):
        raise Unreadable("Unable to parse the request body") from None
    return value


def dumps(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()


# Reading -----------------------------------------------------------------------


def _number(expected: str, low: int, high: int) -> Convert:
    def read(value: Any) -> int:
        if type(value) is int and low <= value < high:
            return value
        if type(value) is float and low <= value < high:
            return int(value)
        raise mismatch(value, expected)

    return read


def _float(value: Any) -> float:
    if type(value) is float or (type(value) is int and -(2**1000) < value < 2**1000):
        if math.isinf(value):
            raise Unreadable("Number out of range")
        return value
    if type(value) is str and value in _SPECIAL_FLOATS:
        return _SPECIAL_FLOATS[value]
    raise mismatch(value, "Double")


def _timestamp(value: Any) -> float:
    if type(value) is int or type(value) is float:
        return instants.bounded(value)
    if type(value) is str:
        return instants.from_text(value)
    raise mismatch(value, "Timestamp")


def blob(value: str) -> bytes:
    """The bytes of base64 text; its alphabet and padding are checked as AWS checks them."""
    try:
        return b64decode(value, validate=True)
    except (Base64Error, ValueError):
        raise Unreadable("Invalid Base64") from None


_SCALAR_READERS: dict[str, Field] = {
    "string": (str, None),
    "character": (str, None),
    "boolean": (bool, None),
    "integer": (None, _number("Integer", -(2**31), 2**31)),
    "long": (None, _number("Long", -(2**63), 2**63)),
    "float": (None, _float),
    "double": (None, _float),
    "timestamp": (None, _timestamp),
    "blob": (str, blob),
}


class Reader:
    """Compiles the shapes of one service into readers; a structure is compiled once and may contain itself."""

    def __init__(self) -> None:
        self._structures: dict[str, Convert] = {}

    def field(self, shape: Shape) -> Field:
        if getattr(shape, "is_document_type", False):
            return None, None
        match shape.type_name:
            case "structure":
                return dict, self.structure(shape)
            case "list":
                return list, self._list(shape)
            case "map":
                return dict, self._map(shape)
        return _SCALAR_READERS[shape.type_name]

    def document(self, shape: Shape) -> Convert:
        """A reader for a whole body."""
        expected, convert = self.field(shape)

        def read(value: Any) -> Any:
            if expected is not None and type(value) is not expected:
                raise mismatch(value, _EXPECTED[expected])
            return value if convert is None else convert(value)

        return read

    def structure(self, shape: Shape, only: frozenset[str] | None = None) -> Convert:
        """A reader of the shape's members, or of those named: the part that travels in the body."""
        if only is None and shape.name in self._structures:
            return self._structures[shape.name]
        members: dict[str, tuple[str, type | None, Convert | None]] = {}

        def read(value: dict[str, Any]) -> dict[str, Any]:
            out = {}
            for key, item in value.items():
                member = members.get(key)
                if member is None or item is None:  # AWS ignores what it does not know; null is absent
                    continue
                name, expected, convert = member
                if expected is not None and type(item) is not expected:
                    raise mismatch(item, _EXPECTED[expected])
                out[name] = item if convert is None else convert(item)
            return out

        if only is None:
            self._structures[shape.name] = read
        for name, member in shape.members.items():
            if only is None or name in only:
                members[member.serialization.get("name", name)] = (name, *self.field(member))
        return read

    def _list(self, shape: Shape) -> Convert:
        expected, convert = self.field(shape.member)

        def read(value: list[Any]) -> list[Any]:
            if expected is not None:
                for item in value:
                    if type(item) is not expected and item is not None:
                        raise mismatch(item, _EXPECTED[expected])
            if convert is None:
                return value
            return [None if item is None else convert(item) for item in value]

        return read

    def _map(self, shape: Shape) -> Convert:
        expected, convert = self.field(shape.value)

        def read(value: dict[str, Any]) -> dict[str, Any]:
            if expected is not None:
                for item in value.values():
                    if type(item) is not expected and item is not None:
                        raise mismatch(item, _EXPECTED[expected])
            if convert is None:
                return value if None not in value.values() else {k: v for k, v in value.items() if v is not None}
            return {key: convert(item) for key, item in value.items() if item is not None}

        return read


class ShallowReader(Reader):
    """Compiles structures into readers that look at the kinds of their members and leave them as wire JSON."""

    def field(self, shape: Shape) -> Field:
        return _KINDS.get(shape.type_name), None


# Writing -----------------------------------------------------------------------


def _float_out(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value


def _blob_out(value: Any) -> str:
    return b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


_SCALAR_WRITERS: dict[str, Convert | None] = {
    "float": _float_out,
    "double": _float_out,
    "blob": _blob_out,
}
_TIMESTAMP_WRITERS: dict[str, Convert] = {
    "unixTimestamp": instants.unix,
    "iso8601": instants.iso,
    "rfc822": instants.rfc822,
}


class Writer:
    """Compiles the shapes of one service into writers; None is a value that is JSON already."""

    def __init__(self) -> None:
        self._structures: dict[str, Convert] = {}

    def field(self, shape: Shape) -> Convert | None:
        if getattr(shape, "is_document_type", False):
            return None
        match shape.type_name:
            case "structure":
                return self.structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case "timestamp":
                return _TIMESTAMP_WRITERS[shape.serialization.get("timestampFormat", "unixTimestamp")]
        return _SCALAR_WRITERS.get(shape.type_name)

    def structure(self, shape: Shape, only: frozenset[str] | None = None) -> Convert:
        if only is None and shape.name in self._structures:
            return self._structures[shape.name]
        members: dict[str, tuple[str, Convert | None]] = {}

        def write(value: dict[str, Any]) -> dict[str, Any]:
            out = {}
            for name, item in value.items():
                if item is not None and (member := members.get(name)) is not None:
                    wire, convert = member
                    out[wire] = item if convert is None else convert(item)
            return out

        if only is None:
            self._structures[shape.name] = write
        for name, member in shape.members.items():
            if only is None or name in only:
                members[name] = (member.serialization.get("name", name), self.field(member))
        return write

    def _list(self, shape: Shape) -> Convert | None:
        convert = self.field(shape.member)
        if convert is None:
            return None
        return lambda value: [None if item is None else convert(item) for item in value]

    def _map(self, shape: Shape) -> Convert | None:
        convert = self.field(shape.value)
        if convert is None:
            return None
        return lambda value: {key: None if item is None else convert(item) for key, item in value.items()}
