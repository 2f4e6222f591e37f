"""Attributes of queues: their names, defaults and limits, as a table.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from stratolite.languages import arns

from .errors import InvalidAttributeName, InvalidAttributeValue, InvalidParameterValueException

Attributes = dict[str, str]


def _number(least: int, most: int) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if not re.fullmatch(r"-?\d{1,18}", value) or not least <= int(value) <= most:
            raise InvalidAttributeValue(name=name)
        return str(int(value))

    return read


def _flag(name: str, value: str) -> str:
    if value.lower() not in ("true", "false"):
        raise InvalidAttributeValue(name=name)
    return value.lower()


def _choice(*values: str) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if value not in values:
            raise InvalidAttributeValue(name=name)
        return value

    return read


def _document(name: str, value: str) -> str:
    if value:
        try:
            if not isinstance(json.loads(value), dict):
                raise ValueError
        except ValueError:
            raise InvalidAttributeValue(name=name) from None
    return value


def _text(name: str, value: str) -> str:
    return value


MAX_BYTES = 1_048_576
"""Since August 2025: https://aws.amazon.com/about-aws/whats-new/2025/08/amazon-sqs-max-payload-size-1mib/"""
MAX_VISIBILITY_S = 43_200

READERS: dict[str, Callable[[str, str], str]] = {
    "ContentBasedDeduplication": _flag,
    "DeduplicationScope": _choice("messageGroup", "queue"),
    "DelaySeconds": _number(0, 900),
    "FifoQueue": _flag,
    "FifoThroughputLimit": _choice("perQueue", "perMessageGroupId"),
    "KmsDataKeyReusePeriodSeconds": _number(60, 86_400),
    "KmsMasterKeyId": _text,
    "MaximumMessageSize": _number(1024, MAX_BYTES),
    "MessageRetentionPeriod": _number(60, 1_209_600),
    "Policy": _document,
    "ReceiveMessageWaitTimeSeconds": _number(0, 20),
    "RedriveAllowPolicy": _document,
    "RedrivePolicy": _document,
    "SqsManagedSseEnabled": _flag,
    "VisibilityTimeout": _number(0, MAX_VISIBILITY_S),
}

DEFAULTS = {
    "DelaySeconds": "0",
    "MaximumMessageSize": str(MAX_BYTES),
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
FIFO_DEFAULTS = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}

COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
)
"""Attributes a queue has and nobody sets."""

FIFO_ONLY = {
    "ContentBasedDeduplication": "Unknown Attribute ContentBasedDeduplication.",
    "DeduplicationScope": "You can specify the DeduplicationScope only when FifoQueue is set to true.",
    "FifoThroughputLimit": "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
}


def read(attributes: Attributes, *, is_fifo: bool, creating: bool) -> Attributes:
    """What a request sets, checked and normalised. Raises InvalidAttributeName, InvalidAttributeValue."""
    found = {}
    for name, value in attributes.items():
        if name not in READERS:
            raise InvalidAttributeName(name=name)
        if name == "FifoQueue":
            if not is_fifo:
                raise InvalidAttributeName(name=name)
            if not creating and value.lower() != "true":
                raise InvalidAttributeValue(
                    "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
                )
        if not is_fifo and name in FIFO_ONLY:
            raise InvalidAttributeName(FIFO_ONLY[name])
        found[name] = READERS[name](name, value)
    _check_encryption(found)
    if found.get("RedrivePolicy"):
        found["RedrivePolicy"] = _redrive(found["RedrivePolicy"])
    if found.get("RedriveAllowPolicy"):
        _redrive_allow(found["RedriveAllowPolicy"])
    return found


def merged(now: Mapping[str, str], changes: Attributes) -> Attributes:
    """A queue's attributes after a change. An empty text takes one away; one kind of encryption ends the other."""
    after = {**now, **changes}
    if changes.get("KmsMasterKeyId"):
        after["SqsManagedSseEnabled"] = "false"
        after.setdefault("KmsDataKeyReusePeriodSeconds", "300")
    elif changes.get("SqsManagedSseEnabled") == "true" or changes.get("KmsMasterKeyId") == "":
        after.pop("KmsMasterKeyId", None)
        after.pop("KmsDataKeyReusePeriodSeconds", None)
    if after.get("FifoThroughputLimit") == "perMessageGroupId" and after.get("DeduplicationScope") != "messageGroup":
        raise InvalidAttributeValue(
            "The perMessageGroupId value for FifoThroughputLimit is allowed only when DeduplicationScope is set to "
            "messageGroup."
        )
    return {name: value for name, value in after.items() if value != "" or name == "KmsMasterKeyId"}


def _check_encryption(found: Attributes) -> None:
    if found.get("KmsMasterKeyId") and found.get("SqsManagedSseEnabled") == "true":
        raise InvalidAttributeName(
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE."
        )


def _redrive(text: str) -> str:
    policy: dict[str, Any] = json.loads(text)

    def refuse(reason: str) -> InvalidParameterValueException:
        return InvalidParameterValueException(f"Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}")

    if "deadLetterTargetArn" not in policy:
        raise refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
    if "maxReceiveCount" not in policy:
        raise refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
    try:
        times = int(policy["maxReceiveCount"])
    except (TypeError, ValueError):
        times = 0
    if not 1 <= times <= 1000:
        raise refuse(
            f"Invalid value for maxReceiveCount: {policy['maxReceiveCount']}, valid values are from 1 to 1000 "
            "both inclusive."
        )
    arn = policy["deadLetterTargetArn"]
    if not isinstance(arn, str) or not arns.is_arn(arn) or arns.parse(arn).service != "sqs":
        raise refuse("Invalid value for deadLetterTargetArn.")
    policy["maxReceiveCount"] = times
    return json.dumps(policy, separators=(",", ":"))


def _redrive_allow(text: str) -> None:
    policy: dict[str, Any] = json.loads(text)

    def refuse(reason: str) -> InvalidParameterValueException:
        return InvalidParameterValueException(
            f"Value {text} for parameter RedriveAllowPolicy is invalid. Reason: {reason}"
        )

    permission, sources = policy.get("redrivePermission"), policy.get("sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise refuse("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
    if permission == "byQueue":
        if not isinstance(sources, list) or not sources:
            raise refuse("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
        if len(sources) > 10:
            raise refuse("Amazon SQS can't create the redrive allow policy. Specify no more than 10 source queue ARNs.")
    elif sources is not None:
        raise refuse("Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
