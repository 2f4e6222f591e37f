"""Resources: queues and their policies, as templates ask for them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, Made, Wanted, resource

from . import queues
from .errors import QueueDoesNotExist

ATTRIBUTES = (
    "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout",
)  # fmt: skip
"""Properties that are attributes of the same name."""


WITHOUT = {
    "ContentBasedDeduplication": "false",
    "DelaySeconds": "0",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "262144",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "VisibilityTimeout": "30",
}
"""What an attribute becomes when its property leaves the template; the others keep what they had (recorded)."""


@resource("AWS::SQS::Queue", replaces={"QueueName", "FifoQueue"})
class Queue:
    """`Ref` is the queue's URL."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        is_fifo = _text(properties.get("FifoQueue") or "false") == "true"
        name = properties.get("QueueName") or wanted.physical_name(80, ".fifo" if is_fifo else "")
        # AWS: CloudFormation waits out the minute after a deletion of the same name. Here: a new deployment need not.
        call.tx.run(
            "DELETE FROM sqs_deleted WHERE account = ? AND region = ? AND name = ?", call.account, call.region, name
        )
        call.api("sqs").create_queue(QueueName=name, Attributes=_attributes(properties), tags=_tags(wanted))
        return _made(call, name)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        sqs = call.api("sqs")
        attributes = {name: value for name, value in _attributes(wanted.properties).items() if name != "FifoQueue"}
        for name, value in WITHOUT.items():
            if name in was and name not in attributes:
                attributes[name] = value
        if attributes:
            sqs.set_queue_attributes(QueueUrl=made_id, Attributes=attributes)
        tags = _tags(wanted)
        there = sqs.list_queue_tags(QueueUrl=made_id).get("Tags") or {}
        if gone := [key for key in there if key not in tags]:
            sqs.untag_queue(QueueUrl=made_id, TagKeys=gone)
        if tags:
            sqs.tag_queue(QueueUrl=made_id, Tags=tags)
        return _made(call, made_id.rpartition("/")[2])

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("sqs").delete_queue(QueueUrl=made_id)
        except QueueDoesNotExist:
            pass


def _made(call: Call, name: str) -> Made:
    queue = queues.named(call, call.account, call.region, name)
    assert queue is not None
    url = queue.url(call)
    return Made(ref=url, attributes={"Arn": queue.arn, "QueueName": name, "QueueUrl": url})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _attributes(properties: Any) -> dict[str, str]:
    found = {name: properties.get(name) for name in ATTRIBUTES}
    given = {name: _text(value) for name, value in found.items() if value is not None}
    if given.get("FifoQueue") == "false":
        del given["FifoQueue"]  # a template may say so, the API must not
    return given


def _tags(wanted: Wanted) -> dict[str, str]:
    own = {tag["Key"]: str(tag["Value"]) for tag in wanted.properties.get("Tags") or ()}
    # Tags of CloudFormation's own (`aws:...`) are not shown on queues.
    return {**{key: value for key, value in wanted.tags.items() if not key.startswith("aws:")}, **own}


@resource("AWS::SQS::QueuePolicy")
class QueuePolicy:
    """`Ref` is a name of its own; the policy replaces whatever the queues had."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        _set_policies(call, wanted.properties["Queues"], wanted.properties["PolicyDocument"])
        name = wanted.physical_name()
        return Made(ref=name, attributes={"Id": name})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        there = wanted.properties["Queues"]
        _set_policies(call, [url for url in was.get("Queues", ()) if url not in there], None)
        _set_policies(call, there, wanted.properties["PolicyDocument"])
        return Made(ref=made_id, attributes={"Id": made_id})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _set_policies(call, properties.get("Queues", ()), None)


@resource("AWS::SQS::QueueInlinePolicy", replaces={"Queue"})
class QueueInlinePolicy:
    """`Ref` is the queue's URL."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return _inline(call, wanted)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return _inline(call, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _set_policies(call, [made_id], None)


def _inline(call: Call, wanted: Wanted) -> Made:
    url = wanted.properties["Queue"]
    _set_policies(call, [url], wanted.properties["PolicyDocument"])
    return Made(ref=url)


def _set_policies(call: Call, urls: Any, policy: Any) -> None:
    for url in urls:
        try:
            call.api("sqs").set_queue_attributes(
                QueueUrl=url, Attributes={"Policy": "" if policy is None else _text(policy)}
            )
        except QueueDoesNotExist:
            if policy is not None:
                raise
