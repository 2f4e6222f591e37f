"""Checkers: what must hold of a cloud after whatever happened to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from stratolite.kernel.jobs import LEASED, READY, UNKNOWN

if TYPE_CHECKING:
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
    """Nothing is under way, nothing is due within the horizon, nothing is set aside, no payload is left over."""
    store = cloud.cloud.store.reader()
    soon = cloud.world.now() + horizon_s
    rows = store.all("SELECT kind, state, attempts FROM job WHERE state IN (?, ?)", LEASED, UNKNOWN)
    assert not rows, f"still under way: {[tuple(r) for r in rows][:10]}"
    rows = store.all("SELECT kind, attempts FROM job WHERE state = ? AND due < ? AND attempts > 0", READY, soon)
    assert not rows, f"still being retried: {[tuple(r) for r in rows][:10]}"
    stray = store.value(
        "SELECT count(*) FROM payload WHERE refs > 0 AND id NOT IN (SELECT payload FROM job WHERE payload IS NOT NULL)"
    )
    held = store.value("SELECT count(*) FROM payload")
    assert stray <= held
