"""The template keeps the numbers together that belong together, and gives each function what it needs and no more."""

from pathlib import Path
from typing import Any

import pytest
import yaml

TEMPLATE = Path(__file__).parent.parent.parent / "template.yaml"


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X` is read as {"Ref": X}."""


def _short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {suffix: loader.construct_sequence(node, deep=True)}


Loader.add_multi_constructor("!", _short_form)


@pytest.fixture(scope="module")
def template() -> Any:
    return yaml.load(TEMPLATE.read_text(), Loader)


def functions(template: Any) -> dict[str, Any]:
    resources = template["Resources"].items()
    return {name: each["Properties"] for name, each in resources if each["Type"] == "AWS::Serverless::Function"}


@pytest.mark.parametrize("pace", ["production", "brisk"])
def test_a_queue_hides_a_message_for_six_times_its_functions_timeout(template: Any, pace: str) -> None:
    def number(value: Any) -> int:
        return int(template["Mappings"]["Pace"][pace][value["FindInMap"][2]] if isinstance(value, dict) else value)

    queues = 0
    for function in functions(template).values():
        for event in (function.get("Events") or {}).values():
            if event["Type"] == "SQS":
                queue = event["Properties"]["Queue"]["GetAtt"].removesuffix(".Arn")
                hidden = number(template["Resources"][queue]["Properties"]["VisibilityTimeout"])
                assert hidden >= 6 * number(function["Timeout"])
                queues += 1
    assert queues == 4


def test_dead_letters_are_kept_longer_than_letters(template: Any) -> None:
    def kept(queue: str) -> int:
        return int(template["Resources"][queue]["Properties"]["MessageRetentionPeriod"])

    assert all(kept(queue) > kept("Letters") for queue in ("DeadLetters", "PersistFailures", "FanOutFailures"))


def test_every_signed_header_and_the_route_are_what_an_authorizers_answer_is_remembered_by(template: Any) -> None:
    [authorizer] = template["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"].values()
    assert set(authorizer["Identity"]["Headers"]) == {
        "x-forms-tenant",
        "x-forms-timestamp",
        "x-forms-digest",
        "x-forms-signature",
    }
    assert authorizer["Identity"]["Context"] == ["routeKey"]


def test_a_function_may_do_what_it_does_and_nothing_else(template: Any) -> None:
    def allowed(function: str) -> set[str]:
        actions: set[str] = set()
        for policy in functions(template)[function]["Policies"]:
            for statement in policy["Statement"]:
                action = statement["Action"]
                actions |= {action} if isinstance(action, str) else set(action)
        return actions

    assert {name: allowed(name) for name in functions(template)} == {
        "AuthorizerFunction": {"secretsmanager:GetSecretValue"},
        "IngestFunction": {"dynamodb:PutItem", "dynamodb:GetItem", "events:PutEvents"},
        "ListFunction": {"dynamodb:Query"},
        "PersistFunction": {"dynamodb:PutItem"},
        "FanOutFunction": {"dynamodb:Query", "sqs:SendMessage"},
        "ConnectorFunction": {
            "dynamodb:GetItem",
            "secretsmanager:GetSecretValue",
            "sqs:ChangeMessageVisibility",
            "sqs:SendMessage",
        },
        "DeadLetterFunction": {"dynamodb:PutItem", "dynamodb:GetShardIterator", "dynamodb:GetRecords"},
    }
