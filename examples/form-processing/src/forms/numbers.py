"""Numbers: JSON's as DynamoDB's and back, without losing a digit.

Between the functions numbers travel as JSON, which Python reads as binary floating point; the table stores decimals. A
fraction survives that way unchanged if it has at most 15 significant digits or so: `storable` checks it at the door.
"""

from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

LARGEST = Decimal("9.9999999999999999999999999999999999999E+125")  # DynamoDB's range and precision
SMALLEST = Decimal("1E-130")
DIGITS = 38


def storable(value: Decimal | int) -> bool:
    """Whether the number reaches the table exactly as written."""
    try:
        with localcontext(prec=4400):  # beyond what json.loads reads: nothing is rounded here
            number = Decimal(value)
            if not number.is_finite():
                return False
            if number and not SMALLEST <= abs(number) <= LARGEST:
                return False
            if len(number.normalize().as_tuple().digits) > DIGITS:
                return False
            return isinstance(value, int) or Decimal(repr(float(value))) == number
    except InvalidOperation:
        return False


def decimals(value: Any) -> Any:
    """The same JSON with every fraction as a Decimal, as boto3 wants it for the table."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {name: decimals(member) for name, member in value.items()}
    if isinstance(value, list):
        return [decimals(member) for member in value]
    return value


def plain(value: Any) -> Any:
    """The same data with every Decimal as JSON's number."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value
