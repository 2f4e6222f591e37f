"""Items: put, got, updated, deleted, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions import evaluate, project, syntax, update, values
from stratolite.languages.expressions.bind import Binding
from stratolite.languages.expressions.errors import Invalid
from stratolite.languages.expressions.syntax import Condition
from stratolite.languages.expressions.values import Item

from . import capacity, legacy, rows, table
from .capacity import Consumed
from .errors import ConditionalCheckFailedException
from .requests import admit_attributes, answers, binding, check_attribute_name, check_mixture
from .rows import Stored
from .table import Table

LARGEST_ITEM_BYTES = 400 * 1024

Answer = dict[str, Any]
Json = Any


@dataclass(slots=True)
class Written:
    """What a write did: the item before and after, and what it used."""

    old: Stored | None
    new: Item | None
    consumed: Consumed


def require_condition(condition: Condition | None, old: Stored | None, on_failure: str | None) -> None:
    """Raise ConditionalCheckFailedException when a condition does not hold of what is stored."""
    if condition is None or evaluate.holds(condition, old.item if old else {}):
        return
    if on_failure == "ALL_OLD" and old is not None:
        raise ConditionalCheckFailedException(Item=old.item)
    raise ConditionalCheckFailedException()


# The three writes: requests, batches, transactions and statements end here.


def put(
    call: Call,
    into: Table,
    item: Item,
    size: int,
    condition: Condition | None = None,
    on_failure: str | None = None,
    see_old: bool = False,
) -> Written:
    """Put an admitted item. Raises Invalid when it does not fit the table."""
    where = into.encode(item)
    if into.indexes:
        table.check_index_keys(into, item)
    old = None
    if see_old or condition is not None or into.indexes or into.stream is not None:
        old = rows.read(call, into, where)
        require_condition(condition, old, on_failure)
    return Written(old, item, rows.put(call, into, where, old, item, size))


def change(
    call: Call,
    into: Table,
    key: Item,
    actions: syntax.Update | None,
    condition: Condition | None = None,
    on_failure: str | None = None,
) -> Written:
    """Update an item by its admitted, checked key; without actions, make it if it is not there."""
    where = into.encode(key)
    old = rows.read(call, into, where)
    require_condition(condition, old, on_failure)
    before = old.item if old else dict(key)
    if old is None and actions and all(isinstance(action, syntax.Remove | syntax.Delete) for action in actions):
        return Written(None, None, Consumed(1.0))  # taking away makes no item
    after = update.apply(actions, before, exists=old is not None) if actions else before
    if actions and into.indexes:
        table.check_index_keys(into, after, {str(action.path.steps[0]) for action in actions})
    if old is None or not actions:
        size = values.item_bytes(after)
    else:
        size = old.size
        for name in {str(action.path.steps[0]) for action in actions}:
            if name in before:
                size -= values.text_bytes(name) + values.size_bytes(before[name])
            if name in after:
                size += values.text_bytes(name) + values.size_bytes(after[name])
    if size > LARGEST_ITEM_BYTES:
        raise Invalid("Item size to update has exceeded the maximum allowed size")
    if actions and any(len(action.path.steps) > 1 for action in actions) and _too_deep(after):
        raise Invalid(values.TOO_DEEP)
    return Written(old, after, rows.put(call, into, where, old, after, size))


def _too_deep(item: Item) -> bool:
    return any(values.depth_of(value) > values.DEEPEST for value in item.values())


def delete(
    call: Call, into: Table, key: Item, condition: Condition | None = None, on_failure: str | None = None
) -> Written:
    """Delete an item by its admitted, checked key."""
    where = into.encode(key)
    old = rows.read(call, into, where)
    require_condition(condition, old, on_failure)
    return Written(old, None, rows.remove(call, into, where, old))


# What the requests have in common.


def check_size(size: int) -> None:
    if size > LARGEST_ITEM_BYTES:
        raise Invalid("Item size has exceeded the maximum allowed size")


def check_not_key(into: Table, actions: syntax.Update) -> None:
    """Raise Invalid when an update would change the key."""
    for action in actions:
        if action.path.steps[0] in into.keys.names:
            raise Invalid(
                "One or more parameter values were invalid: "
                f"Cannot update attribute {action.path.steps[0]}. This attribute is part of the key"
            )


def conditions(
    bound: Binding, expression: str | None, expected: Json, conditional_operator: str | None
) -> Condition | None:
    """The condition of a write, from either age's parameters."""
    if expression is not None:
        return bound.condition(expression)
    return legacy.expected(expected, conditional_operator)


def write_answer(
    into: Table, written: Written, attributes: Item | None, reported: str | None, metrics: str | None, key: Item
) -> Answer:
    answer: Answer = {}
    if attributes is not None:
        answer["Attributes"] = attributes
    if (used := capacity.report(into.name, written.consumed, reported)) is not None:
        answer["ConsumedCapacity"] = used
    if metrics == "SIZE" and into.has_local_indexes:
        answer["ItemCollectionMetrics"] = collection_metrics(into, key)
    return answer


def collection_metrics(into: Table, key: Item) -> Mapping[str, Any]:
    """The size of an item collection. AWS estimates to the gigabyte; ours stay in the first."""
    name = into.keys.hashes[0]
    return {"ItemCollectionKey": {name: key[name]}, "SizeEstimateRangeGB": [0.0, 1.0]}


def _only_old(return_values: str | None) -> None:
    if return_values not in (None, "NONE", "ALL_OLD"):
        raise Invalid("Return values set to invalid value")


@answers
def put_item(
    call: Call,
    table_name: str,
    item: Json,
    expected: Json = None,
    return_values: str | None = None,
    return_consumed_capacity: str | None = None,
    return_item_collection_metrics: str | None = None,
    conditional_operator: str | None = None,
    condition_expression: str | None = None,
    expression_attribute_names: Json = None,
    expression_attribute_values: Json = None,
    return_values_on_condition_check_failure: str | None = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html"""
    condition = None
    if condition_expression is not None or expected is not None or expression_attribute_names is not None \
            or expression_attribute_values is not None or conditional_operator is not None:  # fmt: skip
        check_mixture(
            {"Expected": expected, "ConditionalOperator": conditional_operator},
            {"ConditionExpression": condition_expression},
        )
        bound = binding(
            expression_attribute_names, expression_attribute_values, {"ConditionExpression": condition_expression}
        )
        size = admit_attributes(item)
        condition = conditions(bound, condition_expression, expected, conditional_operator)
        bound.check_all_used()
    else:
        size = admit_attributes(item)
    if return_values is not None:
        _only_old(return_values)
    check_size(size)
    into = table.require(call, table_name)
    table.check_item_key(into, item)
    wants_old = return_values == "ALL_OLD"
    written = put(
        call,
        into,
        item,
        size,
        condition,
        return_values_on_condition_check_failure,
        see_old=wants_old or return_consumed_capacity is not None,
    )
    old = written.old.item if wants_old and written.old else None
    return write_answer(into, written, old, return_consumed_capacity, return_item_collection_metrics, item)


@answers
def delete_item(
    call: Call,
    table_name: str,
    key: Json,
    expected: Json = None,
    conditional_operator: str | None = None,
    return_values: str | None = None,
    return_consumed_capacity: str | None = None,
    return_item_collection_metrics: str | None = None,
    condition_expression: str | None = None,
    expression_attribute_names: Json = None,
    expression_attribute_values: Json = None,
    return_values_on_condition_check_failure: str | None = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html"""
    check_mixture(
        {"Expected": expected, "ConditionalOperator": conditional_operator},
        {"ConditionExpression": condition_expression},
    )
    bound = binding(
        expression_attribute_names, expression_attribute_values, {"ConditionExpression": condition_expression}
    )
    admit_attributes(key)
    _only_old(return_values)
    condition = conditions(bound, condition_expression, expected, conditional_operator)
    bound.check_all_used()
    into = table.require(call, table_name)
    table.check_key(into, key)
    written = delete(call, into, key, condition, return_values_on_condition_check_failure)
    old = written.old.item if return_values == "ALL_OLD" and written.old else None
    return write_answer(into, written, old, return_consumed_capacity, return_item_collection_metrics, key)


def returned(return_values: str | None, written: Written, actions: syntax.Update | None) -> Item | None:
    """The Attributes of an UpdateItem; None for no such member."""
    if return_values in (None, "NONE"):
        return None
    old = written.old.item if written.old else None
    if return_values == "ALL_OLD":
        return old
    if written.new is None:
        return None
    if return_values == "ALL_NEW":
        return written.new
    touched = project.tree(action.path for action in actions or ())
    source = (old or {}) if return_values == "UPDATED_OLD" else written.new
    return project.project(source, touched) or None


@answers
def update_item(
    call: Call,
    table_name: str,
    key: Json,
    attribute_updates: Json = None,
    expected: Json = None,
    conditional_operator: str | None = None,
    return_values: str | None = None,
    return_consumed_capacity: str | None = None,
    return_item_collection_metrics: str | None = None,
    update_expression: str | None = None,
    condition_expression: str | None = None,
    expression_attribute_names: Json = None,
    expression_attribute_values: Json = None,
    return_values_on_condition_check_failure: str | None = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html"""
    expressions = {"UpdateExpression": update_expression, "ConditionExpression": condition_expression}
    check_mixture(
        {
            "AttributeUpdates": attribute_updates,
            "Expected": expected,
            "ConditionalOperator": conditional_operator,
        },
        expressions,
    )
    bound = binding(expression_attribute_names, expression_attribute_values, expressions)
    admit_attributes(key)
    if attribute_updates is not None:
        actions: syntax.Update | None = legacy.updates(attribute_updates)
    else:
        actions = None if update_expression is None else bound.update(update_expression)
    condition = conditions(bound, condition_expression, expected, conditional_operator)
    bound.check_all_used()
    into = table.require(call, table_name)
    table.check_key(into, key)
    if actions is not None:
        check_not_key(into, actions)
    try:
        written = change(call, into, key, actions, condition, return_values_on_condition_check_failure)
    except Invalid as error:
        if attribute_updates and error.message == evaluate.WRONG_TYPE:
            raise Invalid("Type mismatch for attribute to update") from None
        raise
    attributes = returned(return_values, written, actions)
    return write_answer(into, written, attributes, return_consumed_capacity, return_item_collection_metrics, key)


def wanted_parts(bound: Binding, expression: str | None, attributes_to_get: Json) -> project.Tree | None:
    """What a read shows: a projection, AttributesToGet, or None for everything."""
    if expression is not None:
        return project.tree(bound.projection(expression))
    if attributes_to_get is None:
        return None
    for name in attributes_to_get:
        check_attribute_name(name)
    if len(set(attributes_to_get)) != len(attributes_to_get):
        repeated = next(name for name in attributes_to_get if attributes_to_get.count(name) > 1)
        raise Invalid(f"One or more parameter values were invalid: Duplicate value in attribute name: {repeated}")
    return table.projection_of(attributes_to_get)


@answers
def get_item(
    call: Call,
    table_name: str,
    key: Json,
    attributes_to_get: Json = None,
    consistent_read: bool | None = None,
    return_consumed_capacity: str | None = None,
    projection_expression: str | None = None,
    expression_attribute_names: Json = None,
) -> Answer | bytes:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html"""
    wanted = None
    if projection_expression is not None or attributes_to_get is not None or expression_attribute_names is not None:
        check_mixture({"AttributesToGet": attributes_to_get}, {"ProjectionExpression": projection_expression})
        bound = binding(expression_attribute_names, None, {"ProjectionExpression": projection_expression})
        admit_attributes(key)
        wanted = wanted_parts(bound, projection_expression, attributes_to_get)
        bound.check_all_used()
    else:
        admit_attributes(key)
    of = table.require(call, table_name)
    table.check_key(of, key)
    found = rows.read(call, of, of.encode(key))
    if wanted is None and return_consumed_capacity is None:
        return b"{}" if found is None else b'{"Item":' + found.wire + b"}"
    answer: Answer = {}
    if found is not None:
        answer["Item"] = found.item if wanted is None else project.project(found.item, wanted)
    used = Consumed(capacity.read_units(found.size if found else 0, bool(consistent_read)))
    if (reported := capacity.report(of.name, used, return_consumed_capacity)) is not None:
        answer["ConsumedCapacity"] = reported
    return answer
