"""Tags of topics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stratolite.kernel import Call, operation

from . import topics
from .errors import NotFoundException, ResourceNotFoundException
from .tagging import checked


def _topic(call: Call, arn: str) -> topics.Topic:
    try:
        return topics.find(call, arn, "ResourceArn")
    except NotFoundException:
        raise ResourceNotFoundException from None


@operation
def tag_resource(call: Call, resource_arn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    topic = _topic(call, resource_arn)
    _write(call, topic, checked(topic.tags, tags))
    return {}


@operation
def untag_resource(call: Call, resource_arn: str, tag_keys: list[str]) -> dict[str, Any]:
    topic = _topic(call, resource_arn)
    _write(call, topic, {key: value for key, value in topic.tags.items() if key not in tag_keys})
    return {}


@operation
def list_tags_for_resource(call: Call, resource_arn: str) -> dict[str, Any]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in _topic(call, resource_arn).tags.items()]}


def _write(call: Call, topic: topics.Topic, tags: Mapping[str, str]) -> None:
    call.tx.run("UPDATE sns_topic SET tags = ? WHERE key = ?", json.dumps(dict(tags)), topic.key)
