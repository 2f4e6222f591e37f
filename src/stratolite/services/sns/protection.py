"""Protection: what a topic's messages may hold, as it is told; they pass as they are."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import topics
from .errors import NotFoundException, ResourceNotFoundException, invalid


@operation
def put_data_protection_policy(call: Call, resource_arn: str, data_protection_policy: str) -> None:
    topic = _protected(call, resource_arn)
    try:
        json.loads(data_protection_policy or "null")
    except ValueError:
        raise invalid("DataProtectionPolicy", "failed to parse JSON") from None
    call.not_emulated_here("sns DataProtectionPolicy")
    call.tx.run("UPDATE sns_topic SET data_protection = ? WHERE key = ?", data_protection_policy, topic.key)


@operation
def get_data_protection_policy(call: Call, resource_arn: str) -> dict[str, Any]:
    topic = _protected(call, resource_arn)
    return {
        "DataProtectionPolicy": call.tx.value("SELECT data_protection FROM sns_topic WHERE key = ?", topic.key) or None
    }


def _protected(call: Call, arn: str) -> topics.Topic:
    try:
        return topics.find(call, arn, "ResourceArn")
    except NotFoundException:
        raise ResourceNotFoundException from None
