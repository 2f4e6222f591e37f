"""The oracle: botocore writes requests for us to read, and reads the responses that we write."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from random import Random
from typing import Any
from urllib.parse import urlsplit

import botocore.model
import botocore.parsers
import botocore.serialize
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from wire_samples import WORDS, Sampler, plain

from stratolite.wire import decode, encode, models
from stratolite.wire.http1 import Headers, Request, Response
from stratolite.wire.protocols import QUERY, REST_XML, SERVICES

# botocore writes a carriage return into XML as it is, and every XML parser reads it as a line feed.
_XML_WORDS = tuple(word for word in WORDS if "\r" not in word)


def theirs(service: str, operation: str, protocol: str) -> botocore.model.OperationModel:
    """botocore's own model of an operation, over the same document."""
    return botocore.model.ServiceModel(models.document(service, _spelling(service, protocol)), service).operation_model(
        operation
    )


def _spelling(service: str, protocol: str) -> str | None:
    return protocol if (service, protocol) == ("sqs", "query") else None


def cases(service: str) -> list[tuple[str, str]]:
    """(protocol, operation) of everything a service answers and this botocore can ask."""
    metadata = models.service(service).metadata
    asked = {*metadata.get("protocols", [metadata["protocol"]])} | ({QUERY} if service == "sqs" else set())
    return [(p, o) for p in SERVICES[service].protocols if p in asked for o in sorted(models.operations(service))]


def request_of(service: str, operation: str, protocol: str, params: dict[str, Any]) -> Request:
    """The request botocore sends, unsigned."""
    model = theirs(service, operation, protocol)
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    spelled = serializer.serialize_to_request(params, model)
    prepare_request_dict(spelled, "http://localhost:4566")
    prepared = create_request_object(spelled).prepare()
    url = urlsplit(prepared.url)
    body = prepared.body or b""
    if hasattr(body, "read"):
        body = body.read()
    headers = [(k, v.decode() if isinstance(v, bytes) else str(v)) for k, v in prepared.headers.items()]
    return Request(
        prepared.method,
        url.path + ("?" + url.query if url.query else ""),
        Headers([("Host", "localhost:4566"), *headers]),
        body.encode() if isinstance(body, str) else body,
    )


def credential(service: str) -> str:
    return f"AKIDEXAMPLE/20261121/us-east-1/{SERVICES[service].signing}/aws4_request"


def signed(request: Request, service: str) -> Request:
    """The same request with the credential scope of the service."""
    headers = Headers(list(request.headers.items()))
    headers.set("Authorization", f"AWS4-HMAC-SHA256 Credential={credential(service)}, SignedHeaders=host, Signature=0")
    return Request(request.method, request.target, headers, request.body)


def presigned(request: Request, service: str) -> Request:
    """The same request with the credential scope in its query string."""
    join = "&" if "?" in request.target else "?"
    scope = credential(service).replace("/", "%2F")
    target = f"{request.target}{join}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope}&X-Amz-Signature=0"
    return Request(request.method, target, request.headers, request.body)


def sample_params(service: str, operation: str, protocol: str, random: Random) -> dict[str, Any]:
    shape = models.operation(service, operation, protocol).input_shape
    return {} if shape is None else Sampler(random, _XML_WORDS if protocol == REST_XML else WORDS).structure(shape)


def sample_result(service: str, operation: str, protocol: str, random: Random) -> dict[str, Any]:
    shape = models.operation(service, operation, protocol).output_shape
    if shape is None:
        return {}
    result = Sampler(random).structure(shape)
    for name, member in shape.members.items():
        if member.serialization.get("location") == "statusCode":
            result[name] = 200
    return result


def parsed(service: str, operation: str, protocol: str, response: Response) -> dict[str, Any]:
    """What botocore makes of our response."""
    model = theirs(service, operation, protocol)
    body: Any = response.body
    if model.has_streaming_output:
        body = io.BytesIO(body)
    document = {"status_code": response.status, "headers": HeadersDict(response.headers.items()), "body": body}
    return botocore.parsers.create_parser(protocol).parse(document, model.output_shape)


def check_request(service: str, operation: str, protocol: str, random: Random) -> None:
    """We read what botocore wrote."""
    params = sample_params(service, operation, protocol, random)
    request = request_of(service, operation, protocol, params)
    got = decode.decode(service, operation, request, protocol)
    shape = models.operation(service, operation, protocol).input_shape
    want = _lowered(shape, plain(params))
    have = _lowered(shape, plain(got))
    assert _asked(have, want) == want, (service, operation, protocol)


def check_response(service: str, operation: str, protocol: str, random: Random) -> None:
    """botocore reads what we write."""
    result = sample_result(service, operation, protocol, random)
    response = encode.encode(service, operation, result, protocol, "rid")
    got = parsed(service, operation, protocol, response)
    shape = models.operation(service, operation, protocol).output_shape
    want, have = _lowered(shape, plain(result)), _lowered(shape, plain(got))
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload is not None and payload not in want:
        have.pop(payload, None)  # botocore makes an empty payload of an absent one
    assert _asked(have, want) == want, (service, operation, protocol)


class _Frames:
    """A response's body as botocore reads an event stream from it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self) -> Any:
        # Cut where no frame ends, as a socket would.
        return iter([self._data[i : i + 7] for i in range(0, len(self._data), 7)])

    def close(self) -> None:
        pass


def check_events(service: str, operation: str, protocol: str, random: Random) -> None:
    """botocore reads every kind of event that we stream, and the members before them."""
    model = models.operation(service, operation, protocol)
    shape: Any = model.output_shape
    name = shape.event_stream_name
    events = [
        {kind: Sampler(random).structure(member)}
        for kind, member in shape.members[name].members.items()
        if not member.metadata.get("exception")
    ]

    async def source() -> AsyncIterator[dict[str, Any]]:
        for event in events:
            yield event

    result = sample_result(service, operation, protocol, random)
    response = encode.encode(service, operation, result | {name: source()}, protocol, "rid")
    data = asyncio.run(_gathered(response))
    document = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers.items()),
        "body": _Frames(data),
        "context": {"operation_name": operation},
    }
    got = botocore.parsers.create_parser(protocol).parse(document, theirs(service, operation, protocol).output_shape)
    assert [_event(e) for e in got.pop(name)] == [_event(e) for e in events]
    want = _lowered(shape, plain(result))
    assert _asked(_lowered(shape, plain(got)), want) == want


def _asked(have: dict[str, Any], want: dict[str, Any]) -> dict[str, Any]:
    """Without the members that every body has a header for, asked or not."""
    of_any_body = {"ContentLength", "ContentType", "contentType", "ResponseStreamContentType"}
    return {k: v for k, v in have.items() if k in want or k not in of_any_body}


def _event(event: dict[str, Any]) -> tuple[str, Any]:
    """An event's name and members; an empty payload is an absent one."""
    ((name, value),) = event.items()
    return name, {k: v for k, v in plain(value).items() if v != b""}


async def _gathered(response: Response) -> bytes:
    assert not isinstance(response.body, bytes)
    return b"".join([chunk async for chunk in response.body])


def _lowered(shape: Any, value: dict[str, Any]) -> dict[str, Any]:
    """Header names have no case: the keys of members made of headers have none either."""
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("location") == "headers" and name in value:
            value[name] = {k.lower(): v for k, v in value[name].items()}
    return value
