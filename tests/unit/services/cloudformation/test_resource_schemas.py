"""Properties judged by the published schemas, and brought into their kinds."""

from __future__ import annotations

import pytest

from stratolite.services.cloudformation.schemas import coerced, create_only, problems

QUEUE, RULE, ROLE = "AWS::SQS::Queue", "AWS::Events::Rule", "AWS::IAM::Role"


@pytest.mark.parametrize(
    ("kind", "properties", "found"),
    [
        (QUEUE, {"QueueName": "a", "VisibilityTimeout": "30"}, []),
        (QUEUE, {"QueueNam": "a"}, ["Encountered unsupported properties in {/}: [QueueNam]"]),
        (QUEUE, {"Arn": "a"}, ["Encountered unsupported properties in {/}: [Arn]"]),
        (QUEUE, {"Tags": [{"Key": "a"}]}, ["The property {/Tags/0/Value} is required"]),
        (QUEUE, {"VisibilityTimeout": {"a": 1}}, ["Value of property {/VisibilityTimeout} must be of type Integer"]),
        (QUEUE, {"Tags": "a"}, ["Value of property {/Tags} must be of type List"]),
        (RULE, {"EventPattern": {"anything": ["goes"]}, "State": "ENABLED"}, []),
        (ROLE, {}, ["The property {/AssumeRolePolicyDocument} is required"]),
        ("Custom::Mine", {"anything": 1}, []),
    ],
)
def test_problems(kind: str, properties: dict[str, object], found: list[str]) -> None:
    assert problems(kind, properties) == found


def test_scalars_take_the_kind_the_schema_asks_for() -> None:
    asked = {"VisibilityTimeout": "30", "FifoQueue": "true", "QueueName": 5, "RedrivePolicy": {"maxReceiveCount": "3"}}
    assert coerced(QUEUE, asked) == {
        "VisibilityTimeout": 30,
        "FifoQueue": True,
        "QueueName": "5",
        "RedrivePolicy": {"maxReceiveCount": 3},
    }


def test_environment_variables_are_text_whatever_they_look_like() -> None:
    asked = {"Environment": {"Variables": {"A": 5, "B": True}}, "Timeout": "7"}
    assert coerced("AWS::Lambda::Function", asked) == {
        "Environment": {"Variables": {"A": "5", "B": "true"}},
        "Timeout": 7,
    }


def test_what_replaces_a_resource_is_published() -> None:
    assert create_only(QUEUE) == {"QueueName", "FifoQueue"}
