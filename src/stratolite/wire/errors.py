"""Errors: in each protocol's shape, with the status the model gives."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

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


class _Answer(NamedTuple):
    """An error with what its model says of it, ready to be spelled."""

    service: str | None
    shape: Shape | None
    code: str
    """Where codes are not shape names: in the query protocol, and for those who remember it."""
    error: Error
    is_fault: bool
    request_id: str
    headers: Headers

    @property
    def name(self) -> str:
        return self.shape.name if self.shape is not None else self.error.code

    @property
    def side(self) -> str:
        return "Receiver" if self.is_fault else "Sender"


def encode_error(service: str | None, operation: str | None, protocol: str, error: Error, request_id: str) -> Response:
    """The response for an error. `service` is None when none was found for the request."""
    known = service if service in SERVICES else None
    shape = models.error_shape(known, error.shape or error.code) if known else None
    trait: dict[str, Any] = shape.metadata.get("error", {}) if shape is not None else {}
    is_fault = not error.sender or (shape is not None and bool(shape.metadata.get("fault")))
    status = error.status or trait.get("httpStatusCode") or (500 if is_fault else 400)
    if (known, protocol) == ("sqs", QUERY) and shape is not None:
        status = sqs_query.STATUSES.get(shape.name, status)
    headers = Headers(id_headers(known, protocol, request_id))
    headers.pairs.extend(getattr(error, "headers", {}).items())
    # A kernel error says by `is_named` that its code was chosen where it was raised, not left to the model.
    code = error.code if getattr(error, "is_named", False) else _query_code(known, shape, error.code)
    if shape is not None and PROTOCOLS[protocol].binds_http:
        ResponseBindings(shape).write(error.fields, headers)
    answer = _Answer(known, shape, code, error, is_fault or status >= 500, request_id, headers)
    body = _WRITERS[protocol](answer)
    return Response(status, headers, body)


def _query_code(service: str | None, shape: Shape | None, code: str) -> str:
    if shape is None:
        return code
    if service == "sqs":
        return sqs_query.ERROR_CODES.get(shape.name, code)
    return shape.metadata.get("error", {}).get("code") or code


# JSON and CBOR -----------------------------------------------------------------------


def _members(answer: _Answer) -> dict[str, Any]:
    """The error's members by the model's names: its message under whichever name the shape gives it."""
    shape, error = answer.shape, answer.error
    out = {k: v for k, v in error.fields.items() if shape is not None and k in shape.members and v is not None}
    if error.message:  # AWS leaves an empty one out
        out[spellings.message_key(answer.service, shape, error.code)] = error.message
    if answer.service == "lambda" and "Type" not in error.fields:
        # Lambda says whose fault it was in the body of every error; of the few that do not, `Type` is None.
        out["Type"] = "Service" if answer.is_fault else "User"
    return out


def _written(answer: _Answer, writer: json_document.Writer) -> dict[str, Any]:
    """The members as the document has them; those the shape lacks as they are."""
    members, shape = _members(answer), answer.shape
    if shape is None:
        return members
    written: dict[str, Any] = writer.structure(shape, in_body(shape))(members)
    return written | {k: v for k, v in members.items() if k not in shape.members}


def _add_query_code(answer: _Answer) -> None:
    if answer.service is not None and models.service(answer.service).is_query_compatible:
        answer.headers.add("x-amzn-query-error", f"{answer.code};{answer.side}")


def _json(answer: _Answer) -> bytes:
    row = PROTOCOLS[JSON]
    kind = content_type(answer.service, row) if answer.service else row.content_type.format(version="1.0")
    answer.headers.add("Content-Type", kind)
    _add_query_code(answer)
    name = sqs_query.TYPES.get(answer.name, answer.name) if answer.service == "sqs" else answer.name
    document = {"__type": spellings.type_name(answer.service, name)}
    return json_document.dumps(document | _written(answer, json_document.Writer()))


def _rest_json(answer: _Answer) -> bytes:
    answer.headers.add("Content-Type", PROTOCOLS[REST_JSON].content_type)
    answer.headers.add("x-amzn-ErrorType", answer.name)
    return json_document.dumps(_written(answer, json_document.Writer()))


def _cbor(answer: _Answer) -> bytes:
    answer.headers.add("Content-Type", PROTOCOLS[CBOR].content_type)
    answer.headers.add("smithy-protocol", "rpc-v2-cbor")
    _add_query_code(answer)
    document = {"__type": spellings.type_name(answer.service, answer.name)}
    return cbor_document.dumps(document | _written(answer, cbor_document.Writer()))


# XML ---------------------------------------------------------------------------------


def _fields(answer: _Answer) -> str:
    """The error's further members as elements."""
    fields, shape = answer.error.fields, answer.shape
    if not fields:
        return ""
    if answer.service == "s3":
        # S3's model has no members for what S3 says beside the message: the bucket, the key, the condition.
        named = ((name, value) for name, value in fields.items() if value is not None)
        return "".join(f"<{name}>{xml_document.escape(str(value))}</{name}>" for name, value in named)
    if shape is None:
        return ""
    further = frozenset(name for name in shape.members if name.lower() != "message")
    return xml_document.Writer(instants.iso).inside(shape, further)(fields)


def _said(answer: _Answer) -> str:
    message = answer.error.message
    spelled = "" if message is None else f"<Message>{xml_document.escape(message)}</Message>"
    return f"<Code>{xml_document.escape(answer.code)}</Code>{spelled}{_fields(answer)}"


def _query(answer: _Answer) -> bytes:
    answer.headers.add("Content-Type", PROTOCOLS[QUERY].content_type)
    namespace = models.service(answer.service, QUERY).metadata.get("xmlNamespace", "") if answer.service else ""
    is_sqs = answer.service == "sqs"
    if is_sqs and answer.code == "UnknownOperationException":
        return b"<UnknownOperationException/>\n"  # what AWS answers to a queue's bare URL
    return (
        f'{XML_DECLARATION if is_sqs else ""}<ErrorResponse xmlns="{namespace}">'
        f"<Error><Type>{answer.side}</Type>{_said(answer)}{'<Detail/>' if is_sqs else ''}</Error>"
        f"<RequestId>{answer.request_id}</RequestId></ErrorResponse>"
    ).encode()


def _rest_xml(answer: _Answer) -> bytes:
    answer.headers.add("Content-Type", PROTOCOLS[REST_XML].content_type)
    host_id = s3.extended_id(answer.request_id)
    return (
        f"{XML_DECLARATION}<Error>{_said(answer)}"
        f"<RequestId>{answer.request_id}</RequestId><HostId>{host_id}</HostId></Error>"
    ).encode()


_WRITERS = {JSON: _json, REST_JSON: _rest_json, CBOR: _cbor, QUERY: _query, REST_XML: _rest_xml}
