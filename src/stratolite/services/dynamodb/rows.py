"""Items in the store: read, put, removed, with their index entries and what the stream says of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions import values
from stratolite.languages.expressions.values import Item

from . import records
from .capacity import Consumed, write_units
from .table import Index, Table

Where = tuple[int, bytes, bytes]  # hash, partition key, sort key


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def dumps(value: Any) -> bytes:
    """Wire JSON."""
    return _encode(value).encode("utf-8", "surrogatepass")


@dataclass(slots=True)
class Stored:
    """An item as it lies in the store."""

    id: int
    size: int
    wire: bytes
    _item: Item | None = None

    @property
    def item(self) -> Item:
        if self._item is None:
            self._item = json.loads(self.wire)
        return self._item


def read(call: Call, table: Table, where: Where) -> Stored | None:
    row = call.tx.one(
        "SELECT id, bytes, item FROM dynamodb_item WHERE t = ? AND hash = ? AND pk = ? AND sk = ?", table.key, *where
    )
    return None if row is None else Stored(row[0], row[1], row[2])


def slice_of(call: Call, table: int, after: str, most: int, columns: str) -> tuple[list[Any], str]:
    """Rows of a table in the order of their keys, and where the next slice begins; that is empty at the end.

    after: where the last slice ended, or empty; columns: what is wanted of each row besides hash, pk and sk, which are
    first.
    """
    sql = f"SELECT hash, pk, sk, {columns} FROM dynamodb_item WHERE t = ? "
    args: list[Any] = [table]
    if after:
        hash_, pk, sk = after.split(":")
        sql += "AND (hash, pk, sk) > (?, ?, ?) "
        args += [int(hash_), bytes.fromhex(pk), bytes.fromhex(sk)]
    found = call.tx.all(f"{sql}ORDER BY hash, pk, sk LIMIT ?", *args, most)
    if len(found) < most:
        return found, ""
    last = found[-1]
    return found, f"{last[0]}:{last[1].hex()}:{last[2].hex()}"


def expires_at(table: Table, item: Item) -> float | None:
    """When time to live ends an item; None when it has no such attribute, or an absurd one.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
    """
    if table.ttl is None or (value := item.get(table.ttl)) is None or "N" not in value:
        return None
    return float(value["N"])


def put(call: Call, table: Table, where: Where, old: Stored | None, item: Item, size: int) -> Consumed:
    """Store an admitted, checked item over what was there; what that used.

    old: what was there, when the table has indexes or a stream; elsewhere it may be left out.
    """
    wire = dumps(item)
    expires = expires_at(table, item) if table.ttl is not None else None
    if old is not None:
        base = old.id
        call.tx.run("UPDATE dynamodb_item SET bytes = ?, expires = ?, item = ? WHERE id = ?", size, expires, wire, base)
    else:
        row = call.tx.one(
            "INSERT INTO dynamodb_item (t, hash, pk, sk, bytes, expires, item) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (t, hash, pk, sk) DO UPDATE SET bytes = excluded.bytes, expires = excluded.expires,"
            " item = excluded.item RETURNING id",
            table.key,
            *where,
            size,
            expires,
            wire,
        )
        assert row is not None
        base = row[0]
    if expires is not None:
        expect_expiry(call, table, expires)
    consumed = Consumed(write_units(max(size, old.size if old else 0)))
    if table.indexes or table.stream is not None:
        before = old.item if old else None
        if table.indexes:
            index_change(call, table, where, base, before, item, consumed)
        if table.stream is not None and (before is None or not same(before, item)):
            records.write(call, table, before, item)
    return consumed


def remove(call: Call, table: Table, where: Where, old: Stored | None, by_service: bool = False) -> Consumed:
    """Remove what was there, if anything; what that used."""
    if old is None:
        return Consumed(1.0)
    call.tx.run("DELETE FROM dynamodb_item WHERE id = ?", old.id)
    consumed = Consumed(write_units(old.size))
    if table.indexes:
        index_change(call, table, where, old.id, old.item, None, consumed)
    if table.stream is not None:
        records.write(call, table, old.item, None, by_service)
    return consumed


def same(left: Item, right: Item) -> bool:
    """Whether two items are equal: then a write left nothing to tell."""
    return values.equal({"M": left}, {"M": right})


def tie_of(where: Where) -> bytes:
    """The primary key in one piece, ordered within an index key."""
    return len(where[1]).to_bytes(2, "big") + where[1] + where[2]


def enter(call: Call, index: Index, tie: bytes, base: int, entry: Where, item: Item) -> float:
    """Write an item's entry in an index; the units that uses."""
    shown = index.shows(item)
    size = values.item_bytes(shown)
    call.tx.run(
        "INSERT INTO dynamodb_index_item (i, hash, pk, sk, tie, base, bytes, item) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (i, hash, pk, sk, tie) DO UPDATE SET base = excluded.base, bytes = excluded.bytes,"
        " item = excluded.item",
        index.key,
        *entry,
        tie,
        base,
        size,
        None if index.projection == "ALL" else dumps(shown),
    )
    return write_units(size)


def index_change(
    call: Call, table: Table, where: Where, base: int, before: Item | None, after: Item | None, consumed: Consumed
) -> None:
    """Bring the index entries of an item up to date."""
    tie = tie_of(where)
    for index in table.indexes:
        was = index.entry(before, table.types) if before is not None else None
        entry = index.entry(after, table.types) if after is not None else None
        units = 0.0
        if was is not None and was != entry:
            assert before is not None
            call.tx.run(
                "DELETE FROM dynamodb_index_item WHERE i = ? AND hash = ? AND pk = ? AND sk = ? AND tie = ?",
                index.key,
                *was,
                tie,
            )
            units += write_units(values.item_bytes(index.shows(before)))
        if entry is not None:
            assert after is not None
            # A write that changes nothing an index shows costs nothing there.
            if was == entry and before is not None and same(index.shows(before), index.shows(after)):
                pass
            else:
                units += enter(call, index, tie, base, entry, after)
        if units:
            part = consumed.local if index.is_local else consumed.globals
            part[index.name] = part.get(index.name, 0.0) + units


def expect_expiry(call: Call, table: Table, expires: float) -> None:
    """See to it that the expiry job of a table is due by then."""
    due = call.tx.value('SELECT due FROM dynamodb_expiry WHERE "table" = ?', table.key)
    if due is not None and call.now < due <= expires:
        return
    call.tx.run(
        'INSERT OR REPLACE INTO dynamodb_expiry ("table", due) VALUES (?, ?)', table.key, max(expires, call.now)
    )
    call.later("dynamodb.expire", max(expires, call.now), None, None, key=table.key)
