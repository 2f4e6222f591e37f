"""A request takes the most specific route of its stage's deployment.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

import pytest
from gateway_world import Api, Functions

from stratolite.services.apigatewayv2.router import Deployed

# The routes and the answers of AWS's own example on that page, and some of ours.
ROUTES = [
    "GET /pets/dog/1",
    "GET /pets/dog/{id}",
    "GET /pets/{proxy+}",
    "ANY /{proxy+}",
    "$default",
    "ANY /items/{id}",
    "DELETE /items/{id}",
    "GET /items/{id}/parts/{part}",
    "GET /",
]


def deployed(*keys: str) -> Deployed:
    routes = [{"RouteKey": key} for key in keys]
    return Deployed.of({"Route": routes, "Integration": [], "Authorizer": []})


@pytest.mark.parametrize(
    ("request_line", "route", "variables"),
    [
        ("GET /pets/dog/1", "GET /pets/dog/1", {}),
        ("GET /pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("GET /pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("POST /test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        ("DELETE /items/7", "DELETE /items/{id}", {"id": "7"}),
        ("PUT /items/7", "ANY /items/{id}", {"id": "7"}),
        ("GET /items/a%2Fb", "ANY /items/{id}", {"id": "a/b"}),
        ("GET /items/7/parts/8", "GET /items/{id}/parts/{part}", {"id": "7", "part": "8"}),
        ("GET /", "GET /", {}),
        ("POST /", "$default", {}),
    ],
)
def test_the_most_specific_route_is_taken(request_line: str, route: str, variables: dict[str, str]) -> None:
    method, _, path = request_line.partition(" ")
    match = deployed(*reversed(ROUTES)).match(method, path)
    assert match is not None
    assert (match.route["RouteKey"], match.variables) == (route, variables)


@pytest.mark.parametrize("request_line", ["GET /other", "POST /pets", "GET /pets/1/2", "GET /pets/"])
def test_without_a_match_there_is_none(request_line: str) -> None:
    method, _, path = request_line.partition(" ")
    assert deployed("GET /pets", "GET /pets/{id}").match(method, path) is None


def test_no_route_is_not_found(api: Api) -> None:
    api.route("GET /pets")
    api.stage()
    answer = api.ask("GET", "/dogs")
    assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')


def test_no_stage_is_not_found(api: Api) -> None:
    api.route("GET /pets")
    assert api.ask("GET", "/pets").status == 404


def test_a_named_stage_is_the_paths_first_segment_and_stays_in_the_functions_path(
    api: Api, functions: Functions
) -> None:
    api.route("GET /pets")
    api.stage("dev", StageVariables={"color": "blue"})
    assert api.ask("GET", "/dev/pets").status == 200
    [event] = functions.events["hello"]
    assert event["rawPath"] == "/dev/pets"
    assert event["requestContext"]["stage"] == "dev"
    assert event["stageVariables"] == {"color": "blue"}


def test_a_stage_serves_its_deployment_until_the_next_one(api: Api) -> None:
    gateway = api.gateway
    api.route("GET /old")
    gateway.create_stage(ApiId=api.id, StageName="prod")
    gateway.create_deployment(ApiId=api.id, StageName="prod")
    api.route("GET /new")
    assert (api.ask("GET", "/prod/old").status, api.ask("GET", "/prod/new").status) == (200, 404)
    gateway.create_deployment(ApiId=api.id, StageName="prod")
    assert api.ask("GET", "/prod/new").status == 200


def test_a_stage_that_deploys_by_itself_serves_every_change(api: Api) -> None:
    api.stage()
    route = api.route("GET /now")
    assert api.ask("GET", "/now").status == 200
    api.gateway.delete_route(ApiId=api.id, RouteId=route)
    assert api.ask("GET", "/now").status == 404


def test_the_path_form_leads_to_the_same_api_and_is_not_seen(api: Api, functions: Functions) -> None:
    api.route("GET /pets")
    api.stage()
    answer = api.cloud.http("GET", f"http://localhost:4566/_aws/execute-api/{api.id}/pets?a=1")
    assert answer.status == 200
    [event] = functions.events["hello"]
    assert (event["rawPath"], event["rawQueryString"]) == ("/pets", "a=1")


def test_a_disabled_endpoint_is_not_found(api: Api) -> None:
    api.route("$default")
    api.stage()
    api.gateway.update_api(ApiId=api.id, DisableExecuteApiEndpoint=True)
    assert api.ask("GET", "/").status == 404


def test_requests_above_the_routes_rate_are_too_many(api: Api) -> None:
    api.route("GET /slow")
    limits = {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 1.0}
    api.stage(DefaultRouteSettings=limits)
    assert [api.ask("GET", "/slow").status for _ in range(3)] == [200, 200, 429]
    api.cloud.clock.advance(1)
    assert [api.ask("GET", "/slow").status for _ in range(2)] == [200, 429]


def test_a_body_over_ten_megabytes_is_too_large(api: Api, functions: Functions) -> None:
    api.route("$default")
    api.stage()
    answer = api.ask("POST", "/", body=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status, answer.body) == (413, b'{"message":"Request Entity Too Large"}')
    assert functions.events == {}
