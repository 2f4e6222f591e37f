"""Requests go to addresses and to other services too, mapped on the way; what is said of origins is the gateway's.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from gateway_world import Api, Functions

from stratolite.kernel.errors import AwsError
from stratolite.services.apigatewayv2.backends import subtypes
from stratolite.wire.http1 import Headers, Response


def http(
    api: Api, key: str, uri: str, method: str = "ANY", **members: Any
) -> list[tuple[str, str, dict[str, str], bytes]]:
    """A route to an address; what arrives there is kept."""
    arrived: list[tuple[str, str, dict[str, str], bytes]] = []

    def answers(method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
        arrived.append((method, url, headers, body))
        return Response(201, Headers([("X-Backend", "yes"), ("Connection", "close")]), b'{"id": 7}')

    api.cloud.web(answers)
    made = api.gateway.create_integration(
        ApiId=api.id, IntegrationType="HTTP_PROXY", IntegrationUri=uri, IntegrationMethod=method, **members
    )
    api.route(key, f"integrations/{made['IntegrationId']}")
    api.stage()
    return arrived


def test_a_request_is_passed_on_whole(api: Api) -> None:
    arrived = http(api, "ANY /shop/{proxy+}", "https://backend.example/v1/{proxy}")
    answer = api.ask("PUT", "/shop/a%20b/c?x=1&y=2", {"X-Own": "1", "Connection": "keep-alive"}, b"body")
    assert (answer.status, answer.body, answer.headers["x-backend"]) == (201, b'{"id": 7}', "yes")
    assert "connection" not in answer.headers
    [(method, url, headers, body)] = arrived
    assert (method, url, body) == ("PUT", "https://backend.example/v1/a%20b/c?x=1&y=2", b"body")
    assert headers["x-own"] == "1"
    assert not {"host", "connection", "content-length"} & headers.keys()


def test_an_address_where_nobody_answers_is_unavailable(api: Api) -> None:
    http(api, "$default", "https://backend.example/")
    api.cloud.world.web = None
    assert api.ask("GET", "/").status == 503


def test_mappings_change_the_request_and_the_response(api: Api) -> None:
    arrived = http(
        api,
        "POST /a/{id}",
        "https://backend.example/",
        RequestParameters={
            "overwrite:header.x-id": "$request.path.id",
            "append:header.x-own": "more",
            "remove:querystring.secret": "''",
            "overwrite:querystring.who": "${context.identity.sourceIp}-${request.body.name}",
        },
        ResponseParameters={"201": {"overwrite:statuscode": "200", "append:header.x-id": "$response.body.id"}},
    )
    answer = api.ask("POST", "/a/7?secret=1&kept=2", {"X-Own": "one"}, b'{"name": "Ada"}')
    [(_, url, headers, _)] = arrived
    assert url == "https://backend.example/?kept=2&who=127.0.0.1-Ada"
    assert (headers["x-id"], headers["x-own"]) == ("7", "one,more")
    assert (answer.status, answer.headers["x-id"]) == (200, "7")


class Played:
    """A service that is played; every method is there."""

    def __init__(self, result: dict[str, Any] | AwsError) -> None:
        self.result, self.asked = result, []  # type: ignore[var-annotated]

    def __getattr__(self, method: str) -> Any:
        def call(**members: Any) -> Any:
            self.asked.append((method, members))
            if isinstance(self.result, AwsError):
                raise self.result
            return self.result

        return call


def calling(
    api: Api, monkeypatch: pytest.MonkeyPatch, subtype: str, result: dict[str, Any] | AwsError, **parameters: str
) -> Played:
    played = Played(result)
    monkeypatch.setattr(subtypes.Call, "api", lambda *_, **__: played, raising=True)
    made = api.gateway.create_integration(
        ApiId=api.id,
        IntegrationType="AWS_PROXY",
        IntegrationSubtype=subtype,
        CredentialsArn="arn:aws:iam::000000000000:role/gateway",
        PayloadFormatVersion="1.0",
        RequestParameters=parameters,
    )
    api.route("POST /", f"integrations/{made['IntegrationId']}")
    api.stage()
    return played


def test_a_route_sends_to_a_queue(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = calling(
        api, monkeypatch, "SQS-SendMessage", {"MessageId": "1", "MD5OfMessageBody": "x"},
        QueueUrl="https://queue", MessageBody="$request.body", DelaySeconds="5",
    )  # fmt: skip
    answer = api.ask("POST", "/", body=b"hello")
    assert queue.asked == [("send_message", {"QueueUrl": "https://queue", "MessageBody": "hello", "DelaySeconds": 5})]
    assert (answer.status, json.loads(answer.body)) == (200, {"MessageId": "1", "MD5OfMessageBody": "x"})  # type: ignore[arg-type]


def test_a_route_puts_an_event(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = calling(
        api, monkeypatch, "EventBridge-PutEvents", {"FailedEntryCount": 0, "Entries": []},
        Detail="$request.body.detail", DetailType="Asked", Source="$context.apiId",
    )  # fmt: skip
    assert api.ask("POST", "/", body=b'{"detail": {"a": 1}}').status == 200
    entry = {"Detail": '{"a":1}', "DetailType": "Asked", "Source": api.id}
    assert bus.asked == [("put_events", {"Entries": [entry]})]


class NoSuchQueue(AwsError):
    """The specified queue does not exist."""


def test_what_the_service_refuses_the_caller_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    calling(api, monkeypatch, "SQS-PurgeQueue", NoSuchQueue(), QueueUrl="https://queue")
    answer = api.ask("POST", "/")
    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "NoSuchQueue")  # type: ignore[arg-type]


CORS = {
    "AllowOrigins": ["https://a.example", "https://b.example"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["x-own"],
    "ExposeHeaders": ["x-told"],
    "AllowCredentials": True,
    "MaxAge": 60,
}
PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}


def test_a_preflight_is_answered_without_a_route(api: Api, functions: Functions) -> None:
    api.route("POST /", **api.authorizer())
    api.stage()
    api.gateway.update_api(ApiId=api.id, CorsConfiguration=CORS)
    answer = api.ask("OPTIONS", "/", PREFLIGHT)
    headers = {name: value for name, value in answer.headers.items() if name.startswith("access-")}
    assert (answer.status, answer.body) == (204, b"")
    assert headers == {
        "access-control-allow-origin": "https://a.example",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "x-own",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "60",
    }
    assert functions.events == {}


def test_another_origin_gets_no_permission(api: Api) -> None:
    api.route("POST /")
    api.stage()
    api.gateway.update_api(ApiId=api.id, CorsConfiguration=CORS)
    answer = api.ask("OPTIONS", "/", PREFLIGHT | {"Origin": "https://evil.example"})
    assert answer.status == 204
    assert "access-control-allow-origin" not in answer.headers


def test_the_gateways_word_on_origins_replaces_the_functions(api: Api, functions: Functions) -> None:
    api.route("GET /")
    api.stage()
    api.gateway.update_api(ApiId=api.id, CorsConfiguration=CORS)
    own = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "DELETE"}
    functions.answers["hello"] = {"statusCode": 200, "headers": own}
    answer = api.ask("GET", "/", {"Origin": "https://b.example"})
    assert answer.headers["access-control-allow-origin"] == "https://b.example"
    assert answer.headers["access-control-expose-headers"] == "x-told"
    assert "access-control-allow-methods" not in answer.headers


def test_without_cors_the_functions_word_stands(api: Api, functions: Functions) -> None:
    api.route("GET /")
    api.stage()
    functions.answers["hello"] = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}
    answer = api.ask("GET", "/", {"Origin": "https://b.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
