"""Authorizers: who decides whether a request may pass."""

from __future__ import annotations

import re

from stratolite.kernel import Call, operation

from . import deployments, parts
from .errors import BadRequestException, ConflictException
from .parts import Api, Document, given

_TTL_S = range(3601)
_DEFAULT_TTL_S = 300
_SOURCE = re.compile(r"\$(request\.(header|querystring)\.[^.\s]+|context\.[A-Za-z.]+|stageVariables\.[A-Za-z0-9_]+)")


@operation
def create_authorizer(
    call: Call,
    api_id: str,
    authorizer_type: str,
    identity_source: list[str],
    name: str,
    authorizer_credentials_arn: str | None = None,
    authorizer_payload_format_version: str | None = None,
    authorizer_result_ttl_in_seconds: int | None = None,
    authorizer_uri: str | None = None,
    enable_simple_responses: bool | None = None,
    jwt_configuration: Document | None = None,
) -> Document:
    api = parts.find_api(call, api_id)
    document = given(
        AuthorizerType=authorizer_type,
        IdentitySource=identity_source,
        Name=name,
        AuthorizerCredentialsArn=authorizer_credentials_arn,
        AuthorizerPayloadFormatVersion=authorizer_payload_format_version,
        AuthorizerResultTtlInSeconds=authorizer_result_ttl_in_seconds,
        AuthorizerUri=authorizer_uri,
        EnableSimpleResponses=enable_simple_responses,
        JwtConfiguration=jwt_configuration,
    )
    made = add(call, api, document)
    deployments.changed(call, api)
    return made


def add(call: Call, api: Api, document: Document) -> Document:
    """Check and keep an authorizer; it has its id then."""
    if document["AuthorizerType"] == "REQUEST":
        sources = document.get("IdentitySource")
        document = {
            "AuthorizerResultTtlInSeconds": _DEFAULT_TTL_S if sources else 0,
            "EnableSimpleResponses": False,
        } | document
    _check(document)
    document["AuthorizerId"] = parts.random_id(call, 6)
    return parts.add(call, api, "Authorizer", document["AuthorizerId"], document)


def _check(document: Document) -> None:
    sources = document.get("IdentitySource") or []
    for source in sources:
        if not _SOURCE.fullmatch(source):
            raise BadRequestException(f"Invalid mapping expression specified: {source}")
    match document["AuthorizerType"]:
        case "REQUEST":
            if not document.get("AuthorizerUri"):
                raise BadRequestException("Authorizer URI is required for REQUEST authorizers")
            version = document.get("AuthorizerPayloadFormatVersion")
            if version not in ("1.0", "2.0"):
                raise BadRequestException(
                    "AuthorizerPayloadFormatVersion is a required parameter for HTTP API REQUEST authorizers"
                )
            if version == "1.0" and document["EnableSimpleResponses"]:
                raise BadRequestException("EnableSimpleResponses is only supported for payload format version 2.0")
            ttl_s = document["AuthorizerResultTtlInSeconds"]
            if ttl_s not in _TTL_S:
                raise BadRequestException("AuthorizerResultTtlInSeconds must be between 0 and 3600")
            if ttl_s and not sources:
                raise BadRequestException("IdentitySource is required when caching is enabled")
        case "JWT":
            configuration = document.get("JwtConfiguration") or {}
            if not configuration.get("Issuer"):
                raise BadRequestException("Issuer is required for JWT authorizers")
            if len(sources) != 1:
                raise BadRequestException("JWT authorizers take exactly one identity source")
        case other:
            raise BadRequestException(f"Invalid authorizer type: {other}")


@operation
def get_authorizer(call: Call, api_id: str, authorizer_id: str) -> Document:
    return parts.find(call, parts.find_api(call, api_id), "Authorizer", authorizer_id)


@operation
def get_authorizers(call: Call, api_id: str, max_results: str | None = None, next_token: str | None = None) -> Document:
    return parts.page(parts.every(call, parts.find_api(call, api_id), "Authorizer"), max_results, next_token)


@operation
def update_authorizer(
    call: Call,
    api_id: str,
    authorizer_id: str,
    authorizer_credentials_arn: str | None = None,
    authorizer_payload_format_version: str | None = None,
    authorizer_result_ttl_in_seconds: int | None = None,
    authorizer_type: str | None = None,
    authorizer_uri: str | None = None,
    enable_simple_responses: bool | None = None,
    identity_source: list[str] | None = None,
    jwt_configuration: Document | None = None,
    name: str | None = None,
) -> Document:
    api = parts.find_api(call, api_id)
    document = parts.find(call, api, "Authorizer", authorizer_id) | given(
        AuthorizerCredentialsArn=authorizer_credentials_arn,
        AuthorizerPayloadFormatVersion=authorizer_payload_format_version,
        AuthorizerResultTtlInSeconds=authorizer_result_ttl_in_seconds,
        AuthorizerType=authorizer_type,
        AuthorizerUri=authorizer_uri,
        EnableSimpleResponses=enable_simple_responses,
        IdentitySource=identity_source,
        JwtConfiguration=jwt_configuration,
        Name=name,
    )
    _check(document)
    parts.save(call, api, "Authorizer", authorizer_id, document)
    deployments.changed(call, api)
    return document


@operation
def delete_authorizer(call: Call, api_id: str, authorizer_id: str) -> None:
    api = parts.find_api(call, api_id)
    parts.find(call, api, "Authorizer", authorizer_id)
    for route in parts.every(call, api, "Route"):
        if route.get("AuthorizerId") == authorizer_id:
            raise ConflictException(
                f"Cannot delete Authorizer '{authorizer_id}' due to Route '{route['RouteId']}' referencing it"
            )
    parts.remove(call, api, "Authorizer", authorizer_id)
    deployments.changed(call, api)
