"""OpenAPI 3 with API Gateway's extensions, as an HTTP API: its routes, integrations, authorizers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_METHODS = {m: m.upper() for m in ("get", "put", "post", "delete", "options", "head", "patch")} | {
    "x-amazon-apigateway-any-method": "ANY"
}
_INTEGRATION = {
    "type": "IntegrationType",
    "httpMethod": "IntegrationMethod",
    "uri": "IntegrationUri",
    "payloadFormatVersion": "PayloadFormatVersion",
    "connectionType": "ConnectionType",
    "credentials": "CredentialsArn",
    "description": "Description",
    "integrationSubtype": "IntegrationSubtype",
    "requestParameters": "RequestParameters",
    "responseParameters": "ResponseParameters",
    "timeoutInMillis": "TimeoutInMillis",
}
_AUTHORIZER = {
    "authorizerUri": "AuthorizerUri",
    "authorizerCredentials": "AuthorizerCredentialsArn",
    "authorizerPayloadFormatVersion": "AuthorizerPayloadFormatVersion",
    "authorizerResultTtlInSeconds": "AuthorizerResultTtlInSeconds",
    "enableSimpleResponses": "EnableSimpleResponses",
}
_CORS = {
    "allowOrigins": "AllowOrigins",
    "allowMethods": "AllowMethods",
    "allowHeaders": "AllowHeaders",
    "exposeHeaders": "ExposeHeaders",
    "maxAge": "MaxAge",
    "allowCredentials": "AllowCredentials",
}


class InvalidDocument(ValueError):
    """The document is no OpenAPI 3, or says something of an HTTP API that cannot be."""


@dataclass(frozen=True)
class Route:
    """One route; `integration` in API Gateway's members, `authorizer` by name."""

    key: str
    integration: dict[str, Any] | None
    authorization: str = "NONE"
    authorizer: str | None = None
    scopes: tuple[str, ...] = ()
    operation: str | None = None


@dataclass(frozen=True)
class HttpApi:
    """What a document says."""

    name: str
    version: str | None = None
    description: str | None = None
    cors: dict[str, Any] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    authorizers: dict[str, dict[str, Any]] = field(default_factory=dict)


def parse(text: str) -> Any:
    """A document's text, JSON or YAML. Raises InvalidDocument."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidDocument(f"Unable to parse API definition because of a malformed integration: {error}") from None


def read(document: Any) -> HttpApi:
    """Understand a document. Raises InvalidDocument."""
    if not isinstance(document, Mapping) or not str(document.get("openapi", "")).startswith("3"):
        raise InvalidDocument("Invalid OpenAPI input. Only OpenAPI 3.0 is supported for HTTP APIs")
    info = document.get("info") or {}
    if not info.get("title"):
        raise InvalidDocument("Invalid OpenAPI input. A title is required")
    components = document.get("components") or {}
    authorizers = {
        name: _authorizer(name, scheme)
        for name, scheme in (components.get("securitySchemes") or {}).items()
        if "x-amazon-apigateway-authorizer" in scheme
    }
    shared = components.get("x-amazon-apigateway-integrations") or {}
    routes = tuple(
        _route(_key(path, method), operation or {}, document, shared, authorizers)
        for path, methods in (document.get("paths") or {}).items()
        for method, operation in methods.items()
        if method in _METHODS
    )
    cors = document.get("x-amazon-apigateway-cors")
    return HttpApi(
        name=str(info["title"]),
        version=str(info["version"]) if info.get("version") else None,
        description=info.get("description"),
        cors=_cors(cors) if cors else None,
        tags={
            tag["name"]: str(tag["x-amazon-apigateway-tag-value"])
            for tag in document.get("tags") or []
            if "x-amazon-apigateway-tag-value" in tag
        },
        routes=routes,
        authorizers=authorizers,
    )


def _key(path: str, method: str) -> str:
    return "$default" if path in ("/$default", "$default") else f"{_METHODS[method]} {path}"


def _route(
    key: str,
    operation: Mapping[str, Any],
    document: Mapping[str, Any],
    shared: Mapping[str, Any],
    authorizers: Mapping[str, Any],
) -> Route:
    authorization, authorizer, scopes = "NONE", None, ()
    security = operation.get("security", document.get("security")) or []
    for requirement in security:
        for name, asked in requirement.items():
            if name in authorizers:
                kind = "JWT" if authorizers[name]["AuthorizerType"] == "JWT" else "CUSTOM"
                authorization, authorizer, scopes = kind, name, tuple(asked or ())
            elif name == "AWS_IAM":
                authorization = "AWS_IAM"
            elif name != "NONE":
                raise InvalidDocument(f"Unable to find the security scheme {name} of {key}")
    if (auth := operation.get("x-amazon-apigateway-auth")) is not None:
        authorization, authorizer = str(auth.get("type", "NONE")).upper(), None
    return Route(
        key,
        _integration(operation.get("x-amazon-apigateway-integration"), shared, key),
        authorization,
        authorizer,
        scopes,
        operation.get("operationId"),
    )


def _integration(given: Any, shared: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    if given is None:
        return None
    if (reference := given.get("$ref")) is not None:
        name = str(reference).rpartition("/")[2]
        if name not in shared:
            raise InvalidDocument(f"Unable to find the integration {name} of {key}")
        given = shared[name]
    members = _renamed(given, _INTEGRATION, f"x-amazon-apigateway-integration of {key}")
    members["IntegrationType"] = str(members.get("IntegrationType", "")).upper()
    if "TimeoutInMillis" in members:
        members["TimeoutInMillis"] = int(members["TimeoutInMillis"])
    if "PayloadFormatVersion" in members:
        members["PayloadFormatVersion"] = str(members["PayloadFormatVersion"])
    return members


def _authorizer(name: str, scheme: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(scheme["x-amazon-apigateway-authorizer"])
    kind = str(given.pop("type", "")).upper()
    sources = given.pop("identitySource", None)
    if isinstance(sources, str):
        sources = [source.strip() for source in sources.split(",")]
    jwt = given.pop("jwtConfiguration", None)
    members = _renamed(given, _AUTHORIZER, f"x-amazon-apigateway-authorizer {name}")
    if "AuthorizerResultTtlInSeconds" in members:
        members["AuthorizerResultTtlInSeconds"] = int(members["AuthorizerResultTtlInSeconds"])
    if "EnableSimpleResponses" in members:
        members["EnableSimpleResponses"] = str(members["EnableSimpleResponses"]).lower() == "true"
    if jwt is not None:
        audience = jwt.get("audience") or []
        members["JwtConfiguration"] = {
            "Issuer": jwt.get("issuer"),
            "Audience": [audience] if isinstance(audience, str) else audience,
        }
    return {"Name": name, "AuthorizerType": kind, "IdentitySource": sources or [], **members}


def _cors(given: Mapping[str, Any]) -> dict[str, Any]:
    cors = _renamed(given, _CORS, "x-amazon-apigateway-cors")
    if "MaxAge" in cors:
        cors["MaxAge"] = int(cors["MaxAge"])
    if "AllowCredentials" in cors:
        cors["AllowCredentials"] = str(cors["AllowCredentials"]).lower() == "true"
    return cors


def _renamed(given: Mapping[str, Any], names: Mapping[str, str], where: str) -> dict[str, Any]:
    if unknown := sorted(given.keys() - names.keys()):
        raise InvalidDocument(f"{where}: {', '.join(unknown)} is not supported")
    return {names[name]: value for name, value in given.items()}
