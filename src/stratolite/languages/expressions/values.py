"""Attribute values in their wire form: admitted, measured, compared.

A value is a dict of one member, as DynamoDB's JSON has it: `{"S": "text"}`, `{"N": "1"}`, `{"B": "base64"}`, `{"L":
[...]}`. Binary stays base64 text; admitted values are canonical, so that equal scalars are equal texts.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from . import numbers
from .errors import Invalid, Malformed

Value = dict[str, Any]
Item = dict[str, Value]

TYPES = ("S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M")
SETS = frozenset(("SS", "NS", "BS"))
ORDERED = frozenset(("S", "N", "B"))
DEEPEST = 32
TOO_DEEP = "Nesting Levels have exceeded supported limits: Attributes cannot have more than 32 levels nested"

_SEVERAL = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)
_EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_WRONG = "One or more parameter values were invalid: "


def text_bytes(text: str) -> int:
    """UTF-8 bytes of a text."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _json_kind(value: object) -> str:
    if value is True:
        return "TRUE_VALUE"
    if value is False:
        return "FALSE_VALUE"
    if isinstance(value, int):
        return "NUMBER_VALUE"
    if isinstance(value, float):
        return "DECIMAL_VALUE"
    return "STRING_VALUE"


def _refuse_json(value: object, wanted: str) -> Malformed:
    if isinstance(value, Mapping | list):
        if wanted in ("String", "Boolean"):
            return Malformed("Start of structure or map found where not expected")
        return Malformed(f"Unrecognized collection type class java.lang.{wanted}")
    return Malformed(f"{_json_kind(value)} cannot be converted to {wanted}")


def binary(text: str) -> bytes:
    """The bytes a base64 text stands for; Malformed if it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(
            "Base64 encoded length is expected a multiple of 4 bytes but found: " + str(len(text))
            if len(text) % 4
            else "Invalid Base64 character in binary value"
        ) from None


def _admit_string(value: Value, depth: int) -> int:
    text = value["S"]
    if text.__class__ is not str:
        raise _refuse_json(text, "String")
    return len(text) if text.isascii() else text_bytes(text)


def _admit_number(value: Value, depth: int) -> int:
    text = value["N"]
    if text.__class__ is not str:
        raise _refuse_json(text, "String")
    number = numbers.canonical(text)
    if number != text:
        value["N"] = number
    return numbers.size_bytes(number)


def _admit_binary(value: Value, depth: int) -> int:
    text = value["B"]
    if text.__class__ is not str:
        raise _refuse_json(text, "Blob")
    content = binary(text)
    canonical = base64.b64encode(content).decode()
    if canonical != text:
        value["B"] = canonical
    return len(content)


def _admit_boolean(value: Value, depth: int) -> int:
    if value["BOOL"].__class__ is not bool:
        raise _refuse_json(value["BOOL"], "Boolean")
    return 1


def _admit_null(value: Value, depth: int) -> int:
    if value["NULL"].__class__ is not bool:
        raise _refuse_json(value["NULL"], "Boolean")
    if value["NULL"] is not True:
        raise Invalid(_WRONG + "Null attribute value types must have the value of true")
    return 1


def _admit_list(value: Value, depth: int) -> int:
    members = value["L"]
    if members.__class__ is not list:
        raise Malformed("Unexpected field type")
    if depth >= DEEPEST:
        raise Invalid(TOO_DEEP)
    size = 3 + len(members)
    for member in members:
        size += admit(member, depth + 1)
    return size


def _admit_map(value: Value, depth: int) -> int:
    members = value["M"]
    if members.__class__ is not dict:
        raise Malformed("Unexpected field type")
    if depth >= DEEPEST:
        raise Invalid(TOO_DEEP)
    size = 3 + len(members)
    for name, member in members.items():
        size += text_bytes(name) + admit(member, depth + 1)
    return size


def _strings(members: object) -> list[str]:
    if members.__class__ is not list:
        raise Malformed("Unexpected field type")
    assert isinstance(members, list)
    for member in members:
        if member.__class__ is not str:
            raise _refuse_json(member, "String")
    return members


def _admit_string_set(value: Value, depth: int) -> int:
    members = _strings(value["SS"])
    if not members:
        raise Invalid(_WRONG + "An string set  may not be empty")
    if "" in members:
        raise Invalid(_WRONG + "An string set  may not have a empty string as a member")
    if len(set(members)) != len(members):
        raise Invalid(_WRONG + f"Input collection [{', '.join(members)}] contains duplicates.")
    return sum(map(text_bytes, members))


def _admit_number_set(value: Value, depth: int) -> int:
    members = _strings(value["NS"])
    if not members:
        raise Invalid(_WRONG + "An number set  may not be empty")
    canonical = [numbers.canonical(member) for member in members]
    if len(set(canonical)) != len(canonical):
        raise Invalid("Input collection contains duplicates")
    value["NS"] = canonical
    return sum(map(numbers.size_bytes, canonical))


def _admit_binary_set(value: Value, depth: int) -> int:
    members = _strings(value["BS"])
    if not members:
        raise Invalid(_WRONG + "Binary sets should not be empty")
    contents = [binary(member) for member in members]
    if b"" in contents:
        raise Invalid(_WRONG + "Binary sets may not contain null or empty values")
    canonical = [base64.b64encode(content).decode() for content in contents]
    if len(set(canonical)) != len(canonical):
        raise Invalid(_WRONG + f"Input collection [{', '.join(canonical)}]of type BS contains duplicates.")
    value["BS"] = canonical
    return sum(map(len, contents))


_ADMIT: dict[str, Callable[[Value, int], int]] = {
    "S": _admit_string,
    "N": _admit_number,
    "B": _admit_binary,
    "SS": _admit_string_set,
    "NS": _admit_number_set,
    "BS": _admit_binary_set,
    "BOOL": _admit_boolean,
    "NULL": _admit_null,
    "L": _admit_list,
    "M": _admit_map,
}


def admit(value: Value, depth: int = 0) -> int:
    """Check a value a client sent and make it canonical in place; its size in bytes as AWS counts it.

    Raises Invalid (ValidationException) or Malformed (SerializationException).
    """
    if value.__class__ is not dict:
        raise Malformed("Unexpected value type in payload")
    if len(value) == 1:
        for kind in value:
            rule = _ADMIT.get(kind)
            if rule is not None:
                return rule(value, depth)
    known = [kind for kind in value if kind in _ADMIT]
    for unknown in [kind for kind in value if kind not in _ADMIT]:
        del value[unknown]  # AWS's JSON reader skips members it does not know
    if not known:
        raise Invalid(_EMPTY)
    if len(known) > 1:
        raise Invalid(_SEVERAL)
    return admit(value, depth)


def _binary_bytes(text: str) -> int:
    return len(text) * 3 // 4 - text.count("=")


_SIZE: dict[str, Callable[[Any], int]] = {
    "S": text_bytes,
    "N": numbers.size_bytes,
    "B": _binary_bytes,
    "SS": lambda members: sum(map(text_bytes, members)),
    "NS": lambda members: sum(map(numbers.size_bytes, members)),
    "BS": lambda members: sum(map(_binary_bytes, members)),
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "L": lambda members: 3 + sum(1 + size_bytes(member) for member in members),
    "M": lambda members: 3 + sum(1 + text_bytes(name) + size_bytes(member) for name, member in members.items()),
}


def size_bytes(value: Value) -> int:
    """The size of an admitted value in bytes.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    for kind, content in value.items():
        return _SIZE[kind](content)
    raise AssertionError("an admitted value has one member")


def item_bytes(item: Item) -> int:
    """The size of an admitted item in bytes: names and values."""
    return sum(text_bytes(name) + size_bytes(value) for name, value in item.items())


def depth_of(value: Value) -> int:
    """How many maps and lists lie within one another in a value."""
    kind = type_of(value)
    if kind == "L":
        return 1 + max((depth_of(member) for member in value["L"]), default=0)
    if kind == "M":
        return 1 + max((depth_of(member) for member in value["M"].values()), default=0)
    return 0


def type_of(value: Value) -> str:
    """The type letter(s) of a value."""
    for kind in value:
        return kind
    raise AssertionError("an admitted value has one member")


def equal(left: Value, right: Value) -> bool:
    """Whether two admitted values are the same: sets regardless of order, documents in depth."""
    if left == right:
        return True
    kind = type_of(left)
    if kind not in right:
        return False
    if kind in SETS:
        return set(left[kind]) == set(right[kind])
    if kind == "L":
        ours, theirs = left["L"], right["L"]
        return len(ours) == len(theirs) and all(map(equal, ours, theirs))
    if kind == "M":
        mine, its = left["M"], right["M"]
        return mine.keys() == its.keys() and all(equal(member, its[name]) for name, member in mine.items())
    return False


_ORDER: dict[str, Callable[[str], Any]] = {
    "S": lambda text: text.encode("utf-8", "surrogatepass"),  # AWS compares UTF-8 bytes
    "N": numbers.order,
    "B": binary,
}


def order(value: Value) -> Any:
    """What an admitted S, N or B compares by, among values of its type."""
    for kind, content in value.items():
        return _ORDER[kind](content)
    raise AssertionError("an admitted value has one member")


_KEY: dict[str, Callable[[str], bytes]] = {
    "S": lambda text: text.encode("utf-8", "surrogatepass"),
    "N": numbers.key,
    "B": binary,
}


def key(value: Value) -> bytes:
    """Bytes that sort as admitted S, N or B values of one type do."""
    for kind, content in value.items():
        return _KEY[kind](content)
    raise AssertionError("an admitted value has one member")


def described(value: Value) -> str:
    """A value as AWS writes it in messages: `{S:text}`."""
    kind = type_of(value)
    content = value[kind]
    if kind in SETS:
        return f"{{{kind}:[{', '.join(content)}]}}"
    if kind == "L":
        return f"{{L:[{', '.join(described(member) for member in content)}]}}"
    if kind == "M":
        return f"{{M:{{{', '.join(f'{name}={described(member)}' for name, member in content.items())}}}}}"
    return f"{{{kind}:{str(content).lower() if content.__class__ is bool else content}}}"
