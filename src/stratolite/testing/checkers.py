"""Checkers: what must hold of a cloud after whatever happened to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from stratolite.kernel.jobs import BEHIND, LEASED, PARKED, READY, UNKNOWN

if TYPE_CHECKING:
    from stratolite.kernel.blobs import Blobs
    from stratolite.kernel.store import Tx

    from .cloud import TestCloud

T = TypeVar("T", bound=Hashable)


def nothing_lost(acknowledged: Iterable[T], found: Iterable[T]) -> None:
    """Everything acknowledged is somewhere."""
    lost = set(acknowledged) - set(found)
    assert not lost, f"acknowledged and lost: {sorted(map(str, lost))[:10]}"


def exactly_once(acknowledged: Iterable[T], stored: Iterable[T], unanswered: Iterable[T] = ()) -> None:
    """Everything acknowledged is stored once; of what got no answer, at most one; nothing else.

    Args:
        unanswered: what was sent and not acknowledged (the connection broke): it may have arrived.
    """
    wanted, counted = set(acknowledged), Counter(stored)
    nothing_lost(wanted, counted)
    twice = [k for k, n in counted.items() if n > 1]
    assert not twice, f"stored more than once: {sorted(map(str, twice))[:10]}"
    strange = set(counted) - wanted - set(unanswered)
    assert not strange, f"stored and never sent: {sorted(map(str, strange))[:10]}"


def in_order(seen: Sequence[T], sent: Sequence[T]) -> None:
    """First appearances come in the order of sending; a repeat is a repeat of what went before."""
    firsts = list(dict.fromkeys(seen))
    positions = {value: i for i, value in enumerate(sent)}
    wanted = sorted(firsts, key=lambda value: positions[value])
    assert firsts == wanted, f"out of order: {firsts[:20]}"


def quiet(cloud: TestCloud, horizon_s: float = 3600.0) -> None:
    """Nothing is under way, overdue or set aside, nothing is retried within the horizon, nothing is left over."""
    store, now = cloud.cloud.store.reader(), cloud.world.now()

    def none(what: str, sql: str, *args: Any) -> None:
        rows = store.all(sql, *args)
        assert not rows, f"{what}: {[tuple(row) for row in rows][:10]}"

    none("still under way", "SELECT kind, state, attempts FROM job WHERE state IN (?, ?)", LEASED, UNKNOWN)
    none(
        "still being retried",
        "SELECT kind, attempts FROM job WHERE state = ? AND due < ? AND attempts > 0", READY, now + horizon_s,
    )  # fmt: skip
    none("overdue", "SELECT kind, due - ? FROM job WHERE state = ? AND due <= ?", now, READY, now)
    none(
        "behind a head that is gone",
        "SELECT kind, key FROM job WHERE state = ? AND id = (SELECT min(id) FROM job AS j WHERE j.key = job.key)",
        BEHIND,
    )
    none(
        "two of one key at once",
        "SELECT key, count(*) FROM job WHERE key IS NOT NULL AND state <> ? GROUP BY key HAVING count(*) > 1", BEHIND,
    )  # fmt: skip
    parked = {row["id"] for row in store.all("SELECT id FROM job WHERE state = ?", PARKED)}
    deaf = parked - cloud.cloud.signals.listening()
    assert not deaf, f"parked and deaf: {sorted(deaf)}"
    _payloads(store)
    _blobs(store, cloud.cloud.blobs)


def _payloads(store: Tx) -> None:
    """Every payload is held as often as rows refer to it, and no row refers to one that is gone."""
    held = {row["id"]: row["refs"] for row in store.all("SELECT id, refs FROM payload")}
    wanted: Counter[int] = Counter()
    for table, columns in _tables(store):
        if "payload" in columns:
            wanted.update(row[0] for row in store.all(f"SELECT payload FROM {table} WHERE payload IS NOT NULL"))
    assert held == dict(wanted), f"payloads held: {held}, referred to: {dict(wanted)}"


def _blobs(store: Tx, blobs: Blobs) -> None:
    """Every blob is there, and counted as often as rows name it."""
    held = {row["name"]: row["refs"] for row in store.all("SELECT name, refs FROM blob")}
    gone = [name for name in held if not blobs.path(name).exists()]
    assert not gone, f"blobs without a file: {gone}"
    wanted: Counter[str] = Counter()
    for table, columns in _tables(store):
        if "code" in columns and held:
            texts = [row[0] for row in store.all(f"SELECT code FROM {table} WHERE code IS NOT NULL")]
            wanted.update(name for name in held for text in texts if name in text)
    assert held == dict(wanted), f"blobs held: {held}, referred to: {dict(wanted)}"


def _tables(store: Tx) -> list[tuple[str, set[str]]]:
    """The tables, and what their columns are called."""
    names = [row[0] for row in store.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [(name, {row[0] for row in store.all("SELECT name FROM pragma_table_info(?)", name)}) for name in names]
