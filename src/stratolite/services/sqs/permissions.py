"""Permissions: statements of a queue's policy, by label."""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import Call, operation

from . import queues
from .errors import InvalidParameterValueException, invalid

ACTIONS = frozenset(
    {
        "*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes",
        "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue",
    }
)  # fmt: skip


@operation
def add_permission(call: Call, queue_url: str, label: str, aws_account_ids: list[str], actions: list[str]) -> None:
    queue = queues.find(call, queue_url)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", label):
        raise invalid(
            "Label", label, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."
        )
    for action in actions:
        if action not in ACTIONS:
            raise InvalidParameterValueException(
                f"Value SQS:{action} for parameter ActionName is invalid. Reason: Only the queue owner is allowed to "
                "invoke this action."
            )
    for account in aws_account_ids:
        if not re.fullmatch(r"\d{12}", account):
            raise invalid("PrincipalId", f"[{account}]", "Unable to verify.")
    policy = _policy(queue) or {"Version": "2008-10-17", "Id": f"{queue.arn}/SQSDefaultPolicy", "Statement": []}
    if any(statement.get("Sid") == label for statement in policy["Statement"]):
        raise invalid("Label", label, "Already exists.")
    policy["Statement"].append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_all([f"arn:aws:iam::{account}:root" for account in aws_account_ids])},
            "Action": _one_or_all([f"SQS:{action}" for action in actions]),
            "Resource": queue.arn,
        }
    )
    call.cloud.notice("sqs: the enforcement of queue policies")
    _write(call, queue, policy)


@operation
def remove_permission(call: Call, queue_url: str, label: str) -> None:
    queue = queues.find(call, queue_url)
    policy = _policy(queue) or {"Statement": []}
    left = [statement for statement in policy["Statement"] if statement.get("Sid") != label]
    if len(left) == len(policy["Statement"]):
        raise invalid("Label", label, "can't find label.")
    _write(call, queue, {**policy, "Statement": left} if left else None)


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _policy(queue: queues.Queue) -> dict[str, Any] | None:
    text = queue.attributes.get("Policy")
    if not text:
        return None
    policy: dict[str, Any] = json.loads(text)
    statements = policy.get("Statement") or []
    # One statement may stand without its list; what is no statement at all has no label either.
    listed = statements if isinstance(statements, list) else [statements]
    return {**policy, "Statement": [each for each in listed if isinstance(each, dict)]}


def _write(call: Call, queue: queues.Queue, policy: dict[str, Any] | None) -> None:
    after = dict(queue.attributes)
    after.pop("Policy", None)
    if policy is not None:
        after["Policy"] = json.dumps(policy)
    call.tx.run(
        "UPDATE sqs_queue SET attributes = ?, modified_at = ? WHERE key = ?", json.dumps(after), call.now, queue.key
    )
