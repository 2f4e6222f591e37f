"""HTTP: a request passed on to an address, and its answer passed back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from stratolite.kernel import Call
from stratolite.wire.http1 import Headers, Response

from .. import answers
from ..payloads import Exchange

# RFC 9110, 7.6.1: between two neighbours only.
_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "host", "content-length",
}  # fmt: skip


async def proxy(call: Call, exchange: Exchange, integration: Mapping[str, Any], source: str) -> Response:
    """Send the request on: its body, its query, its headers but those between neighbours."""
    method = integration["IntegrationMethod"]
    url = address(integration["IntegrationUri"], exchange)
    headers = {name: value for name, value in exchange.headers.items() if name not in _HOP_BY_HOP}
    started = call.world.now()
    try:
        answer = await call.world.fetch(
            exchange.request.method if method == "ANY" else method,
            url,
            headers,
            exchange.request.bytes(),
            integration["TimeoutInMillis"] / 1000,
        )
    except (OSError, TimeoutError) as error:
        exchange.notes["integrationErrorMessage"] = str(error) or type(error).__name__
        return answers.own(503)
    finally:
        exchange.notes["integrationLatency"] = round((call.world.now() - started) * 1000)
    exchange.notes |= {"integrationStatus": answer.status, "integration.status": answer.status}
    passed = Headers([(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP])
    return Response(answer.status, passed, answer.body)


def address(uri: str, exchange: Exchange) -> str:
    """The integration's URI with the path's variables and the query in it."""
    uri = re.sub(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}", lambda m: exchange.stage_variables.get(m[1], ""), uri)
    uri = re.sub(r"\{([^{}+]+)\+?\}", lambda m: quote(exchange.variables.get(m[1], ""), safe="/"), uri)
    query = exchange.request.query_string
    return f"{uri}{'&' if '?' in uri else '?'}{query}" if query else uri
