"""Signatures: whose credentials a request carries, for which service and region, and whether they are theirs."""

from __future__ import annotations

import hashlib
import hmac
import re
from calendar import timegm
from dataclasses import dataclass
from functools import lru_cache
from time import strptime
from urllib.parse import quote, unquote

from stratolite.wire.faults import WireError
from stratolite.wire.http1 import Request


@dataclass(frozen=True, slots=True)
class Scope:
    access_key: str
    date: str
    """YYYYMMDD; empty for the signatures of before 2012."""
    region: str
    """Empty where the signature names none (SigV4A, SigV2)."""
    service: str
    """The signing name: `monitoring` for cloudwatch."""
    presigned: bool = False


# The credential may hold slashes itself only before the date.
_CREDENTIAL = re.compile(r"(?P<key>.*)/(?P<date>\d{8})/(?:(?P<region>[^/]*)/)?(?P<service>[^/]+)/aws4_request\Z")
_IN_HEADER = re.compile(r"Credential=([^,\s]+)")
_IN_QUERY = re.compile(r"(?:^|&)X-Amz-Credential=([^&]+)")
_OLD_IN_QUERY = re.compile(r"(?:^|&)AWSAccessKeyId=([^&]+)")


def scope(request: Request) -> Scope | None:
    """The credential scope of a signed or presigned request; None when it is neither."""
    header = request.headers.lower().get("authorization")
    if header is not None:
        if header.startswith("AWS4-"):
            found = _IN_HEADER.search(header)
            return _parsed(found[1], presigned=False) if found else None
        if header.startswith("AWS ") and ":" in header:
            return Scope(header[4:].partition(":")[0], "", "", "s3")
        return None
    query = request.query_string
    if "X-Amz-Credential=" in query and (found := _IN_QUERY.search(query)):
        return _parsed(unquote(found[1]), presigned=True)
    if "AWSAccessKeyId=" in query and "Signature=" in query and (found := _OLD_IN_QUERY.search(query)):
        return Scope(unquote(found[1]), "", "", "s3", presigned=True)
    return None


@lru_cache(maxsize=1024)
def _parsed(credential: str, *, presigned: bool) -> Scope | None:
    match = _CREDENTIAL.match(credential)
    if match is None:
        return None
    return Scope(match["key"], match["date"], match["region"] or "", match["service"], presigned)


# Verification ----------------------------------------------------------------------------


class SignatureMismatch(WireError):
    """The signature is not what the secret makes of this request, or its time is not now."""


def verify(request: Request, secret: str, *, wall: float) -> None:
    """Check the SigV4 signature of a request, in its header or its query string.

    Args:
        secret: the secret access key that belongs to the access key of `scope(request)`.
        wall: the wall clock, epoch seconds. A signature is good for 15 minutes either way; a presigned URL from its
            date on for its X-Amz-Expires.

    Raises SignatureMismatch with AWS's codes. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
    """
    claim = _claim(request)
    if claim is None:
        raise SignatureMismatch("IncompleteSignature", "The request signature is incomplete.", 400)
    _check_time(claim, wall)
    if not hmac.compare_digest(_signature(claim, secret), claim.signature):
        raise SignatureMismatch(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.",
            403,
        )


@dataclass(frozen=True, slots=True)
class _Claim:
    scope: Scope
    signature: str
    timestamp: str
    expires_s: int | None
    canonical: str
    """The canonical request."""


_SIGNED = re.compile(r"SignedHeaders=([^,\s]+)")
_SIGNATURE = re.compile(r"Signature=([0-9a-f]+)")
_SKEW_S = 900
_EXPIRES_MAX_S = 604800
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


def _claim(request: Request) -> _Claim | None:
    signed_by = scope(request)
    if signed_by is None or not signed_by.date:
        return None
    query = request.query
    if signed_by.presigned:
        given = dict(query)
        query = [pair for pair in query if pair[0] != "X-Amz-Signature"]
        signature, names = given.get("X-Amz-Signature", ""), given.get("X-Amz-SignedHeaders", "")
        timestamp, expires = given.get("X-Amz-Date", ""), given.get("X-Amz-Expires", "")
        if not expires.isdigit() or int(expires) > _EXPIRES_MAX_S:
            return None
        # S3 signs no body into a URL; the others sign an empty one.
        body_hash = "UNSIGNED-PAYLOAD" if signed_by.service == "s3" else _body_hash(request)
    else:
        header = request.headers["authorization"]
        found, listed = _SIGNATURE.search(header), _SIGNED.search(header)
        if found is None or listed is None:
            return None
        signature, names, expires = found[1], listed[1], ""
        timestamp = request.headers.get("x-amz-date") or ""
        body_hash = request.headers.get("x-amz-content-sha256") or _body_hash(request)
    if not re.fullmatch(r"\d{8}T\d{6}Z", timestamp) or not signature:
        return None
    canonical = "\n".join(
        [
            request.method,
            _canonical_path(request, signed_by.service),
            _canonical_query(query),
            "".join(f"{name}:{_canonical_value(request, name)}\n" for name in names.split(";")),
            names,
            body_hash,
        ]
    )
    return _Claim(signed_by, signature, timestamp, int(expires) if expires else None, canonical)


def _body_hash(request: Request) -> str:
    body = request.bytes()
    return hashlib.sha256(body).hexdigest() if body else _EMPTY_SHA256


def _canonical_path(request: Request, service: str) -> str:
    """S3 signs the path as sent; the others normalise it and escape it once more."""
    path = request.raw_path or "/"
    if service == "s3":
        return quote(unquote(path), safe="/-_.~")
    parts: list[str] = []
    for step in path.split("/"):
        if step == "..":
            parts = parts[:-1]
        elif step not in ("", "."):
            parts.append(step)
    tail = "/" if path.endswith("/") and parts else ""
    return quote("/" + "/".join(parts) + tail, safe="/-_.~")


def _canonical_query(query: list[tuple[str, str]]) -> str:
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _canonical_value(request: Request, name: str) -> str:
    return ",".join(" ".join(value.split()) for value in request.headers.all(name))


def _signature(claim: _Claim, secret: str) -> str:
    where = claim.scope
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            claim.timestamp,
            f"{where.date}/{where.region}/{where.service}/aws4_request",
            hashlib.sha256(claim.canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{secret}".encode()
    for part in (where.date, where.region, where.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _check_time(claim: _Claim, wall: float) -> None:
    try:
        signed_at = timegm(strptime(claim.timestamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise SignatureMismatch("IncompleteSignature", "Date must be in ISO-8601 'basic format'.", 400) from None
    if claim.expires_s is None:
        if abs(wall - signed_at) > _SKEW_S:
            if claim.scope.service == "s3":
                raise SignatureMismatch(
                    "RequestTimeTooSkewed",
                    "The difference between the request time and the current time is too large.",
                    403,
                )
            raise SignatureMismatch("SignatureDoesNotMatch", f"Signature expired: {claim.timestamp}", 403)
    elif wall > signed_at + claim.expires_s:
        raise SignatureMismatch("AccessDenied", "Request has expired", 403)
    elif wall < signed_at - _SKEW_S:
        raise SignatureMismatch("AccessDenied", "Request is not valid yet", 403)
