"""Templates make HTTP APIs, part by part or from an OpenAPI body, change them and take them away."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_world import Api, Functions, function_arn

from stratolite.testing.cloud import TestCloud


def template(**resources: Any) -> dict[str, Any]:
    found = {name: {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": p} for name, (kind, p) in resources.items()}
    return {
        "Resources": found,
        "Outputs": {"Id": {"Value": {"Ref": "Api"}}, "Url": {"Value": {"Fn::GetAtt": "Api.ApiEndpoint"}}},
    }


def parts(**changes: Any) -> dict[str, Any]:
    api = {"ApiId": {"Ref": "Api"}}
    wanted = {
        "Api": (
            "Api",
            {"Name": "shop", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["*"], "MaxAge": "60"}},
        ),
        "Hello": (
            "Integration",
            api
            | {
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": function_arn("hello"),
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": "5000",
            },
        ),
        "Guard": (
            "Authorizer",
            api
            | {
                "Name": "guard",
                "AuthorizerType": "REQUEST",
                "AuthorizerUri": function_arn("guard"),
                "AuthorizerPayloadFormatVersion": "2.0",
                "EnableSimpleResponses": "true",
                "AuthorizerResultTtlInSeconds": "0",
                "IdentitySource": ["$request.header.x-key"],
            },
        ),
        "Open": ("Route", api | {"RouteKey": "GET /open", "Target": {"Fn::Sub": "integrations/${Hello}"}}),
        "Shut": (
            "Route",
            api
            | {
                "RouteKey": "GET /shut",
                "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "Hello"}]]},
                "AuthorizationType": "CUSTOM",
                "AuthorizerId": {"Ref": "Guard"},
            },
        ),
        "Stage": ("Stage", api | {"StageName": "$default", "AutoDeploy": True, "StageVariables": {"a": "1", "b": "2"}}),
    }
    return template(**(wanted | changes))


@pytest.fixture
def deployed(cloud: TestCloud, functions: Functions) -> Any:
    functions.answers["guard"] = {"isAuthorized": True}

    def deploy(template: dict[str, Any]) -> Api:
        outputs = cloud.deploy(template, "shop")
        assert outputs["Url"] == f"https://{outputs['Id']}.execute-api.us-east-1.amazonaws.com"
        return Api(cloud, cloud.client("apigatewayv2"), outputs["Id"])

    return deploy


def test_an_api_of_parts_is_served(deployed: Any) -> None:
    api = deployed(parts())
    assert api.ask("GET", "/open", {"Origin": "https://a.example"}).headers["access-control-allow-origin"] == "*"
    assert [api.ask("GET", "/shut", headers).status for headers in ({}, {"x-key": "k"})] == [401, 200]
    [integration] = api.gateway.get_integrations(ApiId=api.id)["Items"]
    assert integration["TimeoutInMillis"] == 5000


def test_an_update_changes_what_differs_and_takes_away_what_is_gone(deployed: Any, functions: Functions) -> None:
    api = deployed(parts())
    wanted = parts(
        Api=("Api", {"Name": "shop", "ProtocolType": "HTTP"}),
        Stage=(
            "Stage",
            {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": True, "StageVariables": {"b": "3"}},
        ),
    )
    wanted["Resources"]["Open"]["Properties"]["RouteKey"] = "GET /opened"
    del wanted["Resources"]["Shut"]
    again = deployed(wanted)
    assert again.id == api.id
    assert [api.ask("GET", path).status for path in ("/open", "/opened", "/shut")] == [404, 200, 404]
    assert functions.events["hello"][0]["stageVariables"] == {"b": "3"}
    assert "CorsConfiguration" not in api.gateway.get_api(ApiId=api.id)


def test_a_deleted_stack_takes_the_api_along(cloud: TestCloud, deployed: Any) -> None:
    api = deployed(parts())
    cloud.client("cloudformation").delete_stack(StackName="shop")
    cloud.clock.advance(5)
    assert api.gateway.get_apis()["Items"] == []


def body(path: str) -> dict[str, Any]:
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
                + function_arn("hello") + "/invocations"},
        "payloadFormatVersion": "2.0",
    }  # fmt: skip
    return {
        "openapi": "3.0.1",
        "info": {"title": {"Ref": "AWS::StackName"}, "version": "1.0"},
        "paths": {path: {"get": {"x-amazon-apigateway-integration": integration, "responses": {}}}},
        "tags": [{"name": "httpapi:createdBy", "x-amazon-apigateway-tag-value": "SAM"}],
    }


def test_an_api_from_a_body_is_made_and_made_anew(deployed: Any) -> None:
    stage = ("Stage", {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": "true"})
    api = deployed(template(Api=("Api", {"Body": body("/one")}), Stage=stage))
    assert api.ask("GET", "/one").status == 200
    assert api.gateway.get_api(ApiId=api.id)["Name"] == "shop"
    again = deployed(template(Api=("Api", {"Body": body("/two")}), Stage=stage))
    assert again.id == api.id
    assert [api.ask("GET", path).status for path in ("/one", "/two")] == [404, 200]
