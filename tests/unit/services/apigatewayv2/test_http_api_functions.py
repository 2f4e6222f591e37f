"""A function gets the request as an event, and its result is the response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from gateway_world import Api, Functions

from stratolite.kernel import AwsError
from stratolite.wire.http1 import Headers, Request, Response

Served = Callable[..., Response]


def test_format_2_has_every_field_aws_puts_there(api: Api, functions: Functions) -> None:
    api.route("POST /my/{thing}/{proxy+}")
    api.stage(StageVariables={"stageVariable1": "value1"})
    host = f"{api.id}.execute-api.us-east-1.amazonaws.com"
    headers = [
        ("Host", host),
        ("Cookie", "cookie1=1; cookie2=2"),
        ("Header1", "value1"),
        ("Header2", "value1"),
        ("header2", "value2"),
        ("User-Agent", "agent"),
        ("Content-Type", "application/json; charset=utf-8"),
    ]
    target = "/my/a%20b/c/d?parameter1=value1&parameter1=value2&parameter2=a%2Cb&empty="
    api.cloud.ask(Request("POST", target, Headers(headers), '{"é": 1}'.encode(), peer="192.0.2.1"))
    [event] = functions.events["hello"]
    context = event["requestContext"]
    trace = event["headers"].pop("x-amzn-trace-id")
    assert trace.startswith("Root=1-")
    assert len(context["requestId"]) == 16
    assert event == {
        "version": "2.0",
        "routeKey": "POST /my/{thing}/{proxy+}",
        "rawPath": "/my/a b/c/d",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=a%2Cb&empty=",
        "cookies": ["cookie1=1", "cookie2=2"],
        "headers": {
            "host": host,
            "header1": "value1",
            "header2": "value1,value2",
            "user-agent": "agent",
            "content-type": "application/json; charset=utf-8",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "a,b", "empty": ""},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": api.id,
            "domainName": host,
            "domainPrefix": api.id,
            "http": {
                "method": "POST",
                "path": "/my/a b/c/d",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": context["requestId"],
            "routeKey": "POST /my/{thing}/{proxy+}",
            "stage": "$default",
            "time": context["time"],
            "timeEpoch": context["timeEpoch"],
        },
        "pathParameters": {"thing": "a b", "proxy": "c/d"},
        "stageVariables": {"stageVariable1": "value1"},
        "body": '{"é": 1}',
        "isBase64Encoded": False,
    }
    assert context["time"] == "15/Jun/2025:15:06:40 +0000"
    assert context["timeEpoch"] == 1_750_000_000_000


def test_what_is_empty_is_absent_in_format_2(served: Served, functions: Functions) -> None:
    served({})
    [event] = functions.events["hello"]
    absent = {"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"}
    assert not absent & event.keys()
    assert (event["rawQueryString"], event["isBase64Encoded"]) == ("", False)


def test_format_1_has_single_and_multi_values_and_nulls(api: Api, functions: Functions) -> None:
    api.route("GET /things/{id}", api.integration(version="1.0"))
    api.stage()
    functions.answers["hello"] = {"statusCode": 200, "body": "ok"}
    assert api.ask("GET", "/things/7?a=1&a=2").status == 200
    [event] = functions.events["hello"]
    assert event["version"] == "1.0"
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/things/{id}", "/things/7", "GET")
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["pathParameters"] == {"id": "7"}
    assert (event["stageVariables"], event["body"], event["isBase64Encoded"]) == (None, None, False)
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["resourcePath"] == "/things/{id}"


@pytest.mark.parametrize(
    ("kind", "body", "encoded"),
    [
        ("application/json", b"{}", False),
        ("text/plain; charset=utf-8", "é".encode(), False),
        ("application/vnd.api+json", b"{}", False),
        ("application/octet-stream", b"text all the same", True),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("application/json", b"\xff\xfe", True),
        (None, b"text", False),
    ],
)
def test_a_body_is_base64_unless_it_is_declared_as_text_and_is(
    served: Served, functions: Functions, kind: str | None, body: bytes, encoded: bool
) -> None:
    served({}, "POST", "/", {"Content-Type": kind} if kind else {}, body)
    [event] = functions.events["hello"]
    assert event["isBase64Encoded"] is encoded
    assert (base64.b64decode(event["body"]) if encoded else event["body"].encode()) == body


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ({"message": "hi"}, b'{"message": "hi"}'),
        ([1, 2], b"[1, 2]"),
        ("text", b"text"),
        (None, b"null"),
        (7, b"7"),
    ],
)
def test_a_result_without_a_status_is_the_body_of_a_200(served: Served, result: Any, body: bytes) -> None:
    answer = served(result)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/json", body)


def test_a_structured_result_is_the_response(served: Served) -> None:
    answer = served(
        {
            "statusCode": "201",
            "headers": {"X-Number": 7, "X-Flag": True, "Content-Type": "image/png"},
            "cookies": ["a=1; Secure", "b=2"],
            "body": base64.b64encode(b"\x89PNG").decode(),
            "isBase64Encoded": True,
        }
    )
    assert (answer.status, answer.body) == (201, b"\x89PNG")
    assert (answer.headers["x-number"], answer.headers["x-flag"]) == ("7", "true")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers.all("set-cookie") == ["a=1; Secure", "b=2"]


def test_a_structured_result_without_a_type_is_plain_text(served: Served) -> None:
    assert served({"statusCode": 200, "body": "x"}).headers["content-type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "cookies": "a=1"},
        b"no json",
        ValueError("raised"),
    ],
)
def test_what_is_no_response_is_an_internal_error(served: Served, result: Any) -> None:
    answer = served(result)
    assert (answer.status, answer.body) == (500, b'{"message":"Internal Server Error"}')


def test_every_answer_names_its_request(served: Served, functions: Functions) -> None:
    answer = served({})
    assert answer.headers["apigw-requestid"] == functions.events["hello"][0]["requestContext"]["requestId"]


@pytest.mark.parametrize(
    "sources",
    [
        [],
        ["arn:aws:execute-api:us-east-1:000000000000:other/*"],
        ["arn:aws:execute-api:us-east-1:000000000000:*/*/POST/pets"],
    ],
)
def test_a_function_that_lets_this_route_not_in_is_not_invoked(
    api: Api, functions: Functions, sources: list[str]
) -> None:
    api.route("GET /pets")
    api.stage()
    functions.sources["hello"] = sources
    assert api.ask("GET", "/pets").status == 500
    assert functions.events == {}


@pytest.mark.parametrize(
    ("key", "source"),
    [
        ("GET /pets/{id}", "{api}/*/GET/pets/*"),
        ("ANY /pets/{id}", "{api}/*/*/pets/{{id}}"),
        ("$default", "{api}/$default/$default"),
    ],
)
def test_a_permission_names_the_api_the_stage_the_method_and_the_routes_path(
    api: Api, functions: Functions, key: str, source: str
) -> None:
    api.route(key)
    api.stage()
    functions.sources["hello"] = ["arn:aws:execute-api:us-east-1:000000000000:" + source.format(api=api.id)]
    assert api.ask("GET", "/pets/7").status == 200


def test_a_function_that_takes_too_long_is_unavailable(api: Api, functions: Functions) -> None:
    api.route("GET /slow", api.integration(TimeoutInMillis=2000))
    api.stage()
    functions.takes_s["hello"] = 2.5
    answer = api.ask("GET", "/slow")
    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')
    api.cloud.clock.advance(1)
    assert len(functions.events["hello"]) == 1  # the function went on


class TooManyRequestsException(AwsError):
    """Rate Exceeded."""


def test_a_throttled_function_is_unavailable(api: Api, functions: Functions) -> None:
    api.route("$default")
    api.stage()
    functions.errors["hello"] = TooManyRequestsException()
    assert api.ask("GET", "/").status == 503


def test_the_access_log_has_a_line_of_its_format_for_each_request(api: Api) -> None:
    api.route("GET /pets/{id}")
    group = "arn:aws:logs:us-east-1:000000000000:log-group:access"
    form = "$context.requestId $context.routeKey $context.status $context.responseLength $context.authorizer.error $x"
    api.stage(AccessLogSettings={"DestinationArn": group, "Format": form})
    found = api.ask("GET", "/pets/7")
    lost = api.ask("GET", "/dogs")
    assert [line.message for line in api.cloud.logs("access")] == [
        f"{found.headers['apigw-requestid']} GET /pets/{{id}} 200 17 - $x",
        f"{lost.headers['apigw-requestid']} - 404 23 - $x",
    ]
