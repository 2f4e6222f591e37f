"""The parameters from before expressions, read as expressions: Expected, AttributeUpdates, filters, key conditions.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from stratolite.languages.expressions import syntax, values
from stratolite.languages.expressions.bind import LONG_TYPES
from stratolite.languages.expressions.errors import Invalid, Malformed
from stratolite.languages.expressions.keys import KeyCondition
from stratolite.languages.expressions.syntax import Condition, Literal, Path
from stratolite.languages.expressions.values import Value

from .requests import check_attribute_name

_WRONG = "One or more parameter values were invalid: "
_COMPARISONS = {"EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
_ANY = frozenset(values.TYPES)
_SCALAR = values.ORDERED
# Operator → how many arguments, and of which types.
_RULES: dict[str, tuple[range, frozenset[str]]] = {
    "EQ": (range(1, 2), _ANY),
    "NE": (range(1, 2), _ANY),
    "LT": (range(1, 2), _SCALAR),
    "LE": (range(1, 2), _SCALAR),
    "GT": (range(1, 2), _SCALAR),
    "GE": (range(1, 2), _SCALAR),
    "NULL": (range(1), _ANY),
    "NOT_NULL": (range(1), _ANY),
    "CONTAINS": (range(1, 2), _SCALAR | {"BOOL", "NULL"}),
    "NOT_CONTAINS": (range(1, 2), _SCALAR | {"BOOL", "NULL"}),
    "BEGINS_WITH": (range(1, 2), frozenset(("S", "B"))),
    "IN": (range(1, 1000), _SCALAR),
    "BETWEEN": (range(2, 3), _SCALAR),
}


def _checked(operator: str, given: Any) -> list[Value]:
    if operator not in _RULES:
        raise Invalid(
            f"1 validation error detected: Value '{operator}' at 'comparisonOperator' failed to satisfy constraint: "
            "Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, "
            "BEGINS_WITH, GE, CONTAINS]"
        )
    operands = given or []
    if operands.__class__ is not list:
        raise Malformed("Unexpected field type")
    for operand in operands:
        values.admit(operand)
    counts, types = _RULES[operator]
    if len(operands) not in counts:
        raise Invalid(_WRONG + f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    for operand in operands:
        kind = values.type_of(operand)
        if kind not in types:
            raise Invalid(_WRONG + f"ComparisonOperator {operator} is not valid for {kind} AttributeValue type")
    if operator in ("IN", "BETWEEN") and len({values.type_of(operand) for operand in operands}) > 1:
        raise Invalid(_WRONG + "AttributeValues inside AttributeValueList must all be of the same type")
    if operator == "BETWEEN" and values.order(operands[0]) > values.order(operands[1]):
        raise Invalid(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )
    return list(operands)


def _condition(name: str, operator: str, operands: list[Value]) -> Condition:
    path = Path((name,))
    literals = tuple(Literal(operand) for operand in operands)
    if operator in _COMPARISONS:
        return syntax.Compare(_COMPARISONS[operator], path, literals[0])
    if operator == "NULL":
        return syntax.Call("attribute_not_exists", (path,))
    if operator == "NOT_NULL":
        return syntax.Call("attribute_exists", (path,))
    if operator == "BETWEEN":
        return syntax.Between(path, literals[0], literals[1])
    if operator == "IN":
        return syntax.In(path, literals)
    if operator == "BEGINS_WITH":
        return syntax.Call("begins_with", (path, literals[0]))
    contains = syntax.Call("contains", (path, literals[0]))
    if operator == "CONTAINS":
        return contains
    # What is not there does not "not contain" either.
    return syntax.And(syntax.Call("attribute_exists", (path,)), syntax.Not(contains))


def _joined(conditions: list[Condition], operator: str | None) -> Condition | None:
    if not conditions:
        return None
    join = syntax.Or if operator == "OR" else syntax.And
    return reduce(join, conditions)


def _check_operator(operator: str | None, count: int | None) -> None:
    if operator is None:
        return
    if count is None:
        raise Invalid(_WRONG + "ConditionalOperator cannot be used without Filter or Expected")
    if operator not in ("AND", "OR"):
        raise Invalid(
            f"1 validation error detected: Value '{operator}' at 'conditionalOperator' failed to satisfy constraint: "
            "Member must satisfy enum value set: [OR, AND]"
        )
    if count < 2:
        raise Invalid(_WRONG + "ConditionalOperator can only be used when Filter or Expected has two or more elements")


def _expectation(name: str, wanted: dict[str, Any]) -> Condition:
    operator, listed = wanted.get("ComparisonOperator"), wanted.get("AttributeValueList")
    value, exists = wanted.get("Value"), wanted.get("Exists")
    if operator is not None:
        if exists is not None:
            raise Invalid(_WRONG + f"Exists and ComparisonOperator cannot be used together for Attribute: {name}")
        if value is not None and listed is not None:
            raise Invalid(_WRONG + f"Value and AttributeValueList cannot be used together for Attribute: {name}")
        if value is None and listed is None and operator not in ("NULL", "NOT_NULL"):
            raise Invalid(
                _WRONG
                + f"Value or AttributeValueList must be used with ComparisonOperator: {operator} for Attribute: {name}"
            )
        return _condition(name, operator, _checked(operator, [value] if value is not None else listed))
    if listed is not None:
        raise Invalid(_WRONG + f"AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}")
    if exists is False:
        if value is not None:
            raise Invalid(_WRONG + f"Value cannot be used when Exists is false for Attribute: {name}")
        return syntax.Call("attribute_not_exists", (Path((name,)),))
    if value is None:
        raise Invalid(
            _WRONG
            + f"Value must be provided when Exists is {'null' if exists is None else 'true'} for Attribute: {name}"
        )
    values.admit(value)
    return syntax.Compare("=", Path((name,)), Literal(value))


def expected(given: Any, operator: str | None) -> Condition | None:
    """Expected and its ConditionalOperator as a condition. Raises Invalid."""
    _check_operator(operator, None if given is None else len(given))
    if not given:
        return None
    for name in given:
        check_attribute_name(name)
    return _joined([_expectation(name, wanted) for name, wanted in given.items()], operator)


def filters(given: Any, operator: str | None) -> Condition | None:
    """QueryFilter or ScanFilter and its ConditionalOperator as a condition. Raises Invalid."""
    _check_operator(operator, None if given is None else len(given))
    if not given:
        return None
    return _joined(
        [
            _condition(
                name, each["ComparisonOperator"], _checked(each["ComparisonOperator"], each.get("AttributeValueList"))
            )
            for name, each in given.items()
        ],
        operator,
    )


_KEY_OPERATORS = {
    "EQ": "=",
    "LT": "<",
    "LE": "<=",
    "GT": ">",
    "GE": ">=",
    "BETWEEN": "BETWEEN",
    "BEGINS_WITH": "begins_with",
}


def key_conditions(given: Any) -> list[KeyCondition]:
    """KeyConditions. Raises Invalid."""
    found = []
    for name, each in given.items():
        operator = each.get("ComparisonOperator")
        operands = _checked(operator, each.get("AttributeValueList"))
        if operator not in _KEY_OPERATORS:
            raise Invalid("Attempted conditional constraint is not an indexable operation")
        found.append(KeyCondition(name, _KEY_OPERATORS[operator], tuple(operands)))
    if len(found) not in (1, 2):
        raise Invalid("Conditions can be of length 1 or 2 only")
    return found


def _action(name: str, wanted: dict[str, Any]) -> syntax.Action:
    action, value, path = wanted.get("Action", "PUT"), wanted.get("Value"), Path((name,))
    if action not in ("PUT", "ADD", "DELETE"):
        raise Invalid(
            f"1 validation error detected: Value '{action}' at 'attributeUpdates.{name}.member.action' failed to "
            "satisfy "
            "constraint: Member must satisfy enum value set: [ADD, DELETE, PUT]"
        )
    if value is None:
        if action != "DELETE":
            raise Invalid(_WRONG + "Only DELETE action is allowed when no attribute value is specified")
        return syntax.Remove(path)
    values.admit(value)
    kind = values.type_of(value)
    if action == "PUT":
        return syntax.Set(path, Literal(value))
    if action == "DELETE":
        if kind not in values.SETS:
            raise Invalid(_WRONG + f"DELETE action with value is not supported for the type {LONG_TYPES[kind]}")
        return syntax.Delete(path, Literal(value))
    if kind == "L":
        # Lists can be added to here, unlike in expressions: what is added comes last.
        before = syntax.Call("if_not_exists", (path, Literal({"L": []})))
        return syntax.Set(path, syntax.Call("list_append", (before, Literal(value))))
    if kind != "N" and kind not in values.SETS:
        raise Invalid(_WRONG + f"ADD action is not supported for the type {LONG_TYPES[kind]}")
    return syntax.Add(path, Literal(value))


def updates(given: Any) -> syntax.Update:
    """AttributeUpdates as the actions of an update. Raises Invalid."""
    for name in given:
        check_attribute_name(name)
    return tuple(_action(name, wanted) for name, wanted in given.items())
