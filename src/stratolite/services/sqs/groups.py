"""Groups of FIFO queues: the messages of one come in order, and none while an earlier one is hidden."""

from __future__ import annotations

from stratolite.kernel import Call


def joined(call: Call, queue: int, group: str, seq: int, ready_at: float) -> None:
    """A message has come to the end of its group: nothing changes unless it is the first."""
    call.tx.run(
        "INSERT OR IGNORE INTO sqs_group (queue, group_id, ready_at, head) VALUES (?, ?, ?, ?)",
        queue, group, ready_at, seq,
    )  # fmt: skip


def settle(call: Call, queue: int, group: str) -> None:
    """After messages of a group were taken, hidden, moved or deleted: when may the next be received?"""
    head = call.tx.one(
        "SELECT seq, hidden_until, sent_at FROM sqs_message"
        " WHERE queue = ? AND group_id = ? AND ordered = 1 ORDER BY seq LIMIT 1",
        queue, group,
    )  # fmt: skip
    if head is None:
        call.tx.run("DELETE FROM sqs_group WHERE queue = ? AND group_id = ?", queue, group)
        return
    ready_at = head["sent_at"] if head["hidden_until"] is None else head["hidden_until"]
    call.tx.run(
        "INSERT OR REPLACE INTO sqs_group (queue, group_id, ready_at, head) VALUES (?, ?, ?, ?)",
        queue, group, ready_at, head["seq"],
    )  # fmt: skip
    if ready_at <= call.now:
        call.signal("sqs", queue)


def ready(call: Call, queue: int, limit: int) -> list[str]:
    """Groups whose next message may be received, longest ready first."""
    rows = call.tx.all(
        "SELECT group_id FROM sqs_group WHERE queue = ? AND ready_at <= ? ORDER BY ready_at, head LIMIT ?",
        queue, call.now, limit,
    )  # fmt: skip
    return [row["group_id"] for row in rows]
