"""Pages: items of a table or an index in order, up to a megabyte, and where the next page goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions import evaluate, project
from stratolite.languages.expressions.errors import Invalid
from stratolite.languages.expressions.keys import Range
from stratolite.languages.expressions.syntax import Condition
from stratolite.languages.expressions.values import Item

from . import capacity, rows, table
from .capacity import Consumed
from .table import Index, Table

PAGE_BYTES = 1024 * 1024
SLICE_ROWS = 256
"""Rows taken from the store at a time: a page of large items must not be read far beyond its end."""

# What a page is made of, as the store gives it: size, wire JSON, then its place among what is read: of a table hash, pk
# and sk, of an index hash, pk, sk and tie; of one partition without what is the same for all of it.
Row = Any


def _item(row: Row) -> Item:
    found: Item = json.loads(row[1])
    return found


@dataclass(slots=True)
class Page:
    """One answer in the making."""

    rows: list[Row]
    scanned: int
    size: int
    last: Row | None
    """Where the next page goes on; None at the end."""


TABLE_ROWS = "SELECT bytes, item, {place} FROM dynamodb_item WHERE t = ? "
# An index that projects everything refers to the items; any other has its own copies of what it shows.
WHOLE_ROWS = (
    "SELECT b.bytes, b.item, {place} FROM dynamodb_index_item x JOIN dynamodb_item b ON b.id = x.base WHERE x.i = ? "
)
SHOWN_ROWS = "SELECT x.bytes, x.item, {place} FROM dynamodb_index_item x WHERE x.i = ? "


def _slices(
    call: Call, sql: str, args: list[Any], order: str, place: str, forward: bool, start: Any, most: int | None
) -> Iterator[Row]:
    """Rows in order, a slice at a time, each slice found by where the last one ended.

    most: how many will be asked for, if that is known.
    """
    comparator = ">" if forward else "<"
    columns = place.count(",") + 1
    sql = sql.format(place=place)
    beyond = f"AND ({place}) {comparator} ({', '.join('?' * columns)}) "
    length = SLICE_ROWS if most is None else min(SLICE_ROWS, most)
    while True:
        found = call.tx.all(f"{sql}{beyond if start is not None else ''}{order} LIMIT ?", *args, *(start or ()), length)
        yield from found
        if len(found) < length:
            return
        start = tuple(found[-1])[-columns:]


def collect(found: Iterator[Row], limit: int | None, condition: Condition | None) -> Page:
    """Read until the page is full: so many items, or 1 MB, before any filter.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
    """
    shown: list[Row] = []
    scanned = size = 0
    last: Row | None = None
    for row in found:
        if size >= PAGE_BYTES:
            break
        scanned += 1
        size += row[0]
        last = row
        if condition is None or evaluate.holds(condition, _item(row)):
            shown.append(row)
        if scanned == limit:
            break
    else:
        last = None
    return Page(shown, scanned, size, last)


ON_DEMAND_PARTITIONS = 4
"""A scan reads something of every partition there is; a new on-demand table has four.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"""


@dataclass(slots=True)
class Asked:
    """What a Query or Scan is to show, and how it reads."""

    of: Table
    index: Index | None
    wanted: project.Tree | None
    count_only: bool
    consistent: bool
    fetch: bool
    """Whether items are fetched from the table, since the local index does not show all that is asked for."""
    reported: str | None
    partitions: int = 1


def _consumed(asked: Asked, page: Page) -> Consumed:
    units = capacity.read_units(page.size, asked.consistent)
    if page.last is None:
        units = max(units, capacity.read_units(0, asked.consistent) * asked.partitions)
    used = Consumed()
    index = asked.index
    if index is None:
        used.table = units
    elif index.is_local:
        used.local[index.name] = units
        if asked.fetch:  # each item fetched from the table is a read of its own
            used.table = page.scanned * capacity.read_units(0, asked.consistent)
    else:
        used.globals[index.name] = units
    return used


def answer(asked: Asked, page: Page) -> bytes:
    """The answer to a Query or Scan; items that are shown whole are not looked into."""
    parts: list[bytes] = []
    if not asked.count_only:
        if asked.wanted is None:
            shown = [row[1] for row in page.rows]
        else:
            wanted = asked.wanted
            shown = [rows.dumps(project.project(_item(row), wanted)) for row in page.rows]
        parts.append(b'"Items":[%b]' % b",".join(shown))
    parts.append(b'"Count":%d,"ScannedCount":%d' % (len(page.rows), page.scanned))
    if page.last is not None:
        key = last_key(asked.of, asked.index, _item(page.last))
        parts.append(b'"LastEvaluatedKey":%b' % rows.dumps(key))
    if asked.reported is not None:
        used = capacity.report(asked.of.name, _consumed(asked, page), asked.reported)
        if used is not None:
            parts.append(b'"ConsumedCapacity":%b' % rows.dumps(used))
    return b"{%b}" % b",".join(parts)


def start_place(of: Table, index: Index | None, start: Item) -> tuple[Any, ...]:
    """The place an ExclusiveStartKey names. Raises Invalid when it is no key of what is read."""
    names = {*of.keys.names, *(index.keys.names if index else ())}
    if set(start) != names:
        raise Invalid("The provided starting key is invalid")
    for name in names:
        if of.types[name] not in start[name]:
            raise Invalid("The provided starting key is invalid: The provided key element does not match the schema")
    where = of.encode(start)
    if index is None:
        return where
    entry = index.entry(start, of.types)
    assert entry is not None, "all attributes are there and have the right types"
    return (*entry, rows.tie_of(where))


def last_key(of: Table, index: Index | None, item: Item) -> Item:
    """The LastEvaluatedKey of a page that ended with an item."""
    names = dict.fromkeys((*of.keys.names, *(index.keys.names if index else ())))
    return {name: item[name] for name in names}


def query_rows(
    call: Call, asked: Asked, pk: bytes, within: Range, forward: bool, start: Any, most: int | None
) -> Iterator[Row]:
    """The rows of a partition within a range of sort keys."""
    of, index = asked.of, asked.index
    direction = "ASC" if forward else "DESC"
    args: list[Any] = [index.key if index else of.key, table.hashed(pk), pk]
    x = "x." if index else ""
    bounds = ""
    if within.lower:
        bounds += f"AND {x}sk >= ? "
        args.append(within.lower)
    if within.upper is not None:
        bounds += f"AND {x}sk < ? "
        args.append(within.upper)
    if index is None:
        sql = f"{TABLE_ROWS}AND hash = ? AND pk = ? {bounds}"
        return _slices(call, sql, args, f"ORDER BY sk {direction}", "sk", forward, start and start[2:], most)
    rows_sql = WHOLE_ROWS if asked.fetch or index.projection == "ALL" else SHOWN_ROWS
    sql = f"{rows_sql}AND x.hash = ? AND x.pk = ? {bounds}"
    order = f"ORDER BY x.sk {direction}, x.tie {direction}"
    return _slices(call, sql, args, order, "x.sk, x.tie", forward, start and start[2:], most)


def scan_rows(call: Call, asked: Asked, hashes: tuple[int, int] | None, start: Any, most: int | None) -> Iterator[Row]:
    """The rows of all partitions, or of those whose hashes lie in a range."""
    of, index = asked.of, asked.index
    args: list[Any] = [index.key if index else of.key]
    x = "x." if index else ""
    bounds = ""
    if hashes is not None:
        bounds = f"AND {x}hash >= ? AND {x}hash < ? "
        args += hashes
    if index is None:
        return _slices(call, TABLE_ROWS + bounds, args, "ORDER BY hash, pk, sk", "hash, pk, sk", True, start, most)
    rows_sql = WHOLE_ROWS if asked.fetch or index.projection == "ALL" else SHOWN_ROWS
    order = "ORDER BY x.hash, x.pk, x.sk, x.tie"
    return _slices(call, rows_sql + bounds, args, order, "x.hash, x.pk, x.sk, x.tie", True, start, most)
