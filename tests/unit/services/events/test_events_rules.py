"""Rules and targets through the API."""

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

PATTERN = '{"source":["s"]}'
QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"


@pytest.fixture
def events(cloud):
    return cloud.client("events", config=Config(retries={"max_attempts": 0}))  # a limit exceeded is tried again else


def refused(operation, **members):
    with pytest.raises(ClientError) as error:
        operation(**members)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_a_rule_is_described(events):
    arn = events.put_rule(Name="r", EventPattern=PATTERN, Description="d")["RuleArn"]
    described = events.describe_rule(Name="r")
    described.pop("ResponseMetadata")
    assert described == {
        "Name": "r",
        "Arn": arn,
        "EventPattern": PATTERN,
        "State": "ENABLED",
        "Description": "d",
        "EventBusName": "default",
        "CreatedBy": "000000000000",
    }
    assert arn == "arn:aws:events:us-east-1:000000000000:rule/r"


def test_a_rule_of_another_bus_has_it_in_its_arn(events):
    events.create_event_bus(Name="b")
    arn = events.put_rule(Name="r", EventBusName="b", EventPattern=PATTERN)["RuleArn"]
    assert arn == "arn:aws:events:us-east-1:000000000000:rule/b/r"
    assert events.describe_rule(Name="r", EventBusName="b")["Arn"] == arn


def test_putting_a_rule_again_keeps_its_targets(events):
    events.put_rule(Name="r", EventPattern=PATTERN)
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": QUEUE}])
    events.put_rule(Name="r", EventPattern='{"source":["t"]}')
    assert events.list_targets_by_rule(Rule="r")["Targets"] == [{"Id": "1", "Arn": QUEUE}]
    assert events.list_rule_names_by_target(TargetArn=QUEUE)["RuleNames"] == ["r"]


def test_a_rule_with_targets_is_not_deleted(events):
    events.put_rule(Name="r", EventPattern=PATTERN)
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": QUEUE}])
    assert refused(events.delete_rule, Name="r") == (
        "ValidationException",
        "Rule can't be deleted since it has targets.",
    )
    events.remove_targets(Rule="r", Ids=["1"])
    events.delete_rule(Name="r")
    events.delete_rule(Name="r")  # what is gone deletes well
    assert refused(events.describe_rule, Name="r")[1] == "Rule r does not exist on EventBus default."


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ({}, ("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")),
        ({"ScheduleExpression": "rate(1 minutes)"},
         ("ValidationException", "Parameter ScheduleExpression is not valid.")),
        ({"ScheduleExpression": "rate(1 minute)", "EventBusName": "b"},
         ("ValidationException", "ScheduleExpression is supported only on the default event bus.")),
        ({"EventPattern": '{"a":[]}'},
         ("InvalidEventPatternException",
          'Event pattern is not valid. Reason: Empty arrays are not allowed\n'
          ' at [Source: (String)"{"a":[]}"; line: 1, column: 8]')),
        ({"EventPattern": PATTERN, "EventBusName": "c"},
         ("ResourceNotFoundException", "Event bus c does not exist.")),
    ],
)  # fmt: skip
def test_a_rule_is_refused(events, members, answer):
    events.create_event_bus(Name="b")
    assert refused(events.put_rule, Name="r", **members) == answer


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Input": "{}", "InputPath": "$.x"},
         "Only one of Input, InputPath, or InputTransformer must be provided for target 1."),
        ({"InputTransformer": {"InputTemplate": '"<x>"', "InputPathsMap": {"y": "$.y"}}},
         "InputTemplate for target 1 contains invalid placeholder x."),
        ({"Arn": "queue"}, "Parameter queue is not valid. Reason: Provided Arn is not in correct format."),
        ({"Arn": QUEUE + ".fifo"}, "Parameter(s) SqsParameters must be specified for target: 1."),
    ],
)  # fmt: skip
def test_a_target_is_refused(events, target, message):
    events.put_rule(Name="r", EventPattern=PATTERN)
    members = {"Id": "1", "Arn": QUEUE, **target}
    assert refused(events.put_targets, Rule="r", Targets=[members]) == ("ValidationException", message)
    assert events.list_targets_by_rule(Rule="r")["Targets"] == []


def test_a_rule_has_five_targets_at_most(events):
    events.put_rule(Name="r", EventPattern=PATTERN)
    targets = [{"Id": str(number), "Arn": QUEUE} for number in range(6)]
    assert refused(events.put_targets, Rule="r", Targets=targets)[0] == "LimitExceededException"
    assert events.list_targets_by_rule(Rule="r")["Targets"] == []


def test_a_pattern_is_tested_against_an_event(events):
    import json

    seen = {"id": "1", "source": "s", "detail-type": "d", "account": "1", "region": "r", "time": "t"}
    assert events.test_event_pattern(EventPattern=PATTERN, Event=json.dumps(seen))["Result"] is True
    assert events.test_event_pattern(EventPattern='{"source":["t"]}', Event=json.dumps(seen))["Result"] is False
    for event in ("plain string", "[]", '{"source": "s"}'):
        assert refused(events.test_event_pattern, EventPattern=PATTERN, Event=event) == (
            "ValidationException",
            "Parameter Event is not valid.",
        )
