"""XML documents: elements as members, in the spellings of rest-xml and of the query protocol's answers."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stratolite.wire import instants
from stratolite.wire.documents.form_document import SCALARS
from stratolite.wire.faults import Unreadable
from stratolite.wire.shapes import Shape

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Read = Callable[["Element"], Any]
Write = Callable[[Any], str]

# Text that must be escaped. A carriage return would be read back as a newline; other control characters have no
# spelling in XML 1.0, and AWS writes their references all the same.
_SPECIAL = re.compile('[&<>"\x00-\x08\x0b-\x1f\x85\u2028\ufffe\uffff]')
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def escape(text: str) -> str:
    return _SPECIAL.sub(lambda m: _NAMED.get(m[0]) or f"&#x{ord(m[0]):x};", text)


def parse(body: bytes) -> Element:
    """The root element of a body. External entities are never fetched, a document type is refused."""
    if b"<!DOCTYPE" in body[:1024]:
        raise Unreadable("A document type is not allowed")
    from xml.etree.ElementTree import ParseError, fromstring  # here: only S3's requests are XML

    try:
        return fromstring(body)
    except (ParseError, ValueError, LookupError):
        raise Unreadable("The XML you provided was not well-formed") from None


def local(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2] if tag[:1] == "{" else tag


# Reading -----------------------------------------------------------------------


class Reader:
    """Compiles the shapes of one service into readers of elements."""

    def __init__(self) -> None:
        self._structures: dict[str, Read] = {}

    def field(self, shape: Shape) -> Read:
        match shape.type_name:
            case "structure":
                return self.structure(shape)
            case "list":
                convert = self.field(shape.member)
                return lambda node: [convert(child) for child in node]
            case "map":
                entries = self._entries(shape)
                return lambda node: entries(list(node))
        scalar = SCALARS[shape.type_name]
        if shape.type_name == "string":
            return lambda node: node.text or ""
        return lambda node: scalar((node.text or "").strip())

    def structure(self, shape: Shape, only: frozenset[str] | None = None) -> Read:
        if only is None and shape.name in self._structures:
            return self._structures[shape.name]
        attributes: list[tuple[str, str]] = []
        single: dict[str, tuple[str, Read]] = {}
        repeated: dict[str, tuple[str, Callable[[list[Element]], Any]]] = {}

        def read(node: Element) -> dict[str, Any]:
            out: dict[str, Any] = {}
            many: dict[str, list[Element]] = {}
            for child in node:
                tag = local(child.tag)
                if tag in single:
                    name, convert = single[tag]
                    out[name] = convert(child)
                elif tag in repeated:
                    many.setdefault(tag, []).append(child)
            for tag, children in many.items():
                name, gather = repeated[tag]
                out[name] = gather(children)
            for wire, name in attributes:
                for key, text in node.attrib.items():
                    if local(key) == wire:
                        out[name] = text
            return out

        if only is None:
            self._structures[shape.name] = read
        for name, member in shape.members.items():
            if only is not None and name not in only:
                continue
            wire = member.serialization.get("name", name)
            if member.serialization.get("xmlAttribute"):
                attributes.append((wire.rpartition(":")[2], name))
            elif member.type_name == "list" and member.serialization.get("flattened"):
                repeated[wire] = (name, self._items(member))
            elif member.type_name == "map" and member.serialization.get("flattened"):
                repeated[wire] = (name, self._entries(member))
            else:
                single[wire] = (name, self.field(member))
        return read

    def _items(self, shape: Shape) -> Callable[[list[Element]], list[Any]]:
        convert = self.field(shape.member)
        return lambda children: [convert(child) for child in children]

    def _entries(self, shape: Shape) -> Callable[[list[Element]], dict[str, Any]]:
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        key, value = self.field(shape.key), self.field(shape.value)

        def read(entries: list[Element]) -> dict[str, Any]:
            out = {}
            for entry in entries:
                halves = {local(child.tag): child for child in entry}
                if key_name not in halves or value_name not in halves:
                    raise Unreadable("A map's entry lacks its key or value")
                out[key(halves[key_name])] = value(halves[value_name])
            return out

        return read


# Writing -----------------------------------------------------------------------


def _text(value: Any) -> str:
    text = value if type(value) is str else str(value)
    return escape(text) if _SPECIAL.search(text) else text


def _boolean(value: Any) -> str:
    return "true" if value else "false"


def _blob(value: Any) -> str:
    return b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")


def floating_text(value: Any) -> str:
    """A number as text, with the names that infinity and what is no number go by."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return str(value)


_SCALAR_WRITERS: dict[str, Write] = {
    "boolean": _boolean,
    "blob": _blob,
    "float": floating_text,
    "double": floating_text,
    "integer": str,
    "long": str,
}


class Writer:
    """Compiles the shapes of one service into writers; `iso` is how the service spells ISO 8601 instants."""

    def __init__(self, iso: Write = instants.iso) -> None:
        self._insides: dict[str, Write] = {}
        self._instants: dict[str, Write] = {**instants.TEXT_WRITERS, "iso8601": iso}

    def element(self, shape: Shape, tag: str) -> Write:
        """A writer of the shape as an element (or, flattened, as several) of that tag."""
        match shape.type_name:
            case "structure":
                return self._structure(shape, tag)
            case "list":
                return self._list(shape, tag)
            case "map":
                return self._map(shape, tag)
            case "timestamp":
                text = self._instants[shape.serialization.get("timestampFormat", "iso8601")]
            case _:
                text = _SCALAR_WRITERS.get(shape.type_name, _text)
        head, tail = f"<{tag}>", f"</{tag}>"
        return lambda value: head + text(value) + tail

    def inside(self, shape: Shape, only: frozenset[str] | None = None) -> Write:
        """A writer of a structure's members, without the element around them."""
        if only is None and shape.name in self._insides:
            return self._insides[shape.name]
        members: list[tuple[str, Write]] = []

        def write(value: dict[str, Any]) -> str:
            get = value.get
            return "".join([convert(item) for name, convert in members if (item := get(name)) is not None])

        if only is None:
            self._insides[shape.name] = write
        for name, member in shape.members.items():
            if (only is None or name in only) and not member.serialization.get("xmlAttribute"):
                members.append((name, self.element(member, member.serialization.get("name", name))))
        return write

    def _structure(self, shape: Shape, tag: str) -> Write:
        inside, tail = self.inside(shape), f"</{tag}>"
        attributes = [
            (name, member.serialization["name"])
            for name, member in shape.members.items()
            if member.serialization.get("xmlAttribute")
        ]
        head = f"<{tag}{_namespace(shape)}>"
        if not attributes:
            return lambda value: head + inside(value) + tail

        def write(value: dict[str, Any]) -> str:
            spelled = "".join(f' {wire}="{escape(value[name])}"' for name, wire in attributes if value.get(name))
            return f"{head[:-1]}{spelled}>{inside(value)}{tail}"

        return write

    def _list(self, shape: Shape, tag: str) -> Write:
        if shape.serialization.get("flattened"):
            item = self.element(shape.member, shape.member.serialization.get("name", tag))
            return lambda value: "".join([item(v) for v in value])
        item = self.element(shape.member, shape.member.serialization.get("name", "member"))
        head, tail, empty = f"<{tag}>", f"</{tag}>", f"<{tag}/>"
        return lambda value: head + "".join([item(v) for v in value]) + tail if value else empty

    def _map(self, shape: Shape, tag: str) -> Write:
        key = self.element(shape.key, shape.key.serialization.get("name", "key"))
        value = self.element(shape.value, shape.value.serialization.get("name", "value"))
        flattened = shape.serialization.get("flattened")
        entry = tag if flattened else "entry"
        head, tail = ("", "") if flattened else (f"<{tag}>", f"</{tag}>")

        def write(entries: dict[str, Any]) -> str:
            return head + "".join([f"<{entry}>{key(k)}{value(v)}</{entry}>" for k, v in entries.items()]) + tail

        return write


def _namespace(shape: Shape) -> str:
    """The xmlns attribute a shape declares, if any."""
    namespace = shape.serialization.get("xmlNamespace")
    if not namespace:
        return ""
    if isinstance(namespace, str):
        return f' xmlns="{namespace}"'
    prefix = f":{namespace['prefix']}" if namespace.get("prefix") else ""
    return f' xmlns{prefix}="{namespace["uri"]}"'
