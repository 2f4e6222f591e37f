"""Form documents: the query protocol's requests, a flat list of dotted names."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from stratolite.wire import instants
from stratolite.wire.documents.json_document import blob
from stratolite.wire.faults import Unreadable
from stratolite.wire.shapes import Shape

Read = Callable[[Any], Any]

# A dotted name nests no deeper than this in any model; more is an attack on the stack.
_DEPTH = 64


def pairs(text: str) -> list[tuple[str, str]]:
    """Names and values of a form in order, unescaped, blanks kept."""
    out = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            if "%" in name or "+" in name:
                name = unquote_plus(name)
            if "%" in value or "+" in value:
                value = unquote_plus(value)
            out.append((name, value))
    return out


def text(body: bytes) -> str:
    """A form's body as text; what is not ASCII is taken as the UTF-8 that should have been escaped."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Unreadable("The form is not UTF-8") from None


def tree(form: list[tuple[str, str]]) -> dict[str, Any]:
    """The form's names taken apart at their dots: a leaf is text, everything else a dict."""
    root: dict[str, Any] = {}
    for name, value in form:
        if "." not in name:
            root[name] = value
            continue
        *path, last = name.split(".")
        if len(path) > _DEPTH:
            raise Unreadable("Too deeply nested")
        node = root
        for step in path:
            child = node.get(step)
            if type(child) is not dict:
                child = node[step] = {}
            node = child
        node[last] = value
    return root


# Scalars from text: query strings, headers, labels and XML read the same ones -------------


def boolean(text: str) -> bool:
    if text in ("true", "True", "TRUE", "1"):
        return True
    if text in ("false", "False", "FALSE", "0"):
        return False
    raise Unreadable(f"'{text}' is not a valid boolean")


def integer(bits: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            if text.isascii() and len(text) < 32 and "_" not in text and -(2**bits) <= (n := int(text)) < 2**bits:
                return n
        except ValueError:
            pass
        raise Unreadable(f"'{text}' is not a valid integer")

    return read


def floating(text: str) -> float:
    try:
        if text.isascii() and "_" not in text:
            number = float(text)
            if math.isfinite(number) or text in ("NaN", "Infinity", "-Infinity"):
                return number
    except ValueError:
        pass
    raise Unreadable(f"'{text}' is not a valid number")


def string(text: str) -> str:
    return text


SCALARS: dict[str, Callable[[str], Any]] = {
    "string": string,
    "character": string,
    "boolean": boolean,
    "integer": integer(31),
    "long": integer(63),
    "float": floating,
    "double": floating,
    "timestamp": instants.from_text,
    "blob": blob,
}


class Reader:
    """Compiles the shapes of one service into readers of a form's tree."""

    def __init__(self) -> None:
        self._structures: dict[str, Read] = {}

    def field(self, shape: Shape) -> Read:
        match shape.type_name:
            case "structure":
                return self.structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
        convert = SCALARS[shape.type_name]

        def read(node: Any) -> Any:
            if type(node) is str:
                return convert(node)
            raise Unreadable("Unexpected complex element termination")

        return read

    def structure(self, shape: Shape) -> Read:
        if shape.name in self._structures:
            return self._structures[shape.name]
        members: list[tuple[str, str, Read]] = []

        def read(node: Any) -> dict[str, Any]:
            if type(node) is not dict:
                if node == "":  # how SDKs spell an empty structure
                    return {}
                raise Unreadable("Unexpected text where a structure was expected")
            return {name: convert(node[wire]) for wire, name, convert in members if wire in node}

        self._structures[shape.name] = read
        for name, member in shape.members.items():
            members.append((_member_name(name, member), name, self.field(member)))
        return read

    def _list(self, shape: Shape) -> Read:
        convert = self.field(shape.member)
        step = None if shape.serialization.get("flattened") else shape.member.serialization.get("name", "member")

        def read(node: Any) -> list[Any]:
            return [convert(item) for item in _numbered(node, step)]

        return read

    def _map(self, shape: Shape) -> Read:
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        key, value = self.field(shape.key), self.field(shape.value)
        step = None if shape.serialization.get("flattened") else "entry"

        def read(node: Any) -> dict[str, Any]:
            out = {}
            for entry in _numbered(node, step):
                if type(entry) is not dict or key_name not in entry:
                    raise Unreadable("A map's entry has no key")
                if value_name in entry:
                    out[key(entry[key_name])] = value(entry[value_name])
            return out

        return read


def _member_name(name: str, member: Shape) -> str:
    wire: str = member.serialization.get("name", name)
    if member.type_name == "list" and member.serialization.get("flattened"):
        # A flattened list is known by its items' name, where they have one.
        wire = member.member.serialization.get("name", wire)
    return wire


def _numbered(node: Any, step: str | None) -> list[Any]:
    """The items under 1, 2, 3... in order; gaps are closed, as AWS closes them."""
    if node == "":  # `Tags=`: an empty list
        return []
    if type(node) is dict and step is not None:
        node = node.get(step, "" if not node else None)
        if node == "":
            return []
    if type(node) is not dict or not all(k.isdecimal() and k.isascii() and len(k) < 10 for k in node):
        raise Unreadable("Unexpected list element")
    return [node[k] for k in sorted(node, key=int)]
