"""Mappings: what of a request is changed before the integration sees it, and of a response before the caller does.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from stratolite.wire.http1 import Headers, Request, Response

from . import context
from .payloads import Exchange


def on_request(exchange: Exchange, parameters: Mapping[str, str]) -> Exchange:
    """The exchange as the integration shall see it."""
    headers = Headers(list(exchange.request.headers.items()))
    query = parse_qsl(exchange.request.query_string, keep_blank_values=True)
    path = exchange.path
    for place, expression in parameters.items():
        action, _, target = place.partition(":")
        room, _, name = target.partition(".")
        value = "" if action == "remove" else _text(context.selected(exchange, expression))
        match action, room:
            case "overwrite", "path":
                path = quote(value, safe="/%")
            case "append", "header":
                headers.add(name.lower(), value)
            case "overwrite", "header":
                headers.set(name.lower(), value)
            case "remove", "header":
                headers.remove(name)
            case "append", "querystring":
                query.append((name, value))
            case "overwrite", "querystring":
                query = [pair for pair in query if pair[0] != name] + [(name, value)]
            case "remove", "querystring":
                query = [pair for pair in query if pair[0] != name]
    request = exchange.request
    target = path + (f"?{urlencode(query)}" if query else "")
    changed = Request(request.method, target, headers, request.body, request.peer, request.http_version)
    return replace(exchange, request=changed, path=path)


def on_response(exchange: Exchange, response: Response, parameters: Mapping[str, Mapping[str, str]]) -> Response:
    """The response as the caller shall see it; rules are kept by the integration's status."""
    rules = parameters.get(str(response.status))
    if not rules:
        return response
    body = response.body if isinstance(response.body, bytes) else b""
    headers, status = Headers(list(response.headers.items())), response.status
    for place, expression in rules.items():
        action, _, target = place.partition(":")
        room, _, name = target.partition(".")
        value = "" if action == "remove" else _of_response(exchange, response, body, expression)
        match action, room:
            case "append", "header":
                headers.add(name.lower(), value)
            case "overwrite", "header":
                headers.set(name.lower(), value)
            case "remove", "header":
                headers.remove(name)
            case "overwrite", "statuscode":
                status = int(value) if value.isdigit() else status
    return Response(status, headers, response.body)


def _of_response(exchange: Exchange, response: Response, body: bytes, expression: str) -> str:
    if expression.startswith("$response.header."):
        return response.headers.get(expression.removeprefix("$response.header.")) or ""
    if expression.startswith("$response.body"):
        return _text(context.at(body, expression.removeprefix("$response.body").lstrip(".")))
    return _text(context.selected(exchange, expression))


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
