"""Batches: up to ten of one operation, each of which may fail by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from stratolite.kernel import AwsError, Call, operation

from . import content, queues, receiving, sending
from .attributes import MAX_BYTES
from .errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameterValueException,
    TooManyEntriesInBatchRequest,
)

Entry = dict[str, Any]

MOST = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def _check(entries: list[Entry], kind: str) -> None:
    if not entries:
        raise EmptyBatchRequest(entry=kind)
    if len(entries) > MOST:
        raise TooManyEntriesInBatchRequest(sent=len(entries))
    seen = set()
    for entry in entries:
        if not _ID.fullmatch(entry["Id"]):
            raise InvalidBatchEntryId()
        if entry["Id"] in seen:
            raise BatchEntryIdsNotDistinct(id=entry["Id"])
        seen.add(entry["Id"])


def _each(entries: list[Entry], do: Callable[[Entry], Entry]) -> dict[str, Any]:
    done, failed = [], []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], **do(entry)})
        except AwsError as error:
            failed.append(
                {"Id": entry["Id"], "SenderFault": error.sender, "Code": error.code, "Message": error.message}
            )
    return {"Successful": done or None, "Failed": failed or None}


@operation
def send_message_batch(call: Call, queue_url: str, entries: list[Entry]) -> dict[str, Any]:
    queue = queues.find(call, queue_url)
    _check(entries, "SendMessageBatchRequestEntry")
    total = sum(content.size(entry["MessageBody"], entry.get("MessageAttributes")) for entry in entries)
    if total > MAX_BYTES:
        raise BatchRequestTooLong(limit=MAX_BYTES, sent=total)
    messages = {entry["Id"]: _outgoing(call, entry) for entry in entries}
    if queue.is_fifo:
        # What a FIFO queue must have is asked of the whole batch: a hole in it would break the order.
        for message in messages.values():
            sending.check(queue, message)

    limit = queue.number("MaximumMessageSize")

    def send(entry: Entry) -> Entry:
        message, system = messages[entry["Id"]], entry.get("MessageSystemAttributes")
        content.check(message.body, message.attributes)
        if content.size(message.body, message.attributes) > limit:
            raise InvalidParameterValueException(
                f"One or more parameters cannot be validated. Reason: Message must be shorter than {limit} bytes."
            )
        sending.check(queue, message)
        return sending.answer(queue, sending.put(call, queue, message), message, system)

    return _each(entries, send)


def _outgoing(call: Call, entry: Entry) -> sending.Outgoing:
    return sending.Outgoing(
        entry["MessageBody"],
        entry.get("MessageAttributes"),
        content.check_system(entry.get("MessageSystemAttributes")) or sending.traced(call),
        entry.get("DelaySeconds"),
        entry.get("MessageGroupId"),
        entry.get("MessageDeduplicationId"),
    )


@operation
def delete_message_batch(call: Call, queue_url: str, entries: list[Entry]) -> dict[str, Any]:
    queue = queues.find(call, queue_url)
    _check(entries, "DeleteMessageBatchRequestEntry")

    def delete(entry: Entry) -> Entry:
        receiving.delete(call, queue, entry["ReceiptHandle"])
        return {}

    return _each(entries, delete)


@operation
def change_message_visibility_batch(call: Call, queue_url: str, entries: list[Entry]) -> dict[str, Any]:
    queue = queues.find(call, queue_url)
    _check(entries, "ChangeMessageVisibilityBatchRequestEntry")

    def change(entry: Entry) -> Entry:
        receiving.change_visibility(call, queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout") or 0)
        return {}

    return _each(entries, change)
