"""APIs: made, described, changed, deleted."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.errors import NotImplementedHere

from . import deployments, integrations, parts, routes
from .errors import BadRequestException
from .parts import Api, Document, given

_ROUTE_SELECTION = "$request.method $request.path"
_API_KEY_SELECTION = "$request.header.x-api-key"
_CORS_MAX_AGE_S = 86_400


@operation
def create_api(
    call: Call,
    name: str,
    protocol_type: str,
    api_key_selection_expression: str | None = None,
    cors_configuration: Document | None = None,
    credentials_arn: str | None = None,
    description: str | None = None,
    disable_execute_api_endpoint: bool | None = None,
    ip_address_type: str | None = None,
    route_key: str | None = None,
    route_selection_expression: str | None = None,
    tags: dict[str, str] | None = None,
    target: str | None = None,
    version: str | None = None,
) -> Document:
    """Makes an HTTP API. With `target` it is whole at once: a route, an integration and a deployed `$default` stage."""
    if protocol_type != "HTTP":
        raise NotImplementedHere(service="apigatewayv2", operation=f"CreateApi of protocol {protocol_type}")
    if route_selection_expression not in (None, _ROUTE_SELECTION, "${request.method} ${request.path}"):
        raise BadRequestException("Invalid route selection expression.")
    document = given(
        Name=name,
        ProtocolType=protocol_type,
        ApiKeySelectionExpression=api_key_selection_expression or _API_KEY_SELECTION,
        CorsConfiguration=checked_cors(cors_configuration),
        Description=description,
        DisableExecuteApiEndpoint=disable_execute_api_endpoint or False,
        IpAddressType=ip_address_type or "ipv4",
        RouteSelectionExpression=_ROUTE_SELECTION,
        Version=version,
    )
    api = add(call, document, tags or {})
    if target is not None:
        _quick(call, api, target, route_key or "$default", credentials_arn)
    return described(api)


def add(call: Call, document: Document, tags: dict[str, str]) -> Api:
    """A new API of the caller's."""
    api_id = parts.random_id(call, 10)
    call.tx.run(
        "INSERT INTO apigatewayv2_api (account, region, id, document, tags, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        call.account,
        call.region,
        api_id,
        json.dumps(document),
        json.dumps(tags),
        call.now,
    )
    return parts.find_api(call, api_id)


def _quick(call: Call, api: Api, target: str, route_key: str, credentials: str | None) -> None:
    is_function = target.startswith("arn:")
    integration = integrations.add(
        call,
        api,
        given(
            IntegrationType="AWS_PROXY" if is_function else "HTTP_PROXY",
            IntegrationUri=target,
            IntegrationMethod="POST" if is_function else "ANY",
            PayloadFormatVersion="2.0" if is_function else "1.0",
            CredentialsArn=credentials,
            ApiGatewayManaged=True,
        ),
    )
    reference = f"integrations/{integration['IntegrationId']}"
    routes.add(call, api, {"RouteKey": route_key, "Target": reference, "ApiGatewayManaged": True})
    deployments.add_stage(call, api, {"StageName": "$default", "AutoDeploy": True, "ApiGatewayManaged": True}, {})


@operation
def get_api(call: Call, api_id: str) -> Document:
    return described(parts.find_api(call, api_id))


@operation
def get_apis(call: Call, max_results: str | None = None, next_token: str | None = None) -> Document:
    rows = call.tx.all(
        "SELECT * FROM apigatewayv2_api WHERE account = ? AND region = ? ORDER BY key", call.account, call.region
    )
    return parts.page([described(parts.api_of(row)) for row in rows], max_results, next_token)


@operation
def update_api(
    call: Call,
    api_id: str,
    api_key_selection_expression: str | None = None,
    cors_configuration: Document | None = None,
    description: str | None = None,
    disable_execute_api_endpoint: bool | None = None,
    ip_address_type: str | None = None,
    name: str | None = None,
    version: str | None = None,
) -> Document:
    api = parts.find_api(call, api_id)
    changes = given(
        ApiKeySelectionExpression=api_key_selection_expression,
        CorsConfiguration=checked_cors(cors_configuration),
        Description=description,
        DisableExecuteApiEndpoint=disable_execute_api_endpoint,
        IpAddressType=ip_address_type,
        Name=name,
        Version=version,
    )
    return change(call, api, api.document | changes)


@operation
def delete_api(call: Call, api_id: str) -> None:
    api = parts.find_api(call, api_id)
    call.tx.run("DELETE FROM apigatewayv2_part WHERE api = ?", api.key)
    call.tx.run("DELETE FROM apigatewayv2_deployment WHERE api = ?", api.key)
    call.tx.run("DELETE FROM apigatewayv2_api WHERE key = ?", api.key)


@operation
def delete_cors_configuration(call: Call, api_id: str) -> None:
    api = parts.find_api(call, api_id)
    change(call, api, {name: value for name, value in api.document.items() if name != "CorsConfiguration"})


def change(call: Call, api: Api, document: Document) -> Document:
    """Keep the API's new document, and deploy it where that happens by itself."""
    parts.save_api(call, api, document)
    deployments.changed(call, api)
    return described(parts.find_api(call, api.id))


def described(api: Api) -> Document:
    endpoint = f"https://{api.id}.execute-api.{api.region}.amazonaws.com"
    return api.document | {
        "ApiId": api.id,
        "ApiEndpoint": endpoint,
        "CreatedDate": api.created_at,
        "Tags": api.tags,
    }


def checked_cors(cors: Document | None) -> Document | None:
    """Raises BadRequestException for what a browser would not take either."""
    if cors is None:
        return None
    if cors.get("AllowCredentials") and "*" in [
        *(cors.get("AllowOrigins") or ()),
        *(cors.get("AllowHeaders") or ()),
        *(cors.get("AllowMethods") or ()),
        *(cors.get("ExposeHeaders") or ()),
    ]:
        raise BadRequestException("If AllowCredentials is true, origins, methods and headers cannot be '*'.")
    age: Any = cors.get("MaxAge")
    if age is not None and not -1 <= age <= _CORS_MAX_AGE_S:
        raise BadRequestException(f"MaxAge must be between -1 and {_CORS_MAX_AGE_S}.")
    return cors
