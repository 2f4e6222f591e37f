"""Answers: what a function's result means as an HTTP response, and what the gateway says itself."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from stratolite.wire.http1 import Headers, Response

TEXTS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class NotAnAnswer(Exception):
    """What the function gave back is no response; the caller gets a 500."""


def own(status: int) -> Response:
    """The gateway's own answer."""
    body = json.dumps({"message": TEXTS[status]}, separators=(",", ":")).encode()
    return Response(status, Headers([("content-type", "application/json")]), body)


def interpreted(version: str, payload: bytes) -> Response:
    """A function's result as a response. Raises NotAnAnswer."""
    try:
        result = json.loads(payload)
    except ValueError:
        raise NotAnAnswer("the result is not JSON") from None
    if isinstance(result, dict) and "statusCode" in result:
        return _structured(version, result)
    if version == "1.0":
        raise NotAnAnswer("a result in format 1.0 needs a statusCode")
    # Format 2.0 takes anything else for the body of a 200.
    body = result.encode() if isinstance(result, str) else payload
    return Response(200, Headers([("content-type", "application/json")]), body)


def _structured(version: str, result: dict[str, Any]) -> Response:
    headers = Headers()
    given, several = result.get("headers") or {}, result.get("multiValueHeaders") or {}
    if not isinstance(given, dict) or not isinstance(several, dict):
        raise NotAnAnswer("headers is not an object")
    for name, value in given.items():
        if version == "1.0" and name.lower() in {other.lower() for other in several}:
            continue
        headers.add(name.lower(), _text(value))
    if version == "1.0":
        for name, values in several.items():
            for value in values:
                headers.add(name.lower(), _text(value))
    else:
        cookies = result.get("cookies") or []
        if not isinstance(cookies, list):
            raise NotAnAnswer("cookies is not a list")
        for cookie in cookies:
            headers.add("set-cookie", str(cookie))
    body = _body(result)
    if "content-type" not in headers:
        headers.set("content-type", "text/plain;charset=UTF-8")
    return Response(_status(result["statusCode"]), headers, body)


def _status(given: Any) -> int:
    try:
        status = int(given)
    except (TypeError, ValueError):
        raise NotAnAnswer(f"statusCode is {given!r}") from None
    if isinstance(given, bool | float) or not 200 <= status <= 599:
        raise NotAnAnswer(f"statusCode is {given!r}")
    return status


def _body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise NotAnAnswer("body is not a string")
    if not result.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise NotAnAnswer("body is not base64") from None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value).replace("\r", "").replace("\n", "")
    raise NotAnAnswer("a header's value is neither text nor a number")
