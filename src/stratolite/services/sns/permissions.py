"""Permissions: statements of a topic's policy, by label."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import topics
from .errors import invalid
from .policies import ACTIONS, text


def _statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    found = policy.get("Statement") or []
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


@operation
def add_permission(call: Call, topic_arn: str, label: str, aws_account_id: list[str], action_name: list[str]) -> None:
    topic = topics.find(call, topic_arn)
    policy = json.loads(text(topic.arn, topic.account, topic.attributes))
    statements = _statements(policy)
    if any(each.get("Sid") == label for each in statements):
        raise invalid("Statement already exists")
    if any(action not in ACTIONS for action in action_name):
        raise invalid("Policy statement action out of service scope!")
    statements.append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_all([f"arn:aws:iam::{account}:root" for account in aws_account_id])},
            "Action": _one_or_all([f"SNS:{action}" for action in action_name]),
            "Resource": topic.arn,
        }
    )
    call.cloud.notice("sns: the enforcement of topic policies")
    _write(call, topic, {**policy, "Statement": statements})


@operation
def remove_permission(call: Call, topic_arn: str, label: str) -> None:
    topic = topics.find(call, topic_arn)
    policy = json.loads(text(topic.arn, topic.account, topic.attributes))
    left = [each for each in _statements(policy) if each.get("Sid") != label]
    _write(call, topic, {**policy, "Statement": left})


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _write(call: Call, topic: topics.Topic, policy: dict[str, Any]) -> None:
    topics.write(call, topic, {**topic.attributes, "Policy": json.dumps(policy)})
