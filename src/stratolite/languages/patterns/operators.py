"""Operators: what a pattern asks of one field's value."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class Literal(enum.Enum):
    """JSON's words, kept apart from 1 and 0, which Python takes True and False for."""

    TRUE = "true"
    FALSE = "false"
    NULL = "null"


Value = str | int | float | Literal
Predicate = Callable[[Value], bool]
Key = tuple[str, Value]  # how a value is looked up ("is", "prefix", "suffix-lower", ...) and under what


def literal(value: bool | None) -> Literal:
    return Literal.NULL if value is None else Literal.TRUE if value else Literal.FALSE


@dataclass(frozen=True, slots=True)
class Test:
    """One alternative of a field: a predicate over present values, or acceptance of absence.

    `key` tells an index how to find this test from a value; None when no key can.
    """

    accepts: Predicate
    absent: bool = False
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """All alternatives of one field: any of them may hold."""

    exact: frozenset[Value]
    others: tuple[Predicate, ...]
    absent: bool
    keys: frozenset[Key] | None  # None: an index cannot rule this field out by value

    def accepts(self, value: Value) -> bool:
        return value in self.exact or any(accepts(value) for accepts in self.others)


def together(tests: Sequence[Test]) -> Field:
    exact = frozenset(t.key[1] for t in tests if t.key is not None and t.key[0] == "is")
    others = tuple(t.accepts for t in tests if (t.key is None or t.key[0] != "is") and not t.absent)
    absent = any(t.absent for t in tests)
    keys = frozenset(t.key for t in tests if t.key is not None)
    return Field(exact, others, absent, None if absent or any(t.key is None for t in tests) else keys)


# ---------------------------------------------------------------------- constructors


def exactly(value: Value) -> Test:
    return Test(lambda v: v == value, key=("is", value))


def prefix(text: str) -> Test:
    return Test(lambda v: isinstance(v, str) and v.startswith(text), key=("prefix", text))


def suffix(text: str) -> Test:
    return Test(lambda v: isinstance(v, str) and v.endswith(text), key=("suffix", text))


def same_letters(text: str) -> Test:
    lower = text.lower()
    return Test(lambda v: isinstance(v, str) and v.lower() == lower, key=("lower", lower))


def prefix_letters(text: str) -> Test:
    lower = text.lower()
    return Test(lambda v: isinstance(v, str) and v.lower().startswith(lower), key=("prefix-lower", lower))


def suffix_letters(text: str) -> Test:
    lower = text.lower()
    return Test(lambda v: isinstance(v, str) and v.lower().endswith(lower), key=("suffix-lower", lower))


def wildcard(expression: re.Pattern[str], start: str) -> Test:
    matches = expression.fullmatch
    return Test(lambda v: isinstance(v, str) and matches(v) is not None, key=("prefix", start) if start else None)


def between(low: float | None, low_open: bool, high: float | None, high_open: bool) -> Test:
    def holds(v: Value) -> bool:
        if not isinstance(v, (int, float)):
            return False
        if low is not None and (v <= low if low_open else v < low):
            return False
        return high is None or (v < high if high_open else v <= high)

    return Test(holds)


def exists() -> Test:
    return Test(lambda _: True)


def absent() -> Test:
    return Test(lambda _: False, absent=True)


def anything_but(values: Sequence[Value]) -> Test:
    refused = frozenset(values)
    return Test(lambda v: v not in refused)


def none_of(tests: Sequence[Test]) -> Test:
    """Anything but what these tests accept: values of other types pass."""
    refused = tuple(t.accepts for t in tests)
    return Test(lambda v: not any(accepts(v) for accepts in refused))


_IPV4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")


def within(block: str) -> Test:
    """A CIDR block; ValueError carries AWS's sentence."""
    parts = block.split("/")
    if len(parts) != 2:
        raise ValueError("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?[0-9]+", parts[1]):
        raise ValueError("Malformed CIDR, mask bits must be an integer")
    bits = int(parts[1])
    if bits < 0:
        raise ValueError("Malformed CIDR, mask bits must not be negative")
    if not (_IPV4.fullmatch(parts[0]) or _IPV6.fullmatch(parts[0])):
        raise ValueError(f"Nonstandard IP address: {parts[0]}")
    try:
        address = ipaddress.ip_address(parts[0])
    except ValueError:
        raise ValueError(f"Invalid IP address: {parts[0]}") from None
    if bits >= address.max_prefixlen:
        raise ValueError(f"IPv{address.version} mask bits must be < {address.max_prefixlen}")
    network = ipaddress.ip_network(f"{address}/{bits}", strict=False)

    def holds(v: Value) -> bool:
        if not isinstance(v, str):
            return False
        try:
            return ipaddress.ip_address(v) in network
        except ValueError:
            return False

    return Test(holds)
