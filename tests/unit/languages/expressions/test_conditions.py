"""Conditions: what they say of an item, and what is wrong with them in AWS's words.

Messages as documented or as recorded by DynamoDB's users; semantics from
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from typing import Any

import pytest

from stratolite.languages.expressions.bind import Binding
from stratolite.languages.expressions.errors import Invalid
from stratolite.languages.expressions.evaluate import holds

ITEM: Any = {
    "a": {"N": "5"},
    "b": {"S": "hello"},
    "m": {"M": {"x": {"L": [{"N": "1"}, {"S": "two"}]}, "t": {"BOOL": True}}},
    "ss": {"SS": ["cat", "dog"]},
    "bin": {"B": "fw=="},  # 127
    "nil": {"NULL": True},
}
VALUES: Any = {
    ":five": {"N": "5"},
    ":six": {"N": "6"},
    ":four": {"N": "4"},
    ":hello": {"S": "hello"},
    ":he": {"S": "he"},
    ":cat": {"S": "cat"},
    ":s": {"S": "S"},
    ":two": {"S": "two"},
    ":high": {"B": "gA=="},  # 128
    ":true": {"BOOL": True},
    ":dog": {"S": "DOG"},
    ":map": {"M": {}},
}


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("a = :five", True),
        ("a <> :five", False),
        ("zz <> :five", True),
        ("zz = :five", False),
        ("zz < :five", False),
        ("b < :five", False),
        ("a < :six AND a >= :five", True),
        ("a between :four and :six", True),
        ("a BETWEEN :six AND :six", False),
        ("NOT a = :five OR b = :hello", True),
        ("a IN (:four, :five)", True),
        ("b in (:four, :five)", False),
        ("attribute_exists(m.x[1]) AND attribute_not_exists(m.x[2])", True),
        ("attribute_type(b, :s)", True),
        ("begins_with(b, :he)", True),
        ("begins_with(a, :he)", False),
        ("contains(b, :he)", True),
        ("contains(ss, :cat)", True),
        ("contains(m.x, :two)", True),
        ("size(b) = :five", True),
        ("size(a) = :five", False),
        ("size(m.x) < :five", True),
        ("m.t = :true", True),
        ("bin < :high", True),
        ("(a = :five) AND (b = :hello OR a = :six)", True),
        ("NOT NOT a = :five", True),
        ("a = :six OR a = :five AND b = :hello", True),
        ("attribute_exists(nil)", True),
    ],
)
def test_what_holds_of_an_item(text: str, truth: bool) -> None:
    assert holds(Binding({}, VALUES).condition(text), ITEM) is truth


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The expression can not be empty;"),
        ("a", 'Syntax error; token: "<EOF>", near: "a"'),
        ("a = :five b = :six", 'Syntax error; token: "b", near: ":five b ="'),
        ("a != :five", 'Syntax error; token: "!", near: "a !="'),
        ("a IN ()", 'Syntax error; token: ")", near: "()"'),
        ("_f(a) = :five", 'Syntax error; token: "_", near: "_f"'),
        ("((a = :five))", "The expression has redundant parentheses;"),
        ("dog(a) = :five", "Invalid function name; function: dog"),
        ("name = :five", "Attribute name is a reserved keyword; reserved keyword: name"),
        ("size(a)", "The function is not allowed to be used this way in an expression; function: size"),
        ("attribute_exists(a) < :five", "is not allowed to be used this way in an expression; function: attribute_ex"),
        ("if_not_exists(a, a) = :five", "is not allowed to be used this way in an expression; function: if_not_exists"),
        ("a = :nope", "An expression attribute value used in expression is not defined; attribute value: :nope"),
        ("#n = :five", "An expression attribute name used in the document path is not defined; attribute name: #n"),
        ("size(a, a) = :five", "operator or function: size, number of operands: 2"),
        ("size(:five) = :five", "operator or function: size, operand type: N"),
        ("size(size(a)) = :five", "operator or function: size, operand type: N"),
        ("begins_with(a, :five)", "operator or function: begins_with, operand type: N"),
        ("attribute_exists(:five)", "requires a document path; operator or function: attribute_exists"),
        ("attribute_type(a, :dog)", "type name found; type: DOG, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"),
        ("a < :map", "Incorrect operand type for operator or function; operator: <, operand type: M"),
        ("a = a", "must be distinct from the remaining operands for this operator or function; operator: =, first"),
        (
            "a BETWEEN :six AND :five",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
            "lower bound operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {N:5}",
        ),
        ("a BETWEEN :five AND :hello", "requires same data type for lower and upper bounds"),
        ("a[99999999999] = :five", "List index is not within the allowable range; index: [99999999999]"),
        ("a" + ".b" * 32 + " = :five", "The document path has too many nesting levels; nesting levels: 33"),
        ("a <> :five" + " AND a <> :five" * 150, "The expression contains too many operators; operator count: 301"),
        ("(" * 4096, "parentheses"),
        ("not " * 1000 + "a = :five", "too many operators"),
        ("a = " + "f(" * 600 + "b" + ")" * 600, "too many"),
        ("a" * 4097, "Expression size has exceeded the maximum allowed size; expression size: 4097"),
    ],
)
def test_what_is_wrong_with_a_condition(text: str, message: str) -> None:
    with pytest.raises(Invalid) as error:
        Binding({}, VALUES).condition(text)
    assert error.value.message.startswith("Invalid ConditionExpression: ")
    assert message in error.value.message


def test_parentheses_around_a_conjunct_are_not_redundant() -> None:
    assert holds(Binding({}, VALUES).condition("((a = :five) AND b = :hello)"), ITEM)


def test_names_and_values_in_vain_are_refused() -> None:
    binding = Binding({"#a": "a", "#b": "b"}, {":five": VALUES[":five"]})
    binding.condition("#a = :five")
    with pytest.raises(Invalid) as error:
        binding.check_all_used()
    assert error.value.message == "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}"


def test_what_is_not_evaluated_still_counts_as_used() -> None:
    binding = Binding({"#a": "a"}, {":five": VALUES[":five"], ":six": VALUES[":six"]})
    binding.condition("a = :five OR #a = :six")
    binding.check_all_used()
