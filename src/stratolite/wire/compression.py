"""Compression: request bodies an SDK has compressed, and the answers that DynamoDB compresses when asked.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-compression.html
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import replace

from stratolite.wire.http1 import Headers, Request, Response

LARGEST_BYTES = 16 * 1024 * 1024
"""A body that unfolds to more than this is refused: a few kilobytes must not become gigabytes."""
THRESHOLD_BYTES = {"dynamodb": 4096, "dynamodbstreams": 4096}
"""The services that compress, and the answers they leave as they are."""

_GZIP, _ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS


class Incompressible(ValueError):
    """The body is not what its Content-Encoding says."""


def _unfold(body: bytes, window: int, many: bool) -> bytes:
    parts: list[bytes] = []
    room = LARGEST_BYTES
    while True:
        folded = zlib.decompressobj(window)
        try:
            parts.append(folded.decompress(body, room))
        except zlib.error as error:
            raise Incompressible(str(error)) from None
        room -= len(parts[-1])
        if not folded.eof or room <= 0:
            raise Incompressible("truncated, or too large")
        body = folded.unused_data
        if not body:
            return b"".join(parts)
        if not many:
            raise Incompressible("something follows")


def unfolded(request: Request) -> Request:
    """The request with its body as it was before it was compressed.

    `gzip` (also of several members) and `deflate` are undone; `aws-chunked` and `identity` are somebody else's.
    Raises Incompressible for a body that is not of its coding, and for a coding nobody here knows.
    """
    coding = request.headers.lower().get("content-encoding")
    if coding is None:
        return request
    coding = coding.strip().lower()
    if coding in ("", "identity") or "aws-chunked" in coding:
        return request
    if coding not in ("gzip", "deflate"):
        raise Incompressible(f"unknown coding {coding}")
    body = _unfold(request.bytes(), _GZIP if coding == "gzip" else _ZLIB, many=coding == "gzip")
    headers = Headers(request.headers.pairs)
    headers.remove("content-encoding")
    headers.remove("content-length")
    headers.add("Content-Length", str(len(body)))
    return replace(request, headers=headers, body=body)


_WEIGHT = re.compile(r"\s*(-?[0-9]+(?:\.[0-9]*)?)\s*").fullmatch


def _weight(parameters: str) -> float:
    """What follows the first `q=`, between 0 and 1; 1 for what is no number, as DynamoDB reads it."""
    _, found, rest = parameters.partition("q=")
    match = _WEIGHT(rest.partition(";")[0]) if found else None
    return min(max(float(match.group(1)), 0.0), 1.0) if match else 1.0


def accepted(header: str) -> str | None:
    """The coding an Accept-Encoding asks for: `gzip`, `deflate` or None. `identity` is never preferred."""
    weights: dict[str, float] = {}
    for entry in header.split(","):
        name, _, parameters = entry.partition(";")
        name = name.strip().lower()
        if name in ("gzip", "deflate", "*"):
            weights[name] = max(weights.get(name, 0.0), _weight(parameters))
    anything = weights.pop("*", 0.0)
    for name in ("gzip", "deflate"):
        weights.setdefault(name, anything)
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] > 0 else None


def folded(service: str, accept: str, response: Response) -> Response:
    """The response, compressed if the service does so, the client asks for it and it is long enough."""
    threshold = THRESHOLD_BYTES.get(service)
    body = response.body
    if threshold is None or not isinstance(body, bytes) or len(body) <= threshold:
        return response
    coding = accepted(accept)
    if coding is None:
        return response
    response.body = gzip.compress(body, 6, mtime=0) if coding == "gzip" else zlib.compress(body, 6)
    response.headers.add("Content-Encoding", coding)
    return response
