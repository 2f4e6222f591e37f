"""Signatures as botocore makes them are found good, and altered requests are not."""

from __future__ import annotations

from calendar import timegm
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from stratolite.wire.http1 import Headers, Request
from stratolite.wire.signatures import Scope, SignatureMismatch, scope, verify

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials("AKIDEXAMPLE", SECRET, "token")


def signed(auth: Any, service: str, method: str, url: str, body: bytes = b"", **headers: str) -> Request:
    if issubclass(auth, SigV4QueryAuth):
        signer = auth(CREDENTIALS, service, "eu-west-1", expires=300)
    else:
        signer = auth(CREDENTIALS, service, "eu-west-1")
    request = AWSRequest(method, url, data=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    signer.add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    pairs = [(k, v.decode() if isinstance(v, bytes) else v) for k, v in prepared.headers.items()]
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs.append(("Host", parts.netloc))
    return Request(method, parts.path + ("?" + parts.query if parts.query else ""), Headers(pairs), body)


CASES = [
    (SigV4Auth, "dynamodb", "POST", "http://localhost:4566/", b'{"TableName": "t"}'),
    (SigV4Auth, "lambda", "GET", "http://localhost:4566/2015-03-31/functions/a%3Ab/x?Qualifier=a%20b&A=%2F", b""),
    (SigV4Auth, "iam", "POST", "http://localhost:4566/", b"Action=ListUsers&Version=2010-05-08"),
    (S3SigV4Auth, "s3", "PUT", "http://localhost:4566/b/a%20key/with%2Bplus?tagging", b"<Tagging/>"),
    (SigV4QueryAuth, "sqs", "GET", "http://localhost:4566/?Action=ListQueues&Version=2012-11-05", b""),
    (S3SigV4QueryAuth, "s3", "GET", "http://bucket.s3.localhost:4566/a%20key?versionId=1", b""),
]


def wall() -> float:
    return datetime.now(UTC).timestamp()


@pytest.mark.parametrize(("auth", "service", "method", "url", "body"), CASES)
def test_what_botocore_signs_is_verified(auth: Any, service: str, method: str, url: str, body: bytes) -> None:
    request = signed(auth, service, method, url, body, x_amz_meta_a="two  words")
    found = scope(request)
    assert found is not None
    assert (found.access_key, found.region, found.service) == ("AKIDEXAMPLE", "eu-west-1", service)
    assert found.presigned == issubclass(auth, SigV4QueryAuth)
    verify(request, SECRET, wall=wall())


@pytest.mark.parametrize(("auth", "service", "method", "url", "body"), CASES)
def test_another_secret_another_path_or_another_time_is_refused(
    auth: Any, service: str, method: str, url: str, body: bytes
) -> None:
    request = signed(auth, service, method, url, body)
    path, mark, query = request.target.partition("?")
    moved = Request(request.method, path + "x" + mark + query, request.headers, request.body)
    for altered, secret in ((request, "another"), (moved, SECRET)):
        with pytest.raises(SignatureMismatch) as caught:
            verify(altered, secret, wall=wall())
        assert caught.value.code == "SignatureDoesNotMatch"
    with pytest.raises(SignatureMismatch):
        verify(request, SECRET, wall=wall() + 3600)
    with pytest.raises(SignatureMismatch):
        verify(request, SECRET, wall=wall() - 3600)


def test_a_body_that_was_not_signed_is_refused() -> None:
    request = signed(SigV4Auth, "dynamodb", "POST", "http://localhost:4566/", b'{"TableName": "t"}')
    request.body = b'{"TableName": "u"}'
    with pytest.raises(SignatureMismatch):
        verify(request, SECRET, wall=wall())


def test_the_time_is_judged_by_the_wall_clock_that_is_given() -> None:
    request = signed(SigV4Auth, "dynamodb", "POST", "http://localhost:4566/", b"{}")
    at = timegm(datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").timetuple())
    verify(request, SECRET, wall=at + 899)
    with pytest.raises(SignatureMismatch, match="Signature expired"):
        verify(request, SECRET, wall=at + 901)


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        (None, None),
        ("Bearer abc", None),
        ("AWS4-HMAC-SHA256 Credential=nothing", None),
        ("AWS AKID:c2ln", Scope("AKID", "", "", "s3")),
        (
            "AWS4-ECDSA-P256-SHA256 Credential=AKID/20261121/s3/aws4_request, SignedHeaders=host, Signature=0",
            Scope("AKID", "20261121", "", "s3"),
        ),
        (
            "AWS4-HMAC-SHA256 Credential=000000000001/20261121/us-east-1/sqs/aws4_request, Signature=0",
            Scope("000000000001", "20261121", "us-east-1", "sqs"),
        ),
    ],
)
def test_the_scope_of_every_kind_of_signature(authorization: str | None, expected: Scope | None) -> None:
    headers = Headers([("Authorization", authorization)] if authorization else [])
    assert scope(Request("GET", "/", headers)) == expected
