"""The oracle: botocore writes requests for us to read, and reads the responses that we write."""

from __future__ import annotations

import io
from random import Random
from typing import Any
from urllib.parse import urlsplit

import botocore.parsers
import botocore.serialize
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from wire_samples import Sampler, plain

from stratolite.wire import decode, encode, models
from stratolite.wire.http1 import Headers, Request, Response
from stratolite.wire.protocols import SERVICES


def cases(service: str) -> list[tuple[str, str]]:
    """(protocol, operation) of everything a service answers."""
    return [(p, o) for p in SERVICES[service].protocols for o in sorted(models.operations(service))]


def request_of(service: str, operation: str, protocol: str, params: dict[str, Any]) -> Request:
    """The request botocore sends, unsigned."""
    model = models.operation(service, operation, protocol)
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


def signed(request: Request, service: str) -> Request:
    """The same request with the credential scope of the service."""
    scope = f"AKIDEXAMPLE/20261121/us-east-1/{SERVICES[service].signing}/aws4_request"
    headers = Headers(request.headers.items())
    headers.set("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
    return Request(request.method, request.target, headers, request.body)


def sample_params(service: str, operation: str, protocol: str, seed: int) -> dict[str, Any]:
    shape = models.operation(service, operation, protocol).input_shape
    return {} if shape is None else Sampler(Random(f"{operation} {seed}")).structure(shape)


def sample_result(service: str, operation: str, protocol: str, seed: int) -> dict[str, Any]:
    shape = models.operation(service, operation, protocol).output_shape
    if shape is None:
        return {}
    result = Sampler(Random(f"{operation} {seed}")).structure(shape)
    for name, member in shape.members.items():
        if member.serialization.get("location") == "statusCode":
            result[name] = 200
    return result


def parsed(service: str, operation: str, protocol: str, response: Response) -> dict[str, Any]:
    """What botocore makes of our response."""
    model = models.operation(service, operation, protocol)
    body: Any = response.body
    if model.has_streaming_output:
        body = io.BytesIO(body)
    document = {"status_code": response.status, "headers": HeadersDict(response.headers.items()), "body": body}
    return botocore.parsers.create_parser(protocol).parse(document, model.output_shape)  # type: ignore[no-any-return]


def check_request(service: str, operation: str, protocol: str, seed: int) -> None:
    """We read what botocore wrote."""
    params = sample_params(service, operation, protocol, seed)
    request = request_of(service, operation, protocol, params)
    got = decode.decode(service, operation, request, protocol)
    shape = models.operation(service, operation, protocol).input_shape
    assert _lowered(shape, plain(got)) == _lowered(shape, plain(params)), (service, operation, protocol, seed)


def check_response(service: str, operation: str, protocol: str, seed: int) -> None:
    """botocore reads what we write."""
    result = sample_result(service, operation, protocol, seed)
    response = encode.encode(service, operation, result, protocol, "rid")
    got = parsed(service, operation, protocol, response)
    assert got["ResponseMetadata"]["HTTPHeaders"]
    shape = models.operation(service, operation, protocol).output_shape
    want, have = _lowered(shape, plain(result)), _lowered(shape, plain(got))
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload is not None and payload not in want:
        have.pop(payload, None)  # botocore makes an empty payload of an absent one
    assert have == want, (service, operation, protocol, seed)


def _lowered(shape: Any, value: dict[str, Any]) -> dict[str, Any]:
    """Header names have no case: the keys of members made of headers have none either."""
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("location") == "headers" and name in value:
            value[name] = {k.lower(): v for k, v in value[name].items()}
    return value
