"""Bindings: members that travel in the path, the query string, headers and the status instead of the body."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from stratolite.wire import instants
from stratolite.wire.documents.form_document import SCALARS
from stratolite.wire.documents.xml_document import floating_text
from stratolite.wire.faults import Unreadable
from stratolite.wire.http1 import Headers, Request
from stratolite.wire.quirks import s3
from stratolite.wire.shapes import OperationModel, Shape

ReadText = Callable[[str], Any]
WriteText = Callable[[Any], str]


def path_of(service: str, request: Request) -> str:
    """The raw path that a service's routes are matched against."""
    if service == "s3":
        return s3.path(request)
    if service == "apigatewaymanagementapi":
        # The stage, and whatever leads to it, stands before the part that the model knows.
        head, mark, rest = request.raw_path.partition("/@connections/")
        return mark + rest if mark else head
    return request.raw_path


def segments(path: str) -> list[str]:
    """A raw path cut at its slashes, without the first and without one at the end."""
    return path.removeprefix("/").removesuffix("/").split("/")


def labels(template: str, path: str) -> dict[str, str]:
    """What stands in a matching path for each label of the template, unescaped. `{Key+}` spans slashes."""
    out = {}
    rest = path.removeprefix("/")
    for part in template.partition("?")[0].removeprefix("/").split("/"):
        if part.endswith("+}"):
            out[part[1:-2]] = unquote(rest)
            break
        here, _, rest = rest.partition("/")
        if part.startswith("{"):
            out[part[1:-1]] = unquote(here)
    return out


# Requests ------------------------------------------------------------------------


def _read_header(shape: Shape) -> ReadText:
    if shape.serialization.get("jsonvalue"):

        def read(text: str) -> Any:
            try:
                return json.loads(b64decode(text))
            except ValueError:
                raise Unreadable("A header is not base64 of JSON") from None

        return read
    if shape.type_name == "list":
        item = SCALARS[shape.member.type_name]
        return lambda text: [item(part) for part in _listed(text)]
    return SCALARS[shape.type_name]


_LIST_ITEM = r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(?:,|\Z)'


def _listed(text: str) -> list[str]:
    """The items of a header that is a list: separated by commas, in quotes where they hold one."""
    if '"' not in text:
        return [part.strip() for part in text.split(",")] if text.strip() else []
    found = re.findall(_LIST_ITEM, text)[:-1]  # the last match is the empty end
    return [re.sub(r"\\(.)", r"\1", quoted) if quoted else plain.strip() for quoted, plain in found]


class RequestBindings:
    """Reads the bound members of one operation's requests."""

    def __init__(self, service: str, operation: OperationModel) -> None:
        self._service = service
        self._template: str = operation.http["requestUri"]
        self._labels: list[tuple[str, str, ReadText]] = []
        self._query: list[tuple[str, str, ReadText, bool]] = []
        self._rest_of_query: tuple[str, bool] | None = None
        self._headers: list[tuple[str, str, ReadText]] = []
        self._prefixes: list[tuple[str, str]] = []
        self._claimed = {k for k, _ in parse_qsl(self._template.partition("?")[2], keep_blank_values=True)}
        assert operation.input_shape is not None
        for name, member in operation.input_shape.members.items():
            self._bind(name, member)

    def _bind(self, name: str, member: Shape) -> None:
        wire: str = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                self._labels.append((wire, name, SCALARS[member.type_name]))
            case "querystring" if member.type_name == "map":
                self._rest_of_query = (name, member.value.type_name == "list")
            case "querystring":
                many = member.type_name == "list"
                self._query.append((wire, name, SCALARS[(member.member if many else member).type_name], many))
                self._claimed.add(wire)
            case "header":
                self._headers.append((wire.lower(), name, _read_header(member)))
            case "headers":
                self._prefixes.append((wire.lower(), name))

    def read(self, request: Request) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if self._labels:
            found = labels(self._template, path_of(self._service, request))
            for wire, name, convert in self._labels:
                if (text := found.get(wire)) is not None:
                    out[name] = convert(text)
        if (self._query or self._rest_of_query) and request.query_string:
            self._read_query(request.query, out)
        given = request.headers.lower()
        for wire, name, convert in self._headers:
            if (text := given.get(wire)) is not None:
                out[name] = convert(text)
        for prefix, name in self._prefixes:
            if named := {key[len(prefix) :]: text for key, text in given.items() if key.startswith(prefix)}:
                out[name] = named
        return out

    def _read_query(self, query: list[tuple[str, str]], out: dict[str, Any]) -> None:
        given: dict[str, list[str]] = {}
        for key, text in query:
            given.setdefault(key, []).append(text)
        for wire, name, convert, many in self._query:
            if texts := given.get(wire):
                out[name] = [convert(text) for text in texts] if many else convert(texts[0])
        if self._rest_of_query is not None:
            name, many = self._rest_of_query
            if extra := {k: v if many else v[0] for k, v in given.items() if k not in self._claimed}:
                out[name] = extra


# Responses -----------------------------------------------------------------------


def _write_text(shape: Shape, timestamp: str) -> WriteText:
    if shape.serialization.get("jsonvalue"):
        return lambda value: b64encode(json.dumps(value).encode()).decode("ascii")
    match shape.type_name:
        case "list":
            item = _write_text(shape.member, timestamp)
            return lambda value: ",".join([item(v) for v in value])
        case "boolean":
            return lambda value: "true" if value else "false"
        case "timestamp":
            return instants.TEXT_WRITERS[shape.serialization.get("timestampFormat", timestamp)]
        case "blob":
            return lambda value: b64encode(value.encode() if isinstance(value, str) else value).decode("ascii")
        case "float" | "double":
            return floating_text
    return str


def _safe(text: str) -> str:
    """A header's value that ends no line and is ASCII: S3 writes other characters as RFC 2047 does."""
    if text.isascii():
        return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return f"=?UTF-8?B?{b64encode(text.encode()).decode('ascii')}?="


class ResponseBindings:
    """Writes the bound members of one structure (an output or an error) into headers."""

    def __init__(self, shape: Shape) -> None:
        self.status: str | None = None
        """The member that holds the HTTP status."""
        self._headers: list[tuple[str, str, WriteText]] = []
        self._prefixes: list[tuple[str, str]] = []
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            match member.serialization.get("location"):
                case "header":
                    self._headers.append((name, wire, _write_text(member, "rfc822")))
                case "headers":
                    self._prefixes.append((name, wire))
                case "statusCode":
                    self.status = name

    def write(self, value: dict[str, Any], headers: Headers) -> None:
        for name, wire, text in self._headers:
            if (item := value.get(name)) is not None:
                headers.set(wire, _safe(text(item)))
        for name, prefix in self._prefixes:
            for key, item in (value.get(name) or {}).items():
                headers.set(prefix + key, _safe(item))


def in_body(shape: Shape) -> frozenset[str]:
    """The members that travel in the body: those bound to nothing else."""
    return frozenset(name for name, member in shape.members.items() if "location" not in member.serialization)
