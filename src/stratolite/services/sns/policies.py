"""Policies: what a topic says of who may use it, until somebody says otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping

ACTIONS = (
    "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
    "ListSubscriptionsByTopic", "Publish",
)  # fmt: skip


def text(arn: str, account: str, attributes: Mapping[str, str]) -> str:
    """A topic's policy, or the one AWS gives to every new topic."""
    return attributes.get("Policy") or json.dumps(
        {
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [
                {
                    "Sid": "__default_statement_ID",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": [f"SNS:{action}" for action in ACTIONS],
                    "Resource": arn,
                    "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
                }
            ],
        }
    )
