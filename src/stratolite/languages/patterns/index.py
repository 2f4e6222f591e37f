"""An index over many patterns: what does not match is not looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from .compile import Branch
from .match import Flat, flatten, holds
from .operators import Key, Value

K = TypeVar("K")
Entry = tuple[int, Branch]


def steps(paths: Iterable[str]) -> frozenset[str]:
    """The paths and everything on the way to them."""
    out: set[str] = set()
    for path in paths:
        parts = path.split(".")
        out.update(".".join(parts[: n + 1]) for n in range(len(parts)))
    return frozenset(out)


class _Probe:
    """The branches that are found through the value of one path."""

    def __init__(self) -> None:
        self.entries: dict[Key, list[Entry]] = {}
        self.lengths: dict[str, set[int]] = {}  # of prefixes and suffixes, by kind

    def add(self, key: Key, entry: Entry) -> None:
        self.entries.setdefault(key, []).append(entry)
        if isinstance(key[1], str):
            self.lengths.setdefault(key[0], set()).add(len(key[1]))

    def find(self, value: Value) -> Iterator[Entry]:
        entries = self.entries
        yield from entries.get(("is", value), ())
        if not isinstance(value, str):
            return
        for kind, lengths in self.lengths.items():
            if kind == "is":
                continue
            text = value.lower() if kind.endswith("lower") else value
            if kind == "lower":
                yield from entries.get((kind, text), ())
            else:
                start = kind.startswith("prefix")
                for length in lengths:
                    if length <= len(text):
                        part = text[:length] if start else text[len(text) - length :]
                        yield from entries.get((kind, part), ())


class PatternIndex(Generic[K]):
    """Patterns by owner. `matches(event)` gives the owners whose pattern holds, in the order they were given.

    Each branch is filed under one field: the one whose keys it shares with the fewest others. A branch with no such
    field is filed under a path it needs, or else looked at for every event.
    """

    def __init__(self, patterns: Iterable[tuple[K, list[Branch]]]) -> None:
        self.owners: list[K] = []
        self.by_value: dict[str, _Probe] = {}
        self.by_presence: dict[str, list[Entry]] = {}
        self.always: list[Entry] = []
        entries: list[Entry] = []
        for owner, branches in patterns:
            entries += [(len(self.owners), branch) for branch in branches]
            self.owners.append(owner)
        shared = Counter(
            (path, key) for _, branch in entries for path, field in branch.items() for key in field.keys or ()
        )
        for entry in entries:
            self._file(entry, shared)
        self.wanted = steps(path for _, branch in entries for path in branch)
        # One field that all branches exclude by value is enough to stop early, without the rest of the event.
        self.first = steps([*self.by_value, *self.by_presence])

    def _file(self, entry: Entry, shared: Counter[tuple[str, Key]]) -> None:
        keyed = [
            (sum(shared[path, key] for key in field.keys), path)
            for path, field in entry[1].items()
            if field.keys is not None
        ]
        if keyed:
            path = min(keyed)[1]
            for key in entry[1][path].keys or ():
                self.by_value.setdefault(path, _Probe()).add(key, entry)
            return
        needed = sorted(path for path, field in entry[1].items() if not field.absent)
        if needed:
            self.by_presence.setdefault(needed[-1], []).append(entry)
        else:
            self.always.append(entry)

    def matches(self, event: Mapping[str, Any]) -> list[K]:
        flat = flatten(event, self.first)
        candidates = self._candidates(flat)
        if not candidates:
            return []
        if self.first != self.wanted:
            flat = flatten(event, self.wanted)
        found = {number for number, branch in candidates if holds(branch, flat)}
        return [self.owners[number] for number in sorted(found)]

    def _candidates(self, flat: Flat) -> list[Entry]:
        out = list(self.always)
        for path, probe in self.by_value.items():
            for value, _ in flat.get(path, ()):
                out.extend(probe.find(value))
        for path, entries in self.by_presence.items():
            if path in flat:
                out.extend(entries)
        return out
