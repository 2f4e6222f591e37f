"""Numbers are exact, canonical and sort as bytes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratolite.languages.expressions import numbers
from stratolite.languages.expressions.errors import Invalid

NUMBERS = st.builds(
    lambda sign, digits, exponent: f"{sign}{digits}E{exponent}",
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**38 - 1),
    st.integers(-130, 87),
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0e200", "0"),
        ("+3", "3"),
        (".123", "0.123"),
        ("0001.23", "1.23"),
        ("1e+5", "100000"),
        ("1000.0", "1000"),
        ("-17.4E37", "-174000000000000000000000000000000000000"),
        ("1E-3", "0.001"),
        ("5.", "5"),
        ("3.1415926535897932384626433832795028841", "3.1415926535897932384626433832795028841"),
        ("100000000000000000000000000000000000000000", "1" + "0" * 41),
    ],
)
def test_equal_numbers_have_one_text(text: str, canonical: str) -> None:
    assert numbers.canonical(text) == canonical


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "The parameter cannot be converted to a numeric value"),
        ("NaN", "The parameter cannot be converted to a numeric value: NaN"),
        (" 1", "converted to a numeric value:  1"),
        ("1 ", "numeric"),
        ("-Infinity", "numeric"),
        ("1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("1e100000000000000000000", "overflow"),
        ("1e-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ("1e-99999999999", "underflow"),
        ("3.14159265358979323846264338327950288419", "more than 38 significant digits"),
    ],
)
def test_what_is_no_number_is_refused(text: str, part: str) -> None:
    with pytest.raises(Invalid) as error:
        numbers.canonical(text)
    assert part in error.value.message


@given(NUMBERS, NUMBERS)
def test_keys_sort_as_numbers_do(left: str, right: str) -> None:
    a, b = numbers.canonical(left), numbers.canonical(right)
    assert (numbers.key(a) < numbers.key(b)) == (Decimal(a) < Decimal(b))
    assert (numbers.key(a) == numbers.key(b)) == (a == b) == (Decimal(left) == Decimal(right))


@pytest.mark.parametrize(
    ("left", "right"), [("-12", "-12.0034"), ("1.2", "1.23"), ("9.9e125", "1e-130"), ("0", "-1e-130")]
)
def test_keys_sort_at_the_borders(left: str, right: str) -> None:
    a, b = numbers.canonical(left), numbers.canonical(right)
    assert (numbers.key(a) < numbers.key(b)) == (Decimal(a) < Decimal(b))


@given(st.integers(-(10**18), 10**18), st.integers(-(10**18), 10**18), st.integers(0, 9))
def test_sums_are_exact(left: int, right: int, places: int) -> None:
    a, b = Decimal(left).scaleb(-places), Decimal(right)
    assert Decimal(numbers.add(numbers.canonical(str(a)), numbers.canonical(str(b)))) == a + b
    assert Decimal(numbers.subtract(numbers.canonical(str(a)), numbers.canonical(str(b)))) == a - b


def test_a_sum_out_of_range_or_of_digits_overflows() -> None:
    big = numbers.canonical("9e125")
    with pytest.raises(Invalid, match="Number overflow"):
        numbers.add(big, big)
    with pytest.raises(Invalid, match="Number overflow"):
        numbers.add(numbers.canonical("1e50"), "1")


@pytest.mark.parametrize(
    ("number", "size"), [("0", 1), ("1", 2), ("12", 2), ("123", 3), ("-1", 3), ("1.2", 3), ("100", 2), ("10", 2)]
)
def test_size_counts_pairs_of_digits(number: str, size: int) -> None:
    assert numbers.size_bytes(number) == size
