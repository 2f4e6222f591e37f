"""Signatures: whose credentials a request carries, and for which service and region."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

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
    header = request.headers.get("authorization")
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


def _parsed(credential: str, *, presigned: bool) -> Scope | None:
    match = _CREDENTIAL.match(credential)
    if match is None:
        return None
    return Scope(match["key"], match["date"], match["region"] or "", match["service"], presigned)
