"""Errors: in each protocol's shape, with the status the model gives."""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

from stratolite.wire import instants, models
from stratolite.wire.bindings import ResponseBindings, in_body
from stratolite.wire.documents import cbor_document, json_document, xml_document
from stratolite.wire.encode import XML_DECLARATION, content_type, id_headers
from stratolite.wire.http1 import Headers, Response
from stratolite.wire.protocols import CBOR, JSON, PROTOCOLS, QUERY, REST_JSON, REST_XML, SERVICES
from stratolite.wire.quirks import s3, spellings, sqs_query
from stratolite.wire.shapes import Shape


class Error(Protocol):
    """What can be written as an error: kernel errors and the wire's own."""

    @property
    def code(self) -> str: ...
    @property
    def shape(self) -> str | None: ...
    @property
    def message(self) -> str | None: ...
    @property
    def status(self) -> int | None: ...
    @property
    def sender(self) -> bool: ...
    @property
    def fields(self) -> dict[str, Any]: ...


def encode_error(service: str | None, operation: str | None, protocol: str, error: Error, request_id: str) -> Response:
    """The response for an error. `service` is None when none was found for the request."""
    known = service if service in SERVICES else None
    shape = models.error_shape(known, error.shape or error.code) if known else None
    trait: dict[str, Any] = shape.metadata.get("error", {}) if shape is not None else {}
    fault = not error.sender or (shape is not None and models.is_fault(known or "", shape.name))
    status = error.status or trait.get("httpStatusCode") or (500 if fault else 400)
    headers = Headers(id_headers(known, protocol, request_id))
    code = error.code if getattr(error, "is_named", False) else query_code(known, shape, error.code)
    if shape is not None and PROTOCOLS[protocol].binds_http:
        ResponseBindings(shape).write(error.fields, headers)
    body = _WRITERS[protocol](known, shape, code, error, fault or status >= 500, request_id, headers)
    return Response(status, headers, body)


def query_code(service: str | None, shape: Shape | None, code: str) -> str:
    """The code of an error where codes are not shape names: in the query protocol and for those who remember it."""
    if shape is None:
        return code
    if service == "sqs":
        return sqs_query.ERROR_CODES.get(shape.name, code)
    return shape.metadata.get("error", {}).get("code") or code


# JSON and CBOR -----------------------------------------------------------------------


def _members(shape: Shape | None, service: str | None, error: Error, fault: bool) -> dict[str, Any]:
    """The error's members by the model's names: its message under whichever name the shape gives it."""
    key = spellings.message_key(service, shape, error.code)
    out = {k: v for k, v in error.fields.items() if shape is not None and k in shape.members and v is not None}
    if error.message is not None:
        out[key] = error.message
    if service == "lambda":
        # Lambda says whose fault it was in the body of every error.
        out.setdefault("Type", "Service" if fault else "User")
    return out


@cache
def _json_error_writer(service: str, shape: str) -> Any:
    model = models.service(service).shape_for(shape)
    return json_document.Writer().structure(model, in_body(model))


def _plain(service: str | None, shape: Shape | None, members: dict[str, Any]) -> dict[str, Any]:
    if service is None or shape is None:
        return members
    written: dict[str, Any] = _json_error_writer(service, shape.name)(members)
    return written | {k: v for k, v in members.items() if k not in shape.members}


def _json(
    service: str | None,
    shape: Shape | None,
    code: str,
    error: Error,
    fault: bool,
    request_id: str,
    headers: Headers,
) -> bytes:
    name = shape.name if shape is not None else error.code
    if service == "sqs":
        name = sqs_query.TYPES.get(name, name)
    headers.add("Content-Type", content_type(service, PROTOCOLS[JSON]) if service else "application/x-amz-json-1.0")
    if service is not None and models.service(service).is_query_compatible:
        headers.add("x-amzn-query-error", f"{code};{'Receiver' if fault else 'Sender'}")
    document = {"__type": spellings.type_name(service, name)}
    return json_document.dumps(document | _plain(service, shape, _members(shape, service, error, fault)))


def _rest_json(
    service: str | None,
    shape: Shape | None,
    code: str,
    error: Error,
    fault: bool,
    request_id: str,
    headers: Headers,
) -> bytes:
    headers.add("Content-Type", "application/json")
    headers.add("x-amzn-ErrorType", shape.name if shape is not None else error.code)
    return json_document.dumps(_plain(service, shape, _members(shape, service, error, fault)))


def _cbor(
    service: str | None,
    shape: Shape | None,
    code: str,
    error: Error,
    fault: bool,
    request_id: str,
    headers: Headers,
) -> bytes:
    name = shape.name if shape is not None else error.code
    headers.add("Content-Type", PROTOCOLS[CBOR].content_type)
    headers.add("smithy-protocol", "rpc-v2-cbor")
    if service is not None and models.service(service).is_query_compatible:
        headers.add("x-amzn-query-error", f"{code};{'Receiver' if fault else 'Sender'}")
    members = _members(shape, service, error, fault)
    if shape is not None:
        members |= cbor_document.Writer().structure(shape)({k: v for k, v in members.items() if k in shape.members})
    return cbor_document.dumps({"__type": spellings.type_name(service, name)} | members)


# XML ---------------------------------------------------------------------------------


def _fields(service: str | None, shape: Shape | None, error: Error) -> str:
    """The error's further members as elements."""
    if not error.fields:
        return ""
    if shape is not None and shape.members and service != "s3":
        further = frozenset(n for n in shape.members if n.lower() != "message")
        return xml_document.Writer(instants.iso).inside(shape, further)(error.fields)
    if service != "s3":
        return ""
    # S3's model has no members for what S3 says beside the message: the bucket, the key, the condition.
    return "".join(
        f"<{name}>{xml_document.escape(str(value))}</{name}>"
        for name, value in error.fields.items()
        if value is not None
    )


def _query(
    service: str | None,
    shape: Shape | None,
    code: str,
    error: Error,
    fault: bool,
    request_id: str,
    headers: Headers,
) -> bytes:
    headers.add("Content-Type", PROTOCOLS[QUERY].content_type)
    namespace = models.service(service, QUERY).metadata.get("xmlNamespace", "") if service else ""
    detail = "<Detail/>" if service == "sqs" else ""
    message = "" if error.message is None else f"<Message>{xml_document.escape(error.message)}</Message>"
    side = "Receiver" if fault else "Sender"
    if service == "sqs" and code == "UnknownOperationException":
        return b"<UnknownOperationException/>\n"  # what AWS answers to a queue's bare URL
    return (
        f'{XML_DECLARATION if service == "sqs" else ""}<ErrorResponse xmlns="{namespace}">'
        f"<Error><Type>{side}</Type><Code>{xml_document.escape(code)}</Code>{message}"
        f"{_fields(service, shape, error)}{detail}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


def _rest_xml(
    service: str | None,
    shape: Shape | None,
    code: str,
    error: Error,
    fault: bool,
    request_id: str,
    headers: Headers,
) -> bytes:
    headers.add("Content-Type", PROTOCOLS[REST_XML].content_type)
    message = "" if error.message is None else f"<Message>{xml_document.escape(error.message)}</Message>"
    return (
        f"{XML_DECLARATION}<Error><Code>{xml_document.escape(code)}</Code>{message}{_fields(service, shape, error)}"
        f"<RequestId>{request_id}</RequestId><HostId>{s3.extended_id(request_id)}</HostId></Error>"
    ).encode()


_WRITERS = {JSON: _json, REST_JSON: _rest_json, CBOR: _cbor, QUERY: _query, REST_XML: _rest_xml}
