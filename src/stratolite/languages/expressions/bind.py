"""Expressions bound to the names and values of one request, with the errors those bring.

The order of AWS's checks is kept: syntax first (see `parse`), then names, values, and operand types; that nothing was
given in vain is checked when all expressions of the request are bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NoReturn

from . import parse, syntax, values
from .errors import Invalid
from .syntax import Action, Condition, Literal, Operand, Path, Placeholder
from .values import Value

CONDITION = "ConditionExpression"
FILTER = "FilterExpression"
KEY_CONDITION = "KeyConditionExpression"
PROJECTION = "ProjectionExpression"
UPDATE = "UpdateExpression"

_ARITY = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
    "if_not_exists": 2,
    "list_append": 2,
}
_SIZED = frozenset(("S", "B", "SS", "NS", "BS", "L", "M"))
_CONTAINERS = frozenset(("S", "B", "SS", "NS", "BS", "L"))
_TEXTS = frozenset(("S", "B"))
# The order is Java's, not ours: it is part of the message.
_TYPE_NAMES = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
LONG_TYPES = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
    "L": "LIST",
    "M": "MAP",
}


def _literal_type(operand: Operand) -> str | None:
    """The type of an operand that is known before any item is read."""
    if isinstance(operand, Literal):
        return values.type_of(operand.value)
    if isinstance(operand, syntax.Call) and operand.function == "size":
        return "N"
    return None


def _wrong_type(operator: str, kind: str, symbol: bool = False) -> NoReturn:
    what = "operator" if symbol else "operator or function"
    raise Invalid(f"Incorrect operand type for operator or function; {what}: {operator}, operand type: {kind}")


def _require(operator: str, operand: Operand, allowed: frozenset[str], symbol: bool = False) -> None:
    kind = _literal_type(operand)
    if kind is not None and kind not in allowed:
        _wrong_type(operator, kind, symbol)


def _require_path(function: str, operand: Operand) -> None:
    if not isinstance(operand, Path):
        raise Invalid(f"Operator or function requires a document path; operator or function: {function}")


def _require_distinct(operator: str, first: Operand, rest: Iterable[Operand]) -> None:
    if isinstance(first, Path) and any(first == other for other in rest):
        raise Invalid(
            "The first operand must be distinct from the remaining operands for this operator or function; "
            f"operator: {operator}, first operand: {first}"
        )


def _check_call(call: syntax.Call) -> None:
    function, operands = call.function, call.operands
    if len(operands) != _ARITY[function]:
        raise Invalid(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {function}, number of operands: {len(operands)}"
        )
    first = operands[0]
    if function in ("attribute_exists", "attribute_not_exists", "if_not_exists"):
        _require_path(function, first)
    elif function == "size":
        _require(function, first, _SIZED)
    elif function == "attribute_type":
        second = operands[1]
        if not isinstance(second, Literal) or "S" not in second.value:
            _wrong_type(function, _literal_type(second) or "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
        if second.value["S"] not in values.TYPES:
            raise Invalid(f"Invalid attribute type name found; type: {second.value['S']}, valid types: {_TYPE_NAMES}")
    elif function == "begins_with":
        for operand in operands:
            _require(function, operand, _TEXTS)
        _require_distinct(function, first, operands[1:])
    elif function == "contains":
        _require(function, first, _CONTAINERS)
        _require_distinct(function, first, operands[1:])
    elif function == "list_append":
        for operand in operands:
            if isinstance(operand, syntax.Call) and operand.function == function:
                raise Invalid(f"The function is not allowed to be used this way in an expression; function: {function}")
            _require(function, operand, frozenset("L"))


def _check_between(bound: syntax.Between) -> None:
    for operand in (bound.operand, bound.lower, bound.upper):
        _require("BETWEEN", operand, values.ORDERED)
    if isinstance(bound.lower, Literal) and isinstance(bound.upper, Literal):
        check_bounds(bound.lower.value, bound.upper.value)


def check_bounds(lower: Value, upper: Value) -> None:
    """Raise Invalid when no value can lie between the bounds of a BETWEEN."""
    bounds = (
        f"lower bound operand: AttributeValue: {values.described(lower)}, "
        f"upper bound operand: AttributeValue: {values.described(upper)}"
    )
    if values.type_of(lower) != values.type_of(upper):
        raise Invalid(f"The BETWEEN operator requires same data type for lower and upper bounds; {bounds}")
    if values.order(lower) > values.order(upper):
        raise Invalid(f"The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {bounds}")


def check_paths(paths: Iterable[Path]) -> None:
    """Raise Invalid when two paths name the same place, or one place as both a list and a map."""
    seen: list[Path] = []
    for path in paths:
        for earlier in seen:
            for ours, theirs in zip(earlier.steps, path.steps, strict=False):
                if ours == theirs:
                    continue
                if isinstance(ours, int) != isinstance(theirs, int):
                    raise Invalid(
                        "Two document paths conflict with each other; must remove or rewrite one of these paths; "
                        f"path one: {earlier}, path two: {path}"
                    )
                break
            else:
                raise Invalid(
                    "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                    f"path one: {earlier}, path two: {path}"
                )
        seen.append(path)


class Binding:
    """The names and values of one request, and which of them its expressions used.

    names: `{"#n": "name"}`; given: `{":v": {"S": "..."}}`, admitted already.
    """

    def __init__(self, names: Mapping[str, str] | None = None, given: Mapping[str, Value] | None = None) -> None:
        self.names = names or {}
        self.given = given or {}
        self.used_names: set[str] = set()
        self.used_values: set[str] = set()

    # -- expressions
    def condition(self, text: str, what: str = CONDITION) -> Condition:
        """A bound condition. Raises Invalid with `Invalid {what}: ...`."""
        try:
            return self._condition(parse.condition(text))
        except Invalid as error:
            raise Invalid(f"Invalid {what}: {error.message}") from None

    def update(self, text: str) -> syntax.Update:
        """A bound update."""
        try:
            bound = tuple(self._action(action) for action in parse.update(text))
            check_paths(action.path for action in bound)
            return bound
        except Invalid as error:
            raise Invalid(f"Invalid {UPDATE}: {error.message}") from None

    def projection(self, text: str) -> syntax.Projection:
        """A bound projection."""
        try:
            paths = tuple(self._path(path) for path in parse.projection(text))
            check_paths(paths)
            return paths
        except Invalid as error:
            raise Invalid(f"Invalid {PROJECTION}: {error.message}") from None

    def check_all_used(self) -> None:
        """Raise Invalid for names and values no expression of the request used."""
        if len(self.used_names) != len(self.names):
            unused = ", ".join(name for name in self.names if name not in self.used_names)
            raise Invalid(f"Value provided in ExpressionAttributeNames unused in expressions: keys: {{{unused}}}")
        if len(self.used_values) != len(self.given):
            unused = ", ".join(name for name in self.given if name not in self.used_values)
            raise Invalid(f"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{unused}}}")

    # -- parts
    def _path(self, path: Path) -> Path:
        if not any(step.__class__ is str and step[0] == "#" for step in path.steps):
            return path
        return Path(tuple(self._step(step) for step in path.steps))

    def _step(self, step: str | int) -> str | int:
        if isinstance(step, int) or step[0] != "#":
            return step
        name = self.names.get(step)
        if name is None:
            raise Invalid(
                f"An expression attribute name used in the document path is not defined; attribute name: {step}"
            )
        self.used_names.add(step)
        return name

    def _operand(self, operand: Operand) -> Operand:
        if isinstance(operand, Path):
            return self._path(operand)
        if isinstance(operand, Placeholder):
            value = self.given.get(operand.name)
            if value is None:
                raise Invalid(
                    f"An expression attribute value used in expression is not defined; attribute value: {operand.name}"
                )
            self.used_values.add(operand.name)
            return Literal(value)
        if isinstance(operand, syntax.Call):
            return self._call(operand)
        if isinstance(operand, syntax.Arithmetic):
            bound = syntax.Arithmetic(operand.operator, self._operand(operand.left), self._operand(operand.right))
            for side in (bound.left, bound.right):
                _require(bound.operator, side, frozenset("N"))
            return bound
        return operand

    def _call(self, call: syntax.Call) -> syntax.Call:
        bound = syntax.Call(call.function, tuple(self._operand(operand) for operand in call.operands))
        _check_call(bound)
        return bound

    def _condition(self, condition: Condition) -> Condition:
        if isinstance(condition, syntax.Compare):
            left, right = self._operand(condition.left), self._operand(condition.right)
            if condition.operator not in ("=", "<>"):
                for side in (left, right):
                    _require(condition.operator, side, values.ORDERED, symbol=True)
            _require_distinct(condition.operator, left, (right,))
            return syntax.Compare(condition.operator, left, right)
        if isinstance(condition, syntax.And | syntax.Or):
            return type(condition)(self._condition(condition.left), self._condition(condition.right))
        if isinstance(condition, syntax.Not):
            return syntax.Not(self._condition(condition.condition))
        if isinstance(condition, syntax.Between):
            between = syntax.Between(
                self._operand(condition.operand), self._operand(condition.lower), self._operand(condition.upper)
            )
            _check_between(between)
            return between
        if isinstance(condition, syntax.In):
            within = syntax.In(
                self._operand(condition.operand), tuple(self._operand(candidate) for candidate in condition.candidates)
            )
            if len(within.candidates) > 100:
                raise Invalid(
                    "Incorrect number of operands for operator or function; "
                    f"operator or function: IN, number of operands: {len(within.candidates) + 1}"
                )
            _require_distinct("IN", within.operand, within.candidates)
            return within
        return self._call(condition)

    def _action(self, action: Action) -> Action:
        path = self._path(action.path)
        if isinstance(action, syntax.Set):
            return syntax.Set(path, self._operand(action.value))
        if isinstance(action, syntax.Remove):
            return syntax.Remove(path)
        value = self._operand(action.value)
        assert isinstance(value, Literal), "the grammar has only placeholders here"
        kind = values.type_of(value.value)
        if isinstance(action, syntax.Add):
            if kind != "N" and kind not in values.SETS:
                _wrong_type("ADD", LONG_TYPES[kind], symbol=True)
            return syntax.Add(path, value)
        if kind not in values.SETS:
            _wrong_type("DELETE", LONG_TYPES[kind], symbol=True)
        return syntax.Delete(path, value)
