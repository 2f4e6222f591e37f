"""Encode: an operation's result as the response AWS would have sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

from stratolite.wire import eventstream, instants, models
from stratolite.wire.bindings import ResponseBindings, in_body
from stratolite.wire.documents import cbor_document, json_document, xml_document
from stratolite.wire.http1 import Headers, Response
from stratolite.wire.protocols import JSON, PROTOCOLS, Protocol
from stratolite.wire.quirks import s3
from stratolite.wire.shapes import OperationModel, Shape

Encode = Callable[[dict[str, Any], str], Response]
"""(result, request id) to response."""

WriteBody = Callable[[Any], bytes]

XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

# What a payload of bytes is called when the operation does not say.
RAW_CONTENT_TYPES = {"lambda": "application/json", "s3": "binary/octet-stream"}

# How a service spells ISO 8601: S3 always with milliseconds, the oldest query services never see any.
ISO_STYLES = {"s3": instants.iso_millis}


def encode(service: str, operation: str, result: Any, protocol: str, request_id: str, *, raw: bool = False) -> Response:
    """The response for a result of the operation's output shape.

    `raw`: the result is wire JSON already, as a dict or as the bytes of one.
    """
    if raw:
        return _raw_encoder(service, operation, protocol)(result, request_id)
    return _encoder(service, operation, protocol)(result or {}, request_id)


def content_type(service: str, protocol: Protocol) -> str:
    if protocol.name != JSON:
        return protocol.content_type
    return protocol.content_type.format(version=models.service(service).metadata.get("jsonVersion", "1.0"))


def id_headers(service: str | None, protocol: str, request_id: str) -> list[tuple[str, str]]:
    """The headers that carry the request's id."""
    if service == "s3":
        return [
            ("x-amz-request-id", request_id),
            ("x-amz-id-2", s3.extended_id(request_id)),
            ("Server", "AmazonS3"),
        ]
    return [("x-amzn-RequestId", request_id)]


# Compiled writers ------------------------------------------------------------------


class _Writers:
    def __init__(self, service: str) -> None:
        self.json = json_document.Writer()
        self.cbor = cbor_document.Writer()
        self.xml = xml_document.Writer(ISO_STYLES.get(service, instants.iso))


@cache
def _writers(service: str, protocol: str) -> _Writers:
    return _Writers(service)


@cache
def _encoder(service: str, operation: str, protocol: str) -> Encode:
    row = PROTOCOLS[protocol]
    model = models.operation(service, operation, protocol)
    if row.binds_http:
        return _rest_encoder(service, model, row)
    if model.has_event_stream_output:
        return _event_encoder(service, model, row)
    return _RPC[row.writes](service, model, row)


def _event_encoder(service: str, model: OperationModel, row: Protocol) -> Encode:
    """An RPC protocol's event stream: the other members travel in a first frame."""
    shape = model.output_shape
    assert shape is not None and shape.event_stream_name is not None
    stream = shape.event_stream_name
    events = eventstream.EventWriter(shape.members[stream], row.writes)
    write_first = eventstream.document_writer(row.writes, shape, frozenset(shape.members) - {stream})
    kind = content_type(service, row)

    def encode_events(result: dict[str, Any], request_id: str) -> Response:
        first = eventstream.initial_response(kind, write_first(result))
        headers = Headers(id_headers(service, row.name, request_id))
        headers.add("Content-Type", eventstream.CONTENT_TYPE)
        return Response(200, headers, events.stream(result[stream], first))

    return encode_events


def _json_encoder(service: str, model: OperationModel, row: Protocol) -> Encode:
    kind = content_type(service, row)
    shape = model.output_shape
    write = None if shape is None else _writers(service, row.name).json.structure(shape)

    def encode_json(result: dict[str, Any], request_id: str) -> Response:
        body = b"" if write is None else json_document.dumps(write(result))
        return Response(200, Headers([("x-amzn-RequestId", request_id), ("Content-Type", kind)]), body)

    return encode_json


def _cbor_encoder(service: str, model: OperationModel, row: Protocol) -> Encode:
    shape = model.output_shape
    write = None if shape is None else _writers(service, row.name).cbor.structure(shape)

    def encode_cbor(result: dict[str, Any], request_id: str) -> Response:
        headers = Headers([("x-amzn-RequestId", request_id), ("smithy-protocol", "rpc-v2-cbor")])
        if write is None:
            return Response(200, headers)
        headers.add("Content-Type", row.content_type)
        return Response(200, headers, cbor_document.dumps(write(result)))

    return encode_cbor


def _query_encoder(service: str, model: OperationModel, row: Protocol) -> Encode:
    namespace = model.service_model.metadata.get("xmlNamespace", "")
    head = f'{XML_DECLARATION if service == "sqs" else ""}<{model.name}Response xmlns="{namespace}">'
    tail = f"</RequestId></ResponseMetadata></{model.name}Response>"
    shape = model.output_shape
    write: Callable[[Any], str] | None = None
    wrapper = empty = ""
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{model.name}Result")
        write = _writers(service, row.name).xml.element(shape, wrapper)
        empty = f"<{wrapper}></{wrapper}>"

    def encode_query(result: dict[str, Any], request_id: str) -> Response:
        inside = "" if write is None else write(result)
        if empty and inside == empty:
            inside = f"<{wrapper}/>"
        body = f"{head}{inside}<ResponseMetadata><RequestId>{request_id}{tail}"
        headers = Headers([("x-amzn-RequestId", request_id), ("Content-Type", row.content_type)])
        return Response(200, headers, body.encode())

    return encode_query


_RPC: dict[str, Callable[[str, OperationModel, Protocol], Encode]] = {
    "json": _json_encoder,
    "cbor": _cbor_encoder,
    "xml": _query_encoder,
}


# REST --------------------------------------------------------------------------------


def _json_body(
    service: str, model: OperationModel, shape: Shape, only: frozenset[str] | None
) -> Callable[[Any], bytes]:
    writer = _writers(service, "rest-json").json
    if only is not None:
        write_members = writer.structure(shape, only)
        return lambda value: json_document.dumps(write_members(value))
    write = writer.field(shape)
    return lambda value: json_document.dumps(value if write is None else write(value))


def _xml_body(service: str, model: OperationModel, shape: Shape, only: frozenset[str] | None) -> WriteBody:
    writer = _writers(service, "rest-xml").xml
    if only is None:
        tag = shape.serialization.get("name", shape.name)
        write = writer.element(shape, tag)
        if "xmlNamespace" not in shape.serialization:
            plain, named = f"<{tag}>", f'<{tag} xmlns="{s3.NAMESPACE}">'
            return lambda value: (XML_DECLARATION + write(value).replace(plain, named, 1)).encode()
        return lambda value: (XML_DECLARATION + write(value)).encode()
    tag = s3.ROOTS.get(model.name, shape.name)
    if model.name == "GetBucketLocation":
        # The one answer whose root element is its only member.
        return lambda value: (
            f'{XML_DECLARATION}<{tag} xmlns="{s3.NAMESPACE}">{value.get("LocationConstraint") or ""}</{tag}>'.encode()
        )
    inside = writer.inside(shape, only)
    head, tail = f'{XML_DECLARATION}<{tag} xmlns="{s3.NAMESPACE}">', f"</{tag}>"
    return lambda value: (head + inside(value) + tail).encode()


_BODIES = {"json": _json_body, "xml": _xml_body}


def _rest_encoder(service: str, model: OperationModel, row: Protocol) -> Encode:
    status: int = model.http.get("responseCode", 200)
    if service == "s3":
        status = s3.STATUSES.get(model.name, status)
    shape = model.output_shape
    if shape is None:
        return lambda result, request_id: Response(status, Headers(id_headers(service, row.name, request_id)))
    bindings = ResponseBindings(shape)
    body_of = _rest_body(service, model, shape, row)
    own_status = s3.status if service == "s3" else _no_status

    def encode_rest(result: dict[str, Any], request_id: str) -> Response:
        headers = Headers(id_headers(service, row.name, request_id))
        kind, body = body_of(result)
        if kind is not None:
            headers.add("Content-Type", kind)
        bindings.write(result, headers)
        own = result.get(bindings.status) if bindings.status is not None else own_status(result)
        return Response(status if own is None else int(own), headers, body)

    return encode_rest


def _no_status(result: dict[str, Any]) -> None:
    return None


def _rest_body(
    service: str, model: OperationModel, shape: Shape, row: Protocol
) -> Callable[[dict[str, Any]], tuple[str | None, bytes | AsyncIterator[bytes]]]:
    """(result) to content type and body."""
    payload: str | None = shape.serialization.get("payload")
    kind = row.content_type
    if payload is not None:
        member = shape.members[payload]
        if member.serialization.get("eventstream"):
            events = eventstream.EventWriter(member, row.writes)
            return lambda result: (eventstream.CONTENT_TYPE, events.stream(result[payload]))
        if member.type_name in ("blob", "string"):
            own = RAW_CONTENT_TYPES.get(
                service, "application/octet-stream" if member.type_name == "blob" else "text/plain"
            )

            def raw_body(result: dict[str, Any]) -> tuple[str | None, bytes | AsyncIterator[bytes]]:
                value = result.get(payload)
                return own, b"" if value is None else value.encode() if isinstance(value, str) else value

            return raw_body
        write = _BODIES[row.writes](service, model, member, None)

        def payload_body(result: dict[str, Any]) -> tuple[str | None, bytes]:
            value = result.get(payload)
            return (None, b"") if value is None else (kind, write(value))

        return payload_body
    only = in_body(shape)
    if not only or model.http.get("responseCode") == 204:
        return lambda result: (None, b"")
    write_members = _BODIES[row.writes](service, model, shape, only)
    return lambda result: (kind, write_members(result))


# Raw ---------------------------------------------------------------------------------


@cache
def _raw_encoder(service: str, operation: str, protocol: str) -> Callable[[Any, str], Response]:
    row = PROTOCOLS[protocol]
    if protocol == JSON:
        kind = content_type(service, row)

        def encode_wire(result: Any, request_id: str) -> Response:
            body = result if isinstance(result, bytes) else json_document.dumps(result or {})
            return Response(200, Headers([("x-amzn-RequestId", request_id), ("Content-Type", kind)]), body)

        return encode_wire
    values = _encoder(service, operation, protocol)
    shape = models.operation(service, operation).output_shape
    if shape is None:
        return lambda result, request_id: values({}, request_id)
    read = json_document.Reader().document(shape)

    def encode_other(result: Any, request_id: str) -> Response:
        document = json_document.loads(result) if isinstance(result, bytes) else result or {}
        return values(read(document), request_id)

    return encode_other
