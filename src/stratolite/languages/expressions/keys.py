"""Key conditions, and the byte ranges of an index they stand for.

A key of one attribute is its encoded value; a key of several (a multi-attribute index key) escapes and ends each, so
that the whole sorts by the first, then by the second, and a prefix of attributes is a prefix of bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from . import syntax, values
from .errors import Invalid
from .syntax import Condition, Literal, Operand, Path
from .values import Value

MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_HERE = "Invalid condition in KeyConditionExpression: "


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """One attribute of a key against one or two values: = < <= > >= BETWEEN begins_with."""

    attribute: str
    operator: str
    operands: tuple[Value, ...]


def _refuse_operator(operator: str) -> NoReturn:
    raise Invalid(f"Invalid operator used in KeyConditionExpression: {operator}")


def _attribute(operand: Operand) -> str:
    assert isinstance(operand, Path)
    if len(operand.steps) > 1:
        raise Invalid("KeyConditionExpressions cannot have conditions on nested attributes")
    return str(operand.steps[0])


def _refuse_nested(*operands: Operand) -> None:
    if any(isinstance(operand, syntax.Call) for operand in operands):
        raise Invalid("KeyConditionExpressions cannot contain nested operations")


def _literal(operand: Operand) -> Value:
    if isinstance(operand, Path):
        raise Invalid(_HERE + "Multiple attribute names used in one condition")
    assert isinstance(operand, Literal)
    return operand.value


def _compare(condition: syntax.Compare) -> KeyCondition:
    if condition.operator == "<>":
        _refuse_operator("<>")
    _refuse_nested(condition.left, condition.right)
    if isinstance(condition.left, Path):
        return KeyCondition(_attribute(condition.left), condition.operator, (_literal(condition.right),))
    if isinstance(condition.right, Path):
        return KeyCondition(_attribute(condition.right), MIRRORED[condition.operator], (_literal(condition.left),))
    raise Invalid(_HERE + "No key attribute specified")


def _between(condition: syntax.Between) -> KeyCondition:
    _refuse_nested(condition.operand, condition.lower, condition.upper)
    if not isinstance(condition.operand, Path):
        if isinstance(condition.lower, Path) or isinstance(condition.upper, Path):
            raise Invalid(_HERE + "BETWEEN operator must have the key attribute as its first operand")
        raise Invalid(_HERE + "No key attribute specified")
    bounds = (_literal(condition.lower), _literal(condition.upper))
    return KeyCondition(_attribute(condition.operand), "BETWEEN", bounds)


def _begins_with(condition: syntax.Call) -> KeyCondition:
    if condition.function != "begins_with":
        _refuse_operator(condition.function)
    _refuse_nested(*condition.operands)
    first, second = condition.operands
    if not isinstance(first, Path):
        if isinstance(second, Path):
            raise Invalid(_HERE + "begins_with operator must have the key attribute as its first operand")
        raise Invalid(_HERE + "No key attribute specified")
    return KeyCondition(_attribute(first), "begins_with", (_literal(second),))


def _collect(condition: Condition, found: list[KeyCondition]) -> None:
    if isinstance(condition, syntax.And):
        _collect(condition.left, found)
        _collect(condition.right, found)
    elif isinstance(condition, syntax.Compare):
        found.append(_compare(condition))
    elif isinstance(condition, syntax.Between):
        found.append(_between(condition))
    elif isinstance(condition, syntax.Call):
        found.append(_begins_with(condition))
    else:
        _refuse_operator(type(condition).__name__.upper())  # OR, NOT, IN


def conditions(condition: Condition) -> list[KeyCondition]:
    """The conditions of a bound KeyConditionExpression. Raises Invalid for what is no conjunction of them."""
    found: list[KeyCondition] = []
    try:
        _collect(condition, found)
        names = [each.attribute for each in found]
        if len(set(names)) != len(names):
            raise Invalid("KeyConditionExpressions must only contain one condition per key")
    except Invalid as error:
        raise Invalid(f"Invalid KeyConditionExpression: {error.message}") from None
    return found


def _escaped(content: bytes) -> bytes:
    return content.replace(b"\x00", b"\x00\xff")


_END = b"\x00\x01"


def encode(parts: Sequence[Value]) -> bytes:
    """Bytes that sort as the key values do."""
    if len(parts) == 1:
        return values.key(parts[0])
    return b"".join(_escaped(values.key(part)) + _END for part in parts)


def _after(prefix: bytes) -> bytes | None:
    """The least bytes greater than everything that begins with the prefix; None when nothing is."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes((stripped[-1] + 1,)) if stripped else None


@dataclass(frozen=True, slots=True)
class Range:
    """A range of encoded sort keys: from lower (included) to upper (excluded); None is without end."""

    lower: bytes = b""
    upper: bytes | None = None

    def holds(self, key: bytes) -> bool:
        return key >= self.lower and (self.upper is None or key < self.upper)


def _next(content: bytes) -> bytes:
    return content + b"\x00"


def sort_range(attributes: int, found: Sequence[KeyCondition]) -> Range:
    """The sort keys that conditions admit: equalities on the first attributes of the sort key, anything on the one
    after.

    attributes: how many the sort key has; found: in the order of the sort key.
    """
    if not found:
        return Range()
    last = found[-1]
    if attributes == 1:
        return _single(last, [values.key(operand) for operand in last.operands])
    prefix = b"".join(_escaped(values.key(each.operands[0])) + _END for each in found[:-1])
    ends = [prefix + _escaped(values.key(operand)) + _END for operand in last.operands]
    if last.operator == "begins_with":
        start = ends[0][: -len(_END)]
        # An escaped prefix that ends where an escape begins is still a prefix of what it is a prefix of.
        return Range(start, _after(start))
    whole = Range(prefix, _after(prefix)) if prefix else Range()
    return {
        "=": lambda: Range(ends[0], _after(ends[0])),
        "<": lambda: Range(whole.lower, ends[0]),
        "<=": lambda: Range(whole.lower, _after(ends[0])),
        ">": lambda: Range(_after(ends[0]) or ends[0], whole.upper),
        ">=": lambda: Range(ends[0], whole.upper),
        "BETWEEN": lambda: Range(ends[0], _after(ends[1])),
    }[last.operator]()


def _single(condition: KeyCondition, ends: list[bytes]) -> Range:
    return {
        "=": lambda: Range(ends[0], _next(ends[0])),
        "<": lambda: Range(b"", ends[0]),
        "<=": lambda: Range(b"", _next(ends[0])),
        ">": lambda: Range(_next(ends[0])),
        ">=": lambda: Range(ends[0]),
        "BETWEEN": lambda: Range(ends[0], _next(ends[1])),
        "begins_with": lambda: Range(ends[0], _after(ends[0])),
    }[condition.operator]()
