"""Batches: many items in one request, each for itself."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions import project
from stratolite.languages.expressions.errors import Invalid, Malformed

from . import capacity, items, rows, table
from .capacity import Consumed
from .requests import admit_attributes, answers, binding, check_mixture
from .table import Table

MOST_GETS = 100
MOST_WRITES = 25
MOST_GOT_BYTES = 16 * 1024 * 1024

Json = Any
Answer = dict[str, Any]


def _tables(request_items: Json) -> dict[str, Any]:
    if request_items.__class__ is not dict:
        raise Malformed("Unexpected field type")
    if not request_items:
        raise Invalid(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    found: dict[str, Any] = request_items
    return found


@answers
def batch_get_item(call: Call, request_items: Json, return_consumed_capacity: str | None = None) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html"""
    asked = _tables(request_items)
    total = 0
    for name, wanted in asked.items():
        found = wanted.get("Keys") or []
        if not found:
            raise Invalid(
                f"1 validation error detected: Value '[]' at 'requestItems.{name}.member.keys' failed to satisfy "
                "constraint: Member must have length greater than or equal to 1"
            )
        if len(found) > MOST_GETS:
            raise Invalid(
                f"1 validation error detected: Value at 'requestItems.{name}.member.keys' failed to satisfy "
                "constraint: "
                "Member must have length less than or equal to 100"
            )
        total += len(found)
    if total > MOST_GETS:
        raise Invalid("Too many items requested for the BatchGetItem call")
    looks: list[tuple[str, Json, project.Tree | None, bool]] = []
    for name, wanted in asked.items():
        expression = wanted.get("ProjectionExpression")
        check_mixture(
            {"AttributesToGet": wanted.get("AttributesToGet")},
            {"ProjectionExpression": expression},
        )
        bound = binding(wanted.get("ExpressionAttributeNames"), None, {"ProjectionExpression": expression})
        for key in wanted["Keys"]:
            admit_attributes(key)
        parts = items.wanted_parts(bound, expression, wanted.get("AttributesToGet"))
        bound.check_all_used()
        looks.append((name, wanted, parts, bool(wanted.get("ConsistentRead"))))
    answer: Answer = {"Responses": {}, "UnprocessedKeys": {}}
    reports = []
    read_bytes = 0
    for name, wanted, parts, consistent in looks:
        of = table.require(call, name)
        places = _distinct(of, wanted["Keys"])
        used = Consumed()
        got = answer["Responses"][name] = []
        for at, where in enumerate(places):
            if read_bytes >= MOST_GOT_BYTES:
                answer["UnprocessedKeys"][name] = {**wanted, "Keys": wanted["Keys"][at:]}
                break
            row = rows.read(call, of, where)
            used.table += capacity.read_units(row.size if row else 0, consistent)
            if row is not None:
                read_bytes += row.size
                got.append(row.item if parts is None else project.project(row.item, parts))
        if (report := capacity.report(of.name, used, return_consumed_capacity)) is not None:
            reports.append(report)
    if reports:
        answer["ConsumedCapacity"] = reports
    return answer


def _distinct(of: Table, found: list[Json]) -> list[rows.Where]:
    places = []
    for key in found:
        table.check_key(of, key)
        places.append(of.encode(key))
    if len(set(places)) != len(places):
        raise Invalid("Provided list of item keys contains duplicates")
    return places


@answers
def batch_write_item(
    call: Call,
    request_items: Json,
    return_consumed_capacity: str | None = None,
    return_item_collection_metrics: str | None = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html"""
    asked = _tables(request_items)
    total = 0
    for name, requests in asked.items():
        if requests.__class__ is not list:
            raise Malformed("Unexpected field type")
        if not requests or len(requests) > MOST_WRITES:
            how = "less than or equal to 25" if requests else "greater than or equal to 1"
            raise Invalid(
                f"1 validation error detected: Value at 'requestItems.{name}.member' failed to satisfy constraint: "
                f"Member must have length {how}"
            )
        total += len(requests)
    if total > MOST_WRITES:
        raise Invalid("Too many items requested for the BatchWriteItem call")
    sizes: dict[int, int] = {}
    for requests in asked.values():
        for request in requests:
            put, delete = request.get("PutRequest"), request.get("DeleteRequest")
            if put is not None and delete is not None:
                raise Invalid(
                    "Supplied WriteRequest has more than one datatypes set, must contain exactly one of the "
                    "supported datatypes"
                )
            if put is not None:
                size = sizes[id(request)] = admit_attributes(put["Item"])
                items.check_size(size)
            elif delete is not None:
                admit_attributes(delete["Key"])
            else:
                raise Invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    plans = []
    for name, requests in asked.items():
        into = table.require(call, name)
        places = set()
        for request in requests:
            if (put := request.get("PutRequest")) is not None:
                if not all(name in put["Item"] for name in into.keys.names):
                    raise Invalid(table.KEY_MISMATCH)
                table.check_item_key(into, put["Item"])
                table.check_index_keys(into, put["Item"])
                where = into.encode(put["Item"])
            else:
                key = request["DeleteRequest"]["Key"]
                table.check_key(into, key)
                where = into.encode(key)
            if where in places:
                raise Invalid("Provided list of item keys contains duplicates")
            places.add(where)
        plans.append((name, into, requests))
    answer: Answer = {"UnprocessedItems": {}}
    reports: list[Any] = []
    metrics: dict[str, list[Any]] = {}
    for name, into, requests in plans:
        used = Consumed()
        for request in requests:
            if (put := request.get("PutRequest")) is not None:
                see_old = return_consumed_capacity is not None
                used.add(items.put(call, into, put["Item"], sizes[id(request)], see_old=see_old).consumed)
                key = put["Item"]
            else:
                key = request["DeleteRequest"]["Key"]
                used.add(items.delete(call, into, key).consumed)
            if return_item_collection_metrics == "SIZE" and into.has_local_indexes:
                metrics.setdefault(name, []).append(items.collection_metrics(into, key))
        if (report := capacity.report(into.name, used, return_consumed_capacity)) is not None:
            reports.append(report)
    if reports:
        answer["ConsumedCapacity"] = reports
    if metrics:
        answer["ItemCollectionMetrics"] = metrics
    return answer
