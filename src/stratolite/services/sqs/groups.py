"""Groups of FIFO queues: the messages of one come in order, and none while an earlier one is in flight."""

from __future__ import annotations

from stratolite.kernel import Call

TAKEN_AT_ONCE = 10
"""Messages of one group that can be in flight: what one receive takes, since they block the group."""


def joined(call: Call, queue: int, group: str, seq: int, visible_at: float) -> None:
    """A message has come to the end of its group: nothing changes unless it is the first."""
    call.tx.run(
        "INSERT OR IGNORE INTO sqs_group (queue, group_id, ready_at, head) VALUES (?, ?, ?, ?)",
        queue, group, visible_at, seq,
    )  # fmt: skip


def settle(call: Call, queue: int, group: str) -> None:
    """After messages of a group were taken, hidden, moved or deleted: when may the next be received?"""
    rows = call.tx.all(
        "SELECT seq, visible_at, receipt FROM sqs_message"
        " WHERE queue = ? AND group_id = ? AND ordered = 1 ORDER BY seq LIMIT ?",
        queue, group, TAKEN_AT_ONCE + 1,
    )  # fmt: skip
    if not rows:
        call.tx.run("DELETE FROM sqs_group WHERE queue = ? AND group_id = ?", queue, group)
        return
    ready_at = max([rows[0]["visible_at"], *(row["visible_at"] for row in rows if row["receipt"] is not None)])
    call.tx.run(
        "INSERT OR REPLACE INTO sqs_group (queue, group_id, ready_at, head) VALUES (?, ?, ?, ?)",
        queue, group, ready_at, rows[0]["seq"],
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
