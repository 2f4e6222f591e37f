"""CORS: answered and added by the gateway itself; what the integration says about it is dropped.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stratolite.wire.http1 import Headers, Request, Response

_NAMES = (
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-allow-credentials",
    "access-control-expose-headers",
    "access-control-max-age",
)


def is_preflight(request: Request) -> bool:
    return (
        request.method == "OPTIONS"
        and "origin" in request.headers
        and "access-control-request-method" in request.headers
    )


def preflight(cors: Mapping[str, Any], request: Request) -> Response:
    """204, with the permissions if the origin has any."""
    headers = Headers()
    if origin := _origin(cors, request):
        headers.add("access-control-allow-origin", origin)
        for name, member in (("methods", "AllowMethods"), ("headers", "AllowHeaders")):
            if values := cors.get(member):
                headers.add(f"access-control-allow-{name}", ",".join(values))
        if cors.get("AllowCredentials"):
            headers.add("access-control-allow-credentials", "true")
        if (age := cors.get("MaxAge")) is not None:
            headers.add("access-control-max-age", str(age))
    return Response(204, headers)


def add(cors: Mapping[str, Any], request: Request, response: Response) -> None:
    """The gateway's own words about origins instead of the integration's."""
    for name in _NAMES:
        response.headers.remove(name)
    if origin := _origin(cors, request):
        response.headers.add("access-control-allow-origin", origin)
        if exposed := cors.get("ExposeHeaders"):
            response.headers.add("access-control-expose-headers", ",".join(exposed))
        if cors.get("AllowCredentials"):
            response.headers.add("access-control-allow-credentials", "true")


def _origin(cors: Mapping[str, Any], request: Request) -> str | None:
    origin = request.headers.get("origin")
    allowed = cors.get("AllowOrigins") or []
    if origin is None:
        return None
    if "*" in allowed:
        return "*"
    scheme = origin.partition("://")[0]
    if origin in allowed or f"{scheme}://*" in allowed:
        return origin
    return None
