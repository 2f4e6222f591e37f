"""Resources: HTTP APIs and their parts, as templates ask for them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource

_API = {
    "ApiKeySelectionExpression": str,
    "CorsConfiguration": dict,
    "Description": str,
    "DisableExecuteApiEndpoint": bool,
    "IpAddressType": str,
    "Name": str,
    "Version": str,
}
_CORS = {
    "AllowCredentials": bool,
    "AllowHeaders": list,
    "AllowMethods": list,
    "AllowOrigins": list,
    "ExposeHeaders": list,
    "MaxAge": int,
}
_ROUTE_SETTINGS = {
    "DetailedMetricsEnabled": bool,
    "ThrottlingBurstLimit": int,
    "ThrottlingRateLimit": float,
    "DataTraceEnabled": bool,
    "LoggingLevel": str,
}
_STAGE = {
    "AccessLogSettings": dict,
    "AutoDeploy": bool,
    "DefaultRouteSettings": _ROUTE_SETTINGS,
    "DeploymentId": str,
    "Description": str,
    "StageVariables": dict,
}
_ROUTE = {
    "ApiKeyRequired": bool,
    "AuthorizationScopes": list,
    "AuthorizationType": str,
    "AuthorizerId": str,
    "OperationName": str,
    "RouteKey": str,
    "Target": str,
}
_INTEGRATION = {
    "ConnectionType": str,
    "CredentialsArn": str,
    "Description": str,
    "IntegrationMethod": str,
    "IntegrationSubtype": str,
    "IntegrationType": str,
    "IntegrationUri": str,
    "PayloadFormatVersion": str,
    "RequestParameters": dict,
    "TimeoutInMillis": int,
}
_AUTHORIZER = {
    "AuthorizerCredentialsArn": str,
    "AuthorizerPayloadFormatVersion": str,
    "AuthorizerResultTtlInSeconds": int,
    "AuthorizerType": str,
    "AuthorizerUri": str,
    "EnableSimpleResponses": bool,
    "IdentitySource": list,
    "JwtConfiguration": dict,
    "Name": str,
}


def _typed(kind: Any, value: Any) -> Any:
    """A template's value as the API wants it: templates say numbers and booleans as text as well."""
    if isinstance(kind, dict):
        return _members(value, kind)
    if kind is bool:
        return str(value).lower() == "true"
    if kind in (int, float):
        return kind(value)
    if kind is str:
        return str(value)
    return value


def _members(properties: Any, shape: dict[str, Any]) -> dict[str, Any]:
    found = {name: properties.get(name) for name in shape}
    return {name: _typed(shape[name], value) for name, value in found.items() if value is not None}


@resource("AWS::ApiGatewayV2::Api", replaces={"ProtocolType"}, ignores={"FailOnWarnings", "DisableSchemaValidation"})
class ApiResource:
    """Made from an OpenAPI `Body`, or from its members."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        gateway = call.api("apigatewayv2")
        tags = properties.get("Tags") or {}
        if (body := properties.get("Body")) is not None:
            api_id = gateway.import_api(Body=_text(body))["ApiId"]
            changes = _api_members(properties)
            if changes:
                gateway.update_api(ApiId=api_id, **changes)
            if tags:
                gateway.tag_resource(ResourceArn=_arn(call, api_id), Tags=tags)
        else:
            api_id = gateway.create_api(
                ProtocolType=properties.get("ProtocolType") or "HTTP",
                Name=properties.get("Name") or wanted.physical_name(128),
                Tags=tags,
                **_quick(properties),
                **{name: value for name, value in _api_members(properties).items() if name != "Name"},
            )["ApiId"]
        return _made_api(call, api_id)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties = wanted.properties
        gateway = call.api("apigatewayv2")
        if (body := properties.get("Body")) is not None and body != was.get("Body"):
            gateway.reimport_api(ApiId=made_id, Body=_text(body))
        changes = _api_members(properties)
        if "CorsConfiguration" in was and "CorsConfiguration" not in changes:
            gateway.delete_cors_configuration(ApiId=made_id)
        if changes:
            gateway.update_api(ApiId=made_id, **changes)
        _retag(call, _arn(call, made_id), properties.get("Tags") or {}, was.get("Tags") or {})
        return _made_api(call, made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_api", ApiId=made_id)


def _api_members(properties: Any) -> dict[str, Any]:
    members = _members(properties, _API)
    if (cors := members.get("CorsConfiguration")) is not None:
        members["CorsConfiguration"] = _members(cors, _CORS)
    return members


def _quick(properties: Any) -> dict[str, Any]:
    return {
        name: properties.get(name)
        for name in ("Target", "RouteKey", "CredentialsArn", "RouteSelectionExpression")
        if properties.get(name) is not None
    }


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)


def _arn(call: Call, api_id: str) -> str:
    return f"arn:aws:apigateway:{call.region}::/apis/{api_id}"


def _made_api(call: Call, api_id: str) -> Made:
    endpoint = call.api("apigatewayv2").get_api(ApiId=api_id)["ApiEndpoint"]
    return Made(ref=api_id, attributes={"ApiId": api_id, "ApiEndpoint": endpoint})


@resource("AWS::ApiGatewayV2::Stage", replaces={"ApiId", "StageName"}, ignores={"AccessPolicyId"})
class StageResource:
    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        name = str(properties["StageName"])
        call.api("apigatewayv2").create_stage(
            ApiId=properties["ApiId"], StageName=name, Tags=properties.get("Tags") or {}, **_stage_members(properties)
        )
        return Made(ref=name)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties = wanted.properties
        api_id, gateway = str(properties["ApiId"]), call.api("apigatewayv2")
        if "AccessLogSettings" in was and properties.get("AccessLogSettings") is None:
            gateway.delete_access_log_settings(ApiId=api_id, StageName=made_id)
        settings = properties.get("RouteSettings") or {}
        for route_key in (was.get("RouteSettings") or {}).keys() - dict(settings).keys():
            gateway.delete_route_settings(ApiId=api_id, StageName=made_id, RouteKey=route_key)
        members = _stage_members(properties)
        gone = (was.get("StageVariables") or {}).keys() - (members.get("StageVariables") or {}).keys()
        if gone:
            members["StageVariables"] = {**(members.get("StageVariables") or {}), **dict.fromkeys(gone, "")}
        gateway.update_stage(ApiId=api_id, StageName=made_id, **members)
        arn = f"{_arn(call, api_id)}/stages/{made_id}"
        _retag(call, arn, properties.get("Tags") or {}, was.get("Tags") or {})
        return Made(ref=made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_stage", ApiId=properties["ApiId"], StageName=made_id)


def _stage_members(properties: Any) -> dict[str, Any]:
    members = _members(properties, _STAGE)
    if (settings := properties.get("RouteSettings")) is not None:
        members["RouteSettings"] = {key: _members(value, _ROUTE_SETTINGS) for key, value in settings.items()}
    return members


def _retag(call: Call, arn: str, tags: dict[str, str], was: dict[str, str]) -> None:
    gateway = call.api("apigatewayv2")
    if gone := sorted(was.keys() - tags.keys()):
        gateway.untag_resource(ResourceArn=arn, TagKeys=gone)
    if tags:
        gateway.tag_resource(ResourceArn=arn, Tags=tags)


@resource("AWS::ApiGatewayV2::Route", replaces={"ApiId"})
class RouteResource:
    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        made = call.api("apigatewayv2").create_route(
            ApiId=wanted.properties["ApiId"], **_members(wanted.properties, _ROUTE)
        )
        return Made(ref=made["RouteId"], attributes={"RouteId": made["RouteId"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        members = {"AuthorizationType": "NONE"} | _members(wanted.properties, _ROUTE)
        call.api("apigatewayv2").update_route(ApiId=wanted.properties["ApiId"], RouteId=made_id, **members)
        return Made(ref=made_id, attributes={"RouteId": made_id})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_route", ApiId=properties["ApiId"], RouteId=made_id)


@resource("AWS::ApiGatewayV2::Integration", replaces={"ApiId"})
class IntegrationResource:
    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        made = call.api("apigatewayv2").create_integration(
            ApiId=wanted.properties["ApiId"], **_integration_members(wanted.properties)
        )
        return Made(ref=made["IntegrationId"], attributes={"IntegrationId": made["IntegrationId"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        members = _integration_members(wanted.properties)
        gone = (was.get("RequestParameters") or {}).keys() - (members.get("RequestParameters") or {}).keys()
        if gone:
            members["RequestParameters"] = {**(members.get("RequestParameters") or {}), **dict.fromkeys(gone, "")}
        call.api("apigatewayv2").update_integration(ApiId=wanted.properties["ApiId"], IntegrationId=made_id, **members)
        return Made(ref=made_id, attributes={"IntegrationId": made_id})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_integration", ApiId=properties["ApiId"], IntegrationId=made_id)


def _integration_members(properties: Any) -> dict[str, Any]:
    members = _members(properties, _INTEGRATION)
    if (responses := properties.get("ResponseParameters")) is not None:
        members["ResponseParameters"] = {
            status: {each["Destination"]: str(each["Source"]) for each in rules["ResponseParameters"]}
            for status, rules in responses.items()
        }
    return members


@resource("AWS::ApiGatewayV2::Authorizer", replaces={"ApiId"})
class AuthorizerResource:
    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        members = {"IdentitySource": []} | _members(wanted.properties, _AUTHORIZER)
        made = call.api("apigatewayv2").create_authorizer(ApiId=wanted.properties["ApiId"], **members)
        return Made(ref=made["AuthorizerId"], attributes={"AuthorizerId": made["AuthorizerId"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        members = _members(wanted.properties, _AUTHORIZER)
        call.api("apigatewayv2").update_authorizer(ApiId=wanted.properties["ApiId"], AuthorizerId=made_id, **members)
        return Made(ref=made_id, attributes={"AuthorizerId": made_id})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_authorizer", ApiId=properties["ApiId"], AuthorizerId=made_id)


@resource("AWS::ApiGatewayV2::Deployment", replaces={"ApiId"})
class DeploymentResource:
    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        made = call.api("apigatewayv2").create_deployment(
            ApiId=properties["ApiId"],
            Description=properties.get("Description"),
            StageName=properties.get("StageName"),
        )
        return Made(ref=made["DeploymentId"], attributes={"DeploymentId": made["DeploymentId"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties = wanted.properties
        api_id, gateway = properties["ApiId"], call.api("apigatewayv2")
        gateway.update_deployment(ApiId=api_id, DeploymentId=made_id, Description=properties.get("Description"))
        if (stage := properties.get("StageName")) is not None:
            gateway.update_stage(ApiId=api_id, StageName=stage, DeploymentId=made_id)
        return Made(ref=made_id, attributes={"DeploymentId": made_id})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        """A deployment that a stage still serves stays with it: CloudFormation leaves such a one behind as well."""
        try:
            _unless_gone(call, "delete_deployment", ApiId=properties["ApiId"], DeploymentId=made_id)
        except AwsError as error:
            if error.code != "ConflictException":
                raise


def _unless_gone(call: Call, verb: str, **members: Any) -> None:
    try:
        getattr(call.api("apigatewayv2"), verb)(**members)
    except AwsError as error:
        if error.code != "NotFoundException":
            raise
