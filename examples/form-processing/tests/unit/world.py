"""A small world for the unit tests: signed requests, API Gateway's events, Lambda's context."""

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import Any

from forms.signing import signature

SECRET = "tomato"


@dataclass
class Context:
    """Lambda's context, as far as anybody looks."""

    function_name: str = "function"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:000000000000:function:function"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"
    remaining_s: float = 30.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.remaining_s * 1000)


def headers(
    tenant: str = "acme",
    content: bytes = b"",
    method: str = "POST",
    secret: str = SECRET,
    age_s: int = 0,
    path: str = "/v1/submissions",
) -> dict[str, str]:
    """The four headers of a request signed `age_s` seconds ago."""
    timestamp = int(time.time()) - age_s
    digest = hashlib.sha256(content).hexdigest()
    return {
        "x-forms-tenant": tenant,
        "x-forms-timestamp": str(timestamp),
        "x-forms-digest": digest,
        "x-forms-signature": signature(secret, timestamp, method, path, tenant, digest),
    }


def request(
    body: bytes = b"",
    method: str = "POST",
    query: str = "",
    signed: dict[str, str] | None = None,
    encoded: bool = False,
    parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    """An event in payload format 2.0, as it reaches a function behind the authorizer."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} /v1/submissions",
        "rawPath": "/v1/submissions",
        "rawQueryString": query,
        "headers": signed or headers(content=body or query.encode(), method=method),
        "requestContext": {
            "requestId": "request-1",
            "http": {"method": method, "path": "/v1/submissions"},
            "authorizer": {"lambda": {"tenant": "acme"}},
        },
        "isBase64Encoded": encoded,
    }
    if body:
        event["body"] = base64.b64encode(body).decode() if encoded else body.decode()
    if parameters:
        event["queryStringParameters"] = parameters
    return event
