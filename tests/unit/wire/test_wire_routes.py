"""Which service and operation a request is for, by whichever of its indicators comes first."""

from __future__ import annotations

import botocore.model
import pytest

from stratolite.wire import models
from stratolite.wire.decode import decode
from stratolite.wire.faults import RouteError
from stratolite.wire.http1 import Headers, Request
from stratolite.wire.protocols import SERVICES
from stratolite.wire.route import route

ALL = frozenset(SERVICES)
FORM = "application/x-www-form-urlencoded"


def request(method: str, target: str, body: bytes = b"", **headers: str) -> Request:
    headers.setdefault("host", "localhost:4566")
    return Request(method, target, Headers([(k.replace("_", "-"), v) for k, v in headers.items()]), body)


def scope(service: str) -> str:
    return (
        f"AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )


@pytest.mark.parametrize("name", SERVICES)
def test_the_table_says_what_botocore_says(name: str) -> None:
    row, model = SERVICES[name], botocore.model.ServiceModel(models.read(name), name)
    assert row.version == model.api_version
    assert row.signing == model.signing_name
    assert row.endpoint == model.endpoint_prefix
    assert model.metadata.get("targetPrefix") in (row.target, None)  # which older versions leave out
    assert set(model.metadata.get("protocols") or [model.metadata["protocol"]]) <= set(row.protocols)


def test_a_cbor_request_names_service_and_operation_in_its_path() -> None:
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    found = route(request("POST", path, smithy_protocol="rpc-v2-cbor"), ALL)
    assert found == ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor")


def test_a_target_goes_before_the_signature() -> None:
    found = route(request("POST", "/", x_amz_target="AmazonSQS.SendMessage", authorization=scope("dynamodb")), ALL)
    assert found == ("sqs", "SendMessage", "json")


def test_two_services_of_one_signing_name_are_told_apart() -> None:
    streams = request("POST", "/", x_amz_target="DynamoDBStreams_20120810.GetRecords", authorization=scope("dynamodb"))
    assert route(streams, ALL).service == "dynamodbstreams"
    assert route(request("GET", "/v2/apis", authorization=scope("apigateway")), ALL).service == "apigatewayv2"
    assert route(request("GET", "/restapis", authorization=scope("apigateway")), ALL).service == "apigateway"


@pytest.mark.parametrize(
    ("body", "service"),
    [
        (b"Action=GetCallerIdentity&Version=2011-06-15", "sts"),
        (b"Action=GetCallerIdentity", "sts"),
        (b"Action=ListTopics&Version=2010-03-31", "sns"),
        (b"Action=ListUsers&Version=2010-05-08", "iam"),
        (b"Action=PutMetricData&Version=2010-08-01", "cloudwatch"),
        (b"Action=SendMessage&Version=2012-11-05", "sqs"),
    ],
)
def test_a_form_is_placed_by_its_version_or_by_the_only_service_with_the_action(body: bytes, service: str) -> None:
    assert route(request("POST", "/", body, content_type=FORM), ALL)[::2] == (service, "query")


def test_a_form_may_stand_in_the_query_string() -> None:
    found = route(request("GET", "/?Action=ListQueues&Version=2012-11-05"), ALL)
    assert found == ("sqs", "ListQueues", "query")


def test_a_function_may_be_invoked_with_what_looks_like_a_form() -> None:
    body = b"Action=SendMessage&Version=2012-11-05"
    found = route(
        request("POST", "/2015-03-31/functions/f/invocations", body, content_type=FORM, authorization=scope("lambda")),
        ALL,
    )
    assert found == ("lambda", "Invoke", "rest-json")


def test_an_old_sdk_posts_to_the_queue_itself() -> None:
    sent = request(
        "POST", "/000000000000/q", b"Action=SendMessage&Version=2012-11-05&MessageBody=hi", content_type=FORM
    )
    assert route(sent, ALL) == ("sqs", "SendMessage", "query")
    assert decode("sqs", "SendMessage", sent, "query") == {
        "QueueUrl": "http://localhost:4566/000000000000/q",
        "MessageBody": "hi",
    }


@pytest.mark.parametrize(
    ("method", "target", "headers", "operation"),
    [
        ("GET", "/", {}, "ListBuckets"),
        ("GET", "/b", {}, "ListObjects"),
        ("GET", "/b/", {}, "ListObjects"),
        ("GET", "/b?list-type=2", {}, "ListObjectsV2"),
        ("GET", "/b?list-type=2&prefix=a", {}, "ListObjectsV2"),
        ("GET", "/b?versions", {}, "ListObjectVersions"),
        ("GET", "/b?uploads", {}, "ListMultipartUploads"),
        ("GET", "/b?lifecycle", {}, "GetBucketLifecycleConfiguration"),
        ("PUT", "/b/k", {}, "PutObject"),
        ("PUT", "/b/k?x-id=PutObject", {}, "PutObject"),
        ("PUT", "/b/k/", {}, "PutObject"),
        ("PUT", "/b//k", {}, "PutObject"),
        ("PUT", "/b/k", {"x_amz_copy_source": "/a/b"}, "CopyObject"),
        ("PUT", "/b/k?partNumber=1&uploadId=2", {}, "UploadPart"),
        ("PUT", "/b/k?partNumber=1&uploadId=2", {"x_amz_copy_source": "/a/b"}, "UploadPartCopy"),
        ("PUT", "/b/k?acl", {}, "PutObjectAcl"),
        ("PUT", "/b?acl", {}, "PutBucketAcl"),
        ("POST", "/b?delete", {}, "DeleteObjects"),
        ("POST", "/b/k?uploads", {}, "CreateMultipartUpload"),
        ("POST", "/b/k?uploadId=1", {}, "CompleteMultipartUpload"),
        ("DELETE", "/b/k?uploadId=1", {}, "AbortMultipartUpload"),
        ("DELETE", "/b/k?versionId=1", {}, "DeleteObject"),
        ("HEAD", "/b/k", {}, "HeadObject"),
        ("HEAD", "/b", {}, "HeadBucket"),
    ],
)
def test_s3_is_told_apart_by_parameters_and_headers(
    method: str, target: str, headers: dict[str, str], operation: str
) -> None:
    assert route(request(method, target, authorization=scope("s3"), **headers), ALL).operation == operation
    assert route(request(method, target, **headers), ALL) == ("s3", operation, "rest-xml")


@pytest.mark.parametrize(
    ("host", "target", "bucket", "key"),
    [
        ("localhost", "/b/k", "b", "k"),
        ("bkt.localhost:4566", "/k", "bkt", "k"),
        ("my.b.s3.localhost:4566", "/a/k", "my.b", "a/k"),
        ("b.s3.eu-west-1.amazonaws.com", "/k", "b", "k"),
        ("b.s3-eu-west-1.amazonaws.com", "/k", "b", "k"),
        ("s3.eu-west-1.amazonaws.com", "/b/k", "b", "k"),
        ("s3.localhost", "/b/k", "b", "k"),
        ("s3.b.s3.localhost", "/b/k", "b", "k"),
    ],
)
def test_a_bucket_may_stand_in_the_host(host: str, target: str, bucket: str, key: str) -> None:
    sent = request("GET", target, host=host, authorization=scope("s3"))
    assert route(sent, ALL).operation == "GetObject"
    if not host.startswith("s3.b."):
        assert decode("s3", "GetObject", sent, "rest-xml") == {"Bucket": bucket, "Key": key}


@pytest.mark.parametrize("key", ["a/b", "a/", "/a", "a//b", "a b", "a+b", "ключ", "%", "?", "#", "a/../b", "a\tb"])
def test_keys_survive_their_way_through_a_path(key: str) -> None:
    from urllib.parse import quote

    sent = request("GET", f"/b/{quote(key, safe='/')}")
    assert decode("s3", "GetObject", sent, "rest-xml")["Key"] == key


def test_connections_are_found_below_any_stage() -> None:
    sent = request("POST", "/prod/@connections/abc%3D", b"hi", authorization=scope("execute-api"))
    assert route(sent, ALL) == ("apigatewaymanagementapi", "PostToConnection", "rest-json")
    assert decode("apigatewaymanagementapi", "PostToConnection", sent, "rest-json") == {
        "ConnectionId": "abc=",
        "Data": b"hi",
    }


def test_a_service_is_known_by_its_host() -> None:
    sent = request("GET", "/v2/apis", host="appsync.us-east-1.localhost:4566")
    assert route(sent, ALL) == ("appsync", "ListApis", "rest-json")


@pytest.mark.parametrize(
    ("sent", "code", "status", "service"),
    [
        (request("POST", "/", x_amz_target="Nobody.Nothing"), "UnknownOperationException", 400, None),
        (request("POST", "/", x_amz_target="AmazonSQS.Nothing"), "UnknownOperationException", 400, "sqs"),
        (request("POST", "/", b"Action=Nothing&Version=2012-11-05", content_type=FORM), "InvalidAction", 400, "sqs"),
        (request("POST", "/", b"Action=ListTopics&Version=1999-01-01", content_type=FORM), "InvalidAction", 400, None),
        (request("GET", "/nothing", authorization=scope("lambda")), "AccessDeniedException", 403, "lambda"),
        (
            request("GET", "/x", authorization=scope("apigateway")),
            "MissingAuthenticationTokenException",
            403,
            "apigateway",
        ),
        (request("BREW", "/b/k", authorization=scope("s3")), "MethodNotAllowed", 405, "s3"),
        (request("POST", "/", authorization=scope("ec2")), "NotImplemented", 501, None),
        (request("POST", "/x/y", smithy_protocol="rpc-v2-cbor"), "UnknownOperationException", 404, None),
        (request("POST", "/", authorization=scope("sns")), "MissingAction", 400, "sns"),
    ],
)
def test_what_cannot_be_placed_is_answered_as_aws_answers_it(
    sent: Request, code: str, status: int, service: str | None
) -> None:
    with pytest.raises(RouteError) as caught:
        route(sent, ALL)
    assert (caught.value.code, caught.value.status, caught.value.service) == (code, status, service)


def test_a_service_that_is_not_here_is_not_routed_to() -> None:
    with pytest.raises(RouteError):
        route(request("POST", "/", x_amz_target="AmazonSQS.SendMessage"), ("sns", "s3"))
