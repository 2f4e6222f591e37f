"""Integrations: what a request is passed on to."""

from __future__ import annotations

from stratolite.kernel import Call, operation

from . import deployments, parts
from .backends import subtypes
from .errors import BadRequestException, ConflictException
from .parts import Api, Document, given

_TYPES = ("AWS_PROXY", "HTTP_PROXY")
_TIMEOUT_MS = range(50, 30_001)  # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html


@operation
def create_integration(
    call: Call,
    api_id: str,
    integration_type: str,
    connection_type: str | None = None,
    credentials_arn: str | None = None,
    description: str | None = None,
    integration_method: str | None = None,
    integration_subtype: str | None = None,
    integration_uri: str | None = None,
    payload_format_version: str | None = None,
    request_parameters: dict[str, str] | None = None,
    response_parameters: dict[str, dict[str, str]] | None = None,
    timeout_in_millis: int | None = None,
) -> Document:
    api = parts.find_api(call, api_id)
    document = given(
        IntegrationType=integration_type,
        ConnectionType=connection_type or "INTERNET",
        CredentialsArn=credentials_arn,
        Description=description,
        IntegrationMethod=integration_method,
        IntegrationSubtype=integration_subtype,
        IntegrationUri=integration_uri,
        PayloadFormatVersion=payload_format_version,
        RequestParameters=request_parameters,
        ResponseParameters=response_parameters,
        TimeoutInMillis=timeout_in_millis,
    )
    made = add(call, api, document)
    deployments.changed(call, api)
    return made


def add(call: Call, api: Api, document: Document) -> Document:
    """Check and keep an integration; it has its id then."""
    document = {"ConnectionType": "INTERNET", "TimeoutInMillis": 30_000, "PayloadFormatVersion": "1.0"} | document
    _check(document)
    integration_id = parts.random_id(call, 7)
    return parts.add(call, api, "Integration", integration_id, document | {"IntegrationId": integration_id})


def _check(document: Document) -> None:
    kind, uri = document["IntegrationType"], document.get("IntegrationUri")
    if kind not in _TYPES:
        raise BadRequestException(f"IntegrationType {kind} is not supported for HTTP APIs")
    if document["ConnectionType"] != "INTERNET":
        raise BadRequestException("Only INTERNET is supported as ConnectionType here: there are no VPC links")
    if (subtype := document.get("IntegrationSubtype")) is not None:
        if subtype not in subtypes.ALL:
            raise BadRequestException(f"Invalid integration subtype specified: {subtype}")
        if missing := subtypes.ALL[subtype].required - (document.get("RequestParameters") or {}).keys():
            raise BadRequestException(f"Parameters: [{', '.join(sorted(missing))}] are required for {subtype}")
        if not document.get("CredentialsArn"):
            raise BadRequestException("CredentialsArn is required when IntegrationSubtype is specified")
    elif not uri:
        raise BadRequestException("IntegrationUri is required")
    if kind == "AWS_PROXY" and document["PayloadFormatVersion"] not in ("1.0", "2.0"):
        raise BadRequestException("PayloadFormatVersion must be 1.0 or 2.0")
    if kind == "HTTP_PROXY":
        if not str(uri).startswith(("http://", "https://")):
            raise BadRequestException("Invalid HTTP endpoint specified for URI")
        if not document.get("IntegrationMethod"):
            raise BadRequestException("HttpMethod must be set for HTTP_PROXY integration types")
    if document["TimeoutInMillis"] not in _TIMEOUT_MS:
        raise BadRequestException("Timeout should be between 50 ms and 30000 ms")


@operation
def get_integration(call: Call, api_id: str, integration_id: str) -> Document:
    return parts.find(call, parts.find_api(call, api_id), "Integration", integration_id)


@operation
def get_integrations(
    call: Call, api_id: str, max_results: str | None = None, next_token: str | None = None
) -> Document:
    return parts.page(parts.every(call, parts.find_api(call, api_id), "Integration"), max_results, next_token)


@operation
def update_integration(
    call: Call,
    api_id: str,
    integration_id: str,
    connection_type: str | None = None,
    credentials_arn: str | None = None,
    description: str | None = None,
    integration_method: str | None = None,
    integration_subtype: str | None = None,
    integration_type: str | None = None,
    integration_uri: str | None = None,
    payload_format_version: str | None = None,
    request_parameters: dict[str, str] | None = None,
    response_parameters: dict[str, dict[str, str]] | None = None,
    timeout_in_millis: int | None = None,
) -> Document:
    """A request parameter whose value is empty is removed; the others are added to those that are there."""
    api = parts.find_api(call, api_id)
    document = parts.find(call, api, "Integration", integration_id)
    if request_parameters is not None:
        request_parameters = (document.get("RequestParameters") or {}) | request_parameters
        request_parameters = {name: value for name, value in request_parameters.items() if value}
    document |= given(
        ConnectionType=connection_type,
        CredentialsArn=credentials_arn,
        Description=description,
        IntegrationMethod=integration_method,
        IntegrationSubtype=integration_subtype,
        IntegrationType=integration_type,
        IntegrationUri=integration_uri,
        PayloadFormatVersion=payload_format_version,
        RequestParameters=request_parameters,
        ResponseParameters=response_parameters,
        TimeoutInMillis=timeout_in_millis,
    )
    _check(document)
    parts.save(call, api, "Integration", integration_id, document)
    deployments.changed(call, api)
    return document


@operation
def delete_integration(call: Call, api_id: str, integration_id: str) -> None:
    api = parts.find_api(call, api_id)
    parts.find(call, api, "Integration", integration_id)
    target = f"integrations/{integration_id}"
    for route in parts.every(call, api, "Route"):
        if route.get("Target") == target:
            raise ConflictException(
                f"Cannot delete Integration '{integration_id}' due to Route '{route['RouteId']}' referencing it"
            )
    parts.remove(call, api, "Integration", integration_id)
    deployments.changed(call, api)
