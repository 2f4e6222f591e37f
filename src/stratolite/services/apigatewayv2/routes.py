"""Routes: which requests there are, what may ask them, and where they go."""

from __future__ import annotations

import re
from typing import Any

from stratolite.kernel import Call, operation

from . import deployments, parts
from .errors import BadRequestException, ConflictException, NotFoundException
from .parts import Api, Document, given

METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

_KEY = re.compile(rf"({'|'.join(METHODS)}) (/.*)")
_SEGMENT = re.compile(r"[^{}/]*|\{[A-Za-z0-9._:-]+\+?\}")
_AUTHORIZATIONS = ("NONE", "AWS_IAM", "CUSTOM", "JWT")


@operation
def create_route(
    call: Call,
    api_id: str,
    route_key: str,
    api_key_required: bool | None = None,
    authorization_scopes: list[str] | None = None,
    authorization_type: str | None = None,
    authorizer_id: str | None = None,
    operation_name: str | None = None,
    target: str | None = None,
) -> Document:
    api = parts.find_api(call, api_id)
    document = given(
        RouteKey=route_key,
        ApiKeyRequired=api_key_required,
        AuthorizationScopes=authorization_scopes,
        AuthorizationType=authorization_type,
        AuthorizerId=authorizer_id,
        OperationName=operation_name,
        Target=target,
    )
    made = add(call, api, document)
    deployments.changed(call, api)
    return made


def add(call: Call, api: Api, document: Document) -> Document:
    """Check and keep a route; it has its id then."""
    document = {"ApiKeyRequired": False, "AuthorizationType": "NONE"} | document
    _check(call, api, document, None)
    route_id = parts.random_id(call, 7)
    return parts.add(call, api, "Route", route_id, document | {"RouteId": route_id})


def _check(call: Call, api: Api, document: Document, own_id: str | None) -> None:
    key = document["RouteKey"]
    if not is_route_key(key):
        raise BadRequestException(
            "The provided route key is not formatted properly for HTTP protocol. "
            'Format should be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )
    for other in parts.every(call, api, "Route"):
        if other["RouteKey"] == key and other["RouteId"] != own_id:
            raise ConflictException(f"Route with key {key} already exists for this API")
    if document["ApiKeyRequired"]:
        raise BadRequestException("ApiKeyRequired is not currently supported for HTTP APIs")
    if (kind := document["AuthorizationType"]) not in _AUTHORIZATIONS:
        raise BadRequestException(f"Invalid authorization type: {kind}")
    _check_authorizer(call, api, document, kind)
    if (target := document.get("Target")) is not None:
        room, _, integration = str(target).partition("/")
        if room != "integrations":
            raise BadRequestException(f"Invalid target: {target}")
        try:
            parts.find(call, api, "Integration", integration)
        except NotFoundException:
            raise BadRequestException(f"Invalid target: {target}") from None


def _check_authorizer(call: Call, api: Api, document: Document, kind: str) -> None:
    authorizer_id = document.get("AuthorizerId")
    if kind == "AWS_IAM":
        call.not_emulated_here("apigatewayv2 AWS_IAM (a signature must be there; whose it is is not judged)")
    if kind in ("NONE", "AWS_IAM"):
        if document.get("AuthorizationScopes"):
            raise BadRequestException("Authorization scopes are only valid for JWT authorization")
        document.pop("AuthorizerId", None)
        return
    if not authorizer_id:
        raise BadRequestException(f"AuthorizerId is required when authorization type is {kind}")
    try:
        authorizer = parts.find(call, api, "Authorizer", authorizer_id)
    except NotFoundException:
        raise BadRequestException(f"Invalid authorizer identifier specified: {authorizer_id}") from None
    if (authorizer["AuthorizerType"] == "JWT") != (kind == "JWT"):
        raise BadRequestException("The authorizer's type does not fit the route's authorization type")


def is_route_key(key: str) -> bool:
    """`$default`, or a method and a path whose segments are text or `{name}`; `{name+}` only as the last."""
    if key == "$default":
        return True
    if (match := _KEY.fullmatch(key)) is None:
        return False
    segments = match[2].split("/")[1:]
    return all(_SEGMENT.fullmatch(s) for s in segments) and not any(s.endswith("+}") for s in segments[:-1])


@operation
def get_route(call: Call, api_id: str, route_id: str) -> Document:
    return parts.find(call, parts.find_api(call, api_id), "Route", route_id)


@operation
def get_routes(call: Call, api_id: str, max_results: str | None = None, next_token: str | None = None) -> Document:
    return parts.page(parts.every(call, parts.find_api(call, api_id), "Route"), max_results, next_token)


@operation
def update_route(
    call: Call,
    api_id: str,
    route_id: str,
    api_key_required: bool | None = None,
    authorization_scopes: list[str] | None = None,
    authorization_type: str | None = None,
    authorizer_id: str | None = None,
    operation_name: str | None = None,
    route_key: str | None = None,
    target: str | None = None,
) -> Document:
    api = parts.find_api(call, api_id)
    document: dict[str, Any] = parts.find(call, api, "Route", route_id)
    document |= given(
        ApiKeyRequired=api_key_required,
        AuthorizationScopes=authorization_scopes,
        AuthorizationType=authorization_type,
        AuthorizerId=authorizer_id,
        OperationName=operation_name,
        RouteKey=route_key,
        Target=target,
    )
    _check(call, api, document, route_id)
    parts.save(call, api, "Route", route_id, document)
    deployments.changed(call, api)
    return document


@operation
def delete_route(call: Call, api_id: str, route_id: str) -> None:
    api = parts.find_api(call, api_id)
    parts.remove(call, api, "Route", route_id)
    deployments.changed(call, api)
