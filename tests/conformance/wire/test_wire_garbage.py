"""Whatever bytes arrive, the wire answers with an AWS error of its own and never with a failure."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from wire_oracle import cases, request_of, sample_params

from stratolite.wire import errors, models, validate
from stratolite.wire.decode import decode
from stratolite.wire.faults import WireError
from stratolite.wire.http1 import Headers, Request
from stratolite.wire.protocols import JSON, PROTOCOLS, REST_JSON, SERVICES
from stratolite.wire.route import route

ALL = frozenset(SERVICES)

_KINDS: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    2**70,
    "",
    "x",
    "\ud800",
    [],
    [None],
    [[]],
    {},
    {"": None},
    {"a": {}},
]

_BODIES = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"\x00\xff\xfe",
    b"{" * 3000,
    b"[" * 100_000,
    b"\xef\xbb\xbf{}",
    b'{"a":NaN}',
    b'{"a":"\\ud800"}',
    b"1" * 5000,
    b"<a>" * 2000,
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    b"<?xml version='1.0' encoding='utf-7'?><a/>",
    b"<a xmlns:x='y'><x:b/></a>",
    b"&&==%%%zz&a.1.b=1&a=2&a.b.c=3&.=&..=",
    b"\xbf\xff",
    b"\xd8\x40\x40",
    b"\xa1aa\xc1\xfbx",
    b"\x9f" * 3000,
]


def survives(service: str, operation: str, protocol: str, request: Request) -> None:
    for raw in (False, True):
        try:
            params = decode(service, operation, request, protocol, raw=raw)
            assert isinstance(params, dict)
            validate.check(service, operation, params, protocol)
        except WireError as error:
            answer = errors.encode_error(service, operation, protocol, error, "rid")
            assert 400 <= answer.status < 500


def altered(value: Any, random: Random) -> Any:
    """The same document with one value somewhere replaced by one of another kind."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(sorted(value))
        return {**value, key: altered(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.8:
        return [altered(value[0], random), *value[1:]]
    return random.choice(_KINDS)


@pytest.mark.parametrize("service", SERVICES)
def test_garbage_is_answered_not_suffered(service: str) -> None:
    for protocol, operation in cases(service):
        random = Random(operation)
        good = request_of(service, operation, protocol, sample_params(service, operation, protocol, random))
        bodies = [random.choice(_BODIES), random.choice(_BODIES), random.randbytes(40)]
        if isinstance(good.body, bytes) and good.body:
            at = random.randrange(len(good.body))
            bodies += [good.body[:at], good.body[:at] + random.randbytes(1) + good.body[at + 1 :]]
            if protocol in (JSON, REST_JSON) and good.body.startswith(b"{"):
                bodies += [json.dumps(altered(json.loads(good.body), random)).encode() for _ in range(6)]
        for body in bodies:
            survives(service, operation, protocol, Request(good.method, good.target, good.headers, body))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("body", _BODIES, ids=range(len(_BODIES)))
def test_no_body_is_too_strange_for_any_protocol(protocol: str, body: bytes) -> None:
    service, operation = {
        "json": ("dynamodb", "PutItem"),
        "query": ("sns", "PublishBatch"),
        "rest-json": ("lambda", "CreateFunction"),
        "rest-xml": ("s3", "PutBucketLifecycleConfiguration"),
        "smithy-rpc-v2-cbor": ("cloudwatch", "PutMetricData"),
    }[protocol]
    survives(service, operation, protocol, Request("POST", "/bucket", Headers(), body))


def test_no_request_is_too_strange_to_be_routed() -> None:
    random = Random(1)
    methods = ["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"]
    paths = [
        "/",
        "//",
        "/%",
        "/%ff%00",
        "/a/b/c/d/e/f",
        "*",
        "",
        "http://x/y",
        "/2015-03-31/functions//",
        "/?",
        "/?a&&=&%",
    ]
    targets = [None, "", ".", "X.Y", "DynamoDB_20120810.", "AmazonSQS.SendMessage", ".PutItem", "logs" * 1000]
    authorizations = [None, "", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b", "Bearer x", "AWS a:b", "\x00"]
    for _ in range(3000):
        headers = Headers(
            [("Host", random.choice(["", "localhost", "a.localhost:1", "[::1]:80", "s3.", ".s3.x", "x.y"]))]
        )
        for name, values in (("X-Amz-Target", targets), ("Authorization", authorizations)):
            if (value := random.choice(values)) is not None:
                headers.add(name, value)
        if random.random() < 0.3:
            headers.add("Content-Type", "application/x-www-form-urlencoded")
        if random.random() < 0.1:
            headers.add("smithy-protocol", random.choice(["rpc-v2-cbor", "x"]))
        body = random.choice(
            [b"", b"Action=", b"Action=SendMessage", b"Action=X&Version=2012-11-05", b"\xffAction=\xff"]
        )
        request = Request(random.choice(methods), random.choice(paths), headers, body)
        try:
            found = route(request, ALL)
        except WireError as error:
            answer = errors.encode_error(
                getattr(error, "service", None), None, getattr(error, "protocol", JSON), error, "rid"
            )
            assert answer.status >= 400
        else:
            assert found.operation in models.operations(found.service)
            survives(found.service, found.operation, found.protocol, request)
