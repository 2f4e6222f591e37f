"""Imports: an API from an OpenAPI document, made or made anew."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.languages import openapi
from stratolite.languages.openapi import HttpApi, InvalidDocument

from . import apis, authorizers, deployments, integrations, parts, routes
from .errors import BadRequestException
from .parts import Api, Document, given


@operation
def import_api(call: Call, body: str, fail_on_warnings: bool | None = None) -> Document:
    """`fail_on_warnings` changes nothing: what would be a warning is an error here."""
    wanted = understood(body)
    api = apis.add(call, _members(wanted), wanted.tags)
    fill(call, api, wanted)
    return apis.described(parts.find_api(call, api.id))


@operation
def reimport_api(call: Call, api_id: str, body: str, fail_on_warnings: bool | None = None) -> Document:
    """Replaces everything but the stages."""
    wanted = understood(body)
    api = parts.find_api(call, api_id)
    call.tx.run("DELETE FROM apigatewayv2_part WHERE api = ? AND kind <> 'Stage'", api.key)
    document = {name: value for name, value in api.document.items() if name != "CorsConfiguration"}
    parts.save_api(call, api, document | _members(wanted))
    tags = api.tags | wanted.tags
    call.tx.run("UPDATE apigatewayv2_api SET tags = ? WHERE key = ?", json.dumps(tags), api.key)
    fill(call, api, wanted)
    deployments.changed(call, api)
    return apis.described(parts.find_api(call, api_id))


def understood(body: str | Any) -> HttpApi:
    """Raises BadRequestException for a document that cannot be."""
    try:
        return openapi.read(openapi.parse(body) if isinstance(body, str) else body)
    except InvalidDocument as error:
        raise BadRequestException(str(error)) from None


def _members(wanted: HttpApi) -> Document:
    return given(
        Name=wanted.name,
        ProtocolType="HTTP",
        Version=wanted.version,
        Description=wanted.description,
        CorsConfiguration=apis.checked_cors(wanted.cors),
        ApiKeySelectionExpression="$request.header.x-api-key",
        RouteSelectionExpression="$request.method $request.path",
        DisableExecuteApiEndpoint=False,
        IpAddressType="ipv4",
    )


def fill(call: Call, api: Api, wanted: HttpApi) -> None:
    """Add what a document says to an API that has none of it. Equal integrations of two routes are one."""
    known = {
        name: authorizers.add(call, api, document)["AuthorizerId"] for name, document in wanted.authorizers.items()
    }
    made: dict[str, str] = {}
    for route in wanted.routes:
        target = None
        if route.integration is not None:
            text = json.dumps(route.integration, sort_keys=True)
            if text not in made:
                made[text] = integrations.add(call, api, route.integration)["IntegrationId"]
            target = f"integrations/{made[text]}"
        routes.add(
            call,
            api,
            given(
                RouteKey=route.key,
                Target=target,
                AuthorizationType=route.authorization,
                AuthorizerId=known.get(route.authorizer or ""),
                AuthorizationScopes=list(route.scopes) or None,
                OperationName=route.operation,
            ),
        )
