"""DynamoDB's numbers: 38 significant digits, magnitudes from 1E-130 to 9.99E+125, exact.

Numbers travel as text. Everything stored is canonical text (no leading or trailing zeros, no exponent), so equal
numbers are equal texts.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from .errors import Invalid

MOST_DIGITS = 38
LARGEST_EXPONENT = 125
SMALLEST_EXPONENT = -130

_CANONICAL_INTEGER = re.compile(r"-?[1-9][0-9]{0,37}").fullmatch
_NUMBER = re.compile(r"([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]+))?", re.ASCII).fullmatch
# Every sum of two legal numbers fits: 126 digits before the point, 130 + 38 behind it.
_EXACT = Context(prec=300, Emin=-999_999, Emax=999_999)

OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"


def canonical(text: str) -> str:
    """The one text that stands for this number.

    Raises Invalid for what is no number, has over 38 significant digits or lies outside the range.
    """
    if _CANONICAL_INTEGER(text) or text == "0":
        return text
    match = _NUMBER(text)
    if match is None:
        if not text:
            raise Invalid("The parameter cannot be converted to a numeric value")
        raise Invalid(f"The parameter cannot be converted to a numeric value: {text}")
    sign, whole, fraction, bare_fraction, exponent_text = match.groups()
    fraction = bare_fraction if bare_fraction is not None else (fraction or "")
    digits = ((whole or "") + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return "0"
    # An exponent of more digits than this is out of range whatever the mantissa: no need to make an integer of it.
    if exponent_text and len(exponent_text) > 9:
        raise Invalid(UNDERFLOW if exponent_text[0] == "-" else OVERFLOW)
    exponent = int(exponent_text or 0) - len(fraction) + len(digits) - len(significant)
    return _checked(sign == "-", significant, exponent)


def _checked(negative: bool, significant: str, exponent: int) -> str:
    magnitude = len(significant) - 1 + exponent
    if magnitude > LARGEST_EXPONENT:
        raise Invalid(OVERFLOW)
    if magnitude < SMALLEST_EXPONENT:
        raise Invalid(UNDERFLOW)
    if len(significant) > MOST_DIGITS:
        raise Invalid("Attempting to store more than 38 significant digits in a Number")
    if exponent >= 0:
        text = significant + "0" * exponent
    elif magnitude >= 0:
        text = f"{significant[: magnitude + 1]}.{significant[magnitude + 1 :]}"
    else:
        text = "0." + "0" * (-magnitude - 1) + significant
    return "-" + text if negative else text


def add(left: str, right: str) -> str:
    """The canonical sum of two canonical numbers.

    A sum that 38 digits cannot hold is an overflow to DynamoDB, although its magnitude would fit.
    """
    if len(left) < 18 and len(right) < 18 and _CANONICAL_INTEGER(left) and _CANONICAL_INTEGER(right):
        return str(int(left) + int(right))
    total = _EXACT.add(Decimal(left), Decimal(right))
    if total.is_zero():
        return "0"
    sign, digits, exponent = total.as_tuple()
    assert isinstance(exponent, int), "finite operands have a finite sum"
    text = "".join(map(str, digits))
    significant = text.rstrip("0")
    if len(significant) > MOST_DIGITS:
        raise Invalid(OVERFLOW)
    return _checked(sign == 1, significant, exponent + len(text) - len(significant))


def negated(number: str) -> str:
    """The canonical number with its sign turned."""
    if number == "0":
        return number
    return number[1:] if number[0] == "-" else "-" + number


def subtract(left: str, right: str) -> str:
    """The canonical difference of two canonical numbers."""
    return add(left, negated(right))


def _parts(number: str) -> tuple[bool, str, int]:
    """Sign, significant digits and magnitude (exponent of the first digit) of a canonical number, zero excepted."""
    negative = number[0] == "-"
    if negative:
        number = number[1:]
    whole, _, fraction = number.partition(".")
    if whole == "0":
        significant = fraction.lstrip("0")
        return negative, significant, len(significant) - len(fraction) - 1
    return negative, (whole + fraction).rstrip("0"), len(whole) - 1


# Digit pairs as packed decimals (0x00 to 0x99). A negative number's bytes are complemented against 0xFE, so that 0xFF,
# which ends it, is larger than any of them: -1.2 sorts after -1.23.
_COMPLEMENT = bytes((0xFE - byte) % 256 for byte in range(256))


def key(number: str) -> bytes:
    """Bytes that sort as canonical numbers do: sign, biased exponent, packed decimal digits."""
    if number == "0":
        return b"\x80"
    if number.isdecimal():
        digits = number.rstrip("0")
        packed = bytes.fromhex(digits + "0" if len(digits) % 2 else digits)
        return bytes((0xC0, len(number) - 1 - SMALLEST_EXPONENT)) + packed
    negative, digits, magnitude = _parts(number)
    packed = bytes.fromhex(digits + "0" if len(digits) % 2 else digits)
    if negative:
        return b"\x40" + bytes((LARGEST_EXPONENT - magnitude,)) + packed.translate(_COMPLEMENT) + b"\xff"
    return b"\xc0" + bytes((magnitude - SMALLEST_EXPONENT,)) + packed


def size_bytes(number: str) -> int:
    """What a canonical number adds to the size of its item: a byte, one for each two significant digits, one for a
    minus.

    AWS documents "approximately"; digits pair up around the decimal point.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    if number == "0":
        return 1
    if number.isdecimal():  # most are: counts, prices in cents, instants
        length = len(number)
        return 1 + (len(number.rstrip("0")) + length % 2 + 1) // 2
    negative, digits, magnitude = _parts(number)
    return 1 + (len(digits) + (magnitude % 2 == 0) + 1) // 2 + negative


def order(number: str) -> Decimal:
    """Something that compares as the number does."""
    return Decimal(number)
