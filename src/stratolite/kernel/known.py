"""Known: what was read of rows that seldom change, kept until one of them is written.

A statement that writes to a table forgets what was read of that table, whoever wrote it; a roll-back forgets
everything, because what was read before it may have been of writes that never were. Nothing has to be remembered by
those who write.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

MOST = 10_000
"""Things known of one set of tables; when there are more, all of them are read again."""


class Known:
    def __init__(self) -> None:
        self._of: dict[tuple[str, ...], dict[Hashable, Any]] = {}
        self._by_table: dict[str, list[dict[Hashable, Any]]] = {}

    def get(self, tables: tuple[str, ...], key: Hashable, read: Callable[[], T]) -> T:
        """What `read` gives. It may look at nothing but these tables and the key; the value must never be changed."""
        kept = self._of.get(tables)
        if kept is None:
            kept = self._of[tables] = {}
            for table in tables:
                self._by_table.setdefault(table, []).append(kept)
        try:
            return kept[key]  # type: ignore[no-any-return]
        except KeyError:
            if len(kept) >= MOST:
                kept.clear()
            found = kept[key] = read()
            return found

    def written(self, table: str) -> None:
        """Something writes to this table; the empty name is a statement that may have changed any."""
        if not table:
            self.forget()
        elif (found := self._by_table.get(table)) is not None:
            for kept in found:
                kept.clear()

    def forget(self) -> None:
        for kept in self._of.values():
            kept.clear()
