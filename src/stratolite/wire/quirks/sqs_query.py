"""SQS over the query protocol: the spelling that old SDKs use and that botocore's model no longer has."""

from __future__ import annotations

import copy
import re
from typing import Any

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"

# What an item of a (flattened) list is called.
_ITEMS = {
    "AWSAccountIdList": "AWSAccountId",
    "ActionNameList": "ActionName",
    "AttributeNameList": "AttributeName",
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "BinaryList": "BinaryListValue",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "ListMessageMoveTasksResultEntryList": "ListMessageMoveTasksResultEntry",
    "MessageAttributeNameList": "MessageAttributeName",
    "MessageList": "Message",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "QueueUrlList": "QueueUrl",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
    "StringList": "StringListValue",
    "TagKeyList": "TagKey",
}

# What an entry of a (flattened) map is called, and its two halves.
_ENTRIES = {
    "MessageBodyAttributeMap": ("MessageAttribute", "Name", "Value"),
    "MessageBodySystemAttributeMap": ("MessageSystemAttribute", "Name", "Value"),
    "MessageSystemAttributeMap": ("Attribute", "Name", "Value"),
    "QueueAttributeMap": ("Attribute", "Name", "Value"),
    "TagMap": ("Tag", "Key", "Value"),
}

# Codes on the query wire by error shape.
ERROR_CODES = {
    "BatchEntryIdsNotDistinct": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": "AWS.SimpleQueueService.BatchRequestTooLong",
    "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
    "InvalidBatchEntryId": "AWS.SimpleQueueService.InvalidBatchEntryId",
    "KmsAccessDenied": "KMS.AccessDeniedException",
    "KmsDisabled": "KMS.DisabledException",
    "KmsInvalidKeyUsage": "KMS.InvalidKeyUsageException",
    "KmsInvalidState": "KMS.InvalidStateException",
    "KmsNotFound": "KMS.NotFoundException",
    "KmsOptInRequired": "KMS.OptInRequired",
    "KmsThrottled": "KMS.ThrottlingException",
    "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
    "PurgeQueueInProgress": "AWS.SimpleQueueService.PurgeQueueInProgress",
    "QueueDeletedRecently": "AWS.SimpleQueueService.QueueDeletedRecently",
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    "UnsupportedOperation": "AWS.SimpleQueueService.UnsupportedOperation",
}

# Statuses that only the query protocol has; JSON answers 400 to all of them.
STATUSES = {"OverLimit": 403, "PurgeQueueInProgress": 403, "ResourceNotFoundException": 404}

# Codes that no shape has, by the name of their type on the JSON wire.
TYPES = {
    "InvalidParameterValue": "InvalidParameterValueException",
    "MissingParameter": "MissingRequiredParameterException",
}


_QUEUE = re.compile(r"(?:/queue/[a-z0-9-]+)?/\d{12}/[^/]+/?")
_OF_NO_QUEUE = frozenset({"CreateQueue", "ListQueues"})


def is_valid_at(path: str, action: str) -> bool:
    """At a queue's own URL only what is about that queue can be asked."""
    return action not in _OF_NO_QUEUE or _QUEUE.fullmatch(path) is None


def spelled(model: dict[str, Any]) -> dict[str, Any]:
    """The JSON model with the query protocol's names written into it."""
    model = copy.deepcopy(model)
    model["metadata"] |= {"protocol": "query", "protocols": ["query"], "xmlNamespace": NAMESPACE}
    shapes = model["shapes"]
    for name, shape in shapes.items():
        if name in _ITEMS:
            shape["flattened"] = True
            shape["member"]["locationName"] = _ITEMS[name]
        elif name in _ENTRIES:
            shape["flattened"] = True
            _, shape["key"]["locationName"], shape["value"]["locationName"] = _ENTRIES[name]
        for member in shape.get("members", {}).values():
            if entry := _ENTRIES.get(member["shape"]):
                member["locationName"] = entry[0]
            elif item := _ITEMS.get(member["shape"]):
                member["locationName"] = item
    for name, operation in model["operations"].items():
        if "output" in operation:
            operation["output"]["resultWrapper"] = f"{name}Result"
    return model
