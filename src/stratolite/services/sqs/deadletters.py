"""Dead letters: messages received too often, and the queues they come from."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import depth, groups, queues
from .queues import Queue


def bury(call: Call, queue: Queue, row: Row, arn: str) -> bool:
    """Move a message to the dead-letter queue; False when that is gone, and the message goes on being received."""
    target = queues.of_arn(call, arn)
    if target is None:
        return False
    move(call, row, queue, target, {"DeadLetterQueueSourceArn": queue.arn})
    return True


def move(
    call: Call, row: Row, source: Queue, target: Queue, system: dict[str, str | None], fresh: bool = False
) -> None:
    """Put a message into another queue: as it is, with the time it was first sent and the count of its receives, or
    `fresh`, as one that was sent just now."""
    kept = {**json.loads(row["system"] or "{}"), **system}
    kept = {name: value for name, value in kept.items() if value is not None}
    call.tx.run(
        "UPDATE sqs_message SET queue = ?, hidden_until = NULL, receipt = NULL, system = ?, ordered = ? WHERE seq = ?",
        target.key, json.dumps(kept) if kept else None, int(target.is_fifo), row["seq"],
    )  # fmt: skip
    if fresh:
        call.tx.run(
            "UPDATE sqs_message SET id = ?, sent_at = ?, receives = 0, received_at = NULL WHERE seq = ?",
            call.world.id(), call.now, row["seq"],
        )  # fmt: skip
    depth.fewer(call, source.key)
    depth.more(call, target)
    if source.is_fifo:
        groups.settle(call, source.key, row["group_id"])
    if target.is_fifo:
        groups.settle(call, target.key, row["group_id"])
    call.signal("sqs", target.key)


@operation
def list_dead_letter_source_queues(
    call: Call, queue_url: str, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    queue = queues.find(call, queue_url)
    limit = queues.page_size(max_results)
    rows = call.tx.all(
        "SELECT name, account FROM sqs_queue WHERE dead_letter = ? AND name > ? ORDER BY name LIMIT ?",
        queue.arn, queues.page_start(next_token), limit + 1,
    )  # fmt: skip
    urls = [f"{call.caller.scheme}://{call.caller.host}/{row['account']}/{row['name']}" for row in rows[:limit]]
    more = max_results is not None and len(rows) > limit
    return {"queueUrls": urls, "NextToken": queues.page_token(urls[-1]) if more else None}
