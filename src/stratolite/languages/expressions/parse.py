"""Expressions parsed: conditions, updates and projections, with the errors that need neither names nor values.

One grammar serves ConditionExpression, FilterExpression and KeyConditionExpression, as at AWS. Parsed expressions are
kept: an application has a handful of them and sends them millions of times.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from .errors import Invalid
from .lexer import Token, tokens
from .reserved import WORDS
from .syntax import (
    Action,
    Add,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Condition,
    Delete,
    In,
    Not,
    Operand,
    Or,
    Path,
    Placeholder,
    Projection,
    Remove,
    Set,
    Update,
)

MOST_OPERATORS = 300
LARGEST_INDEX = 2**31 - 1
# What 300 operators can nest, "a<b OR (...)"; it keeps "((((" of 4 KB from using up the stack.
DEEPEST_NESTING = 150

COMPARATORS = frozenset(("=", "<>", "<", "<=", ">", ">="))
CONDITIONS = frozenset(("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"))
UPDATE_VALUES = frozenset(("if_not_exists", "list_append"))
FUNCTIONS = CONDITIONS | UPDATE_VALUES | {"size"}

T = TypeVar("T")


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        if not text.strip():
            raise Invalid("The expression can not be empty;")
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0
        self.operators = 0
        self.redundant_parentheses = False
        self.calls: list[tuple[str, bool]] = []  # function, used as a condition of its own
        self.reserved: str | None = None

    # -- tokens
    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def error(self) -> Invalid:
        first = self.tokens[max(self.at - 1, 0)]
        last = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        near = self.text[first.start : last.end].strip()
        return Invalid(f'Syntax error; token: "{self.token.text}", near: "{near}"')

    def accept(self, text: str) -> bool:
        if self.token.text == text and self.token.kind == "operator":
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.error()

    def keyword(self, word: str) -> bool:
        token = self.token
        return token.kind == "name" and token.text.upper() == word

    def accept_keyword(self, word: str) -> bool:
        if self.keyword(word):
            self.at += 1
            return True
        return False

    def expect_end(self) -> None:
        if self.token.kind != "end":
            raise self.error()

    def enter(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise Invalid("The expression has redundant parentheses;" if self.token.text == "(" else self._too_many())

    def _too_many(self) -> str:
        return f"The expression contains too many operators; operator count: {MOST_OPERATORS + 1}"

    def leave(self) -> None:
        self.depth -= 1

    def operator(self) -> None:
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            raise Invalid(self._too_many())

    def list_of(self, parse: Callable[[], T]) -> tuple[T, ...]:
        found = [parse()]
        while self.accept(","):
            found.append(parse())
        return tuple(found)

    # -- paths and operands
    def path(self) -> Path:
        steps: list[str | int] = [self.step()]
        while True:
            if self.accept("."):
                steps.append(self.step())
            elif self.accept("["):
                token = self.token
                if token.kind != "number":
                    raise self.error()
                self.at += 1
                if len(token.text) > 10 or int(token.text) > LARGEST_INDEX:
                    raise Invalid(f"List index is not within the allowable range; index: [{token.text}]")
                steps.append(int(token.text))
                self.expect("]")
            else:
                break
        if len(steps) > 32:
            raise Invalid(f"The document path has too many nesting levels; nesting levels: {len(steps)}")
        return Path(tuple(steps))

    def step(self) -> str:
        token = self.token
        if token.kind == "name":
            if self.reserved is None and token.text.lower() in WORDS:
                self.reserved = token.text
        elif token.kind != "placeholder":
            raise self.error()
        self.at += 1
        return token.text

    def operand(self) -> Operand:
        token = self.token
        if token.kind == "value":
            self.at += 1
            return Placeholder(token.text)
        if token.kind == "name" and self.tokens[self.at + 1].text == "(":
            return self.call()
        return self.path()

    def call(self) -> Call:
        name = self.token.text
        self.at += 1
        self.expect("(")
        self.enter()
        self.calls.append((name, False))
        operands = self.list_of(self.operand)
        self.expect(")")
        self.leave()
        return Call(name, operands)

    # -- conditions
    def condition(self) -> Condition:
        left = self.conjunction()
        while self.accept_keyword("OR"):
            self.operator()
            left = Or(left, self.conjunction())
        return left

    def conjunction(self) -> Condition:
        left = self.negation()
        while self.accept_keyword("AND"):
            self.operator()
            left = And(left, self.negation())
        return left

    def negation(self) -> Condition:
        count = 0
        while self.accept_keyword("NOT"):
            self.operator()
            count += 1
        condition = self.primary()
        for _ in range(count):
            condition = Not(condition)
        return condition

    def primary(self) -> Condition:
        if self.token.text == "(":
            start = self.at
            inner = self.tokens[self.at + 1].text == "("
            self.enter()
            self.at += 1
            condition = self.condition()
            self.expect(")")
            self.leave()
            if inner and self._closes(start + 1) == self.at - 2:
                self.redundant_parentheses = True
            return condition
        place = len(self.calls)
        left = self.operand()
        if self.token.text in COMPARATORS:
            comparator = self.token.text
            self.at += 1
            self.operator()
            return Compare(comparator, left, self.operand())
        if self.accept_keyword("BETWEEN"):
            self.operator()
            lower = self.operand()
            if not self.accept_keyword("AND"):
                raise self.error()
            return Between(left, lower, self.operand())
        if self.accept_keyword("IN"):
            self.operator()
            self.expect("(")
            candidates = self.list_of(self.operand)
            self.expect(")")
            return In(left, candidates)
        if isinstance(left, Call):
            self.calls[place] = (left.function, True)
            return left
        raise self.error()

    def _closes(self, opening: int) -> int:
        """The place of the parenthesis that closes the one at `opening`."""
        depth = 0
        for place in range(opening, len(self.tokens)):
            text = self.tokens[place].text
            depth += (text == "(") - (text == ")")
            if depth == 0:
                return place
        raise self.error()

    # -- updates
    def update(self) -> Update:
        sections: dict[str, Callable[[], Action]] = {
            "SET": self.assignment,
            "REMOVE": lambda: Remove(self.path()),
            "ADD": lambda: Add(self.path(), self.value_placeholder()),
            "DELETE": lambda: Delete(self.path(), self.value_placeholder()),
        }
        actions: list[Action] = []
        seen: set[str] = set()
        repeated: str | None = None
        while True:
            section = self.token.text.upper() if self.token.kind == "name" else ""
            if section not in sections:
                raise self.error()
            self.at += 1
            if section in seen and repeated is None:
                repeated = section
            seen.add(section)
            actions.extend(self.list_of(sections[section]))
            if self.token.kind == "end":
                break
        if repeated:
            raise Invalid(f'The "{repeated}" section can only be used once in an update expression;')
        return tuple(actions)

    def value_placeholder(self) -> Placeholder:
        token = self.token
        if token.kind != "value":
            raise self.error()
        self.at += 1
        return Placeholder(token.text)

    def assignment(self) -> Set:
        path = self.path()
        self.expect("=")
        left = self.assigned()
        if self.token.text in ("+", "-") and self.token.kind == "operator":
            operator = self.token.text
            self.at += 1
            self.operator()
            return Set(path, Arithmetic(operator, left, self.assigned()))
        return Set(path, left)

    def assigned(self) -> Operand:
        if self.accept("("):
            self.enter()
            operand = self.assigned()
            if self.token.text in ("+", "-") and self.token.kind == "operator":
                operator = self.token.text
                self.at += 1
                self.operator()
                operand = Arithmetic(operator, operand, self.assigned())
            self.expect(")")
            self.leave()
            return operand
        return self.operand()

    # -- what only the whole shows
    def judge(self, as_condition: frozenset[str], as_value: frozenset[str]) -> None:
        if self.redundant_parentheses:
            raise Invalid("The expression has redundant parentheses;")
        for function, _ in self.calls:
            if function not in FUNCTIONS:
                raise Invalid(f"Invalid function name; function: {function}")
        if self.reserved is not None:
            raise Invalid(f"Attribute name is a reserved keyword; reserved keyword: {self.reserved}")
        for function, alone in self.calls:
            if function not in (as_condition if alone else as_value):
                raise Invalid(f"The function is not allowed to be used this way in an expression; function: {function}")


@lru_cache(maxsize=2048)
def condition(text: str) -> Condition:
    """A ConditionExpression, FilterExpression or KeyConditionExpression."""
    parser = _Parser(text)
    parsed = parser.condition()
    parser.expect_end()
    parser.judge(CONDITIONS, frozenset(("size",)))
    return parsed


@lru_cache(maxsize=2048)
def update(text: str) -> Update:
    """An UpdateExpression: its actions in the order written."""
    parser = _Parser(text)
    parsed = parser.update()
    parser.expect_end()
    parser.judge(frozenset(), UPDATE_VALUES)
    return parsed


@lru_cache(maxsize=2048)
def projection(text: str) -> Projection:
    """A ProjectionExpression: its paths in the order written."""
    parser = _Parser(text)
    parsed = parser.list_of(parser.path)
    parser.expect_end()
    parser.judge(frozenset(), frozenset())
    return parsed
