"""Key conditions and the ranges of keys they stand for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratolite.languages.expressions import keys, values
from stratolite.languages.expressions.bind import KEY_CONDITION, Binding
from stratolite.languages.expressions.errors import Invalid
from stratolite.languages.expressions.keys import KeyCondition

VALUES: Any = {":p": {"S": "x"}, ":c": {"N": "3"}, ":d": {"N": "7"}, ":s": {"S": "s"}}


def conditions(text: str) -> list[KeyCondition]:
    return keys.conditions(Binding({}, VALUES).condition(text, KEY_CONDITION))


def test_the_attribute_may_stand_on_either_side() -> None:
    assert conditions("((:c < c) AND (:p = p))") == [
        KeyCondition("c", ">", (VALUES[":c"],)),
        KeyCondition("p", "=", (VALUES[":p"],)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p = :p OR c = :c", "Invalid operator used in KeyConditionExpression: OR"),
        ("NOT p = :p", "Invalid operator used in KeyConditionExpression: NOT"),
        ("p = :p AND c IN (:c)", "Invalid operator used in KeyConditionExpression: IN"),
        ("p = :p AND c <> :c", "Invalid operator used in KeyConditionExpression: <>"),
        ("p = :p AND attribute_exists(c)", "Invalid operator used in KeyConditionExpression: attribute_exists"),
        ("p = :p AND size(c) = :c", "KeyConditionExpressions cannot contain nested operations"),
        ("p = :p AND a.b < :c", "KeyConditionExpressions cannot have conditions on nested attributes"),
        ("p = :p AND p = :p", "KeyConditionExpressions must only contain one condition per key"),
        ("p = c", "Multiple attribute names used in one condition"),
        (":p = :s", "No key attribute specified"),
        ("p = :p AND begins_with(:s, c)", "begins_with operator must have the key attribute as its first operand"),
    ],
)
def test_what_is_no_key_condition(text: str, message: str) -> None:
    with pytest.raises(Invalid) as error:
        conditions(text)
    assert error.value.message.startswith("Invalid KeyConditionExpression: ")
    assert message in error.value.message


TEXTS = st.text(st.sampled_from("a\x00\xffb\U0001f600"), max_size=4).map(lambda text: {"S": text})
OPERATORS = st.sampled_from(["=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"])


def _holds(operator: str, value: Any, low: Any, high: Any) -> bool:
    a, b, c = values.key(value), values.key(low), values.key(high)
    return {
        "=": a == b,
        "<": a < b,
        "<=": a <= b,
        ">": a > b,
        ">=": a >= b,
        "BETWEEN": b <= a <= c,
        "begins_with": a.startswith(b),
    }[operator]


@given(OPERATORS, TEXTS, TEXTS, TEXTS)
def test_a_range_admits_what_the_condition_admits(operator: str, value: Any, low: Any, high: Any) -> None:
    operands = (low, high) if operator == "BETWEEN" else (low,)
    admitted = keys.sort_range(1, [KeyCondition("c", operator, operands)])
    assert admitted.holds(keys.encode([value])) == _holds(operator, value, low, high)


@given(OPERATORS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_range_of_a_key_of_several_attributes(
    operator: str, first: Any, value: Any, other: Any, low: Any, high: Any
) -> None:
    operands = (low, high) if operator == "BETWEEN" else (low,)
    admitted = keys.sort_range(2, [KeyCondition("c", "=", (other,)), KeyCondition("d", operator, operands)])
    expected = first == other and _holds(operator, value, low, high)
    assert admitted.holds(keys.encode([first, value])) == expected


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=8))
def test_keys_of_several_attributes_sort_by_each_in_turn(rows: list[tuple[Any, Any, Any]]) -> None:
    assert sorted(rows, key=keys.encode) == sorted(rows, key=lambda row: [values.key(part) for part in row])
