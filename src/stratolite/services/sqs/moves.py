"""Moves: dead letters sent back where they came from, or elsewhere, at a rate.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
"""

from __future__ import annotations

import base64
import json
from typing import Any

from stratolite.kernel import Call, job, operation
from stratolite.kernel.store import Row

from . import deadletters, depth, queues, receiving
from .errors import InvalidParameterValueException, ResourceNotFoundException, invalid

FASTEST = 500
"""Messages a second; what AWS moves at most."""
SLICE = 50
"""Messages moved in one transaction."""
LISTED = 10


@operation
def start_message_move_task(
    call: Call,
    source_arn: str,
    destination_arn: str | None = None,
    max_number_of_messages_per_second: int | None = None,
) -> dict[str, Any]:
    source = queues.of_arn(call, source_arn)
    if source is None:
        raise ResourceNotFoundException(parameter="SourceArn")
    if call.tx.one("SELECT 1 FROM sqs_queue WHERE dead_letter = ? LIMIT 1", source.arn) is None:
        raise InvalidParameterValueException("Source queue must be configured as a Dead Letter Queue.")
    rate = max_number_of_messages_per_second
    if rate is not None and not 1 <= rate <= FASTEST:
        raise invalid("MaxNumberOfMessagesPerSecond", rate, f"Must be between 1 and {FASTEST}, if provided.")
    if destination_arn is not None:
        destination = queues.of_arn(call, destination_arn)
        if destination is None:
            raise ResourceNotFoundException(parameter="DestinationArn")
        if destination.is_fifo != source.is_fifo:
            raise InvalidParameterValueException("Source and destination queues must be of the same type.")
    if call.tx.one("SELECT 1 FROM sqs_move WHERE queue = ? AND status = 'RUNNING'", source.key) is not None:
        raise InvalidParameterValueException(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        )
    waiting, delayed, in_flight = depth.counts(call, source)
    last = call.tx.value("SELECT max(seq) FROM sqs_message") or 0
    id_ = call.world.id()
    call.tx.run(
        "INSERT INTO sqs_move (id, queue, source, destination, rate, status, to_move, last, started_at)"
        " VALUES (?, ?, ?, ?, ?, 'RUNNING', ?, ?, ?)",
        id_, source.key, source.arn, destination_arn, rate, waiting + delayed + in_flight, last, call.now,
    )  # fmt: skip
    call.later("sqs.move_some", id=id_)
    return {"TaskHandle": _handle(id_, source.arn)}


@operation
def list_message_move_tasks(call: Call, source_arn: str, max_results: int | None = None) -> dict[str, Any]:
    source = queues.of_arn(call, source_arn)
    if source is None:
        raise ResourceNotFoundException(parameter="SourceArn")
    if max_results is not None and not 1 <= max_results <= LISTED:
        raise invalid("MaxResults", max_results, f"Must be between 1 and {LISTED}, if provided.")
    rows = call.tx.all(
        "SELECT * FROM sqs_move WHERE source = ? ORDER BY started_at DESC LIMIT ?", source.arn, max_results or 1
    )
    return {"Results": [_shown(row) for row in rows]}


def _shown(row: Row) -> dict[str, Any]:
    return {
        "TaskHandle": _handle(row["id"], row["source"]) if row["status"] == "RUNNING" else None,
        "Status": row["status"],
        "SourceArn": row["source"],
        "DestinationArn": row["destination"],
        "MaxNumberOfMessagesPerSecond": row["rate"],
        "ApproximateNumberOfMessagesMoved": row["moved"],
        "ApproximateNumberOfMessagesToMove": row["to_move"],
        "FailureReason": row["failure"],
        "StartedTimestamp": int(row["started_at"] * 1000),
    }


@operation
def cancel_message_move_task(call: Call, task_handle: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.b64decode(task_handle, validate=True))
        id_, source_arn = str(found["taskId"]), str(found["sourceArn"])
    except (ValueError, TypeError, KeyError):
        raise InvalidParameterValueException("Value for parameter TaskHandle is invalid.") from None
    if queues.of_arn(call, source_arn) is None:
        raise ResourceNotFoundException(parameter="SourceArn")
    row = call.tx.one("SELECT * FROM sqs_move WHERE id = ? AND source = ?", id_, source_arn)
    if row is None:
        raise ResourceNotFoundException("Task does not exist.")
    if row["status"] != "RUNNING":
        raise InvalidParameterValueException("Only active tasks can be cancelled.")
    call.tx.run("UPDATE sqs_move SET status = 'CANCELLED' WHERE id = ?", id_)
    return {"ApproximateNumberOfMessagesMoved": row["moved"]}


def _handle(id_: str, source_arn: str) -> str:
    return base64.b64encode(
        json.dumps({"taskId": id_, "sourceArn": source_arn}, separators=(",", ":")).encode()
    ).decode()


@job
def move_some(call: Call, id: str) -> None:
    """Move a slice, as large as the rate allows, and come back for the next."""
    task = call.tx.one("SELECT * FROM sqs_move WHERE id = ?", id)
    if task is None or task["status"] != "RUNNING":
        return
    source = queues.keyed(call, task["queue"])
    if source is None:
        _end(call, id, "FAILED", "AWS.SimpleQueueService.NonExistentQueue")
        return
    rate = task["rate"] or FASTEST
    # In turns of a tenth of a second, or of as long as one message takes.
    size = max(1, min(SLICE, rate // 10))
    receiving.surface(call, source)
    rows = call.tx.all(
        "SELECT * FROM sqs_message WHERE queue = ? AND hidden_until IS NULL AND seq <= ? ORDER BY seq LIMIT ?",
        source.key, task["last"], size,
    )  # fmt: skip
    for moved, row in enumerate(rows):
        arn = task["destination"] or json.loads(row["system"] or "{}").get("DeadLetterQueueSourceArn")
        target = queues.of_arn(call, arn) if arn else None
        if target is None:
            _count(call, id, moved)
            _end(
                call,
                id,
                "FAILED",
                "AWS.SimpleQueueService.NonExistentQueue" if arn else "CouldNotDetermineMessageSource",
            )
            return
        deadletters.move(call, row, source, target, {"DeadLetterQueueSourceArn": None}, fresh=True)
    _count(call, id, len(rows))
    if len(rows) < size:
        _end(call, id, "COMPLETED", None)
    else:
        call.later("sqs.move_some", call.now + size / rate, id=id)


def _count(call: Call, id: str, moved: int) -> None:
    call.tx.run("UPDATE sqs_move SET moved = moved + ? WHERE id = ?", moved, id)


def _end(call: Call, id: str, status: str, failure: str | None) -> None:
    call.tx.run("UPDATE sqs_move SET status = ?, failure = ? WHERE id = ?", status, failure, id)
