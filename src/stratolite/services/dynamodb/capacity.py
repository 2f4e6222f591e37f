"""Capacity units, as AWS counts them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024


def read_units(size_bytes: int, consistent: bool, transactional: bool = False) -> float:
    """Units of reading so many bytes at once: 4 KB each, half when eventually consistent, twice in a transaction."""
    units = max(1, -(-size_bytes // READ_UNIT_BYTES))
    if transactional:
        return float(units * 2)
    return float(units) if consistent else units / 2


def write_units(size_bytes: int) -> float:
    """Units of writing an item of so many bytes: 1 KB each."""
    return float(max(1, -(-size_bytes // WRITE_UNIT_BYTES)))


@dataclass(slots=True)
class Consumed:
    """What a request used of one table and its indexes."""

    table: float = 0.0
    local: dict[str, float] = field(default_factory=dict)
    globals: dict[str, float] = field(default_factory=dict)

    def add(self, other: Consumed) -> None:
        self.table += other.table
        for ours, theirs in ((self.local, other.local), (self.globals, other.globals)):
            for name, units in theirs.items():
                ours[name] = ours.get(name, 0.0) + units

    @property
    def total(self) -> float:
        return self.table + sum(self.local.values()) + sum(self.globals.values())


def report(name: str, consumed: Consumed, wanted: str | None, kind: str | None = None) -> Mapping[str, Any] | None:
    """The ConsumedCapacity member, or None when it was not asked for.

    kind: "ReadCapacityUnits" or "WriteCapacityUnits" where AWS says which (in transactions).
    """
    if wanted is None or wanted == "NONE":
        return None

    def units(amount: float) -> dict[str, float]:
        return {"CapacityUnits": amount, kind: amount} if kind else {"CapacityUnits": amount}

    answer: dict[str, Any] = {"TableName": name, **units(consumed.total)}
    if wanted == "INDEXES":
        answer["Table"] = units(consumed.table)
        for member, found in (
            ("LocalSecondaryIndexes", consumed.local),
            ("GlobalSecondaryIndexes", consumed.globals),
        ):
            if found:
                answer[member] = {index: units(amount) for index, amount in found.items()}
    return answer
