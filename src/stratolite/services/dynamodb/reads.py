"""Reads of many: Query and Scan, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions import keys, project, syntax, values
from stratolite.languages.expressions.bind import FILTER, KEY_CONDITION, Binding
from stratolite.languages.expressions.errors import Invalid
from stratolite.languages.expressions.keys import KeyCondition, Range
from stratolite.languages.expressions.syntax import Condition
from stratolite.languages.expressions.values import Item

from . import legacy, pages, table
from .errors import ResourceNotFoundException
from .items import wanted_parts
from .pages import Asked
from .requests import admit_attributes, answers, binding, check_mixture
from .table import Index, Keys, Table

Json = Any
Answer = dict[str, Any]


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


def find_index(of: Table, name: str, consistent: bool | None) -> Index:
    """The index that is to be read. Raises Invalid when it cannot be."""
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
    key_is = (
        keys.conditions(bound.condition(key_condition_expression, KEY_CONDITION))
        if key_condition_expression is not None
        else legacy.key_conditions(key_conditions)
    )
    bound.check_all_used()
    of = table.require(call, table_name)
    index = None if index_name is None else find_index(of, index_name, consistent_read)
    _select(select, wanted, "AttributesToGet" if attributes_to_get is not None else "ProjectionExpression", index)
    schema = index.keys if index else of.keys
    on_hash, on_range = _ordered(schema, of, key_is)
    _check_filter(condition, schema, "Filter Expression" if filter_expression is not None else "QueryFilter")
    pk = keys.encode([each.operands[0] for each in on_hash])
    within = keys.sort_range(len(schema.ranges), on_range)
    start = None
    if exclusive_start_key is not None:
        start = _query_start(of, index, exclusive_start_key, pk, within)
    fetch = needs_fetch(index, select, wanted)
    asked = Asked(of, index, wanted, select == "COUNT", bool(consistent_read), fetch, return_consumed_capacity)
    found = pages.query_rows(call, asked, pk, within, scan_index_forward is not False, start, limit)
    return pages.answer(asked, pages.collect(found, limit, condition))


def _filter(bound: Binding, expression: str | None, given: Json, operator: str | None) -> Condition | None:
    if expression is not None:
        return bound.condition(expression, FILTER)
    return legacy.filters(given, operator)


def needs_fetch(index: Index | None, select: str | None, wanted: project.Tree | None) -> bool:
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
    place = pages.start_place(of, index, start)
    if place[1] != pk:
        raise Invalid("The provided starting key is outside query boundaries based on provided conditions")
    if not within.holds(place[2]):
        raise Invalid("The provided starting key does not match the range key predicate")
    return place


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
    index = None if index_name is None else find_index(of, index_name, consistent_read)
    _select(select, wanted, "AttributesToGet" if attributes_to_get is not None else "ProjectionExpression", index)
    start = None if exclusive_start_key is None else pages.start_place(of, index, exclusive_start_key)
    if start is not None and hashes is not None and not hashes[0] <= start[0] < hashes[1]:
        raise Invalid("The provided Exclusive start key does not map to the provided Segment and TotalSegments values.")
    fetch = needs_fetch(index, select, wanted)
    partitions = (
        pages.ON_DEMAND_PARTITIONS if hashes is None and of.definition["BillingMode"] == "PAY_PER_REQUEST" else 1
    )
    asked = Asked(
        of, index, wanted, select == "COUNT", bool(consistent_read), fetch, return_consumed_capacity, partitions
    )
    found = pages.scan_rows(call, asked, hashes, start, limit)
    return pages.answer(asked, pages.collect(found, limit, condition))
