"""Depth: how many messages a queue holds, and when the oldest will have been kept long enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratolite.kernel import Call

if TYPE_CHECKING:
    from .queues import Queue


_CLOCKS = ("sqs_clock",)


def open_(call: Call, queue: int) -> None:
    call.tx.run("INSERT INTO sqs_depth (queue) VALUES (?)", queue)


def close(call: Call, queue: int) -> None:
    _cancel(call, queue)
    call.tx.run("DELETE FROM sqs_clock WHERE queue = ?", queue)
    call.tx.run("DELETE FROM sqs_depth WHERE queue = ?", queue)


def more(call: Call, queue: Queue, messages: int = 1) -> None:
    """So many messages have come; the first of a queue starts its retention clock."""
    call.tx.run("UPDATE sqs_depth SET messages = messages + ? WHERE queue = ?", messages, queue.key)
    if _clock(call, queue.key) is None:
        look_again(call, queue.key, call.now + queue.number("MessageRetentionPeriod"))


def fewer(call: Call, queue: int, messages: int = 1) -> None:
    call.tx.run("UPDATE sqs_depth SET messages = messages - ? WHERE queue = ?", messages, queue)


def look_again(call: Call, queue: int, due: float | None) -> None:
    if due is None:
        call.tx.run("DELETE FROM sqs_clock WHERE queue = ?", queue)
    else:
        job = call.later("sqs.expire", due, queue=queue)
        call.tx.run("INSERT OR REPLACE INTO sqs_clock (queue, job) VALUES (?, ?)", queue, job)


def _clock(call: Call, queue: int) -> int | None:
    """The job that will look for messages past their retention, when there is one."""

    def read() -> int | None:
        job: int | None = call.tx.value("SELECT job FROM sqs_clock WHERE queue = ?", queue)
        return job

    return call.tx.known(_CLOCKS, queue, read)


def retention_changed(call: Call, queue: int) -> None:
    if _cancel(call, queue):
        look_again(call, queue, call.now)


def _cancel(call: Call, queue: int) -> bool:
    job = _clock(call, queue)
    if job is not None:
        call.cancel(job)
    return job is not None


def counts(call: Call, queue: Queue) -> tuple[int, int, int]:
    """Messages that can be received, that are delayed, that are in flight.

    AWS: approximate, and up to a minute behind. Here: exact.
    """
    total = call.tx.value("SELECT messages FROM sqs_depth WHERE queue = ?", queue.key) or 0
    hidden = call.tx.one(
        "SELECT count(*) AS n, count(receipt) AS received FROM sqs_message WHERE queue = ? AND hidden_until > ?",
        queue.key, call.now,
    )  # fmt: skip
    assert hidden is not None
    return total - hidden["n"], hidden["n"] - hidden["received"], hidden["received"]
