"""Decode: a request's bytes as the plain values of its operation."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from stratolite.wire import chunked, models
from stratolite.wire.bindings import RequestBindings, in_body, path_of
from stratolite.wire.documents import cbor_document, form_document, json_document, xml_document
from stratolite.wire.faults import Mismatch, Unreadable
from stratolite.wire.http1 import BodyFile, Request
from stratolite.wire.protocols import JSON, PROTOCOLS
from stratolite.wire.quirks import malformed
from stratolite.wire.shapes import Shape

Decode = Callable[[Request], dict[str, Any]]


def decode(service: str, operation: str, request: Request, protocol: str, *, raw: bool = False) -> dict[str, Any]:
    """What the caller asked: the members of the operation's input, by the model's names.

    `raw` leaves them as wire JSON (blobs are base64 text, instants numbers): checked, not rebuilt. Raises `Malformed`
    for whatever is not a document of the protocol and the shape.
    """
    try:
        return (_raw_decoder if raw else _decoder)(service, operation, protocol)(request)
    except Unreadable as error:
        raise malformed.fault(service, protocol, error) from None
    except RecursionError:
        raise malformed.fault(service, protocol, Unreadable()) from None


class _Readers:
    """The compiled readers of one service, by kind of document."""

    def __init__(self) -> None:
        self.json = json_document.Reader()
        self.cbor = cbor_document.Reader()
        self.form = form_document.Reader()
        self.xml = xml_document.Reader()


@cache
def _readers(service: str, protocol: str) -> _Readers:
    return _Readers()


def _json(readers: _Readers, shape: Shape, only: frozenset[str] | None) -> Callable[[bytes], Any]:
    if only is None:
        read = readers.json.document(shape)
        return lambda body: read(json_document.loads(body))
    members = readers.json.structure(shape, only)

    def read_members(body: bytes) -> Any:
        value = json_document.loads(body)
        if type(value) is not dict:
            raise Mismatch(value, "structure", shape.name) if value is not None else Unreadable
        return members(value)

    return read_members


def _cbor(readers: _Readers, shape: Shape, only: frozenset[str] | None) -> Callable[[bytes], Any]:
    read = readers.cbor.document(shape)
    return lambda body: read(cbor_document.loads(body))


def _form(readers: _Readers, shape: Shape, only: frozenset[str] | None) -> Callable[[bytes], Any]:
    read = readers.form.structure(shape)
    return lambda body: read(form_document.tree(form_document.pairs(form_document.text(body))))


def _xml(readers: _Readers, shape: Shape, only: frozenset[str] | None) -> Callable[[bytes], Any]:
    read = readers.xml.field(shape) if only is None else readers.xml.structure(shape, only)
    return lambda body: read(xml_document.parse(body))


_BODIES = {"json": _json, "cbor": _cbor, "form": _form, "xml": _xml}


@cache
def _decoder(service: str, operation: str, protocol: str) -> Decode:
    shape = models.operation(service, operation, protocol).input_shape
    if shape is None:
        return lambda request: {}
    row = PROTOCOLS[protocol]
    if row.binds_http:
        return _rest_decoder(service, operation, protocol, shape)
    read = _BODIES[row.reads](_readers(service, protocol), shape, None)
    if row.reads == "form":
        return _form_decoder(service, shape, read)
    return lambda request: read(request.bytes())


def _form_decoder(service: str, shape: Shape, read: Callable[[bytes], Any]) -> Decode:
    in_path = service == "sqs" and "QueueUrl" in shape.members

    def decode_form(request: Request) -> dict[str, Any]:
        body = request.bytes() or request.query_string.encode("ascii", "replace")
        params: dict[str, Any] = read(body)
        if in_path:
            params.setdefault("QueueUrl", _queue_url(request))
        return params

    return decode_form


def _queue_url(request: Request) -> str:
    """Old SDKs post to the queue's own URL instead of naming it."""
    return f"http://{request.headers.get('host') or 'localhost'}{path_of('sqs', request)}"


def _rest_decoder(service: str, operation: str, protocol: str, shape: Shape) -> Decode:
    bindings = RequestBindings(service, models.operation(service, operation))
    payload: str | None = shape.serialization.get("payload")
    body_of = _BODIES[PROTOCOLS[protocol].reads]
    readers = _readers(service, protocol)
    if payload is not None:
        member = shape.members[payload]
        if member.type_name in ("blob", "string"):
            return _raw_payload(service, bindings, payload, text=member.type_name == "string")
        read = body_of(readers, member, None)

        def decode_payload(request: Request) -> dict[str, Any]:
            out = bindings.read(request)
            if request.body:
                out[payload] = read(request.bytes())
            return out

        return decode_payload
    only = in_body(shape)
    if not only:
        return bindings.read
    read = body_of(readers, shape, only)

    def decode_body(request: Request) -> dict[str, Any]:
        out = bindings.read(request)
        if request.body:
            out.update(read(request.bytes()))
        return out

    return decode_body


def _raw_payload(service: str, bindings: RequestBindings, payload: str, text: bool) -> Decode:
    def decode_raw_payload(request: Request) -> dict[str, Any]:
        # A body in a file keeps its chunks: whoever stores it unwraps it piece by piece, off the loop.
        if service == "s3" and chunked.is_chunked(request.headers):
            request = chunked.unwrapped(request) if isinstance(request.body, bytes) else chunked.marked(request)
        out = bindings.read(request)
        body = request.body
        if isinstance(body, BodyFile) and text:
            body = body.read()
        if body:
            out[payload] = _utf8(body) if text and isinstance(body, bytes) else body
        return out

    return decode_raw_payload


def _utf8(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Unreadable("The body is not UTF-8") from None


# Raw -----------------------------------------------------------------------------


@cache
def _raw_decoder(service: str, operation: str, protocol: str) -> Decode:
    shape = models.operation(service, operation).input_shape
    if shape is None:
        return lambda request: {}
    if protocol != JSON:
        # The same wire JSON from whichever protocol the caller spoke.
        decode_values = _decoder(service, operation, protocol)
        to_wire = json_document.Writer().structure(shape)
        return lambda request: to_wire(decode_values(request))
    read = json_document.Checker().document(shape)

    return lambda request: read(json_document.loads(request.bytes()))
