"""CloudWatch Logs: groups and streams, lines put and read, what follows them.

Rules and texts: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/ and the answers recorded in
LocalStack's suite (tests/aws/services/logs).
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from stratolite.kernel import AwsError, Delivery

DAY_S = 86400.0
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/k"
DESTINATION = "arn:aws:logs:us-east-1:000000000000:destination:d"
ROLE = "arn:aws:iam::000000000000:role/r"


@pytest.fixture
def stream(aws: Any) -> dict[str, str]:
    aws.logs.create_log_group(logGroupName="g")
    aws.logs.create_log_stream(logGroupName="g", logStreamName="s")
    return {"logGroupName": "g", "logStreamName": "s"}


def put(aws: Any, stream: dict[str, str], *messages: str, at: float | None = None) -> Any:
    now = round((aws.now() if at is None else at) * 1000)
    events = [{"timestamp": now + n, "message": message} for n, message in enumerate(messages)]
    return aws.logs.put_log_events(**stream, logEvents=events)


def messages(answer: Any) -> list[str]:
    return [event["message"] for event in answer["events"]]


def test_lines_are_read_from_either_end_and_on_from_there(aws: Any, stream: dict[str, str]) -> None:
    put(aws, stream, *"abcdefg")
    read = aws.logs.get_log_events
    last = read(**stream, limit=3)
    assert messages(last) == ["e", "f", "g"]
    before = read(**stream, limit=3, nextToken=last["nextBackwardToken"])
    assert messages(before) == ["b", "c", "d"]
    assert messages(read(**stream, limit=3, nextToken=before["nextForwardToken"])) == ["e", "f", "g"]
    first = read(**stream, limit=5, startFromHead=True)
    rest = read(**stream, limit=5, nextToken=first["nextForwardToken"])
    assert messages(first) + messages(rest) == list("abcdefg")
    end = read(**stream, nextToken=rest["nextForwardToken"])
    assert messages(end) == [] and end["nextForwardToken"] == rest["nextForwardToken"]
    put(aws, stream, "h", at=aws.now() + 1)
    assert messages(read(**stream, nextToken=end["nextForwardToken"])) == ["h"]
    with pytest.raises(AwsError, match=r"The specified nextToken is invalid\."):
        read(**stream, nextToken="invalid-token")


def test_lines_are_read_of_a_span_of_time(aws: Any, stream: dict[str, str]) -> None:
    put(aws, stream, *"abc")
    now = round(aws.now() * 1000)
    assert messages(aws.logs.get_log_events(**stream, startTime=now + 1, endTime=now + 2)) == ["b"]


def test_lines_out_of_order_are_refused_and_those_too_old_or_too_new_left_out(aws: Any, stream: dict[str, str]) -> None:
    now = round(aws.now() * 1000)

    def put_at(*offsets_s: int) -> Any:
        events = [{"timestamp": now + 1000 * s, "message": "m"} for s in offsets_s]
        return aws.logs.put_log_events(**stream, logEvents=events).get("rejectedLogEventsInfo")

    with pytest.raises(AwsError, match="must be in chronological order"):
        put_at(0, -1)
    with pytest.raises(AwsError, match="cannot span more than 24 hours"):
        put_at(-100_000, 0)
    assert put_at(0, 1) is None
    assert put_at(int(-14.5 * DAY_S), int(-13.9 * DAY_S)) == {"tooOldLogEventEndIndex": 1}
    assert put_at(0, 7000, 7300) == {"tooNewLogEventStartIndex": 2}
    assert len(messages(aws.logs.get_log_events(**stream))) == 5


def test_a_batch_is_at_most_a_megabyte(aws: Any, stream: dict[str, str]) -> None:
    with pytest.raises(AwsError, match="exceeds limit of 1048576"):
        put(aws, stream, *["x" * 1000] * 1100)


def test_what_is_not_there_is_named(aws: Any, stream: dict[str, str]) -> None:
    with pytest.raises(AwsError, match=r"The specified log stream does not exist\."):
        put(aws, {**stream, "logStreamName": "t"}, "m")
    with pytest.raises(AwsError, match=r"The specified log group does not exist\."):
        put(aws, {**stream, "logGroupName": "h"}, "m")
    with pytest.raises(AwsError, match="The specified log group already exists"):
        aws.logs.create_log_group(logGroupName="g")


def test_a_group_is_searched_across_its_streams_page_by_page(aws: Any, stream: dict[str, str]) -> None:
    aws.logs.create_log_stream(logGroupName="g", logStreamName="t")
    put(aws, stream, "ERROR one", "ok", "ERROR two")
    put(aws, {**stream, "logStreamName": "t"}, "ERROR three", "ok", at=aws.now() + 0.001)
    found = aws.logs.filter_log_events(logGroupName="g", filterPattern="ERROR", limit=2)
    rest = aws.logs.filter_log_events(logGroupName="g", filterPattern="ERROR", nextToken=found["nextToken"])
    assert messages(found) + messages(rest) == ["ERROR one", "ERROR three", "ERROR two"]
    assert "nextToken" not in rest
    assert messages(aws.logs.filter_log_events(logGroupName="g", logStreamNames=["t"])) == ["ERROR three", "ok"]
    with pytest.raises(AwsError, match="Invalid filter pattern"):
        aws.logs.filter_log_events(logGroupName="g", filterPattern="{ $.a = ")


def test_a_group_that_a_function_writes_to_is_there_without_being_made(aws: Any) -> None:
    aws.cloud.telemetry.log("000000000000", "us-east-1", "/aws/lambda/f", "2025/[1]x", [(aws.now(), "START")])
    groups = aws.logs.describe_log_groups(logGroupNamePrefix="/aws/lambda")["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["/aws/lambda/f"]
    streams = aws.logs.describe_log_streams(logGroupName="/aws/lambda/f")["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["2025/[1]x"]
    aws.logs.delete_log_group(logGroupName="/aws/lambda/f")
    assert aws.logs.describe_log_groups()["logGroups"] == []


def test_lines_older_than_the_retention_are_gone(aws: Any, stream: dict[str, str]) -> None:
    put(aws, stream, "old")
    aws.logs.put_retention_policy(logGroupName="g", retentionInDays=3)
    aws.pass_time(2 * DAY_S)
    put(aws, stream, "new")
    aws.pass_time(1.5 * DAY_S)
    assert messages(aws.logs.get_log_events(**stream)) == ["new"]
    aws.pass_time(1 * DAY_S)
    assert [line.message for line in aws.cloud.telemetry.lines("000000000000", "us-east-1", "g")] == ["new"]
    with pytest.raises(AwsError, match="retentionInDays"):
        aws.logs.put_retention_policy(logGroupName="g", retentionInDays=4)


def test_streams_are_listed_by_name_or_by_their_last_event(aws: Any, stream: dict[str, str]) -> None:
    for name in ("a", "b"):
        aws.logs.create_log_stream(logGroupName="g", logStreamName=name)
    put(aws, {**stream, "logStreamName": "b"}, "m")
    by_name = aws.logs.describe_log_streams(logGroupName="g")["logStreams"]
    assert [s["logStreamName"] for s in by_name] == ["a", "b", "s"]
    latest = aws.logs.describe_log_streams(logGroupName="g", orderBy="LastEventTime", descending=True, limit=1)
    assert [s["logStreamName"] for s in latest["logStreams"]] == ["b"]
    with pytest.raises(AwsError, match="mutually exclusive"):
        aws.logs.describe_log_streams(logGroupName="g", logGroupIdentifier="g")


def test_a_subscription_hands_on_each_matching_line_once(aws: Any, stream: dict[str, str]) -> None:
    seen = deliveries(aws)
    put(aws, stream, "ERROR before")
    subscribe(aws, "ERROR")
    put(aws, stream, "ERROR one", "ok", "ERROR two")
    aws.pass_time(1)
    put(aws, stream, "ERROR three")
    aws.pass_time(1)
    unpacked = [json.loads(gzip.decompress(delivery.payload)) for delivery in seen]
    assert [[e["message"] for e in m["logEvents"]] for m in unpacked] == [["ERROR one", "ERROR two"], ["ERROR three"]]
    assert {k: unpacked[0][k] for k in ("messageType", "owner", "logGroup", "logStream", "subscriptionFilters")} == {
        "messageType": "DATA_MESSAGE",
        "owner": "000000000000",
        "logGroup": "g",
        "logStream": "s",
        "subscriptionFilters": ["f"],
    }
    aws.logs.delete_subscription_filter(logGroupName="g", filterName="f")
    put(aws, stream, "ERROR four")
    aws.pass_time(120)
    assert len(seen) == 2
    assert aws.cloud.store.reader().value("SELECT count(*) FROM job") == 0


def test_a_function_gets_lines_as_an_awslogs_event(aws: Any, stream: dict[str, str]) -> None:
    seen = deliveries(aws)
    subscribe(aws, "", "arn:aws:lambda:us-east-1:000000000000:function:f")
    put(aws, stream, "hello")
    aws.pass_time(1)
    data = json.loads(seen[0].payload)["awslogs"]["data"]
    assert json.loads(gzip.decompress(base64.b64decode(data)))["logEvents"][0]["message"] == "hello"


def deliveries(aws: Any) -> list[Delivery]:
    """What is delivered from now on, wherever to."""
    seen: list[Delivery] = []
    aws.cloud.target = lambda arn: (lambda call, delivery: seen.append(delivery), False)
    return seen


def subscribe(aws: Any, pattern: str, target: str = STREAM) -> None:
    """Through a destination, whose target is not looked for."""
    aws.logs.put_destination(destinationName="d", targetArn=target, roleArn=ROLE)
    aws.logs.put_subscription_filter(
        logGroupName="g", filterName="f", filterPattern=pattern, destinationArn=DESTINATION, roleArn=ROLE
    )


def test_a_group_has_two_subscriptions_at_most(aws: Any, stream: dict[str, str]) -> None:
    aws.logs.put_destination(destinationName="d", targetArn=STREAM, roleArn=ROLE)
    to = {"destinationArn": DESTINATION, "filterPattern": ""}
    for name in ("a", "b", "a"):
        aws.logs.put_subscription_filter(logGroupName="g", filterName=name, **to)
    with pytest.raises(AwsError, match=r"Resource limit exceeded\."):
        aws.logs.put_subscription_filter(logGroupName="g", filterName="c", **to)


def test_a_metric_filter_measures_what_matches(aws: Any, stream: dict[str, str]) -> None:
    rule = {"metricNamespace": "N", "metricName": "ms", "metricValue": "$.ms", "dimensions": {"path": "$.path"}}
    aws.logs.put_metric_filter(
        logGroupName="g", filterName="f", filterPattern="{ $.ms > 10 && $.path = * }", metricTransformations=[rule]
    )
    put(aws, stream, '{"ms": 12, "path": "/a"}', '{"ms": 5, "path": "/a"}', "no json")
    aws.pass_time(1)
    start = aws.now() - 60
    points = aws.cloud.telemetry.points("000000000000", "us-east-1", "N", "ms", start, start + 120)
    assert [(dimensions, values) for dimensions, _, _, values in points] == [({"path": "/a"}, [(12.0, 1)])]
    assert aws.logs.describe_log_groups()["logGroups"][0]["metricFilterCount"] == 1
    found = aws.logs.describe_metric_filters(metricName="ms", metricNamespace="N")["metricFilters"]
    assert [f["filterName"] for f in found] == ["f"]


def test_a_pattern_can_be_tried(aws: Any) -> None:
    answer = aws.logs.test_metric_filter(
        filterPattern="[ip, status >= 400]", logEventMessages=["1.2.3.4 200", "1.2.3.4 404"]
    )
    assert answer["matches"] == [
        {"eventNumber": 2, "eventMessage": "1.2.3.4 404", "extractedValues": {"$ip": "1.2.3.4", "$status": "404"}}
    ]


def test_tags_are_the_same_by_either_api(aws: Any) -> None:
    aws.logs.create_log_group(logGroupName="g", tags={"a": "1"})
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:g"
    aws.logs.tag_resource(resourceArn=arn, tags={"b": "2"})
    aws.logs.untag_log_group(logGroupName="g", tags=["a"])
    assert aws.logs.list_tags_for_resource(resourceArn=arn) == aws.logs.list_tags_log_group(logGroupName="g")
    assert aws.logs.list_tags_log_group(logGroupName="g") == {"tags": {"b": "2"}}


def test_policies_come_back_as_aws_writes_them(aws: Any) -> None:
    document = '{"Statement":[{"Action":"logs:*","Effect":"Allow","Principal":{"Service":["x"]},"Resource":"*"}]}'
    aws.logs.put_resource_policy(policyName="p", policyDocument=document)
    policy = aws.logs.describe_resource_policies()["resourcePolicies"][0]
    assert json.loads(policy["policyDocument"]) == {
        "Version": "2008-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "x"}, "Action": "logs:*", "Resource": "*"}],
    }
    with pytest.raises(AwsError, match=r"Policy with name \[q\] does not exist\."):
        aws.logs.delete_resource_policy(policyName="q")
