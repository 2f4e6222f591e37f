"""Sending: messages on their way in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from stratolite.kernel import Call, operation

from . import bodies, content, depth, groups, queues
from .content import MessageAttributes
from .errors import InvalidParameterValueException, MissingRequiredParameterException, invalid
from .queues import Queue

DEDUP_S = 300.0
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html"""

_ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


@dataclass(frozen=True)
class Outgoing:
    body: str
    attributes: MessageAttributes | None = None
    trace_header: str | None = None
    """The X-Ray header its receiver will see."""
    delay_s: int | None = None
    group: str | None = None
    dedup: str | None = None


@dataclass(frozen=True)
class Sent:
    id: str
    md5: str
    seq: int


@operation
def send_message(
    call: Call,
    queue_url: str,
    message_body: str,
    delay_seconds: int | None = None,
    message_attributes: MessageAttributes | None = None,
    message_system_attributes: MessageAttributes | None = None,
    message_deduplication_id: str | None = None,
    message_group_id: str | None = None,
) -> dict[str, Any]:
    queue = queues.find(call, queue_url)
    trace = content.check_system(message_system_attributes) or traced(call)
    message = Outgoing(
        message_body, message_attributes, trace, delay_seconds, message_group_id, message_deduplication_id
    )
    content.check(message_body, message_attributes)
    if message.group is None and queue.is_fifo:
        raise MissingRequiredParameterException(name="MessageGroupId")
    limit = queue.number("MaximumMessageSize")
    if content.size(message_body, message_attributes) > limit:
        raise InvalidParameterValueException(
            f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        )
    check(queue, message)
    return answer(queue, put(call, queue, message), message, message_system_attributes)


def traced(call: Call) -> str | None:
    """The trace header that came with the request itself, as SDKs in a traced function send it."""
    return None if call.caller.trace is None else call.caller.trace.header


def answer(queue: Queue, sent: Sent, message: Outgoing, system: MessageAttributes | None) -> dict[str, Any]:
    return {
        "MessageId": sent.id,
        "MD5OfMessageBody": sent.md5,
        "MD5OfMessageAttributes": content.attributes_digest(message.attributes) if message.attributes else None,
        "MD5OfMessageSystemAttributes": content.attributes_digest(system) if system else None,
        "SequenceNumber": sequence(sent.seq) if queue.is_fifo else None,
    }


def sequence(seq: int) -> str:
    """Twenty digits that grow: what AWS's look like."""
    return str(18_850_000_000_000_000_000 + seq * 256)


def check(queue: Queue, message: Outgoing) -> None:
    """The rules that depend on the kind of queue."""
    for name, value in (("MessageGroupId", message.group), ("MessageDeduplicationId", message.dedup)):
        if value is not None and not _ID.fullmatch(value):
            raise invalid(
                name, value, f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            )
    if message.delay_s is not None:
        if queue.is_fifo and message.delay_s != 0:
            raise invalid(
                "DelaySeconds", message.delay_s,
                "The request include parameter that is not valid for this queue type.",
            )  # fmt: skip
        if not 0 <= message.delay_s <= 900:
            raise invalid("DelaySeconds", message.delay_s, "DelaySeconds must be >= 0 and <= 900.")
    if not queue.is_fifo:
        if message.dedup is not None:
            raise invalid(
                "MessageDeduplicationId", message.dedup,
                "The request include parameter that is not valid for this queue type.",
            )  # fmt: skip
    elif message.group is None:
        raise InvalidParameterValueException("The request must contain the parameter MessageGroupId.")
    elif message.dedup is None and queue.attributes.get("ContentBasedDeduplication") != "true":
        raise InvalidParameterValueException(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )


def put(call: Call, queue: Queue, message: Outgoing) -> Sent:
    """A checked message into its queue: the one way in, for the API, deliveries and moves alike."""
    now, dedup, group = call.now, message.dedup, message.group
    md5 = content.digest(message.body)
    if queue.is_fifo:
        assert group is not None
        dedup = dedup or sha256(message.body.encode()).hexdigest()
        scope = group if queue.dedup_scope == "messageGroup" else ""
        row = call.tx.one(
            "SELECT id, seq FROM sqs_dedup WHERE queue = ? AND scope = ? AND dedup_id = ? AND expires_at > ?",
            queue.key, scope, dedup, now,
        )  # fmt: skip
        if row is not None:
            return Sent(row["id"], md5, row["seq"])
    delay_s = message.delay_s if message.delay_s and not queue.is_fifo else None
    if message.delay_s is None or queue.is_fifo:
        delay_s = queue.number("DelaySeconds")
    hidden_until = now + delay_s if delay_s else None
    id_ = call.world.id()
    body, payload = bodies.keep(call, message.body)
    system = json.dumps({"AWSTraceHeader": message.trace_header}) if message.trace_header else None
    cursor = call.tx.run(
        "INSERT INTO sqs_message (queue, hidden_until, id, body, payload, md5, attributes, system, sent_at, sender,"
        " trace, group_id, dedup_id, ordered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        queue.key, hidden_until, id_, body, payload, md5, content.packed(message.attributes), system, now,
        call.principal.user_id or call.principal.account, call.trace.header, group, dedup, int(queue.is_fifo),
    )  # fmt: skip
    seq = cursor.lastrowid
    assert seq is not None
    if queue.is_fifo:
        assert group is not None
        groups.joined(call, queue.key, group, seq, hidden_until or now)
        _remember(call, queue.key, scope, dedup or "", id_, seq)
    depth.more(call, queue)
    call.signal("sqs", queue.key)
    return Sent(id_, md5, seq)


def _remember(call: Call, queue: int, scope: str, dedup: str, id_: str, seq: int) -> None:
    call.tx.run(
        "INSERT OR REPLACE INTO sqs_dedup (queue, scope, dedup_id, expires_at, id, seq) VALUES (?, ?, ?, ?, ?, ?)",
        queue, scope, dedup, call.now + DEDUP_S, id_, seq,
    )  # fmt: skip
    # Each one in takes two old ones out: the table cannot outgrow what came in five minutes.
    for row in call.tx.all(
        "SELECT queue, scope, dedup_id FROM sqs_dedup WHERE expires_at <= ? ORDER BY expires_at LIMIT 2", call.now
    ):
        call.tx.run("DELETE FROM sqs_dedup WHERE queue = ? AND scope = ? AND dedup_id = ?", *row)
