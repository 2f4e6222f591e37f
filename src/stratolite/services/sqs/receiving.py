"""Receiving: messages taken, hidden for a while, given back, deleted."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import bodies, content, deadletters, depth, groups, queues
from .attributes import MAX_VISIBILITY_S
from .errors import (
    InvalidAttributeName,
    InvalidParameterValueException,
    OverLimit,
    QueueDoesNotExist,
    ReceiptHandleIsInvalid,
    invalid,
)
from .queues import Queue
from .sending import sequence

IN_FLIGHT = 120_000
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html"""

PASSES = 20
"""Of messages that turn out to be expired or dead letters, so many times ten are put away by one receive."""

SURFACED = 1000
"""Hidden messages that come back in one look."""

SEQ_DIGITS = 20
"""Of a message's number in its receipt handles."""

ATTEMPT_S = 300.0
"""How long a receive of a FIFO queue can be asked for again."""

SYSTEM = frozenset(
    {
        "All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp",
        "SequenceNumber", "MessageDeduplicationId", "MessageGroupId", "AWSTraceHeader", "DeadLetterQueueSourceArn",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    row: Row
    receipt: str
    receives: int
    received_at: float
    """For the first time."""

    def handle(self, queue: Queue) -> str:
        text = f"{self.row['seq']:0{SEQ_DIGITS}d} {self.receipt} {self.row['id']} {queue.arn}"
        return base64.b64encode(text.encode()).decode()

    def system(self, queue: Queue) -> dict[str, str]:
        row = self.row
        found = {
            "SenderId": row["sender"],
            "SentTimestamp": str(int(row["sent_at"] * 1000)),
            "ApproximateReceiveCount": str(self.receives),
            "ApproximateFirstReceiveTimestamp": str(int(self.received_at * 1000)),
        }
        if row["ordered"]:
            found["SequenceNumber"] = sequence(row["seq"])
        if row["dedup_id"] is not None:
            found["MessageDeduplicationId"] = row["dedup_id"]
        if row["group_id"] is not None:
            found["MessageGroupId"] = row["group_id"]
        if row["system"] is not None:
            found |= json.loads(row["system"])
        return found


# taking


def take(call: Call, queue: Queue, limit: int, visibility_s: float) -> list[Taken]:
    """Up to `limit` messages, hidden from everybody for `visibility_s`; what is too old or was tried too often goes."""
    taken = _from_groups(call, queue, limit) if queue.is_fifo else _from_queue(call, queue, limit)
    if not taken:
        return []
    hidden_until = call.now + visibility_s
    call.tx.many(
        "UPDATE sqs_message SET hidden_until = ?, receipt = ?, receives = ?, received_at = ? WHERE seq = ?",
        [(hidden_until, t.receipt, t.receives, t.received_at, t.row["seq"]) for t in taken],
    )
    if queue.is_fifo:
        for group in dict.fromkeys(t.row["group_id"] for t in taken):
            groups.settle(call, queue.key, group)
    return taken


def _from_queue(call: Call, queue: Queue, limit: int) -> list[Taken]:
    surface(call, queue)
    taken: list[Taken] = []
    for _ in range(PASSES):
        rows = call.tx.all(
            "SELECT * FROM sqs_message WHERE queue = ? AND hidden_until IS NULL ORDER BY seq LIMIT ?", queue.key, limit
        )
        kept = [row for row in rows if not _put_away(call, queue, row)]
        taken = [_taken(call, row) for row in kept]
        # What was put away made room: look again, unless that was all there is.
        if len(kept) == len(rows) or len(rows) < limit:
            break
    return taken


def surface(call: Call, queue: Queue) -> None:
    """What was hidden long enough waits again, at the place its age gives it."""
    due = call.tx.all(
        "SELECT seq FROM sqs_message WHERE queue = ? AND hidden_until <= ? LIMIT ?", queue.key, call.now, SURFACED
    )
    if due:
        call.tx.many("UPDATE sqs_message SET hidden_until = NULL WHERE seq = ?", [(row["seq"],) for row in due])


def _from_groups(call: Call, queue: Queue, limit: int) -> list[Taken]:
    taken: list[Taken] = []
    for group in groups.ready(call, queue.key, limit):
        put_away = False
        for row in call.tx.all(
            "SELECT * FROM sqs_message WHERE queue = ? AND group_id = ? AND ordered = 1 ORDER BY seq LIMIT ?",
            queue.key, group, limit - len(taken),
        ):  # fmt: skip
            if _is_hidden(call, row):
                break
            if _put_away(call, queue, row):
                put_away = True
            else:
                taken.append(_taken(call, row))
        if put_away:
            groups.settle(call, queue.key, group)
        if len(taken) >= limit:
            break
    return taken


def _taken(call: Call, row: Row) -> Taken:
    received_at = row["received_at"]
    return Taken(row, call.world.hex(16), row["receives"] + 1, call.now if received_at is None else received_at)


def _is_hidden(call: Call, row: Row) -> bool:
    until: float | None = row["hidden_until"]
    return until is not None and until > call.now


def _put_away(call: Call, queue: Queue, row: Row) -> bool:
    """Whether a message is not to be received any more: it was kept too long, or is a dead letter."""
    if row["sent_at"] <= call.now - queue.number("MessageRetentionPeriod"):
        bodies.delete(call, row)
        depth.fewer(call, queue.key)
        return True
    redrive = queue.redrive
    return redrive is not None and row["receives"] >= redrive[1] and deadletters.bury(call, queue, row, redrive[0])


def next_at(call: Call, queue: Queue) -> float | None:
    """When something that is hidden now can be received."""
    if queue.is_fifo:
        sql = "SELECT min(ready_at) FROM sqs_group WHERE queue = ? AND ready_at > ?"
    else:
        sql = "SELECT min(hidden_until) FROM sqs_message WHERE queue = ? AND hidden_until > ?"
    at: float | None = call.tx.value(sql, queue.key, call.world.now())
    return at


# operations


@operation
async def receive_message(
    call: Call,
    queue_url: str,
    attribute_names: list[str] | None = None,
    message_system_attribute_names: list[str] | None = None,
    message_attribute_names: list[str] | None = None,
    max_number_of_messages: int | None = None,
    visibility_timeout: int | None = None,
    wait_time_seconds: int | None = None,
    receive_request_attempt_id: str | None = None,
) -> dict[str, Any]:
    queue = queues.find(call, queue_url)
    limit = 1 if max_number_of_messages is None else max_number_of_messages
    if not 1 <= limit <= 10:
        raise invalid("MaxNumberOfMessages", limit, "Must be between 1 and 10, if provided.")
    if wait_time_seconds is not None and not 0 <= wait_time_seconds <= 20:
        raise invalid("WaitTimeSeconds", wait_time_seconds, "Must be >= 0 and <= 20, if provided.")
    _check_visibility(visibility_timeout)
    _check_attempt(queue, receive_request_attempt_id)
    system = {*(attribute_names or ()), *(message_system_attribute_names or ())}
    for name in system:
        if name not in SYSTEM:
            raise InvalidAttributeName(name=name)
    wait_s = queue.number("ReceiveMessageWaitTimeSeconds") if wait_time_seconds is None else wait_time_seconds
    deadline = call.now + wait_s
    while True:
        with call.write() as c:
            _check_in_flight(c, queue)
            hide_s = queue.number("VisibilityTimeout") if visibility_timeout is None else visibility_timeout
            taken = _again(c, queue, receive_request_attempt_id, hide_s)
            if taken is None:
                taken = take(c, queue, limit, hide_s)
                _remember(c, queue, receive_request_attempt_id, taken)
        if taken:
            names = message_attribute_names or ()
            return {"Messages": [_message(call, queue, each, system, names) for each in taken]}
        now = call.world.now()
        if now >= deadline:
            return {}
        due = next_at(call, queue)
        until = deadline if due is None else min(deadline, due)
        await call.wait(("sqs", queue.key), max(until - now, 0.001))
        try:
            queue = queues.find(call, queue_url)  # it may have been changed, purged or deleted meanwhile
        except QueueDoesNotExist:
            return {}


def _message(call: Call, queue: Queue, taken: Taken, system: set[str], names: Iterable[str]) -> dict[str, Any]:
    row = taken.row
    message = {
        "MessageId": row["id"],
        "ReceiptHandle": taken.handle(queue),
        "MD5OfBody": row["md5"],
        "Body": bodies.read(call, row),
    }
    if system:
        found = taken.system(queue)
        if "All" not in system:
            found = {name: value for name, value in found.items() if name in system}
        if found:
            message["Attributes"] = found
    if names and row["attributes"] is not None:
        chosen = content.chosen(content.unpacked(row["attributes"]), names)
        if chosen:
            message["MessageAttributes"] = chosen
            message["MD5OfMessageAttributes"] = content.attributes_digest(chosen)
    return message


def _check_in_flight(call: Call, queue: Queue) -> None:
    held = call.tx.value("SELECT messages FROM sqs_depth WHERE queue = ?", queue.key) or 0
    if held > IN_FLIGHT and depth.counts(call, queue)[2] >= IN_FLIGHT:
        raise OverLimit()


def _check_visibility(seconds: int | None) -> None:
    if seconds is not None and not 0 <= seconds <= MAX_VISIBILITY_S:
        raise invalid("VisibilityTimeout", seconds, f"Must be between 0 and {MAX_VISIBILITY_S}, if provided.")


# asking again with the same attempt id: FIFO queues give the same messages while they are still hidden


def _check_attempt(queue: Queue, attempt: str | None) -> None:
    if attempt is not None and not queue.is_fifo:
        raise invalid(
            "ReceiveRequestAttemptId", attempt, "The request include parameter that is not valid for this queue type."
        )


def _again(call: Call, queue: Queue, attempt: str | None, hide_s: float) -> list[Taken] | None:
    if attempt is None:
        return None
    call.tx.run("DELETE FROM sqs_attempt WHERE queue = ? AND expires_at <= ?", queue.key, call.now)
    text = call.tx.value("SELECT messages FROM sqs_attempt WHERE queue = ? AND attempt = ?", queue.key, attempt)
    if text is None:
        return None
    taken = []
    for seq, receipt in json.loads(text):
        row = call.tx.one("SELECT * FROM sqs_message WHERE seq = ? AND queue = ?", seq, queue.key)
        if row is None or row["receipt"] != receipt or not _is_hidden(call, row):
            return None
        taken.append(Taken(row, receipt, row["receives"], row["received_at"]))
    for each in taken:
        _hide(call, queue, each.row, call.now + hide_s)
    return taken


def _remember(call: Call, queue: Queue, attempt: str | None, taken: list[Taken]) -> None:
    if attempt is not None and taken:
        call.tx.run(
            "INSERT OR REPLACE INTO sqs_attempt (queue, attempt, expires_at, messages) VALUES (?, ?, ?, ?)",
            queue.key, attempt, call.now + ATTEMPT_S, json.dumps([(t.row["seq"], t.receipt) for t in taken]),
        )  # fmt: skip


# with a receipt


def of_handle(call: Call, queue: Queue, handle: str) -> tuple[Row | None, str]:
    """The message a receipt handle stands for (None when it is gone), and the receipt itself.

    Raises ReceiptHandleIsInvalid for what is no handle of this queue.
    """
    try:
        seq, receipt, id_, arn = base64.b64decode(handle, validate=True).decode().split(" ")
        number = int(seq)
    except ValueError:
        raise ReceiptHandleIsInvalid(handle=handle) from None
    if arn != queue.arn or len(seq) != SEQ_DIGITS or number >= 2**63:
        raise ReceiptHandleIsInvalid(handle=handle)
    return call.tx.one(
        "SELECT * FROM sqs_message WHERE seq = ? AND queue = ? AND id = ?", number, queue.key, id_
    ), receipt


@operation
def delete_message(call: Call, queue_url: str, receipt_handle: str) -> None:
    queue = queues.find(call, queue_url)
    delete(call, queue, receipt_handle)


def delete(call: Call, queue: Queue, handle: str) -> None:
    """Deleting what is gone already succeeds; a FIFO queue insists on a receipt that is still good."""
    row, receipt = of_handle(call, queue, handle)
    if row is None:
        return
    if queue.is_fifo and (row["receipt"] != receipt or not _is_hidden(call, row)):
        raise invalid("ReceiptHandle", handle, "The receipt handle has expired.")
    remove(call, queue, row)


def remove(call: Call, queue: Queue, row: Row) -> None:
    bodies.delete(call, row)
    depth.fewer(call, queue.key)
    if queue.is_fifo:
        groups.settle(call, queue.key, row["group_id"])


@operation
def change_message_visibility(call: Call, queue_url: str, receipt_handle: str, visibility_timeout: int) -> None:
    queue = queues.find(call, queue_url)
    change_visibility(call, queue, receipt_handle, visibility_timeout)


def change_visibility(call: Call, queue: Queue, handle: str, seconds: int) -> None:
    _check_visibility(seconds)
    row, receipt = of_handle(call, queue, handle)
    if row is None:
        raise invalid(
            "ReceiptHandle", handle, "Message does not exist or is not available for visibility timeout change."
        )
    # Of a standard queue any receipt will do, even one whose time is over (recorded).
    if queue.is_fifo and row["receipt"] != receipt:
        raise invalid("ReceiptHandle", handle, "The receipt handle has expired.")
    if (
        row["received_at"] is not None
        and call.now + seconds - row["received_at"] > MAX_VISIBILITY_S
        and (row["receives"] == 1)
    ):
        raise InvalidParameterValueException(
            f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the "
            f"message is beyond the limit [{MAX_VISIBILITY_S} seconds]."
        )
    _hide(call, queue, row, call.now + seconds)


def _hide(call: Call, queue: Queue, row: Row, until: float) -> None:
    call.tx.run("UPDATE sqs_message SET hidden_until = ? WHERE seq = ?", until, row["seq"])
    if queue.is_fifo:
        groups.settle(call, queue.key, row["group_id"])
    # A shorter time is news to whoever waits for this message, even when it is not over yet.
    call.signal("sqs", queue.key)
