"""PartiQL for DynamoDB: statements parsed into conditions and actions of expressions, parameters filled in.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from . import numbers, syntax, values
from .errors import Invalid
from .syntax import Action, Condition, Literal, Operand, Path
from .values import Item, Value

LONGEST = 8192
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Select:
    table: str
    index: str | None
    paths: tuple[Path, ...]
    """Empty: all attributes."""
    where: Condition | None
    order: tuple[tuple[str, bool], ...] = ()
    """Attributes, each with whether it ascends."""
    exists: bool = False
    """`EXISTS(SELECT ...)`: a check, not a read."""


@dataclass(frozen=True, slots=True)
class Insert:
    table: str
    item: Item


@dataclass(frozen=True, slots=True)
class Update:
    table: str
    actions: syntax.Update
    where: Condition
    returning: str | None
    """`ALL OLD`, `MODIFIED NEW`, ..."""


@dataclass(frozen=True, slots=True)
class Delete:
    table: str
    where: Condition
    returning: str | None


Statement = Select | Insert | Update | Delete

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<number>-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<operator><<|>>|<>|!=|<=|>=|[-+=<>()\[\]{},.:*?])
  | (?P<unknown>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMPARATORS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CONDITIONS = {"begins_with": 2, "contains": 2, "attribute_type": 2}
_SETS = {"S": "SS", "N": "NS", "B": "BS"}


class _Parser:
    def __init__(self, text: str, parameters: Sequence[Value]) -> None:
        if len(text) > LONGEST:
            raise Invalid(
                f"1 validation error detected: Value '{text}' at 'statement' failed to satisfy constraint: "
                f"Member must have length less than or equal to {LONGEST}"
            )
        self.tokens = [
            (str(match.lastgroup), match.group()) for match in _TOKEN.finditer(text) if match.lastgroup != "space"
        ]
        self.tokens.append(("end", ""))
        self.at = 0
        self.parameters = list(parameters)
        self.taken = 0

    # -- tokens
    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    @property
    def text(self) -> str:
        return self.tokens[self.at][1]

    def fail(self) -> NoReturn:
        where = "end of statement" if self.kind == "end" else self.text
        raise Invalid(f"Statement wasn't well formed, can't be processed: Unexpected token: {where}")

    def accept(self, text: str) -> bool:
        if self.kind == "operator" and self.text == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail()

    def word(self, *words: str) -> bool:
        """Whether these keywords come next; they are taken then."""
        for ahead, word in enumerate(words):
            kind, text = self.tokens[min(self.at + ahead, len(self.tokens) - 1)]
            if kind != "name" or text.upper() != word:
                return False
        self.at += len(words)
        return True

    def expect_word(self, *words: str) -> None:
        if not self.word(*words):
            self.fail()

    def listed(self, parse: Callable[[], T], end: str) -> list[T]:
        found: list[T] = []
        if self.accept(end):
            return found
        while True:
            found.append(parse())
            if self.accept(end):
                return found
            self.expect(",")

    # -- names and values
    def name(self) -> str:
        kind, text = self.tokens[self.at]
        if kind == "quoted":
            text = text[1:-1].replace('""', '"')
        elif kind != "name":
            self.fail()
        self.at += 1
        return text

    def path(self) -> Path:
        steps: list[str | int] = [self.name()]
        while True:
            if self.accept("."):
                steps.append(self.name())
            elif self.kind == "operator" and self.text == "[" and self.tokens[self.at + 1][0] == "number":
                self.at += 1
                steps.append(int(self.text))
                self.at += 1
                self.expect("]")
            else:
                return Path(tuple(steps))

    def is_value(self) -> bool:
        return self.kind in ("string", "number") or (
            (self.kind == "operator" and self.text in ("?", "[", "{", "<<"))
            or (self.kind == "name" and self.text.upper() in ("TRUE", "FALSE", "NULL"))
        )

    def value(self) -> Value:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "string":
            return {"S": text[1:-1].replace("''", "'")}
        if kind == "number":
            return {"N": numbers.canonical(text)}
        if kind == "name" and text.upper() in ("TRUE", "FALSE"):
            return {"BOOL": text.upper() == "TRUE"}
        if kind == "name" and text.upper() == "NULL":
            return {"NULL": True}
        if kind == "operator" and text == "?":
            if self.taken >= len(self.parameters):
                raise Invalid("Number of parameters in request and statement don't match.")
            self.taken += 1
            return self.parameters[self.taken - 1]
        if kind == "operator" and text == "[":
            return {"L": self.listed(self.value, "]")}
        if kind == "operator" and text == "{":
            return {"M": dict(self.listed(self.member, "}"))}
        if kind == "operator" and text == "<<":
            return self.set_of(self.listed(self.value, ">>"))
        self.at -= 1
        self.fail()

    def member(self) -> tuple[str, Value]:
        kind, text = self.tokens[self.at]
        if kind == "string":
            name = text[1:-1].replace("''", "'")
            self.at += 1
        else:
            name = self.name()
        self.expect(":")
        return name, self.value()

    def set_of(self, members: list[Value]) -> Value:
        kinds = {values.type_of(member) for member in members}
        if len(kinds) != 1 or (kind := kinds.pop()) not in _SETS:
            raise Invalid("Statement wasn't well formed, can't be processed: A set has members of one scalar type")
        made = {_SETS[kind]: [member[kind] for member in members]}
        values.admit(made)
        return made

    # -- conditions
    def condition(self) -> Condition:
        left = self.conjunction()
        while self.word("OR"):
            left = syntax.Or(left, self.conjunction())
        return left

    def conjunction(self) -> Condition:
        left = self.negation()
        while self.word("AND"):
            left = syntax.And(left, self.negation())
        return left

    def negation(self) -> Condition:
        if self.word("NOT"):
            return syntax.Not(self.negation())
        return self.primary()

    def operand(self) -> Operand:
        if self.is_value():
            return Literal(self.value())
        if self.kind == "name" and self.tokens[self.at + 1] == ("operator", "("):
            function = self.name().lower()
            self.expect("(")
            return syntax.Call(function, tuple(self.listed(self.operand, ")")))
        return self.path()

    def primary(self) -> Condition:
        if self.accept("("):
            condition = self.condition()
            self.expect(")")
            return condition
        left = self.operand()
        if self.kind == "operator" and self.text in _COMPARATORS:
            comparator = _COMPARATORS[self.text]
            self.at += 1
            return syntax.Compare(comparator, left, self.operand())
        if self.word("BETWEEN"):
            lower = self.operand()
            self.expect_word("AND")
            return syntax.Between(left, lower, self.operand())
        if self.word("IN"):
            end = ")" if self.accept("(") else "]"
            if end == "]":
                self.expect("[")
            return syntax.In(left, tuple(self.listed(self.operand, end)))
        if self.word("IS"):
            return self.being(left)
        if isinstance(left, syntax.Call) and _CONDITIONS.get(left.function) == len(left.operands):
            return left
        self.fail()

    def being(self, operand: Operand) -> Condition:
        negated = self.word("NOT")
        if self.word("MISSING"):
            return syntax.Call("attribute_exists" if negated else "attribute_not_exists", (operand,))
        self.expect_word("NULL")
        is_null = syntax.Call("attribute_type", (operand, Literal({"S": "NULL"})))
        return syntax.Not(is_null) if negated else is_null

    # -- statements
    def statement(self) -> Statement:
        made: Statement
        if self.word("SELECT"):
            made = self.select()
        elif self.word("EXISTS"):
            self.expect("(")
            self.expect_word("SELECT")
            found = self.select()
            self.expect(")")
            made = Select(found.table, found.index, found.paths, found.where, found.order, exists=True)
        elif self.word("INSERT", "INTO"):
            made = self.insert()
        elif self.word("UPDATE"):
            made = self.update()
        elif self.word("DELETE", "FROM"):
            table = self.name()
            made = Delete(table, self.where(), self.returning())
        else:
            self.fail()
        if self.kind != "end":
            self.fail()
        if self.taken != len(self.parameters):
            raise Invalid("Number of parameters in request and statement don't match.")
        return made

    def where(self) -> Condition:
        self.expect_word("WHERE")
        return self.condition()

    def select(self) -> Select:
        paths: list[Path] = []
        if not self.accept("*"):
            paths.append(self.path())
            while self.accept(","):
                paths.append(self.path())
        self.expect_word("FROM")
        table = self.name()
        index = self.name() if self.accept(".") else None
        where = self.condition() if self.word("WHERE") else None
        order: list[tuple[str, bool]] = []
        if self.word("ORDER", "BY"):
            while True:
                name = self.name()
                descending = self.word("DESC")
                if not descending:
                    self.word("ASC")
                order.append((name, not descending))
                if not self.accept(","):
                    break
        return Select(table, index, tuple(paths), where, tuple(order))

    def insert(self) -> Insert:
        table = self.name()
        self.expect_word("VALUE")
        value = self.value()
        if "M" not in value:
            self.fail()
        return Insert(table, value["M"])

    def update(self) -> Update:
        table = self.name()
        actions: list[Action] = []
        while True:
            if self.word("SET"):
                actions.append(self.assignment())
                while self.accept(","):
                    actions.append(self.assignment())
            elif self.word("REMOVE"):
                actions.append(syntax.Remove(self.path()))
                while self.accept(","):
                    actions.append(syntax.Remove(self.path()))
            else:
                break
        if not actions:
            self.fail()
        return Update(table, tuple(actions), self.where(), self.returning())

    def assignment(self) -> Action:
        path = self.path()
        self.expect("=")
        value = self.operand()
        if isinstance(value, syntax.Call) and value.function in ("set_add", "set_delete") and len(value.operands) == 2:
            change = value.operands[1]
            return syntax.Add(path, change) if value.function == "set_add" else syntax.Delete(path, change)
        for operator in ("+", "-"):
            if self.accept(operator):
                return syntax.Set(path, syntax.Arithmetic(operator, value, self.operand()))
        return syntax.Set(path, value)

    def returning(self) -> str | None:
        if not self.word("RETURNING"):
            return None
        for extent in ("ALL", "MODIFIED"):
            for age in ("OLD", "NEW"):
                if self.word(extent, age):
                    self.expect("*")
                    return f"{extent} {age}"
        self.fail()


def parse(text: str, parameters: Sequence[Value] = ()) -> Statement:
    """A statement with its parameters, which are admitted already. Raises Invalid for what is none."""
    return _Parser(text, parameters).statement()


def conjuncts(condition: Condition | None) -> list[Condition]:
    """The conditions that all have to hold."""
    if condition is None:
        return []
    if isinstance(condition, syntax.And):
        return conjuncts(condition.left) + conjuncts(condition.right)
    return [condition]


def equalities(condition: Condition | None) -> dict[str, Any]:
    """Attributes a condition pins to one value."""
    found: dict[str, Value] = {}
    for each in conjuncts(condition):
        if not isinstance(each, syntax.Compare) or each.operator != "=":
            continue
        left, right = each.left, each.right
        if isinstance(left, Literal):
            left, right = right, left
        if isinstance(left, Path) and len(left.steps) == 1 and isinstance(right, Literal):
            found[str(left.steps[0])] = right.value
    return found
