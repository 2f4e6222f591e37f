"""JSON documents: objects as structures and maps, base64 text as blobs, numbers as instants."""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Any

from stratolite.wire import instants
from stratolite.wire.faults import Mismatch, Unreadable
from stratolite.wire.shapes import Shape

Convert = Callable[[Any], Any]
Field = tuple[type | None, Convert | None]
"""The JSON type a value must have (None: the conversion looks itself) and what is made of it (None: nothing)."""

_SPECIAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_KINDS: dict[str, type] = {"string": str, "structure": dict, "map": dict, "list": list, "boolean": bool, "blob": str}


def _named(shape: Shape) -> str:
    """What a mismatch calls a shape that is no scalar."""
    if shape.type_name == "map":
        return _named(shape.value) or str(shape.value.type_name)
    return str(shape.name) if shape.type_name == "structure" else ""


# Text and bytes ----------------------------------------------------------------


def _refuse_constant(name: str) -> Any:
    raise Unreadable


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
        raise Unreadable from None
    return value


def dumps(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()


# Reading -----------------------------------------------------------------------


def _number(kind: str, bits: int) -> Convert:
    low, high = -(2**bits), 2**bits

    def read(value: Any) -> int:
        if type(value) is int and low <= value < high:
            return value
        if type(value) is float and low <= value < high:
            return int(value)  # AWS cuts fractions off
        raise Mismatch(value, kind)

    return read


def _float(value: Any) -> float:
    if type(value) is float or (type(value) is int and -(2**1000) < value < 2**1000):
        if math.isinf(value):
            raise Mismatch(value, "double")
        return value
    if type(value) is str and value in _SPECIAL_FLOATS:
        return _SPECIAL_FLOATS[value]
    raise Mismatch(value, "double")


def _timestamp(value: Any) -> float:
    if type(value) is int or type(value) is float:
        return instants.bounded(value)
    if type(value) is str:
        return instants.from_text(value)
    raise Mismatch(value, "timestamp")


def blob(value: str) -> bytes:
    """The bytes of base64 text; its alphabet and padding are checked as AWS checks them."""
    try:
        return b64decode(value, validate=True)
    except (Base64Error, ValueError):
        raise Mismatch(value, "blob") from None


_SCALAR_READERS: dict[str, Field] = {
    "string": (str, None),
    "character": (str, None),
    "boolean": (bool, None),
    "integer": (None, _number("integer", 31)),
    "long": (None, _number("long", 63)),
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
                raise Mismatch(value, shape.type_name, _named(shape)) if value is not None else Unreadable
            return value if convert is None else convert(value)

        return read

    def structure(self, shape: Shape, only: frozenset[str] | None = None) -> Convert:
        """A reader of the shape's members, or of those named: the part that travels in the body."""
        if only is None and shape.name in self._structures:
            return self._structures[shape.name]
        members: dict[str, tuple[str, type | None, Convert | None, Shape]] = {}

        def read(value: dict[str, Any]) -> dict[str, Any]:
            out = {}
            for key, item in value.items():
                member = members.get(key)
                if member is None or item is None:  # AWS ignores what it does not know; null is absent
                    continue
                name, expected, convert, its_shape = member
                if expected is not None and type(item) is not expected:
                    raise Mismatch(item, its_shape.type_name, _named(its_shape))
                out[name] = item if convert is None else convert(item)
            return out

        if only is None:
            self._structures[shape.name] = read
        for name, member in shape.members.items():
            if only is None or name in only:
                members[member.serialization.get("name", name)] = (name, *self.field(member), member)
        return read

    def _list(self, shape: Shape) -> Convert:
        expected, convert = self.field(shape.member)
        kind, name = shape.member.type_name, _named(shape.member)

        def read(value: list[Any]) -> list[Any]:
            if expected is not None:
                for item in value:
                    if type(item) is not expected and item is not None:
                        raise Mismatch(item, kind, name, item=True)
            if convert is None:
                return value
            return [None if item is None else convert(item) for item in value]

        return read

    def _map(self, shape: Shape) -> Convert:
        expected, convert = self.field(shape.value)
        kind, name = shape.value.type_name, _named(shape.value)

        def read(value: dict[str, Any]) -> dict[str, Any]:
            if expected is not None:
                for item in value.values():
                    if type(item) is not expected and item is not None:
                        raise Mismatch(item, kind, name, item=True)
            if convert is None:
                return value if None not in value.values() else {k: v for k, v in value.items() if v is not None}
            return {key: convert(item) for key, item in value.items() if item is not None}

        return read


class Checker(Reader):
    """Compiles shapes into readers that leave everything as wire JSON and raise where a `Reader` would.

    They do not look into structures that contain themselves (DynamoDB's values, say): whoever takes those raw walks
    them anyway. Blobs stay base64 text, whose alphabet is not looked at either.
    """

    def document(self, shape: Shape) -> Convert:
        """A reader of a whole body: members the shape does not have, and nulls, are left out."""
        members = self.structure(shape)

        def read(value: Any) -> Any:
            if type(value) is not dict:
                raise Mismatch(value, "structure", shape.name) if value is not None else Unreadable
            return members(value)

        return read

    def field(self, shape: Shape) -> Field:
        match shape.type_name:
            case "list" | "map" if not getattr(shape, "is_document_type", False):
                return _KINDS[shape.type_name], self._each(shape)
            case "structure" if not getattr(shape, "is_document_type", False):
                return dict, None if contains_itself(shape) else self._members(shape)
            case "blob":
                return str, None
        expected, convert = super().field(shape)
        return expected, None if convert is None else _checked(convert)

    def _each(self, shape: Shape) -> Convert | None:
        inner = shape.member if shape.type_name == "list" else shape.value
        expected, check = self.field(inner)
        if expected is None and check is None:
            return None
        kind, name = inner.type_name, _named(inner)
        mapped = shape.type_name == "map"

        def each(value: Any) -> Any:
            for item in value.values() if mapped else value:
                if item is not None:
                    if expected is not None and type(item) is not expected:
                        raise Mismatch(item, kind, name, item=True)
                    if check is not None:
                        check(item)
            return value

        return each

    def _members(self, shape: Shape) -> Convert:
        members = {m.serialization.get("name", n): (*self.field(m), m) for n, m in shape.members.items()}

        def check_members(value: dict[str, Any]) -> dict[str, Any]:
            for key, item in value.items():
                if item is not None and (member := members.get(key)) is not None:
                    expected, check, its_shape = member
                    if expected is not None and type(item) is not expected:
                        raise Mismatch(item, its_shape.type_name, _named(its_shape))
                    if check is not None:
                        check(item)
            return value

        return check_members


def _checked(convert: Convert) -> Convert:
    def check(value: Any) -> Any:
        convert(value)
        return value

    return check


def contains_itself(shape: Shape) -> bool:
    """Whether a structure can be found inside itself."""
    seen: set[str] = set()

    def within(part: Shape) -> bool:
        match part.type_name:
            case "list":
                return within(part.member)
            case "map":
                return within(part.value)
            case "structure" if part.name == shape.name:
                return True
            case "structure" if part.name not in seen:
                seen.add(part.name)
                return any(map(within, part.members.values()))
        return False

    return any(map(within, shape.members.values()))


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
