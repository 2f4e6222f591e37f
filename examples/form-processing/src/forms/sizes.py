"""Sizes: how many bytes DynamoDB counts for an item.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from decimal import Decimal
from typing import Any

ITEM_BYTES = 400 * 1024

_CONTAINER_BYTES = 3
_MEMBER_BYTES = 1


def item_bytes(item: dict[str, Any]) -> int:
    """The size of an item, its attributes' names included."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Any) -> int:
    """The size of one value; for a number the most it may take."""
    match value:
        case None | bool():
            return 1
        case str():
            return len(value.encode())
        case int() | float() | Decimal():
            digits = Decimal(repr(value) if isinstance(value, float) else value).as_tuple().digits
            return (len(digits) + 1) // 2 + 2  # two digits a byte, and one each for exponent and sign
        case dict():
            members = sum(len(name.encode()) + value_bytes(member) + _MEMBER_BYTES for name, member in value.items())
            return _CONTAINER_BYTES + members
        case list():
            return _CONTAINER_BYTES + sum(value_bytes(member) + _MEMBER_BYTES for member in value)
        case _:
            raise TypeError(f"not JSON: {type(value).__name__}")
