"""Expiry: messages that were kept as long as their queue keeps any, and those of queues that are gone."""

from __future__ import annotations

from stratolite.kernel import Call, job

from . import bodies, depth, groups, queues, receiving

SLICE = 500
"""Rows that go in one transaction: about 3 ms."""


@job
def expire(call: Call, queue: int) -> None:
    """Delete what is past the retention period, oldest first; look again when the next will be."""
    found = queues.keyed(call, queue)
    if found is None:
        return
    keep_s = found.number("MessageRetentionPeriod")
    old = call.now - keep_s
    # Only the oldest that wait are looked at. What is hidden goes when it comes back; a dead letter, which keeps the
    # time it was first sent at, may stand behind younger ones, is never received, and goes when its turn comes.
    receiving.surface(call, found)
    head = call.tx.all(
        "SELECT seq, payload, sent_at, group_id FROM sqs_message"
        " WHERE queue = ? AND hidden_until IS NULL ORDER BY seq LIMIT ?",
        queue, SLICE,
    )  # fmt: skip
    expired = [row for row in head if row["sent_at"] <= old]
    for row in expired:
        bodies.delete(call, row)
    if expired:
        depth.fewer(call, queue, len(expired))
    if found.is_fifo:
        for group in sorted({row["group_id"] for row in expired}):
            groups.settle(call, queue, group)
    left = [row["sent_at"] for row in head if row["sent_at"] > old]
    if left:
        due: float | None = max(min(left) + keep_s, call.now + 1.0)
    else:
        hidden = call.tx.value("SELECT min(hidden_until) FROM sqs_message WHERE queue = ? AND hidden_until > 0", queue)
        due = call.now if len(head) == SLICE else None if hidden is None else max(hidden, call.now + 1.0)
    depth.look_again(call, queue, due)


@job
def sweep(call: Call, queue: int) -> None:
    """Take away, in slices, the messages of a queue that was deleted or purged."""
    rows = [
        row
        for hidden in ("IS NULL", "IS NOT NULL")  # what is left of a queue is found by its two indexes
        for row in call.tx.all(
            f"SELECT seq, payload FROM sqs_message WHERE queue = ? AND hidden_until {hidden} LIMIT ?", queue, SLICE
        )
    ]
    for row in rows:
        bodies.delete(call, row)
    if len(rows) >= SLICE:
        call.later("sqs.sweep", queue=queue)
        return
    for table in ("sqs_group", "sqs_dedup", "sqs_attempt"):
        call.tx.run(f"DELETE FROM {table} WHERE queue = ?", queue)
