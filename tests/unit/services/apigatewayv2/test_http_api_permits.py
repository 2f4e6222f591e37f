"""A Lambda authorizer decides, in both formats; its answer is remembered for exactly its identity sources.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

from typing import Any

import pytest
from gateway_world import Api, Functions

YES = {"isAuthorized": True, "context": {"tenant": "acme", "list": ["a"], "n": 1}}
NO = {"isAuthorized": False}


def guarded(api: Api, **members: Any) -> None:
    guard = api.authorizer(**members)
    api.route("GET /a", **guard)
    api.route("GET /b", **guard)
    api.stage()


def test_who_is_let_in_reaches_the_function_with_the_context(api: Api, functions: Functions) -> None:
    guarded(api)
    functions.answers["guard"] = YES
    assert api.ask("GET", "/a", {"x-key": "k"}).status == 200
    [event] = functions.events["hello"]
    assert event["requestContext"]["authorizer"] == {"lambda": YES["context"]}


def test_format_2_asks_with_the_route_the_identities_and_no_body(api: Api, functions: Functions) -> None:
    guarded(api, IdentitySource=["$request.header.X-Key", "$request.querystring.q", "$context.routeKey"])
    functions.answers["guard"] = YES
    api.ask("GET", "/a?q=1", {"X-Key": "k", "Content-Type": "text/plain"}, body="secret")
    [event] = functions.events["guard"]
    assert event["version"] == "2.0"
    assert event["type"] == "REQUEST"
    assert event["routeArn"] == f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/$default/GET/a"
    assert event["identitySource"] == ["k", "1", "GET /a"]
    assert (event["routeKey"], event["rawPath"], event["rawQueryString"]) == ("GET /a", "/a", "q=1")
    assert event["headers"]["x-key"] == "k"
    assert event["requestContext"]["http"]["method"] == "GET"
    assert not {"body", "isBase64Encoded"} & event.keys()


def test_a_missing_identity_is_unauthorized_without_asking(api: Api, functions: Functions) -> None:
    guarded(api)
    answer = api.ask("GET", "/a")
    assert (answer.status, answer.body) == (401, b'{"message":"Unauthorized"}')
    assert functions.events == {}


def test_who_is_not_let_in_is_forbidden(api: Api, functions: Functions) -> None:
    guarded(api)
    functions.answers["guard"] = NO
    answer = api.ask("GET", "/a", {"x-key": "k"})
    assert (answer.status, answer.body) == (403, b'{"message":"Forbidden"}')
    assert "hello" not in functions.events


@pytest.mark.parametrize("answer", [{}, {"isAuthorized": "yes"}, [], b"x", ValueError("oops")])
def test_an_answer_that_is_none_is_an_internal_error(api: Api, functions: Functions, answer: Any) -> None:
    guarded(api)
    functions.answers["guard"] = answer
    assert api.ask("GET", "/a", {"x-key": "k"}).status == 500


def test_an_authorizer_may_raise_unauthorized(api: Api, functions: Functions) -> None:
    guarded(api)
    functions.answers["guard"] = Exception("Unauthorized")
    assert api.ask("GET", "/a", {"x-key": "k"}).status == 401


def test_an_authorizer_that_does_not_let_the_gateway_in_is_an_internal_error(api: Api, functions: Functions) -> None:
    guarded(api)
    functions.answers["guard"] = YES
    functions.sources["guard"] = [f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/*/*/a"]
    assert api.ask("GET", "/a", {"x-key": "k"}).status == 500
    functions.sources["guard"] = [f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/authorizers/*"]
    assert api.ask("GET", "/a", {"x-key": "k"}).status == 200


def asked(functions: Functions) -> int:
    return len(functions.events.get("guard", []))


def test_an_answer_is_remembered_for_its_identities_and_its_time(api: Api, functions: Functions) -> None:
    guarded(api, AuthorizerResultTtlInSeconds=60)
    functions.answers["guard"] = lambda event: YES if event["identitySource"] == ["good"] else NO
    assert [api.ask("GET", "/a", {"x-key": "good"}).status for _ in range(2)] == [200, 200]
    assert asked(functions) == 1
    assert [api.ask("GET", "/a", {"x-key": "bad"}).status for _ in range(2)] == [403, 403]
    assert asked(functions) == 2
    api.cloud.clock.advance(59)
    api.ask("GET", "/a", {"x-key": "good"})
    assert asked(functions) == 2
    api.cloud.clock.advance(2)
    api.ask("GET", "/a", {"x-key": "good"})
    assert asked(functions) == 3


def test_a_simple_answer_serves_every_route_unless_the_route_is_an_identity(api: Api, functions: Functions) -> None:
    guarded(api, AuthorizerResultTtlInSeconds=60)
    functions.answers["guard"] = YES
    for path in ("/a", "/b"):
        api.ask("GET", path, {"x-key": "k"})
    assert asked(functions) == 1


def test_the_route_as_an_identity_tells_routes_apart(api: Api, functions: Functions) -> None:
    sources = ["$request.header.x-key", "$context.routeKey"]
    guarded(api, AuthorizerResultTtlInSeconds=60, IdentitySource=sources)
    functions.answers["guard"] = YES
    for path in ("/a", "/b", "/a"):
        api.ask("GET", path, {"x-key": "k"})
    assert asked(functions) == 2


def test_the_cache_can_be_reset(api: Api, functions: Functions) -> None:
    guarded(api, AuthorizerResultTtlInSeconds=60)
    functions.answers["guard"] = YES
    api.ask("GET", "/a", {"x-key": "k"})
    api.gateway.reset_authorizers_cache(ApiId=api.id, StageName="$default")
    api.ask("GET", "/a", {"x-key": "k"})
    assert asked(functions) == 2


def policy(*statements: tuple[str, str]) -> dict[str, Any]:
    return {
        "principalId": "me",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
                for effect, resource in statements
            ],
        },
        "context": {"tenant": "acme"},
    }


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_policy_is_judged_for_each_route_even_when_remembered(api: Api, functions: Functions, version: str) -> None:
    guarded(
        api,
        EnableSimpleResponses=False,
        AuthorizerPayloadFormatVersion=version,
        AuthorizerResultTtlInSeconds=60,
    )
    functions.answers["guard"] = policy(("Allow", "arn:aws:execute-api:*:*:*/$default/GET/a"))
    assert api.ask("GET", "/a", {"x-key": "k"}).status == 200
    assert api.ask("GET", "/b", {"x-key": "k"}).status == 403
    assert asked(functions) == 1


def test_an_explicit_deny_wins(api: Api, functions: Functions) -> None:
    guarded(api, EnableSimpleResponses=False)
    functions.answers["guard"] = policy(("Allow", "*"), ("Deny", "*/GET/a"))
    assert api.ask("GET", "/a", {"x-key": "k"}).status == 403
    assert api.ask("GET", "/b", {"x-key": "k"}).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        {"policyDocument": policy(("Allow", "*"))["policyDocument"]},
        {"principalId": "me"},
        policy(("Allow", "*")) | {"context": {"nested": {}}},
    ],
)
def test_a_policy_answer_needs_a_principal_a_policy_and_a_flat_context(
    api: Api, functions: Functions, answer: Any
) -> None:
    guarded(api, EnableSimpleResponses=False)
    functions.answers["guard"] = answer
    assert api.ask("GET", "/a", {"x-key": "k"}).status == 500


def test_format_1_asks_with_the_method_arn_and_the_identities_as_text(api: Api, functions: Functions) -> None:
    sources = ["$request.header.x-key", "$request.querystring.q"]
    guarded(api, EnableSimpleResponses=False, AuthorizerPayloadFormatVersion="1.0", IdentitySource=sources)
    functions.answers["guard"] = policy(("Allow", "*"))
    api.ask("GET", "/a?q=1", {"x-key": "k"})
    [event] = functions.events["guard"]
    assert (event["version"], event["type"]) == ("1.0", "REQUEST")
    assert event["methodArn"] == f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/$default/GET/a"
    assert (event["identitySource"], event["authorizationToken"]) == ("k,1", "k,1")
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/a", "/a", "GET")


def test_the_access_log_may_say_why(api: Api, functions: Functions) -> None:
    api.route("GET /a", **api.authorizer())
    group = "arn:aws:logs:us-east-1:000000000000:log-group:access"
    form = "$context.requestId|$context.status|$context.authorizer.tenant|$context.authorizer.error"
    api.stage(AccessLogSettings={"DestinationArn": group, "Format": form})
    functions.answers["guard"] = YES
    api.ask("GET", "/a", {"x-key": "k"})
    functions.answers["guard"] = NO
    api.ask("GET", "/a", {"x-key": "k"})
    lines = [line.message.partition("|")[2] for line in api.cloud.logs("access")]
    assert lines == ["200|acme|-", "403|-|the authorizer said no"]


def test_iam_wants_a_signed_request(api: Api, functions: Functions) -> None:
    api.route("GET /a", AuthorizationType="AWS_IAM")
    api.stage()
    assert api.ask("GET", "/a").status == 403
    credential = "AWS4-HMAC-SHA256 Credential=111122223333/20250615/us-east-1/execute-api/aws4_request"
    assert api.ask("GET", "/a", {"Authorization": f"{credential}, SignedHeaders=host, Signature=0"}).status == 200
    assert functions.events["hello"][0]["requestContext"]["authorizer"]["iam"]["accountId"] == "111122223333"
