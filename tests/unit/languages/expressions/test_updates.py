"""Updates: what they make of an item, and what is wrong with them in AWS's words."""

from typing import Any

import pytest

from stratolite.languages.expressions import update
from stratolite.languages.expressions.bind import Binding
from stratolite.languages.expressions.errors import Invalid
from stratolite.languages.expressions.project import project, tree

VALUES: Any = {
    ":1": {"N": "1"},
    ":7": {"N": "7"},
    ":s": {"S": "s"},
    ":l": {"L": [{"N": "9"}]},
    ":ss": {"SS": ["dog", "pig"]},
    ":m": {"M": {}},
}


def applied(text: str, item: Any, exists: bool = True) -> Any:
    return update.apply(Binding({}, VALUES).update(text), item, exists)


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("SET a = :1", {}, {"a": {"N": "1"}}),
        ("set a = b remove b", {"b": {"N": "2"}}, {"a": {"N": "2"}}),
        ("SET a = b, b = a", {"a": {"N": "1"}, "b": {"N": "2"}}, {"a": {"N": "2"}, "b": {"N": "1"}}),
        ("SET a = a + :7", {"a": {"N": "1.5"}}, {"a": {"N": "8.5"}}),
        ("SET a = :1 - a", {"a": {"N": "3"}}, {"a": {"N": "-2"}}),
        ("SET a = if_not_exists(a, :1) + :7", {}, {"a": {"N": "8"}}),
        ("SET a = list_append(:l, a)", {"a": {"L": []}}, {"a": {"L": [{"N": "9"}]}}),
        ("SET a.b = :1", {"a": {"M": {}}}, {"a": {"M": {"b": {"N": "1"}}}}),
        ("SET a[9] = :1, a[4] = :7", {"a": {"L": []}}, {"a": {"L": [{"N": "7"}, {"N": "1"}]}}),
        (
            "REMOVE a[1] SET a[2] = :1",
            {"a": {"L": [{"N": "2"}, {"N": "3"}, {"N": "4"}]}},
            {"a": {"L": [{"N": "2"}, {"N": "1"}]}},
        ),
        ("REMOVE a[0], a[1]", {"a": {"L": [{"N": "2"}, {"N": "3"}, {"N": "4"}]}}, {"a": {"L": [{"N": "4"}]}}),
        ("REMOVE a.x, b[7], c", {"a": {"M": {}}, "b": {"L": []}}, {"a": {"M": {}}, "b": {"L": []}}),
        ("ADD n :7, z :7", {"n": {"N": "1"}}, {"n": {"N": "8"}, "z": {"N": "7"}}),
        ("ADD s :ss", {"s": {"SS": ["cat", "dog"]}}, {"s": {"SS": ["cat", "dog", "pig"]}}),
        ("DELETE s :ss", {"s": {"SS": ["cat", "dog"]}}, {"s": {"SS": ["cat"]}}),
        ("DELETE s :ss, t :ss", {"s": {"SS": ["dog"]}}, {}),
    ],
)
def test_what_an_update_makes(text: str, before: Any, after: Any) -> None:
    original = {name: dict(value) for name, value in before.items()}
    assert applied(text, before) == after
    assert before == original


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SET a = b", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET a = s + :1", "An operand in the update expression has an incorrect data type"),
        ("SET a = list_append(s, :l)", "An operand in the update expression has an incorrect data type"),
        ("ADD s :1", "An operand in the update expression has an incorrect data type"),
        ("SET a.b = :1", "The document path provided in the update expression is invalid for update"),
        ("SET s[0] = :1", "The document path provided in the update expression is invalid for update"),
        ("REMOVE s.x", "The document path provided in the update expression is invalid for update"),
    ],
)
def test_what_an_item_does_not_allow(text: str, message: str) -> None:
    with pytest.raises(Invalid) as error:
        applied(text, {"s": {"S": "text"}})
    assert error.value.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SET a = :1 SET b = :1", 'The "SET" section can only be used once in an update expression;'),
        ("SET a", 'Syntax error; token: "<EOF>", near: "a"'),
        ("SET a[:1] = :1", 'Syntax error; token: ":1", near: "[:1]"'),
        ("JUMP a", 'Syntax error; token: "JUMP", near: "JUMP a"'),
        ("SET a.b = :1, a = :1", "Two document paths overlap with each other; must remove or rewrite one of these "
         "paths; path one: [a, b], path two: [a]"),
        ("SET a.b = :1, a[1] = :1", "Two document paths conflict with each other; must remove or rewrite one of these "
         "paths; path one: [a, b], path two: [a, [1]]"),
        ("SET a = f(b)", "Invalid function name; function: f"),
        ("SET a = size(b)", "The function is not allowed to be used this way in an expression; function: size"),
        ("SET a = :s + :1", "operator or function: +, operand type: S"),
        ("SET a = list_append(:s, a)", "operator or function: list_append, operand type: S"),
        ("SET a = if_not_exists(:s, a)", "requires a document path; operator or function: if_not_exists"),
        ("ADD a :s", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"),
        ("DELETE a :m", "Incorrect operand type for operator or function; operator: DELETE, operand type: MAP"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_update(text: str, message: str) -> None:
    with pytest.raises(Invalid) as error:
        Binding({}, VALUES).update(text)
    assert error.value.message.startswith("Invalid UpdateExpression: ")
    assert message in error.value.message


def test_of_an_item_that_was_not_there_anything_may_be_removed() -> None:
    assert applied("REMOVE x.y, z[0]", {}, exists=False) == {}


ITEM: Any = {"a": {"L": [{"N": "0"}, {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, {"N": "3"}]}, "b": {"S": "b"}}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("b", {"b": {"S": "b"}}),
        ("a[2], a[0]", {"a": {"L": [{"N": "0"}, {"N": "3"}]}}),
        ("a[1].y", {"a": {"L": [{"M": {"y": {"N": "2"}}}]}}),
        ("a[9], b.c, nope", {}),
    ],
)
def test_a_projection_takes_what_it_names(text: str, part: Any) -> None:
    assert project(ITEM, tree(Binding().projection(text))) == part


def test_projected_paths_must_not_overlap() -> None:
    with pytest.raises(Invalid, match="Invalid ProjectionExpression: Two document paths overlap"):
        Binding().projection("a.b, a.b[2]")
