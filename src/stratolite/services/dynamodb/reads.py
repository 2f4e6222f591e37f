"""Reads of many: Query and Scan, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions import evaluate, keys, project, syntax, values
from stratolite.languages.expressions.bind import FILTER, KEY_CONDITION, Binding
from stratolite.languages.expressions.errors import Invalid
from stratolite.languages.expressions.keys import KeyCondition, Range
from stratolite.languages.expressions.syntax import Condition
from stratolite.languages.expressions.values import Item

from . import capacity, legacy, rows, table
from .capacity import Consumed
from .errors import ResourceNotFoundException
from .items import wanted_parts
from .requests import admit_attributes, answers, binding, check_mixture
from .table import Index, Keys, Table

PAGE_BYTES = 1024 * 1024
SLICE_ROWS = 256
"""Rows taken from the store at a time: a page of large items must not be read far beyond its end."""

Json = Any
Answer = dict[str, Any]


# What a page is made of, as the store gives it: size, wire JSON, then its place: of a table hash, pk, sk; of an index
# hash, pk, sk, tie.
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


TABLE_ROWS = "SELECT bytes, item, hash, pk, sk FROM dynamodb_item WHERE t = ? "
# An index that projects everything refers to the item; any other has its own copy of what it shows.
INDEX_ROWS = (
    "SELECT x.bytes, coalesce(x.item, b.item), x.hash, x.pk, x.sk, x.tie FROM dynamodb_index_item x"
    " JOIN dynamodb_item b ON b.id = x.base WHERE x.i = ? "
)
WHOLE_ROWS = (
    "SELECT b.bytes, b.item, x.hash, x.pk, x.sk, x.tie FROM dynamodb_index_item x"
    " JOIN dynamodb_item b ON b.id = x.base WHERE x.i = ? "
)


def _slices(
    call: Call, sql: str, args: list[Any], order: str, place: str, forward: bool, start: Any, most: int | None
) -> Iterator[Row]:
    """Rows in order, a slice at a time, each slice found by where the last one ended.

    most: how many will be asked for, if that is known.
    """
    comparator = ">" if forward else "<"
    columns = place.count(",") + 1
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


# -- Where to begin


def _start_place(of: Table, index: Index | None, start: Item) -> tuple[Any, ...]:
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


# -- Answering


def _select(
    select: str | None,
    wanted: project.Tree | None,
    by: str,
    index: Index | None,
) -> None:
    """Raise Invalid where Select and what else is asked for do not agree."""
    if select is None:
        return
    if wanted is not None and select != "SPECIFIC_ATTRIBUTES":
        raise Invalid(f"Cannot specify the {by} when choosing to get {select}")
    if select == "SPECIFIC_ATTRIBUTES" and wanted is None:
        raise Invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if select == "ALL_PROJECTED_ATTRIBUTES" and index is None:
        raise Invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    if select == "ALL_ATTRIBUTES" and index is not None and not index.is_local and index.projection != "ALL":
        raise Invalid(
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global "
            "secondary "
            f"index {index.name} because its projection type is not ALL"
        )


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
    made: Answer = {"Count": len(page.rows), "ScannedCount": page.scanned}
    if page.last is not None:
        made["LastEvaluatedKey"] = last_key(asked.of, asked.index, _item(page.last))
    if asked.reported is not None:
        used = capacity.report(asked.of.name, _consumed(asked, page), asked.reported)
        if used is not None:
            made["ConsumedCapacity"] = used
    if asked.count_only:
        return rows.dumps(made)
    if asked.wanted is None:
        shown = [row[1] for row in page.rows]
    else:
        wanted = asked.wanted
        shown = [rows.dumps(project.project(_item(row), wanted)) for row in page.rows]
    return b'{"Items":[' + b",".join(shown) + b"]," + rows.dumps(made)[1:]


def _find_index(call: Call, of: Table, name: str | None, consistent: bool | None) -> Index | None:
    if name is None:
        return None
    if len(name) < 3 or not table.NAME(name):
        table.check_name(name, "IndexName")
    index = of.index(name)
    if index.status == "CREATING":
        raise Invalid(f"Cannot read from backfilling global secondary index: {name}")
    if index.status == "DELETING":
        raise ResourceNotFoundException()
    if consistent and not index.is_local:
        raise Invalid("Consistent reads are not supported on global secondary indexes")
    return index


def _check_filter(condition: Condition | None, schema: Keys, kind: str) -> None:
    """Raise Invalid when a Query's filter looks at the key: that is what key conditions are for."""
    if condition is None:
        return
    for name in schema.names:
        if name in _roots(condition):
            raise Invalid(f"{kind} can only contain non-primary key attributes: Primary key attribute: {name}")


def _roots(part: Any) -> set[str]:
    if isinstance(part, syntax.Path):
        return {str(part.steps[0])}
    if isinstance(part, syntax.Literal | syntax.Placeholder) or not hasattr(part, "__slots__"):
        return set().union(*map(_roots, part)) if isinstance(part, tuple) else set()
    return set().union(*(_roots(getattr(part, name)) for name in part.__slots__))


def _ordered(schema: Keys, of: Table, found: Sequence[KeyCondition]) -> tuple[list[KeyCondition], list[KeyCondition]]:
    """Key conditions on the partition key and on the sort key, each in the order of the schema. Raises Invalid."""
    by_name = {each.attribute: each for each in found}
    many = len(schema.hashes) + len(schema.ranges) > 2 or len(schema.hashes) > 1
    if not many and len(found) > 2:
        raise Invalid("Conditions can be of length 1 or 2 only")
    for name in schema.hashes:
        if name not in by_name:
            if many:
                raise Invalid(
                    "Query key condition not supported: all HASH key attributes must have an equality condition; "
                    f"missing key schema element: {name}"
                )
            raise Invalid(f"Query condition missed key schema element: {name}")
        if by_name[name].operator != "=":
            if many:
                raise Invalid(
                    "Query key condition not supported: all HASH key attributes must have an equality condition"
                )
            raise Invalid("Query key condition not supported")
    on_hash = [by_name.pop(name) for name in schema.hashes]
    on_range: list[KeyCondition] = []
    for name in schema.ranges:
        if name not in by_name:
            break
        if on_range and on_range[-1].operator != "=":
            raise Invalid(
                "Query key condition not supported: only the last of the RANGE key attributes may have a "
                "condition other "
                "than equality"
            )
        on_range.append(by_name.pop(name))
    if by_name:
        if any(name in schema.ranges for name in by_name):
            raise Invalid(
                "Query key condition not supported: RANGE key attributes must be given in order, each with an equality "
                "before the last"
            )
        if schema.ranges and not on_range:
            raise Invalid(f"Query condition missed key schema element: {schema.ranges[0]}")
        raise Invalid("Query key condition not supported")
    for each in (*on_hash, *on_range):
        kind = of.types[each.attribute]
        for operand in each.operands:
            if kind not in operand:
                raise Invalid(
                    "One or more parameter values were invalid: Condition parameter type does not match schema type"
                )
            if each.operator == "begins_with" and kind == "N":
                raise Invalid(
                    "One or more parameter values were invalid: ComparisonOperator BEGINS_WITH is not valid for N "
                    "AttributeValue type"
                )
            if operand[kind] == "" and (each.operator == "=" or each in on_hash):
                what = "string" if kind == "S" else "binary"
                raise Invalid(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
                    "contain an "
                    f"empty {what} value. Key: {each.attribute}"
                )
    return on_hash, on_range


def _check_limit(limit: Any) -> None:
    if limit is not None and (limit.__class__ is not int or limit < 1):
        raise Invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )


@answers
def query(
    call: Call,
    table_name: str,
    index_name: str | None = None,
    select: str | None = None,
    attributes_to_get: Json = None,
    limit: int | None = None,
    consistent_read: bool | None = None,
    key_conditions: Json = None,
    query_filter: Json = None,
    conditional_operator: str | None = None,
    scan_index_forward: bool | None = None,
    exclusive_start_key: Json = None,
    return_consumed_capacity: str | None = None,
    projection_expression: str | None = None,
    filter_expression: str | None = None,
    key_condition_expression: str | None = None,
    expression_attribute_names: Json = None,
    expression_attribute_values: Json = None,
) -> bytes:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html"""
    expressions = {
        "ProjectionExpression": projection_expression,
        "FilterExpression": filter_expression,
        "KeyConditionExpression": key_condition_expression,
    }
    check_mixture(
        {
            "AttributesToGet": attributes_to_get,
            "QueryFilter": query_filter,
            "ConditionalOperator": conditional_operator,
            "KeyConditions": key_conditions if key_condition_expression is not None else None,
        },
        expressions,
    )
    _check_limit(limit)
    if exclusive_start_key is not None:
        admit_attributes(exclusive_start_key)
    bound = binding(
        expression_attribute_names,
        expression_attribute_values,
        expressions,
        {"FilterExpression": filter_expression, "KeyConditionExpression": key_condition_expression},
    )
    if key_condition_expression is None and key_conditions is None:
        raise Invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    condition = _filter(bound, filter_expression, query_filter, conditional_operator)
    wanted = wanted_parts(bound, projection_expression, attributes_to_get)
    found = (
        keys.conditions(bound.condition(key_condition_expression, KEY_CONDITION))
        if key_condition_expression is not None
        else legacy.key_conditions(key_conditions)
    )
    bound.check_all_used()
    of = table.require(call, table_name)
    index = _find_index(call, of, index_name, consistent_read)
    _select(select, wanted, "AttributesToGet" if attributes_to_get is not None else "ProjectionExpression", index)
    schema = index.keys if index else of.keys
    on_hash, on_range = _ordered(schema, of, found)
    _check_filter(condition, schema, "Filter Expression" if filter_expression is not None else "QueryFilter")
    pk = keys.encode([each.operands[0] for each in on_hash])
    within = keys.sort_range(len(schema.ranges), on_range)
    start = None
    if exclusive_start_key is not None:
        start = _query_start(of, index, exclusive_start_key, pk, within)
    fetch = _needs_fetch(index, select, wanted)
    page = collect(
        _query_rows(call, of, index, pk, within, scan_index_forward is not False, start, fetch, limit), limit, condition
    )
    asked = Asked(of, index, wanted, select == "COUNT", bool(consistent_read), fetch, return_consumed_capacity)
    return answer(asked, page)


def _filter(bound: Binding, expression: str | None, given: Json, operator: str | None) -> Condition | None:
    if expression is not None:
        return bound.condition(expression, FILTER)
    return legacy.filters(given, operator)


def _needs_fetch(index: Index | None, select: str | None, wanted: project.Tree | None) -> bool:
    """Whether a read of a local index has to fetch from the table what the index does not show."""
    if index is None or index.projection == "ALL":
        return False
    outside = wanted is not None and any(name not in index.attributes for name in wanted)
    if index.is_local:
        return select == "ALL_ATTRIBUTES" or outside
    if outside:
        assert wanted is not None
        missing = ", ".join(str(name) for name in wanted if name not in index.attributes)
        raise Invalid(
            f"One or more parameter values were invalid: Global secondary index {index.name} does not project "
            f"[{missing}]"
        )
    return False


def _query_start(of: Table, index: Index | None, start: Item, pk: bytes, within: Range) -> tuple[Any, ...]:
    if index is None and not of.keys.ranges:
        # A partition without a sort key is one item: nothing can come after it.
        shown = ", ".join(f"{name}=AttributeValue: {values.described(value)}" for name, value in start.items())
        raise Invalid(f"The provided exclusive start key is invalid: ExclusiveStartKey: {{{shown}}}")
    place = _start_place(of, index, start)
    if place[1] != pk:
        raise Invalid("The provided starting key is outside query boundaries based on provided conditions")
    if not within.holds(place[2]):
        raise Invalid("The provided starting key does not match the range key predicate")
    return place


def _query_rows(
    call: Call,
    of: Table,
    index: Index | None,
    pk: bytes,
    within: Range,
    forward: bool,
    start: Any,
    fetch: bool,
    most: int | None,
) -> Iterator[Row]:
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
    rows_sql = WHOLE_ROWS if fetch else INDEX_ROWS
    sql = f"{rows_sql}AND x.hash = ? AND x.pk = ? {bounds}"
    order = f"ORDER BY x.sk {direction}, x.tie {direction}"
    return _slices(call, sql, args, order, "x.sk, x.tie", forward, start and start[2:], most)


HASHES = 2**32


def _segment(segment: int | None, total: int | None) -> tuple[int, int] | None:
    """The hashes a segment covers, from and to. Raises Invalid."""
    if segment is None and total is None:
        return None
    if total is None:
        raise Invalid(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter "
            "is present"
        )
    if segment is None:
        raise Invalid(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments "
            "is present"
        )
    if not 0 <= segment <= 999_999 or not 1 <= total <= 1_000_000:
        raise Invalid("1 validation error detected: Segment and TotalSegments must be within 0..999999 and 1..1000000")
    if segment >= total:
        raise Invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )
    return HASHES * segment // total, HASHES * (segment + 1) // total


@answers
def scan(
    call: Call,
    table_name: str,
    index_name: str | None = None,
    attributes_to_get: Json = None,
    limit: int | None = None,
    select: str | None = None,
    scan_filter: Json = None,
    conditional_operator: str | None = None,
    exclusive_start_key: Json = None,
    return_consumed_capacity: str | None = None,
    total_segments: int | None = None,
    segment: int | None = None,
    projection_expression: str | None = None,
    filter_expression: str | None = None,
    expression_attribute_names: Json = None,
    expression_attribute_values: Json = None,
    consistent_read: bool | None = None,
) -> bytes:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html"""
    expressions = {"ProjectionExpression": projection_expression, "FilterExpression": filter_expression}
    check_mixture(
        {
            "AttributesToGet": attributes_to_get,
            "ScanFilter": scan_filter,
            "ConditionalOperator": conditional_operator,
        },
        expressions,
    )
    _check_limit(limit)
    hashes = _segment(segment, total_segments)
    if exclusive_start_key is not None:
        admit_attributes(exclusive_start_key)
    bound = binding(
        expression_attribute_names,
        expression_attribute_values,
        expressions,
        {"FilterExpression": filter_expression},
    )
    condition = _filter(bound, filter_expression, scan_filter, conditional_operator)
    wanted = wanted_parts(bound, projection_expression, attributes_to_get)
    bound.check_all_used()
    of = table.require(call, table_name)
    index = _find_index(call, of, index_name, consistent_read)
    _select(select, wanted, "AttributesToGet" if attributes_to_get is not None else "ProjectionExpression", index)
    start = None if exclusive_start_key is None else _start_place(of, index, exclusive_start_key)
    if start is not None and hashes is not None and not hashes[0] <= start[0] < hashes[1]:
        raise Invalid("The provided Exclusive start key does not map to the provided Segment and TotalSegments values.")
    fetch = _needs_fetch(index, select, wanted)
    page = collect(_scan_rows(call, of, index, hashes, start, fetch, limit), limit, condition)
    partitions = ON_DEMAND_PARTITIONS if hashes is None and of.definition["BillingMode"] == "PAY_PER_REQUEST" else 1
    asked = Asked(
        of, index, wanted, select == "COUNT", bool(consistent_read), fetch, return_consumed_capacity, partitions
    )
    return answer(asked, page)


def _scan_rows(
    call: Call,
    of: Table,
    index: Index | None,
    hashes: tuple[int, int] | None,
    start: Any,
    fetch: bool,
    most: int | None,
) -> Iterator[Row]:
    args: list[Any] = [index.key if index else of.key]
    x = "x." if index else ""
    bounds = ""
    if hashes is not None:
        bounds = f"AND {x}hash >= ? AND {x}hash < ? "
        args += hashes
    if index is None:
        return _slices(call, TABLE_ROWS + bounds, args, "ORDER BY hash, pk, sk", "hash, pk, sk", True, start, most)
    rows_sql = WHOLE_ROWS if fetch else INDEX_ROWS
    order = "ORDER BY x.hash, x.pk, x.sk, x.tie"
    return _slices(call, rows_sql + bounds, args, order, "x.hash, x.pk, x.sk, x.tie", True, start, most)
