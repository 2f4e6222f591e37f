"""Validate: the model's constraints, judged once for everybody, in AWS's words.

Two walks over the same shapes: a compiled one that only says yes or no, and a plain one that is taken when the answer
was no and says what AWS would say, in AWS's order: members as a hash table has them, a member's pattern before its
length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from stratolite.wire import models
from stratolite.wire.faults import Malformed, WireError
from stratolite.wire.protocols import QUERY
from stratolite.wire.quirks import constraints
from stratolite.wire.quirks.constraints import KINDS
from stratolite.wire.shapes import Shape

__all__ = ["KINDS", "Violation", "check", "message", "violations"]

Ok = Callable[[Any], bool]
NOTHING: frozenset[str] = frozenset()


class Violation(NamedTuple):
    path: str
    """`tags.1.member.key`"""
    kind: str
    """One of KINDS."""
    value: str | None
    """As AWS prints it; None when it prints none, because the shape is sensitive."""
    constraint: str
    """`Member must not be null`"""

    def __str__(self) -> str:
        value = "" if self.value is None else "null " if self.kind == "required" else f"'{self.value}' "
        return f"Value {value}at '{self.path}' failed to satisfy constraint: {self.constraint}"


def message(found: list[Violation]) -> str:
    return f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {'; '.join(map(str, found))}"


def violations(
    service: str, operation: str, params: dict[str, Any], without: frozenset[str] = NOTHING
) -> list[Violation]:
    """What the members of a request violate. `without`: kinds of constraint that the service judges itself.

    The members may be plain values or wire JSON. Raises `Malformed` for a value of the wrong kind deep in wire JSON.
    """
    shape = models.operation(service, operation).input_shape
    if shape is None:
        return []
    try:
        if _acceptor(service, operation, without)(params):
            return []
        return list(_Walk(service, operation, without).request(shape, params))
    except (TypeError, AttributeError, RecursionError):
        raise Malformed("SerializationException", "Unexpected field type") from None


def check(
    service: str, operation: str, params: dict[str, Any], protocol: str, without: frozenset[str] = NOTHING
) -> None:
    """Raise what the service answers to members that violate the model."""
    if found := violations(service, operation, params, without):
        raise fault(service, operation, protocol, found)


def fault(service: str, operation: str, protocol: str, found: list[Violation]) -> WireError:
    """The error of these violations: one code and text for most services, their own for some."""
    if own := constraints.WORDED.get(service):
        return own(operation, found[0])
    return WireError(constraints.code(service, operation, query=protocol == QUERY), message(found))


# Yes or no -----------------------------------------------------------------------


@cache
def _acceptor(service: str, operation: str, without: frozenset[str]) -> Ok:
    shape = models.operation(service, operation).input_shape
    without |= constraints.NOT_VALIDATED.get(service, NOTHING)
    return (_Acceptors(without).of(shape) if shape is not None else None) or _anything


def _anything(value: Any) -> bool:
    return True


class _Acceptors:
    """Compiles the constraints of one operation; None where there is nothing to check."""

    def __init__(self, without: frozenset[str]) -> None:
        self._without = without
        self._structures: dict[str, Ok | None] = {}

    def of(self, shape: Shape) -> Ok | None:
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return _all([*self._scalar(shape), self._items(shape)])
            case "map":
                return _all([*self._scalar(shape), self._entries(shape)])
        return _all(self._scalar(shape))

    def _scalar(self, shape: Shape) -> list[Ok | None]:
        return [c.accepts for c in constraints.of(shape) if c.kind not in self._without]

    def _items(self, shape: Shape) -> Ok | None:
        item = self.of(shape.member)
        if item is None:
            return lambda value: None not in value
        return lambda value: all(x is not None and item(x) for x in value)

    def _entries(self, shape: Shape) -> Ok | None:
        key, item = self.of(shape.key), self.of(shape.value)
        if key is None and item is None:
            return None
        if item is None:
            return lambda value: all(map(key or _anything, value))
        if key is None:
            return lambda value: all(map(item, value.values()))
        return lambda value: all(key(k) and item(x) for k, x in value.items())

    def _structure(self, shape: Shape) -> Ok | None:
        if shape.name in self._structures:
            return self._structures[shape.name]
        required = () if "required" in self._without else tuple(shape.required_members)
        checks: dict[str, Ok] = {}

        def ok(value: dict[str, Any]) -> bool:
            get = value.get
            for name in required:
                if get(name) is None:
                    return False
            for name, item in value.items():
                if item is not None and (check := checks.get(name)) is not None and not check(item):
                    return False
            return True

        self._structures[shape.name] = ok
        for name, member in shape.members.items():
            if member.serialization.get("eventstream") or (shape.name, name) in constraints.OWN_JUDGEMENT:
                continue
            if (accept := self.of(member)) is not None:
                checks[name] = accept
        if not required and not checks:
            self._structures[shape.name] = None
        return self._structures[shape.name]


def _all(checks: list[Ok | None]) -> Ok | None:
    there = [check for check in checks if check is not None]
    if len(there) < 2:
        return there[0] if there else None
    return lambda value: all(check(value) for check in there)


# What AWS says ---------------------------------------------------------------------


class _Walk:
    def __init__(self, service: str, operation: str, without: frozenset[str]) -> None:
        self._service = service
        self._operation = operation
        self._without = without | constraints.NOT_VALIDATED.get(service, NOTHING)

    def request(self, shape: Shape, params: dict[str, Any]) -> Iterator[Violation]:
        body = constraints.body_member(self._service, self._operation)
        if body is None:
            yield from self._structure(shape, params, "")
            return
        # What travels in the body are members of a member there, which has its place among the others.
        in_body = [n for n, m in shape.members.items() if "location" not in m.serialization]
        others = {_camel(n): n for n in shape.members if n not in in_body}
        for at in constraints.mapped([*others, body]):
            if at == body:
                yield from self._members(shape, params, body + ".", in_body)
            else:
                yield from self._member(shape, params, at, others[at])

    def _structure(self, shape: Shape, value: dict[str, Any], path: str) -> Iterator[Violation]:
        yield from self._members(shape, value, path, list(shape.members))

    def _members(self, shape: Shape, value: dict[str, Any], path: str, names: list[str]) -> Iterator[Violation]:
        spelled = {_camel(name): name for name in names}
        for at in constraints.mapped(list(spelled)):
            yield from self._member(shape, value, path + at, spelled[at])

    def _member(self, shape: Shape, value: dict[str, Any], at: str, name: str) -> Iterator[Violation]:
        member, item = shape.members[name], value.get(name)
        if member.serialization.get("eventstream") or (shape.name, name) in constraints.OWN_JUDGEMENT:
            return
        if item is not None:
            yield from self._value(member, item, at)
        elif name in shape.required_members and "required" not in self._without:
            yield Violation(at, "required", "null", constraints.NOT_NULL)

    def _value(self, shape: Shape, value: Any, at: str) -> Iterator[Violation]:
        for constraint in constraints.of(shape):
            if constraint.kind not in self._without and not constraint.accepts(value):
                yield self._violation(shape, value, at, constraint.kind, constraint.text)
        match shape.type_name:
            case "structure":
                yield from self._structure(shape, value, at + ".")
            case "list":
                yield from self._list(shape, value, at)
            case "map":
                yield from self._map(shape, value, at)

    def _list(self, shape: Shape, value: list[Any], at: str) -> Iterator[Violation]:
        if shape.member.type_name in ("structure", "list", "map"):
            for number, item in enumerate(value, 1):
                path = f"{at}.{number}.member"
                if item is None:
                    yield Violation(path, "required", "null", constraints.NOT_NULL)
                else:
                    yield from self._value(shape.member, item, path)
            return
        # Of scalars AWS names the list, and all that its items must satisfy.
        rules = [c for c in constraints.of_item(shape.member) if c.kind not in self._without]
        kinds = [c.kind for c in rules for item in value if item is not None and not c.accepts(item)]
        if None in value or kinds:
            texts = [c.text for c in rules]
            if shape.member.name not in constraints.NULLABLE_ITEMS:
                texts.append(constraints.NOT_NULL)
            text = constraints.LISTS.get(shape.name) or f"Member must satisfy constraint: [{', '.join(texts)}]"
            yield self._violation(shape, value, at, kinds[0] if kinds else "length", text)

    def _map(self, shape: Shape, value: dict[str, Any], at: str) -> Iterator[Violation]:
        rules = [c for c in constraints.of_item(shape.key) if c.kind not in self._without]
        if kinds := [c.kind for c in rules for key in value if not c.accepts(key)]:
            text = f"Map keys must satisfy constraint: [{', '.join(c.text for c in rules)}]"
            yield self._violation(shape, value, at, kinds[0], text)
        if shape.value.type_name in ("structure", "list", "map"):
            for key, item in value.items():
                yield from self._value(shape.value, item, f"{at}.{key}.member")
            return
        rules = [c for c in constraints.of_item(shape.value) if c.kind not in self._without]
        if kinds := [c.kind for c in rules for item in value.values() if not c.accepts(item)]:
            texts = [*(c.text for c in rules), constraints.NOT_NULL]
            yield self._violation(
                shape, value, at, kinds[0], f"Map value must satisfy constraint: [{', '.join(texts)}]"
            )

    def _violation(self, shape: Shape, value: Any, at: str, kind: str, text: str) -> Violation:
        hidden = self._service in constraints.SILENT
        printed = None if hidden or _is_sensitive(shape) else constraints.printed(shape, value)
        return Violation(at, kind, printed, text.partition(": [")[0] if hidden and kind == "enum" else text)


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _is_sensitive(shape: Shape) -> bool:
    if shape.metadata.get("sensitive"):
        return True
    return shape.type_name == "list" and bool(shape.member.metadata.get("sensitive"))
