"""Bound conditions and operands evaluated over an item."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from . import numbers, syntax, values
from .errors import Invalid
from .syntax import Condition, Literal, Operand, Path
from .values import Item, Value


class AbsentAttribute(Invalid):
    """An operand of a SET that must have a value has none."""


ABSENT = "The provided expression refers to an attribute that does not exist in the item"
WRONG_TYPE = "An operand in the update expression has an incorrect data type"


def at(path: Path, item: Item) -> Value | None:
    """The value at a path of an item, None where there is none."""
    steps = path.steps
    value: Value | None = item.get(steps[0])  # type: ignore[arg-type]
    if len(steps) == 1 or value is None:
        return value
    for step in steps[1:]:
        if step.__class__ is int:
            members = value.get("L")
            if members is None or step >= len(members):
                return None
            value = members[step]
        else:
            value = value.get("M", {}).get(step)
            if value is None:
                return None
        assert value is not None
    return value


def _length(value: Value) -> int | None:
    kind = values.type_of(value)
    if kind == "B":
        return values.size_bytes(value)
    return None if kind in ("N", "BOOL", "NULL") else len(value[kind])


def _size(operands: tuple[Operand, ...], item: Item) -> Value | None:
    value = resolve(operands[0], item)
    length = None if value is None else _length(value)
    return None if length is None else {"N": str(length)}


def _if_not_exists(operands: tuple[Operand, ...], item: Item) -> Value | None:
    return resolve(operands[0], item) or resolve(operands[1], item)


def _list_append(operands: tuple[Operand, ...], item: Item) -> Value:
    joined: list[Value] = []
    for operand in operands:
        value = resolve(operand, item)
        if value is None:
            raise AbsentAttribute(ABSENT)
        if "L" not in value:
            raise Invalid(WRONG_TYPE)
        joined += value["L"]
    return {"L": joined}


_VALUE_FUNCTIONS: dict[str, Callable[[tuple[Operand, ...], Item], Value | None]] = {
    "size": _size,
    "if_not_exists": _if_not_exists,
    "list_append": _list_append,
}


def _arithmetic(operand: syntax.Arithmetic, item: Item) -> Value:
    left, right = resolve(operand.left, item), resolve(operand.right, item)
    if left is None or right is None:
        raise AbsentAttribute(ABSENT)
    if "N" not in left or "N" not in right:
        raise Invalid(WRONG_TYPE)
    compute = numbers.add if operand.operator == "+" else numbers.subtract
    return {"N": compute(left["N"], right["N"])}


def resolve(operand: Operand, item: Item) -> Value | None:
    """The value of an operand, None where the item has none."""
    if operand.__class__ is Path:
        return at(operand, item)
    if operand.__class__ is Literal:
        return operand.value
    if isinstance(operand, syntax.Arithmetic):
        return _arithmetic(operand, item)
    assert isinstance(operand, syntax.Call), "bound expressions have no placeholders"
    return _VALUE_FUNCTIONS[operand.function](operand.operands, item)


_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(comparator: str, left: Value | None, right: Value | None) -> bool:
    """`left comparator right` as conditions see it: what is absent equals nothing, other types have no order."""
    if comparator == "=":
        return left is not None and right is not None and values.equal(left, right)
    if comparator == "<>":
        return left is None or right is None or not values.equal(left, right)
    if left is None or right is None:
        return False
    kind = values.type_of(left)
    if kind not in right or kind not in values.ORDERED:
        return False
    return _ORDERINGS[comparator](values.order(left), values.order(right))


def begins_with(value: Value, prefix: Value) -> bool:
    """Whether a string or binary begins with another of its type."""
    kind = values.type_of(prefix)
    if kind not in value:
        return False
    if kind == "S":
        return bool(value["S"].startswith(prefix["S"]))
    return kind == "B" and values.binary(value["B"]).startswith(values.binary(prefix["B"]))


_MEMBER_OF_SET = {"SS": "S", "NS": "N", "BS": "B"}


def contains(value: Value, member: Value) -> bool:
    """Whether a string has a substring, a binary a part, a set or a list a member."""
    kind, content = next(iter(value.items()))
    if kind == "S":
        return "S" in member and member["S"] in content
    if kind == "B":
        return "B" in member and values.binary(member["B"]) in values.binary(content)
    if kind == "L":
        return any(values.equal(candidate, member) for candidate in content)
    return kind in _MEMBER_OF_SET and member.get(_MEMBER_OF_SET[kind]) in content


def _call_holds(call: syntax.Call, item: Item) -> bool:
    function = call.function
    first = resolve(call.operands[0], item)
    if function == "attribute_exists":
        return first is not None
    if function == "attribute_not_exists":
        return first is None
    second = resolve(call.operands[1], item)
    if first is None or second is None:
        return False
    if function == "attribute_type":
        return second["S"] in first
    if function == "begins_with":
        return begins_with(first, second)
    return contains(first, second)


def _between_holds(condition: syntax.Between, item: Item) -> bool:
    value = resolve(condition.operand, item)
    return compare(">=", value, resolve(condition.lower, item)) and compare("<=", value, resolve(condition.upper, item))


def _in_holds(condition: syntax.In, item: Item) -> bool:
    value = resolve(condition.operand, item)
    return any(compare("=", value, resolve(candidate, item)) for candidate in condition.candidates)


_HOLDS: dict[type, Callable[[Any, Item], bool]] = {
    syntax.Compare: lambda condition, item: compare(
        condition.operator, resolve(condition.left, item), resolve(condition.right, item)
    ),
    syntax.And: lambda condition, item: holds(condition.left, item) and holds(condition.right, item),
    syntax.Or: lambda condition, item: holds(condition.left, item) or holds(condition.right, item),
    syntax.Not: lambda condition, item: not holds(condition.condition, item),
    syntax.Between: _between_holds,
    syntax.In: _in_holds,
    syntax.Call: _call_holds,
}


def holds(condition: Condition, item: Item) -> bool:
    """Whether a bound condition is true of an item; an item that does not exist is `{}`."""
    return _HOLDS[condition.__class__](condition, item)
