"""Values: admitted in AWS's words, measured, compared."""

from typing import Any

import pytest

from stratolite.languages.expressions import values
from stratolite.languages.expressions.errors import Invalid, Malformed


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "abc"}, 3),
        ({"S": "é€"}, 5),
        ({"S": ""}, 0),
        ({"N": "1.0"}, 2),
        ({"B": "AAEC"}, 3),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "bc"]}, 3),
        ({"NS": ["1", "22"]}, 4),
        ({"L": []}, 3),
        ({"L": [{"S": "a"}, {"S": "b"}]}, 7),
        ({"M": {"k": {"S": "v"}}}, 6),
    ],
)
def test_sizes(value: Any, size: int) -> None:
    assert values.admit(value) == size
    assert values.size_bytes(value) == size


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ({"S": "a", "N": "1"}, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of"),
        ({"NULL": False}, "Null attribute value types must have the value of true"),
        ({"SS": []}, "One or more parameter values were invalid: An string set  may not be empty"),
        ({"NS": []}, "One or more parameter values were invalid: An number set  may not be empty"),
        ({"BS": []}, "One or more parameter values were invalid: Binary sets should not be empty"),
        ({"SS": ["a", "a"]}, "One or more parameter values were invalid: Input collection [a, a] contains duplicates."),
        ({"SS": [""]}, "may not have a empty string as a member"),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        ({"BS": ["YQ==", "YQ=="]}, "Input collection [YQ==, YQ==]of type BS contains duplicates."),
    ],
)
def test_what_is_no_value_is_refused(value: Any, message: str) -> None:
    with pytest.raises(Invalid) as error:
        values.admit(value)
    assert message in error.value.message


@pytest.mark.parametrize(
    "value", [{"N": 1}, {"S": True}, {"BOOL": "true"}, {"SS": [1]}, {"L": {}}, {"M": []}, {"B": "a"}]
)
def test_the_wrong_json_type_is_malformed(value: Any) -> None:
    with pytest.raises(Malformed):
        values.admit(value)


def test_numbers_become_canonical_in_place() -> None:
    value: Any = {"M": {"a": {"L": [{"N": "1.50"}]}, "b": {"NS": ["1e1", "02"]}}}
    values.admit(value)
    assert value == {"M": {"a": {"L": [{"N": "1.5"}]}, "b": {"NS": ["10", "2"]}}}


def test_documents_nest_32_levels() -> None:
    def nested(levels: int) -> Any:
        value: Any = {"S": "leaf"}
        for _ in range(levels):
            value = {"L": [value]}
        return value

    values.admit(nested(32))
    with pytest.raises(Invalid, match="Nesting Levels have exceeded supported limits"):
        values.admit(nested(33))


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}, True),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}, False),
        ({"M": {"x": {"NS": ["1", "2"]}}}, {"M": {"x": {"NS": ["2", "1"]}}}, True),
        ({"N": "1"}, {"S": "1"}, False),
    ],
)
def test_equality(left: Any, right: Any, equal: bool) -> None:
    assert values.equal(left, right) is equal
