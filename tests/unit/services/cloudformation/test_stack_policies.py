"""Stack policies: what an update may not touch (the cases are LocalStack's test_stack_policies, validated on AWS)."""

from __future__ import annotations

import json
from typing import Any

import pytest


def topic(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": [{"Principal": "*", "Resource": "*", **each} for each in statements]})


ALLOW = {"Effect": "Allow", "Action": "Update:*"}


def deny(action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, **more}


def update(bed: Any, resources: dict[str, Any], **more: Any) -> str:
    bed.ask("update_stack", StackName="s", TemplateBody={"Resources": resources}, **more)
    return str(bed.status())


def made(bed: Any, *statements: dict[str, Any]) -> None:
    resources = {"A": topic(DisplayName="1"), "B": topic(TopicName="b")}
    bed.ask("create_stack", StackName="s", TemplateBody={"Resources": resources})
    bed.ask("set_stack_policy", StackName="s", StackPolicyBody=policy(*statements))


@pytest.mark.parametrize(
    ("statement", "resources"),
    [
        (deny("Update:*"), {"A": topic(DisplayName="2"), "B": topic(TopicName="b")}),
        (
            deny("Update:Modify", Resource="LogicalResourceId/A"),
            {"A": topic(DisplayName="2"), "B": topic(TopicName="b")},
        ),
        (deny("Update:Replace"), {"A": topic(DisplayName="1"), "B": topic(TopicName="bb")}),
        (deny("Update:Delete"), {"A": topic(DisplayName="1")}),
        (
            deny("Update:*", Condition={"StringLike": {"ResourceType": ["AWS::SNS::*"]}}),
            {"A": topic(DisplayName="2"), "B": topic(TopicName="b")},
        ),
    ],
)
def test_what_is_denied_is_not_done(bed: Any, statement: dict[str, Any], resources: dict[str, Any]) -> None:
    made(bed, ALLOW, statement)
    assert update(bed, resources) == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [reason for _, status, reason in bed.events() if status == "UPDATE_FAILED"]
    assert len(reasons) == 1
    assert reasons[0].startswith("Action denied by stack policy: Statement [#2] does not allow [Update:")
    assert {verb for verb, _ in bed.journal} == {"create"}


def test_what_no_statement_allows_is_denied(bed: Any) -> None:
    made(bed, {**ALLOW, "Resource": "LogicalResourceId/B"})
    assert update(bed, {"A": topic(DisplayName="2"), "B": topic(TopicName="b")}) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Action not allowed by stack policy" in {reason for _, _, reason in bed.events()}


def test_other_changes_go_through_and_an_update_may_bring_its_own_policy(bed: Any) -> None:
    made(bed, ALLOW, deny("Update:Replace"))
    resources = {"A": topic(DisplayName="2"), "B": topic(TopicName="b")}
    assert update(bed, resources) == "UPDATE_COMPLETE"
    resources["B"] = topic(TopicName="bb")
    assert update(bed, resources, StackPolicyDuringUpdateBody=policy(ALLOW)) == "UPDATE_COMPLETE"
    assert json.loads(bed.ask("get_stack_policy", StackName="s")["StackPolicyBody"])["Statement"][1]["Effect"] == "Deny"
    resources["B"] = topic(TopicName="bbb")
    assert update(bed, resources) == "UPDATE_ROLLBACK_COMPLETE"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "{}",
        policy({**ALLOW, "Principal": "me"}),
        policy({"Effect": "Deny", "Action": "Delete:*"}),
        policy({"Effect": "Perhaps", "Action": "Update:*"}),
    ],
)
def test_what_is_no_policy_is_refused(bed: Any, body: str) -> None:
    made(bed, ALLOW)
    refused = bed.fails("set_stack_policy", StackName="s", StackPolicyBody=body)
    assert refused.message == "Error validating stack policy: Invalid stack policy"
