"""Context: the variables of a request, as identity sources, mappings and access logs name them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .payloads import Exchange

_NAMED: dict[str, Callable[[Exchange], Any]] = {
    "accountId": lambda x: x.account,
    "apiId": lambda x: x.api_id,
    "awsEndpointRequestId": lambda x: x.request_id,
    "domainName": lambda x: x.host,
    "domainPrefix": lambda x: x.host.partition(".")[0],
    "extendedRequestId": lambda x: x.request_id,
    "httpMethod": lambda x: x.request.method,
    "identity.sourceIp": lambda x: x.request.peer,
    "identity.userAgent": lambda x: x.user_agent,
    "path": lambda x: x.path,
    "protocol": lambda x: x.protocol,
    "requestId": lambda x: x.request_id,
    "requestTime": lambda x: x.time,
    "requestTimeEpoch": lambda x: int(x.now),
    "routeKey": lambda x: x.route_key,
    "stage": lambda x: x.stage,
    "authorizer.principalId": lambda x: x.principal_id,
}

_EMBEDDED = re.compile(r"\$\{([^}]+)\}")
_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_]+(?:\.[A-Za-z0-9_:-]+)*)")


def variable(exchange: Exchange, name: str) -> Any:
    """`$context.<name>`, or None."""
    if (known := _NAMED.get(name)) is not None:
        return known(exchange)
    if name in exchange.notes:
        return exchange.notes[name]
    head, _, rest = name.partition(".")
    if head == "authorizer" and rest and exchange.authorizer is not None:
        if rest.startswith("claims."):
            return ((exchange.authorizer.get("jwt") or {}).get("claims") or {}).get(rest.removeprefix("claims."))
        return (exchange.authorizer.get("lambda") or {}).get(rest)
    return None


def line(exchange: Exchange, form: str) -> str:
    """An access log's format with its variables filled in; `-` where there is none."""

    def text(match: re.Match[str]) -> str:
        value = variable(exchange, match[1])
        if value is None or value == "":
            return "-"
        return value if isinstance(value, str) else json.dumps(value)

    return _VARIABLE.sub(text, form)


def selected(exchange: Exchange, expression: str) -> Any:
    """What a selection expression gives: `$request.header.x`, `$context.y`, `$stageVariables.z`, ...; None for nothing.

    Text that is no expression stands for itself; `${...}` inside text is filled in.
    """
    if expression.startswith("$") and not expression.startswith("${"):
        return _selected(exchange, expression[1:])
    if "${" not in expression:
        return expression
    return _EMBEDDED.sub(lambda match: _text(_selected(exchange, match[1])), expression)


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _selected(exchange: Exchange, name: str) -> Any:
    room, _, rest = name.partition(".")
    if room == "context":
        return variable(exchange, rest)
    if room == "stageVariables":
        return exchange.stage_variables.get(rest)
    if room != "request":
        return None
    kind, _, key = rest.partition(".")
    match kind:
        case "header":
            return exchange.headers.get(key.lower())
        case "querystring":
            return exchange.query.get(key)
        case "path":
            return exchange.variables.get(key) if key else exchange.path
        case "body":
            return at(exchange.request.bytes(), key)
        case _:
            return None


def at(body: bytes, path: str) -> Any:
    """A place in a JSON body, `a.b[0]`; the whole of it as text for an empty path."""
    if not path:
        return body.decode("utf-8", "replace")
    try:
        value = json.loads(body)
    except ValueError:
        return None
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return None
    return value
