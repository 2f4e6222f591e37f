"""Sources: what can be consumed in batches, by an event source mapping or a pipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .call import Call


@dataclass(frozen=True)
class Batch:
    """What one look at a source gave.

    Args:
        records: as a function sees them, in order.
        ids: what names each record when it failed (message id, sequence number), in the same order.
        cursor: where the consumer stands after this batch; opaque, JSON; None for queues.
        more: whether another look may give something at once.
        wake: the signal that says there is something new; None when nothing ever will be.
        due: epoch seconds at which to look again all the same (a message becomes visible, a delay ends); None, never.
        handles: the source's own, given back to `settle`.
    """

    records: list[dict[str, Any]]
    ids: list[str]
    cursor: Any = None
    more: bool = False
    wake: tuple[Any, ...] | None = None
    due: float | None = None
    handles: list[Any] = field(default_factory=list)


class Source(Protocol):
    """Static functions; both run in the caller's transaction."""

    @staticmethod
    def batch(call: Call, arn: str, cursor: Any, limit: int, options: dict[str, Any]) -> Batch:
        """Take up to `limit` records: hidden from others (a queue) or read from the cursor on (a stream's shard).

        Options of queues: `visibility_s`. Of streams: `shard`, `timestamp` and `position`, which is
        TRIM_HORIZON, LATEST or AT_TIMESTAMP.
        """
        ...

    @staticmethod
    def settle(call: Call, arn: str, batch: Batch, failed: set[str]) -> None:
        """The batch is done but for the failed ids: those go back to a queue, the rest is deleted; streams: nothing."""
        ...

    @staticmethod
    def shards(call: Call, arn: str) -> list[dict[str, Any]]:
        """The shards of a stream: {"id", "parent", "closed"}; a queue has one with id ""."""
        ...
