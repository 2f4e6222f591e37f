"""Events on their way: entries, rules, archives, replays, schedules, HTTP endpoints."""

import json

import pytest
from botocore.exceptions import ClientError

from stratolite.wire.http1 import Headers, Response

DEFAULT = "arn:aws:events:us-east-1:000000000000:event-bus/default"


@pytest.fixture
def events(cloud):
    return cloud.client("events")


class Endpoint:
    """An HTTP endpoint outside the cloud: it remembers what it was asked, and answers with `status`."""

    def __init__(self, cloud, events, **auth):
        self.requests, self.statuses = [], []
        cloud.world.web = self.answer
        auth = auth or {"AuthorizationType": "BASIC",
                        "AuthParameters": {"BasicAuthParameters": {"Username": "u", "Password": "p"}}}  # fmt: skip
        connection = events.create_connection(Name="c", **auth)["ConnectionArn"]
        self.arn = events.create_api_destination(
            Name="d", ConnectionArn=connection, InvocationEndpoint="https://example.com/a/*", HttpMethod="POST"
        )["ApiDestinationArn"]

    def answer(self, method, url, headers, body):
        self.requests.append((method, url, headers, body))
        status = self.statuses.pop(0) if self.statuses else 200
        return Response(status, Headers([]), b'{"access_token": "t", "expires_in": 60}')

    @property
    def bodies(self):
        return [json.loads(body) for _, _, _, body in self.requests]


def rule(events, arn, pattern='{"source":["s"]}', bus="default", **target):
    events.put_rule(Name="r", EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule="r", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn, **target}])


def entry(detail='{"a":1}', **members):
    return {"Source": "s", "DetailType": "t", "Detail": detail, **members}


def test_an_event_reaches_its_target_in_its_envelope(cloud, events):
    endpoint = Endpoint(cloud, events)
    rule(events, endpoint.arn)
    answer = events.put_events(Entries=[entry(Resources=["x"], Time=1_700_000_000), entry(Source="other")])
    cloud.clock.settle()
    assert endpoint.bodies == [
        {
            "version": "0",
            "id": answer["Entries"][0]["EventId"],
            "detail-type": "t",
            "source": "s",
            "account": "000000000000",
            "time": "2023-11-14T22:13:20Z",
            "region": "us-east-1",
            "resources": ["x"],
            "detail": {"a": 1},
        }
    ]


# Recorded from PutEvents.
@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"Source": ""}, "InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."),
        ({"DetailType": ""}, "InvalidArgument",
         "Parameter DetailType is not valid. Reason: DetailType is a required argument."),
        ({"Detail": ""}, "InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."),
        ({"Detail": "[]"}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '"text"'}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": "{{}"}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '{"a": NaN}'}, "MalformedDetail", "Detail is malformed."),
        ({"Detail": '{"a": ' + "[" * 5000 + "]" * 5000 + "}"}, "MalformedDetail", "Detail is malformed."),
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException", "Not authorized for the source."),
    ],
)  # fmt: skip
def test_an_entry_is_refused_alone(events, members, code, message):
    answer = events.put_events(Entries=[entry(**members), entry()])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0] == {"ErrorCode": code, "ErrorMessage": message}
    assert set(answer["Entries"][1]) == {"EventId"}


def test_a_request_has_a_limit(events):
    with pytest.raises(ClientError, match="Total size of the entries in the request is over the limit"):
        events.put_events(Entries=[entry(json.dumps({"a": "x" * 600_000}))] * 2)


def test_a_bus_that_does_not_exist_takes_the_event_all_the_same(events):
    assert events.put_events(Entries=[entry(EventBusName="nowhere")])["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"Input": '{"fixed": true}'}, {"fixed": True}),
        ({"InputPath": "$.detail"}, {"a": 1}),
        ({"InputTransformer": {"InputPathsMap": {"x": "$.detail.a"}, "InputTemplate": '{"got": <x>}'}}, {"got": 1}),
    ],
)
def test_a_target_gets_what_it_asked_for(cloud, events, how, expected):
    endpoint = Endpoint(cloud, events)
    rule(events, endpoint.arn, **how)
    events.put_events(Entries=[entry()])
    cloud.clock.settle()
    assert endpoint.bodies == [expected]


def test_a_disabled_or_removed_rule_is_silent(cloud, events):
    endpoint = Endpoint(cloud, events)
    rule(events, endpoint.arn)
    events.disable_rule(Name="r")
    events.put_events(Entries=[entry()])
    events.enable_rule(Name="r")
    events.put_events(Entries=[entry('{"heard": 1}')])
    events.remove_targets(Rule="r", Ids=["1"])
    events.put_events(Entries=[entry()])
    cloud.clock.settle()
    assert [body["detail"] for body in endpoint.bodies] == [{"heard": 1}]


def test_an_event_goes_from_bus_to_bus_with_its_id(cloud, events):
    endpoint = Endpoint(cloud, events)
    made = events.create_event_bus(Name="b")["EventBusArn"]
    events.put_rule(Name="on", EventPattern='{"source":["s"]}')
    events.put_targets(Rule="on", Targets=[{"Id": "1", "Arn": made}])
    rule(events, endpoint.arn, bus="b")
    answer = events.put_events(Entries=[entry()])
    cloud.clock.settle()
    assert [body["id"] for body in endpoint.bodies] == [answer["Entries"][0]["EventId"]]


def test_an_event_that_crosses_regions_is_a_new_one(cloud, events):
    endpoint = Endpoint(cloud, cloud.client("events", region="eu-west-1"))
    far = cloud.client("events", region="eu-west-1")
    rule(far, endpoint.arn)
    rule(events, "arn:aws:events:eu-west-1:000000000000:event-bus/default")
    answer = events.put_events(Entries=[entry()])
    cloud.clock.settle()
    assert endpoint.bodies[0]["id"] != answer["Entries"][0]["EventId"]
    assert endpoint.bodies[0]["region"] == "us-east-1"


def test_a_circle_of_buses_ends(cloud, events):
    arn, messages = queue(cloud, "q")
    events.put_rule(Name="r", EventPattern='{"source":["s"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": DEFAULT}, {"Id": "2", "Arn": arn}])
    events.put_events(Entries=[entry()])
    assert len(messages()) > 1


# ---------------------------------------------------------------------- archives and replays


def test_an_archive_keeps_what_matches_and_a_replay_brings_it_again(cloud, events):
    endpoint = Endpoint(cloud, events)
    rule(events, endpoint.arn, '{"source":["s"],"replay-name":[{"exists":true}]}')
    archive = events.create_archive(ArchiveName="a", EventSourceArn=DEFAULT, EventPattern='{"source":["s"]}')
    start = cloud.clock.now
    for number in range(120):
        events.put_events(Entries=[entry(json.dumps({"n": number})), entry(Source="other")])
    assert events.describe_archive(ArchiveName="a")["EventCount"] == 120
    cloud.clock.advance(60)
    assert endpoint.requests == []
    events.start_replay(
        ReplayName="again", EventSourceArn=archive["ArchiveArn"], EventStartTime=start, EventEndTime=cloud.clock.now,
        Destination={"Arn": DEFAULT},
    )  # fmt: skip
    cloud.clock.settle()
    assert sorted(body["detail"]["n"] for body in endpoint.bodies) == list(range(120))
    assert {body["replay-name"] for body in endpoint.bodies} == {"again"}
    assert events.describe_replay(ReplayName="again")["State"] == "COMPLETED"
    # What a replay brings is not archived again.
    assert events.describe_archive(ArchiveName="a")["EventCount"] == 120


def test_a_replay_may_be_limited_to_rules(cloud, events):
    endpoint = Endpoint(cloud, events)
    rule(events, endpoint.arn, '{"replay-name":[{"exists":true}]}')
    archive = events.create_archive(ArchiveName="a", EventSourceArn=DEFAULT)["ArchiveArn"]
    start = cloud.clock.now
    events.put_events(Entries=[entry()])
    cloud.clock.advance(1)
    span = {"EventSourceArn": archive, "EventStartTime": start, "EventEndTime": cloud.clock.now}
    other = "arn:aws:events:us-east-1:000000000000:rule/other"
    events.start_replay(ReplayName="limited", Destination={"Arn": DEFAULT, "FilterArns": [other]}, **span)
    cloud.clock.settle()
    assert endpoint.requests == []
    with pytest.raises(ClientError, match="IllegalStatusException"):
        events.cancel_replay(ReplayName="limited")
    with pytest.raises(ClientError, match="Cross event bus replay is not permitted"):
        made = events.create_event_bus(Name="b")["EventBusArn"]
        events.start_replay(ReplayName="crossed", Destination={"Arn": made}, **span)


def test_an_archive_forgets_after_its_days(cloud, events):
    events.create_archive(ArchiveName="a", EventSourceArn=DEFAULT, RetentionDays=2)
    events.put_events(Entries=[entry()])
    kept = "SELECT count(*) FROM events_archived"
    cloud.clock.advance(days=1, minutes=1)
    assert cloud.cloud.store.reader().value(kept) == 1
    cloud.clock.advance(days=2)
    assert cloud.cloud.store.reader().value(kept) == 0


# ---------------------------------------------------------------------- schedules


def test_a_rate_ticks_from_when_it_was_set(cloud, events):
    endpoint = Endpoint(cloud, events)
    events.put_rule(Name="r", ScheduleExpression="rate(5 minutes)")
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": endpoint.arn}])
    start = cloud.clock.now
    cloud.clock.advance(minutes=16)
    assert len(endpoint.bodies) == 3
    first = endpoint.bodies[0]
    assert (first["source"], first["detail-type"], first["detail"]) == ("aws.events", "Scheduled Event", {})
    assert first["resources"] == ["arn:aws:events:us-east-1:000000000000:rule/r"]
    assert first["time"] == f"{start.replace(minute=start.minute + 5):%Y-%m-%dT%H:%M:%SZ}"


def test_a_changed_or_disabled_schedule_ends_the_old_one(cloud, events):
    endpoint = Endpoint(cloud, events)
    events.put_rule(Name="r", ScheduleExpression="rate(5 minutes)")
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": endpoint.arn}])
    events.put_rule(Name="r", ScheduleExpression="rate(1 hour)")
    cloud.clock.advance(minutes=59)
    assert endpoint.requests == []
    cloud.clock.advance(minutes=2)
    assert len(endpoint.requests) == 1
    events.disable_rule(Name="r")
    cloud.clock.advance(hours=5)
    assert len(endpoint.requests) == 1


def test_an_event_does_not_set_off_a_scheduled_rule(cloud, events):
    endpoint = Endpoint(cloud, events)
    events.put_rule(Name="r", ScheduleExpression="rate(1 day)")
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": endpoint.arn}])
    events.put_events(Entries=[entry()])
    cloud.clock.settle()
    assert endpoint.requests == []


# ---------------------------------------------------------------------- HTTP endpoints


def test_a_request_has_the_connection_s_authorization_and_parameters(cloud, events):
    endpoint = Endpoint(
        cloud,
        events,
        AuthorizationType="API_KEY",
        AuthParameters={
            "ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "k"},
            "InvocationHttpParameters": {
                "HeaderParameters": [{"Key": "over", "Value": "connection", "IsValueSecret": False}],
                "QueryStringParameters": [{"Key": "q", "Value": "1", "IsValueSecret": True}],
                "BodyParameters": [{"Key": "extra", "Value": "2", "IsValueSecret": False}],
            },
        },
    )
    http = {"PathParameterValues": ["p/q"], "HeaderParameters": {"over": "target", "own": "h"}}
    rule(events, endpoint.arn, Input='{"x":1}', HttpParameters=http)
    events.put_events(Entries=[entry()])
    cloud.clock.settle()
    method, url, headers, body = endpoint.requests[0]
    assert (method, url) == ("POST", "https://example.com/a/p%2Fq?q=1")
    assert (headers["X-Key"], headers["over"], headers["own"]) == ("k", "connection", "h")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(body) == {"x": 1, "extra": "2"}
    shown = events.describe_connection(Name="c")["AuthParameters"]
    assert shown["InvocationHttpParameters"]["QueryStringParameters"] == [{"Key": "q", "IsValueSecret": True}]
    assert shown["ApiKeyAuthParameters"] == {"ApiKeyName": "X-Key"}


def test_a_token_is_asked_for_once(cloud, events):
    endpoint = Endpoint(
        cloud,
        events,
        AuthorizationType="OAUTH_CLIENT_CREDENTIALS",
        AuthParameters={
            "OAuthParameters": {
                "ClientParameters": {"ClientID": "id", "ClientSecret": "secret"},
                "AuthorizationEndpoint": "https://example.com/token",
                "HttpMethod": "POST",
            }
        },
    )
    assert events.describe_api_destination(Name="d")["ApiDestinationState"] == "INACTIVE"
    cloud.clock.advance(10)
    assert events.describe_connection(Name="c")["ConnectionState"] == "AUTHORIZED"
    rule(events, endpoint.arn)
    events.put_events(Entries=[entry(), entry()])
    cloud.clock.settle()
    assert [url for _, url, _, _ in endpoint.requests].count("https://example.com/token") == 1
    assert endpoint.requests[-1][2]["Authorization"] == "Bearer t"


@pytest.mark.parametrize(("status", "tries"), [(503, 3), (429, 3), (404, 1)])
def test_an_endpoint_that_fails_is_asked_again_when_that_may_help(cloud, events, status, tries):
    endpoint = Endpoint(cloud, events)
    endpoint.statuses = [status] * 10
    rule(events, endpoint.arn, RetryPolicy={"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600})
    events.put_events(Entries=[entry()])
    cloud.clock.advance(hours=2)
    assert len(endpoint.requests) == tries


def test_the_secret_lives_and_dies_with_the_connection(cloud, events):
    Endpoint(cloud, events)
    secret = events.describe_connection(Name="c")["SecretArn"]
    secrets = cloud.client("secretsmanager")
    assert json.loads(secrets.get_secret_value(SecretId=secret)["SecretString"]) == {"username": "u", "password": "p"}
    events.delete_connection(Name="c")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secrets.describe_secret(SecretId=secret)


# ---------------------------------------------------------------------- queues and dead letters


def queue(cloud, name, **attributes):
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn, lambda: sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
    ).get("Messages", [])


def test_a_queue_has_the_event_when_put_events_answers(cloud, events):
    arn, messages = queue(cloud, "q")
    rule(events, arn)
    answer = events.put_events(Entries=[entry('{"word": "fünf"}')])
    body = messages()[0]["Body"]
    assert body.startswith(
        '{"version":"0","id":"' + answer["Entries"][0]["EventId"] + '","detail-type":"t","source":"s",'
    )
    assert body.endswith('"resources":[],"detail":{"word":"fünf"}}')


def test_a_fifo_queue_gets_its_group(cloud, events):
    arn, messages = queue(cloud, "q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    rule(events, arn, SqsParameters={"MessageGroupId": "g"})
    events.put_events(Entries=[entry()])
    assert messages()[0]["Attributes"]["MessageGroupId"] == "g"


# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html#eb-dlq-message-attributes
def test_a_dead_letter_tells_why(cloud, events):
    endpoint = Endpoint(cloud, events)
    endpoint.statuses = [503] * 10
    dead, messages = queue(cloud, "dead")
    rule(events, endpoint.arn, DeadLetterConfig={"Arn": dead}, RetryPolicy={"MaximumRetryAttempts": 2})
    answer = events.put_events(Entries=[entry()])
    cloud.clock.advance(hours=1)
    letter = messages()[0]
    assert json.loads(letter["Body"])["id"] == answer["Entries"][0]["EventId"]
    assert {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()} == {
        "RULE_ARN": "arn:aws:events:us-east-1:000000000000:rule/r",
        "TARGET_ARN": endpoint.arn,
        "ERROR_CODE": "SDK_CLIENT_ERROR",
        "ERROR_MESSAGE": "Unable to invoke ApiDestination endpoint: The request failed because the endpoint answered "
        "with status 503.",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "2",
    }


def test_what_cannot_succeed_is_a_dead_letter_at_once(cloud, events):
    dead, messages = queue(cloud, "dead")
    rule(events, "arn:aws:sqs:us-east-1:000000000000:gone", DeadLetterConfig={"Arn": dead})
    events.put_events(Entries=[entry()])
    attributes = messages()[0]["MessageAttributes"]
    assert attributes["RETRY_ATTEMPTS"]["StringValue"] == "0"
    assert attributes["ERROR_CODE"]["StringValue"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert "EXHAUSTED_RETRY_CONDITION" not in attributes


def test_an_event_that_grows_too_old_is_given_up(cloud, events):
    endpoint = Endpoint(cloud, events)
    endpoint.statuses = [503] * 1000
    dead, messages = queue(cloud, "dead")
    rule(events, endpoint.arn, DeadLetterConfig={"Arn": dead}, RetryPolicy={"MaximumEventAgeInSeconds": 60})
    events.put_events(Entries=[entry()])
    cloud.clock.advance(minutes=2)
    assert messages()[0]["MessageAttributes"]["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumEventAgeInSeconds"
