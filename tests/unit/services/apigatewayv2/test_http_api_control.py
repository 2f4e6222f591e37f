"""The control plane: what can be made, what is refused, what is deployed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from gateway_world import ACCOUNT, Api, Functions, function_arn, uri

from stratolite.testing.cloud import TestCloud


def refused(code: str, text: str = "") -> Any:
    return pytest.raises(ClientError, match=f"{code}.*{text}")


def test_an_api_is_described_as_made(cloud: TestCloud) -> None:
    gateway = cloud.client("apigatewayv2")
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 60}
    made = gateway.create_api(Name="shop", ProtocolType="HTTP", CorsConfiguration=cors, Tags={"a": "1"})
    found = gateway.get_api(ApiId=made["ApiId"])
    assert found["ApiEndpoint"] == f"https://{made['ApiId']}.execute-api.us-east-1.amazonaws.com"
    assert (found["Name"], found["CorsConfiguration"], found["Tags"]) == ("shop", cors, {"a": "1"})
    assert found["RouteSelectionExpression"] == "$request.method $request.path"
    assert found["ApiKeySelectionExpression"] == "$request.header.x-api-key"
    assert found["DisableExecuteApiEndpoint"] is False
    assert [api["ApiId"] for api in gateway.get_apis()["Items"]] == [made["ApiId"]]


def test_an_api_with_a_target_is_served_at_once(cloud: TestCloud, functions: Functions) -> None:
    made = cloud.client("apigatewayv2").create_api(Name="q", ProtocolType="HTTP", Target=function_arn("hello"))
    assert cloud.http("GET", f"https://{made['ApiId']}.execute-api.us-east-1.amazonaws.com/").status == 200


def test_another_accounts_api_is_not_there(cloud: TestCloud, api: Api) -> None:
    with refused("NotFoundException", f"Invalid API identifier specified 111111111111:{api.id}"):
        cloud.client("apigatewayv2", account="111111111111").get_api(ApiId=api.id)


def test_a_deleted_api_takes_its_parts_along(api: Api) -> None:
    api.route("$default")
    api.stage()
    api.gateway.delete_api(ApiId=api.id)
    assert api.ask("GET", "/").status == 404
    with refused("NotFoundException"):
        api.gateway.get_routes(ApiId=api.id)


@pytest.mark.parametrize("key", ["GET", "get /", "GET pets", "FETCH /", "GET /{a+}/b", "GET /a{b}", ""])
def test_a_route_key_is_a_method_and_a_path(api: Api, key: str) -> None:
    with refused("BadRequestException"):
        api.route(key)


def test_a_route_key_is_used_once(api: Api) -> None:
    api.route("GET /a")
    with refused("ConflictException", "Route with key GET /a already exists for this API"):
        api.route("GET /a")


def test_a_route_wants_a_target_and_an_authorizer_that_exist(api: Api) -> None:
    with refused("BadRequestException", "Invalid target"):
        api.route("GET /a", "integrations/nothing")
    with refused("BadRequestException"):
        api.route("GET /a", AuthorizationType="CUSTOM", AuthorizerId="nobody")
    with refused("BadRequestException", "AuthorizerId"):
        api.route("GET /a", AuthorizationType="CUSTOM")


@pytest.mark.parametrize(
    "members",
    [
        {"IntegrationType": "AWS_PROXY"},
        {"IntegrationType": "MOCK", "IntegrationUri": "x"},
        {"IntegrationType": "AWS_PROXY", "IntegrationUri": function_arn("hello"), "TimeoutInMillis": 40_000},
        {"IntegrationType": "AWS_PROXY", "IntegrationUri": function_arn("hello"), "PayloadFormatVersion": "3.0"},
        {"IntegrationType": "HTTP_PROXY", "IntegrationUri": "https://a.example"},
        {"IntegrationType": "HTTP_PROXY", "IntegrationUri": "ftp://a.example", "IntegrationMethod": "GET"},
        {
            "IntegrationType": "AWS_PROXY",
            "IntegrationSubtype": "SQS-Nothing",
            "CredentialsArn": "arn:aws:iam::1:role/r",
        },
        {"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-SendMessage", "CredentialsArn": "arn:aws:iam::1:r"},
    ],
)
def test_an_integration_that_could_not_work_is_refused(api: Api, members: dict[str, Any]) -> None:
    with refused("BadRequestException"):
        api.gateway.create_integration(ApiId=api.id, **members)


def test_what_a_route_uses_is_not_deleted(api: Api) -> None:
    guard = api.authorizer()
    route = api.route("GET /a", **guard)
    [integration] = api.gateway.get_integrations(ApiId=api.id)["Items"]
    with refused("ConflictException"):
        api.gateway.delete_integration(ApiId=api.id, IntegrationId=integration["IntegrationId"])
    with refused("ConflictException"):
        api.gateway.delete_authorizer(ApiId=api.id, AuthorizerId=guard["AuthorizerId"])
    api.gateway.delete_route(ApiId=api.id, RouteId=route)
    api.gateway.delete_integration(ApiId=api.id, IntegrationId=integration["IntegrationId"])
    api.gateway.delete_authorizer(ApiId=api.id, AuthorizerId=guard["AuthorizerId"])


@pytest.mark.parametrize(
    "members",
    [
        {"AuthorizerUri": ""},
        {"AuthorizerResultTtlInSeconds": 3601},
        {"AuthorizerResultTtlInSeconds": 1, "IdentitySource": []},
        {"AuthorizerPayloadFormatVersion": "1.0"},
        {"IdentitySource": ["x-key"]},
        {"AuthorizerType": "TOKEN"},
        {"AuthorizerType": "JWT"},
    ],
)
def test_an_authorizer_that_could_not_work_is_refused(api: Api, members: dict[str, Any]) -> None:
    with refused("BadRequestException|ParamValidation"):
        api.authorizer(**members)


def test_a_stage_is_made_once_and_of_a_name_that_can_be_in_a_path(api: Api) -> None:
    api.stage("dev")
    with refused("ConflictException", "Stage already exists"):
        api.stage("dev")
    with refused("BadRequestException"):
        api.stage("a.b")


def test_an_access_log_goes_to_a_log_group_and_names_the_request(api: Api) -> None:
    group = "arn:aws:logs:us-east-1:000000000000:log-group:access"
    with refused("BadRequestException"):
        api.stage(AccessLogSettings={"DestinationArn": "arn:aws:s3:::bucket", "Format": "$context.requestId"})
    with refused("BadRequestException", "requestId"):
        api.stage(AccessLogSettings={"DestinationArn": group, "Format": "$context.status"})


def test_an_automatic_deployment_is_the_stages_own(api: Api) -> None:
    gateway = api.gateway
    api.route("GET /a")
    api.stage()
    stage = gateway.get_stage(ApiId=api.id, StageName="$default")
    [deployment] = gateway.get_deployments(ApiId=api.id)["Items"]
    assert (deployment["AutoDeployed"], deployment["DeploymentStatus"]) == (True, "DEPLOYED")
    assert stage["DeploymentId"] == deployment["DeploymentId"]
    with refused("BadRequestException", "AutoDeploy"):
        gateway.create_deployment(ApiId=api.id, StageName="$default")
    with refused("ConflictException"):
        gateway.delete_deployment(ApiId=api.id, DeploymentId=deployment["DeploymentId"])


def test_a_deployment_needs_a_route(api: Api) -> None:
    with refused("BadRequestException", "At least one route"):
        api.gateway.create_deployment(ApiId=api.id)


def test_tags_of_apis_and_stages(api: Api) -> None:
    gateway = api.gateway
    api.stage("dev", Tags={"a": "1"})
    for arn in (
        f"arn:aws:apigateway:us-east-1::/apis/{api.id}",
        f"arn:aws:apigateway:us-east-1::/apis/{api.id}/stages/dev",
    ):
        gateway.tag_resource(ResourceArn=arn, Tags={"a": "2", "b": "3"})
        gateway.untag_resource(ResourceArn=arn, TagKeys=["a"])
        assert gateway.get_tags(ResourceArn=arn)["Tags"] == {"b": "3"}


def test_lists_come_in_pages(api: Api) -> None:
    for number in range(5):
        api.route(f"GET /{number}")
    first = api.gateway.get_routes(ApiId=api.id, MaxResults="3")
    second = api.gateway.get_routes(ApiId=api.id, MaxResults="3", NextToken=first["NextToken"])
    keys = [route["RouteKey"] for route in first["Items"] + second["Items"]]
    assert keys == [f"GET /{number}" for number in range(5)]
    assert "NextToken" not in second


def test_what_is_not_http_is_said_to_be_missing(cloud: TestCloud) -> None:
    with refused("NotImplemented"):
        cloud.client("apigatewayv2").create_api(Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$x")


def document(**changes: Any) -> dict[str, Any]:
    operation = {
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": uri("hello"),
            "payloadFormatVersion": "2.0",
        },
        "security": [{"Signature": []}],
    }
    guard = {
        "type": "request",
        "authorizerUri": uri("guard"),
        "authorizerResultTtlInSeconds": 60,
        "identitySource": ["$request.header.x-key", "$context.routeKey"],
        "authorizerPayloadFormatVersion": "2.0",
        "enableSimpleResponses": True,
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": "forms", "version": "1.0", "description": "as SAM writes it"},
        "paths": {
            "/v1/things": {"get": operation, "post": operation},
            "/$default": {"x-amazon-apigateway-any-method": operation},
        },
        "components": {
            "securitySchemes": {
                "Signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Unused",
                    "x-amazon-apigateway-authorizer": guard,
                }
            }
        },
        "tags": [{"name": "httpapi:createdBy", "x-amazon-apigateway-tag-value": "SAM"}],
        "x-amazon-apigateway-cors": {"allowOrigins": ["*"]},
    } | changes


def test_an_openapi_document_is_a_whole_api(cloud: TestCloud, functions: Functions) -> None:
    gateway = cloud.client("apigatewayv2")
    made = gateway.import_api(Body=json.dumps(document()))
    assert (made["Name"], made["Version"], made["Description"]) == ("forms", "1.0", "as SAM writes it")
    assert made["CorsConfiguration"] == {"AllowOrigins": ["*"]}
    assert made["Tags"] == {"httpapi:createdBy": "SAM"}
    routes = gateway.get_routes(ApiId=made["ApiId"])["Items"]
    assert [route["RouteKey"] for route in routes] == ["GET /v1/things", "POST /v1/things", "$default"]
    assert {route["AuthorizationType"] for route in routes} == {"CUSTOM"}
    assert len({route["Target"] for route in routes}) == 1
    gateway.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    functions.answers["guard"] = {"isAuthorized": True}
    api = Api(cloud, gateway, made["ApiId"])
    assert api.ask("POST", "/v1/things").status == 401
    assert api.ask("POST", "/v1/things", {"x-key": "k"}).status == 200


def test_importing_again_replaces_everything_but_the_stages(cloud: TestCloud, functions: Functions) -> None:
    gateway = cloud.client("apigatewayv2")
    made = gateway.import_api(Body=json.dumps(document()))
    gateway.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    other = document(paths={"/v2": {"get": {**document()["paths"]["/v1/things"]["get"], "security": []}}})
    gateway.reimport_api(ApiId=made["ApiId"], Body=json.dumps(other))
    api = Api(cloud, gateway, made["ApiId"])
    assert (api.ask("GET", "/v2").status, api.ask("GET", "/v1/things").status) == (200, 404)


@pytest.mark.parametrize("body", ["", "[]", "{", '{"swagger": "2.0"}', "a: [", '{"openapi": "3.0.1", "info": {}}'])
def test_what_is_no_openapi_3_is_refused(cloud: TestCloud, body: str) -> None:
    with refused("BadRequestException|ParamValidation"):
        cloud.client("apigatewayv2").import_api(Body=body)


def test_an_import_that_fails_leaves_nothing(cloud: TestCloud) -> None:
    gateway = cloud.client("apigatewayv2")
    broken = document(paths={"no-slash": {"get": {}}})
    with refused("BadRequestException"):
        gateway.import_api(Body=json.dumps(broken))
    assert gateway.get_apis()["Items"] == []


def test_the_account_is_the_owners(api: Api, functions: Functions) -> None:
    api.route("$default")
    api.stage()
    api.ask("GET", "/")
    assert functions.events["hello"][0]["requestContext"]["accountId"] == ACCOUNT
