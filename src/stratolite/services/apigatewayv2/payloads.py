"""Payloads: the events a function gets, in formats 1.0 and 2.0, as integrations and as authorizers send them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from stratolite.wire.http1 import Request

_TEXT = re.compile(r"text/.*|application/(json|javascript|xml|.*\+json|.*\+xml)", re.I)


@dataclass
class Exchange:
    """One request under way: everything that events, access logs and mappings are made from."""

    request: Request
    account: str
    api_id: str
    region: str
    stage: str
    path: str
    """The path with the stage in front, as functions see it; not decoded."""
    now: float
    request_id: str
    trace: str
    host: str
    stage_variables: dict[str, str]
    route_key: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    authorizer: dict[str, Any] | None = None
    """What authorization found out, by its kind: `{"lambda": {...}}`, `{"jwt": {...}}`, `{"iam": {...}}`."""
    principal_id: str | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    """What the access log may be asked for besides: `authorizer.error`, `integration.status`, ..."""

    @property
    def route_arn(self) -> str:
        path = self.path.removeprefix(f"/{self.stage}") if self.stage != "$default" else self.path
        resource = f"{self.api_id}/{self.stage}/{self.request.method}{path}"
        return f"arn:aws:execute-api:{self.region}:{self.account}:{resource}"

    @property
    def headers(self) -> dict[str, str]:
        """Lower-case names; repeats joined by commas; what the gateway adds on the way is there."""
        joined: dict[str, str] = {}
        for name, value in self.request.headers.items():
            name = name.lower()
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        joined.setdefault("host", self.host)
        peer = self.request.peer
        joined["x-forwarded-for"] = f"{joined['x-forwarded-for']}, {peer}" if "x-forwarded-for" in joined else peer
        joined.setdefault("x-forwarded-port", "443")
        joined.setdefault("x-forwarded-proto", "https")
        joined["x-amzn-trace-id"] = self.trace
        return joined

    @property
    def query(self) -> dict[str, str]:
        """Decoded; repeats joined by commas."""
        joined: dict[str, str] = {}
        for name, value in self.request.query:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        return joined

    @property
    def cookies(self) -> list[str]:
        return [part.strip() for line in self.request.headers.all("cookie") for part in line.split(";") if part.strip()]

    @property
    def user_agent(self) -> str:
        return self.request.headers.get("user-agent") or ""

    @property
    def protocol(self) -> str:
        return f"HTTP/{self.request.http_version}"

    @property
    def time(self) -> str:
        return datetime.fromtimestamp(self.now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")

    def body(self) -> tuple[str | None, bool]:
        """The body as a JSON string, and whether it is base64: what is not declared as text, or is none."""
        raw = self.request.bytes()
        if not raw:
            return None, False
        kind = (self.request.headers.get("content-type") or "text/plain").partition(";")[0].strip()
        if _TEXT.fullmatch(kind):
            try:
                return raw.decode("utf-8"), False
            except UnicodeDecodeError:
                pass
        return base64.b64encode(raw).decode(), True


def event_2(exchange: Exchange) -> dict[str, Any]:
    """Format 2.0, for an integration."""
    body, encoded = exchange.body()
    event = _common_2(exchange)
    context = event["requestContext"]
    if exchange.authorizer is not None:
        context["authorizer"] = exchange.authorizer
        event["requestContext"] = dict(sorted(context.items()))
    if body is not None:
        event["body"] = body
    event["isBase64Encoded"] = encoded
    return event


def _common_2(exchange: Exchange) -> dict[str, Any]:
    headers = exchange.headers
    path = unquote(exchange.path)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": exchange.route_key,
        "rawPath": path,
        "rawQueryString": exchange.request.query_string,
    }
    if cookies := exchange.cookies:
        event["cookies"] = cookies
        headers.pop("cookie", None)
    event["headers"] = headers
    if query := exchange.query:
        event["queryStringParameters"] = query
    event["requestContext"] = {
        "accountId": exchange.account,
        "apiId": exchange.api_id,
        "domainName": exchange.host,
        "domainPrefix": exchange.host.partition(".")[0],
        "http": {
            "method": exchange.request.method,
            "path": path,
            "protocol": exchange.protocol,
            "sourceIp": exchange.request.peer,
            "userAgent": exchange.user_agent,
        },
        "requestId": exchange.request_id,
        "routeKey": exchange.route_key,
        "stage": exchange.stage,
        "time": exchange.time,
        "timeEpoch": int(exchange.now * 1000),
    }
    if exchange.variables:
        event["pathParameters"] = exchange.variables
    if exchange.stage_variables:
        event["stageVariables"] = exchange.stage_variables
    return event


def authorizer_event_2(exchange: Exchange, identities: list[str]) -> dict[str, Any]:
    """Format 2.0, for an authorizer: it never sees a body."""
    common = _common_2(exchange)
    version = common.pop("version")
    return {
        "version": version,
        "type": "REQUEST",
        "routeArn": exchange.route_arn,
        "identitySource": identities or None,
        **common,
    }


def event_1(exchange: Exchange) -> dict[str, Any]:
    """Format 1.0, for an integration."""
    body, encoded = exchange.body()
    return {
        "version": "1.0",
        **_common_1(exchange),
        "body": body,
        "isBase64Encoded": encoded,
    }


def authorizer_event_1(exchange: Exchange, identities: list[str]) -> dict[str, Any]:
    """Format 1.0, for an authorizer."""
    identity = ",".join(identities)
    return {
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": exchange.route_arn,
        "identitySource": identity,
        "authorizationToken": identity,
        **_common_1(exchange),
    }


def _common_1(exchange: Exchange) -> dict[str, Any]:
    route_path = exchange.route_key.partition(" ")[2] or exchange.route_key
    headers = exchange.headers
    single = dict(exchange.request.query)
    several: dict[str, list[str]] = {}
    for name, value in exchange.request.query:
        several.setdefault(name, []).append(value)
    return {
        "resource": route_path,
        "path": unquote(exchange.path),
        "httpMethod": exchange.request.method,
        "headers": headers,
        "multiValueHeaders": {name: exchange.request.headers.all(name) or [value] for name, value in headers.items()},
        "queryStringParameters": single or None,
        "multiValueQueryStringParameters": several or None,
        "requestContext": {
            "accountId": exchange.account,
            "apiId": exchange.api_id,
            **({} if exchange.authorizer is None else {"authorizer": _authorizer_1(exchange)}),
            "domainName": exchange.host,
            "domainPrefix": exchange.host.partition(".")[0],
            "extendedRequestId": exchange.request_id,
            "httpMethod": exchange.request.method,
            "identity": {
                "accessKey": None,
                "accountId": None,
                "caller": None,
                "cognitoAmr": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": exchange.request.peer,
                "user": None,
                "userAgent": exchange.user_agent,
                "userArn": None,
            },
            "path": unquote(exchange.path),
            "protocol": exchange.protocol,
            "requestId": exchange.request_id,
            "requestTime": exchange.time,
            "requestTimeEpoch": int(exchange.now * 1000),
            "resourceId": exchange.route_key,
            "resourcePath": route_path,
            "stage": exchange.stage,
        },
        "pathParameters": exchange.variables or None,
        "stageVariables": exchange.stage_variables or None,
    }


def _authorizer_1(exchange: Exchange) -> dict[str, Any]:
    """Flat in format 1.0: an authorizer's context and its principal; a token's claims and scopes."""
    found: dict[str, Any] = exchange.authorizer or {}
    flat = dict(found.get("lambda") or found.get("jwt") or {})
    if exchange.principal_id is not None:
        flat["principalId"] = exchange.principal_id
    return flat


INTEGRATION = {"1.0": event_1, "2.0": event_2}
AUTHORIZER = {"1.0": authorizer_event_1, "2.0": authorizer_event_2}
