"""Publishing: messages on their way in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from stratolite.kernel import AwsError, Call, operation

from . import applications, content, fanout, sms, topics
from .content import MessageAttributes
from .envelopes import Notice
from .errors import (
    BatchEntryIdsNotDistinctException,
    BatchRequestTooLongException,
    EmptyBatchRequestException,
    InvalidBatchEntryIdException,
    TooManyEntriesInBatchRequestException,
    invalid,
)
from .topics import Topic

DEDUP_S = 300.0
"""https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html"""
MOST = 10
_FIRST = 10_000_000_000_000_000_000
_ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_PHONE = re.compile(r"\+?[0-9]{1,20}")


@operation
def publish(
    call: Call,
    message: str,
    topic_arn: str | None = None,
    target_arn: str | None = None,
    phone_number: str | None = None,
    subject: str | None = None,
    message_structure: str | None = None,
    message_attributes: MessageAttributes | None = None,
    message_deduplication_id: str | None = None,
    message_group_id: str | None = None,
) -> dict[str, Any]:
    attributes = message_attributes or {}
    if phone_number is not None and (topic_arn or target_arn):
        raise invalid("TopicArn or TargetArn", "no value for required parameter")
    content.check_message(message, subject)
    if phone_number is not None and not _PHONE.fullmatch(phone_number):
        raise invalid("PhoneNumber", f"{phone_number} is not valid to publish to")
    content.check_size(message, attributes)
    texts = content.structured(message, message_structure)
    content.check_attributes(attributes)
    notice = Notice(
        call.world.id(), "", texts, subject, attributes, call.now, message_group_id, message_deduplication_id
    )
    if phone_number is not None:
        sms.send(call, phone_number, notice)
        return {"MessageId": notice.id}
    arn = target_arn if topic_arn is None else topic_arn
    if arn is None:
        raise invalid("TopicArn or TargetArn", "no value for required parameter")
    parameter = "TargetArn" if topic_arn is None else "TopicArn"
    if ":endpoint/" in arn:
        applications.publish(call, arn, notice)
        return {"MessageId": notice.id}
    topic = topics.find(call, arn, parameter)
    check_order(topic, notice)
    return accept(call, topic, notice)


def check_order(topic: Topic, notice: Notice) -> None:
    """The rules that depend on the kind of topic. Raises InvalidParameter."""
    for name, value in (("MessageGroupId", notice.group), ("MessageDeduplicationId", notice.dedup)):
        if value is not None and not _ID.fullmatch(value):
            raise invalid(name, f"{name} can only include alphanumeric and punctuation characters")
    if not topic.is_fifo:
        if notice.dedup is not None:
            raise invalid(
                "MessageDeduplicationId",
                "The request includes MessageDeduplicationId parameter that is not valid for this topic type",
            )
    elif notice.group is None:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    elif notice.dedup is None and topic.attributes.get("ContentBasedDeduplication", "").lower() != "true":
        raise invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )


def accept(call: Call, topic: Topic, notice: Notice) -> dict[str, Any]:
    """A checked message to its topic: the one way in, for the API and for deliveries alike."""
    notice = replace(notice, topic_arn=topic.arn)
    call.metric("AWS/SNS", "NumberOfMessagesPublished", 1, TopicName=topic.name)
    if not topic.is_fifo:
        fanout.send(call, topic, notice)
        return {"MessageId": notice.id}
    dedup = notice.dedup or sha256(notice.texts["default"].encode()).hexdigest()
    scope = notice.group or "" if topic.attributes.get("FifoThroughputScope") == "MessageGroup" else ""
    row = call.tx.one(
        "SELECT id, sequence FROM sns_dedup WHERE topic = ? AND scope = ? AND dedup_id = ? AND expires_at > ?",
        topic.key, scope, dedup, call.now,
    )  # fmt: skip
    if row is not None:
        return {"MessageId": row["id"], "SequenceNumber": row["sequence"]}
    last = call.tx.value(
        "INSERT INTO sns_sequence (topic, last) VALUES (?, 1) ON CONFLICT (topic) DO UPDATE SET last = last + 1"
        " RETURNING last",
        topic.key,
    )
    notice = replace(notice, dedup=dedup, sequence=str(_FIRST + last * 1000))
    call.tx.run(
        "INSERT OR REPLACE INTO sns_dedup (topic, scope, dedup_id, expires_at, id, sequence) VALUES (?, ?, ?, ?, ?, ?)",
        topic.key, scope, dedup, call.now + DEDUP_S, notice.id, notice.sequence,
    )  # fmt: skip
    # Each one in takes two old ones out: the table cannot outgrow what came in five minutes.
    for old in call.tx.all(
        "SELECT topic, scope, dedup_id FROM sns_dedup WHERE expires_at <= ? ORDER BY expires_at LIMIT 2", call.now
    ):
        call.tx.run("DELETE FROM sns_dedup WHERE topic = ? AND scope = ? AND dedup_id = ?", *old)
    fanout.send(call, topic, notice)
    return {"MessageId": notice.id, "SequenceNumber": notice.sequence}


# ---------------------------------------------------------------------- batches


@operation
def publish_batch(call: Call, topic_arn: str, publish_batch_request_entries: list[dict[str, Any]]) -> dict[str, Any]:
    """What is wrong with one entry's form refuses the whole batch, as AWS does (recorded)."""
    entries = publish_batch_request_entries
    topic = topics.find(call, topic_arn)
    _check_ids(entries)
    if (
        sum(content.size(entry["Message"], entry.get("MessageAttributes") or {}) for entry in entries)
        > content.MAX_BYTES
    ):
        raise BatchRequestTooLongException
    notices = [_notice(call, topic, entry, at) for at, entry in enumerate(entries, 1)]
    done, failed = [], []
    for entry, notice in zip(entries, notices, strict=True):
        try:
            done.append({"Id": entry["Id"], **accept(call, topic, notice)})
        except AwsError as error:
            failed.append(
                {"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": error.sender}
            )
    return {"Successful": done, "Failed": failed}


def _check_ids(entries: Sequence[Mapping[str, Any]]) -> None:
    if not entries:
        raise EmptyBatchRequestException
    if len(entries) > MOST:
        raise TooManyEntriesInBatchRequestException
    ids = [entry["Id"] for entry in entries]
    if len(set(ids)) < len(ids):
        raise BatchEntryIdsNotDistinctException
    for id_ in ids:
        if len(id_) > 80:
            raise InvalidBatchEntryIdException(complaint="is too long", id=id_)
        if not re.fullmatch(r"[A-Za-z0-9_-]+", id_):
            raise InvalidBatchEntryIdException(complaint="contains an impermissible character", id=id_)


def _notice(call: Call, topic: Topic, entry: Mapping[str, Any], at: int) -> Notice:
    attributes = entry.get("MessageAttributes") or {}
    content.check_message(entry["Message"], entry.get("Subject"))
    content.check_attributes(attributes, f"publishBatchRequestEntries.{at}.member.")
    texts = content.structured(entry["Message"], entry.get("MessageStructure"))
    notice = Notice(
        call.world.id(), topic.arn, texts, entry.get("Subject"), attributes, call.now, entry.get("MessageGroupId"),
        entry.get("MessageDeduplicationId"),
    )  # fmt: skip
    check_order(topic, notice)
    return notice
