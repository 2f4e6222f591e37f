"""Compiling: from a pattern's text to branches of fields, or to AWS's complaint about it."""

from __future__ import annotations

import math
from collections.abc import Callable

from . import operators as op
from . import wildcards
from .dialects import EVENTBRIDGE, Dialect
from .operators import Field, Test, Value
from .tokens import (
    ARRAY,
    ARRAY_END,
    FALSE,
    FIELD,
    FLOAT,
    INTEGER,
    NULL,
    NUMBERS,
    OBJECT,
    OBJECT_END,
    STRING,
    TRUE,
    PatternError,
    Tokens,
)

Branch = dict[str, Field]  # dotted path -> what its values must satisfy; all fields must hold

TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences "
    "after a wildcard character"
)
TOO_MANY_BRANCHES = "Rule is too complex - try using fewer combinations of $or"
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-complex-example-or
BRANCHES = 1_000
DEPTH = 200  # objects within objects

_ONE_KEY = "Only one key allowed in match expression"
_TOO_MANY = "Too many elements in numeric expression"

# Names that make an object within `$or` look like an operator, which AWS keeps for itself.
# https://github.com/aws/event-ruler#or-matching
RESERVED_WITHIN_OR = frozenset(
    {
        "exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
        "=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after",
        "date-on-or-after", "date-before", "date-on-or-before", "in-date-range", "ip-address-in-range",
        "ip-address-not-in-range",
    }
)  # fmt: skip


def branches(source: str, dialect: Dialect = EVENTBRIDGE) -> list[Branch]:
    """A pattern as alternatives, each a map of fields; PatternError with AWS's reason when it is not one."""
    return _Compiler(source, dialect).run()


class _Compiler:
    def __init__(self, source: str, dialect: Dialect) -> None:
        self.tokens = Tokens(source)
        self.dialect = dialect
        self.path: list[str] = []
        self.wildcards: list[wildcards.Parsed] = []  # of the field being read
        self.operators: dict[str, Callable[[], Test]] = {
            "exactly": self._exactly,
            "prefix": self._prefix,
            "suffix": self._suffix,
            "equals-ignore-case": self._equals_ignore_case,
            "numeric": self._numeric,
            "anything-but": self._anything_but,
            "exists": self._exists,
            "cidr": self._cidr,
            "wildcard": self._wildcard,
        }

    def run(self) -> list[Branch]:
        if self.tokens.next() != OBJECT:
            self.tokens.fail("Filter is not an object")
        return self._object([{}], within_or=False)

    # ------------------------------------------------------------------ structure

    def _object(self, out: list[Branch], within_or: bool) -> list[Branch]:
        tokens, empty = self.tokens, True
        if len(self.path) > DEPTH:
            tokens.fail(f"Document nesting depth ({len(self.path)}) exceeds the maximum allowed ({DEPTH})")
        while tokens.next() != OBJECT_END:
            empty = False
            name = tokens.name
            if name == "$or":
                out = self._or(out)
                continue
            if within_or and name in RESERVED_WITHIN_OR:
                tokens.fail(f"{name} is Ruler reserved fieldName which cannot be used inside $or.")
            kind = tokens.next()
            self.path.append(name)
            if kind == OBJECT:
                out = self._object(out, within_or)
            elif kind == ARRAY:
                field, path = self._values(), ".".join(self.path)
                out = [{**branch, path: field} for branch in out]
            else:
                tokens.fail(f'"{name}" must be an object or an array')
            self.path.pop()
        if empty:
            tokens.fail("Empty objects are not allowed")
        return out

    def _or(self, out: list[Branch]) -> list[Branch]:
        tokens, count = self.tokens, 0
        if tokens.next() != ARRAY:
            tokens.fail("It must be an Array followed with $or.")
        alternatives: list[Branch] = []
        while (kind := tokens.next()) != ARRAY_END:
            count += 1
            if kind != OBJECT:
                tokens.fail("Only JSON object is allowed in array of $or relationship.")
            alternatives += self._object(out, within_or=True)
            if len(alternatives) > BRANCHES:
                raise PatternError(TOO_MANY_BRANCHES)
        if count < 2:
            tokens.fail("There must have at least 2 Objects in $or relationship.")
        return alternatives

    def _values(self) -> Field:
        tokens = self.tokens
        tests: list[Test] = []
        self.wildcards = []
        while (kind := tokens.next()) != ARRAY_END:
            if kind == OBJECT:
                tests.append(self._expression())
            elif kind == STRING:
                tests.append(op.exactly(tokens.text()))
            elif kind in NUMBERS:
                tests.append(op.exactly(self._number()))
            elif kind in (TRUE, FALSE, NULL):
                tests.append(op.exactly(op.Literal(kind)))
            else:
                tokens.fail("Match value must be String, number, true, false, or null")
        if not tests:
            tokens.fail("Empty arrays are not allowed")
        bound = self.dialect.wildcard_complexity
        if self.wildcards and wildcards.complexity(self.wildcards, bound) >= bound:
            raise PatternError(TOO_COMPLEX)
        return op.together(tests)

    # ------------------------------------------------------------------ match expressions

    def _expression(self) -> Test:
        tokens = self.tokens
        if tokens.next() != FIELD:
            tokens.fail("Match expression name not found")
        name = tokens.name
        if name not in self.operators or name not in self.dialect.operators:
            tokens.fail(f"Unrecognized match type {name}")
        return self.operators[name]()

    def _closed(self, complaint: str = _ONE_KEY, times: int = 1) -> None:
        for _ in range(times):
            if self.tokens.next() != OBJECT_END:
                self.tokens.fail(complaint)

    def _string(self, complaint: str) -> str:
        if self.tokens.next() != STRING:
            self.tokens.fail(complaint)
        return self.tokens.text()

    def _exactly(self) -> Test:
        text = self._string("exact match pattern must be a string")
        self._closed()
        return op.exactly(text)

    def _prefix(self) -> Test:
        return self._start_or_end("prefix", op.prefix, op.prefix_letters)

    def _suffix(self) -> Test:
        return self._start_or_end("suffix", op.suffix, op.suffix_letters)

    def _start_or_end(self, name: str, plain: Callable[[str], Test], letters: Callable[[str], Test]) -> Test:
        tokens = self.tokens
        kind = tokens.next()
        if kind == OBJECT:
            if tokens.next() != FIELD:
                tokens.fail(f"{name.capitalize()} expression name not found")
            if tokens.name != "equals-ignore-case":
                tokens.fail(f"Unsupported {name} pattern: {tokens.name}")
            text = self._string("equals-ignore-case match pattern must be a string")
            self._closed(times=2)
            return letters(text)
        if kind != STRING:
            tokens.fail(f"{name} match pattern must be a string")
        text = tokens.text()
        self._closed()
        return plain(text)

    def _equals_ignore_case(self) -> Test:
        text = self._string("equals-ignore-case match pattern must be a string")
        self._closed()
        return op.same_letters(text)

    def _exists(self) -> Test:
        kind = self.tokens.next()
        if kind not in (TRUE, FALSE):
            self.tokens.fail("exists match pattern must be either true or false.")
        self._closed()
        return op.exists() if kind == TRUE else op.absent()

    def _cidr(self) -> Test:
        # AWS speaks of a prefix here, and gives no place for what is wrong within the block.
        block = self._string("prefix match pattern must be a string")
        try:
            test = op.within(block)
        except ValueError as error:
            raise PatternError(str(error)) from None
        self._closed()
        return test

    def _wildcard(self) -> Test:
        test = self._wild(self._string("wildcard match pattern must be a string"))
        self._closed()
        return test

    def _wild(self, text: str) -> Test:
        try:
            parsed = wildcards.parse(text)
        except ValueError as error:
            self.tokens.fail(str(error))
        self.wildcards.append(parsed)
        return op.wildcard(wildcards.expression(parsed), wildcards.literal_start(parsed))

    # ------------------------------------------------------------------ anything-but

    def _anything_but(self) -> Test:
        tokens = self.tokens
        kind, nested = tokens.next(), ""
        if kind == OBJECT:
            if tokens.next() != FIELD:
                tokens.fail("Anything-But expression name not found")
            nested = tokens.name
            if nested not in self.dialect.within_anything_but:
                tokens.fail(f"Unsupported anything-but pattern: {nested}")
            kind = tokens.next()
            if kind != STRING and not self.dialect.nested_lists:
                tokens.fail(f"{nested} match pattern must be a string")
        if kind not in (ARRAY, STRING, INTEGER, FLOAT):
            tokens.fail("Value of anything-but must be an array or single string/number value.")
        if nested:
            test = op.none_of(self._nested_list(nested) if kind == ARRAY else [self._nested_value(nested, kind)])
        else:
            test = op.anything_but(self._plain_list() if kind == ARRAY else [self._plain_value(kind)])
        self._closed(_TOO_MANY, times=2 if nested else 1)
        return test

    def _plain_value(self, kind: str) -> Value:
        if kind == STRING:
            return self.tokens.text()
        if kind not in NUMBERS:
            self.tokens.fail("Inside anything but list, start|null|boolean is not supported.")
        return self._number()

    def _plain_list(self) -> list[Value]:
        values: list[Value] = []
        try:
            while (kind := self.tokens.next()) != ARRAY_END:
                values.append(self._plain_value(kind))
        except PatternError as error:
            # AWS wraps what fails within a list once more: the place is told twice.
            self.tokens.fail(str(error))
        strings = sum(isinstance(value, str) for value in values)
        if strings not in (0, len(values)) or not values:
            self.tokens.fail(
                "Inside anything but list, either all values are number or string, mixed type is not supported"
            )
        return values

    def _nested_value(self, nested: str, kind: str) -> Test:
        if kind != STRING:
            self.tokens.fail(_NOT_STRINGS[nested])
        text = self.tokens.text()
        if nested in ("prefix", "suffix") and not text:
            self.tokens.fail("Null prefix/suffix not allowed")
        if nested == "wildcard":
            return self._wild(text)
        return _NESTED[nested](text)

    def _nested_list(self, nested: str) -> list[Test]:
        tests = []
        try:
            while (kind := self.tokens.next()) != ARRAY_END:
                tests.append(self._nested_value(nested, kind))
        except PatternError as error:
            self.tokens.fail(str(error))
        return tests

    # ------------------------------------------------------------------ numbers

    def _number(self) -> int | float:
        text = self.tokens.text()
        value: int | float = int(text) if self.tokens.kind == INTEGER else float(text)
        if isinstance(value, float) and math.isinf(value):
            self.tokens.fail(f"Cannot compare number : {text}")
        return value

    def _bound(self, complaint: str, kind: str) -> int | float:
        if kind not in NUMBERS:
            self.tokens.fail(complaint)
        return self._number()

    def _numeric(self) -> Test:
        tokens = self.tokens
        if tokens.next() != ARRAY:
            tokens.fail("Value of numeric must be an array.")
        test = self._comparison()
        self._closed(_TOO_MANY)
        return test

    def _comparison(self) -> Test:
        tokens = self.tokens
        if tokens.next() != STRING:
            tokens.fail(f"Invalid member in numeric match: {tokens.text()}")
        sign = tokens.text()
        kind = tokens.next()
        if sign not in ("=", ">=", ">", "<=", "<"):
            tokens.fail(f"Unrecognized numeric range operator: {sign}")
        value = self._bound(f"Value of {'equals' if sign == '=' else sign} must be numeric", kind)
        kind = tokens.next()
        if sign in (">", ">=") and kind != ARRAY_END:
            return self._range(kind, value, sign == ">")
        if kind != ARRAY_END:
            tokens.fail(_TOO_MANY)
        if sign == "=":
            return op.exactly(value)
        if sign in (">", ">="):
            return op.between(value, sign == ">", None, False)
        return op.between(None, False, value, sign == "<")

    def _range(self, kind: str, low: int | float, low_open: bool) -> Test:
        tokens = self.tokens
        if kind != STRING:
            tokens.fail(f"Bad value in numeric range: {tokens.text()}")
        sign = tokens.text()
        if sign not in ("<", "<="):
            tokens.fail(f"Bad numeric range operator: {sign}")
        high = self._bound(f"Value of {sign} must be numeric", tokens.next())
        if tokens.next() != ARRAY_END:
            tokens.fail("Too many terms in numeric range expression")
        if low >= high:
            tokens.fail("Bottom must be less than top")
        return op.between(low, low_open, high, sign == "<")


_NOT_STRINGS = {
    "prefix": "prefix/suffix match pattern must be a string",
    "suffix": "prefix/suffix match pattern must be a string",
    "wildcard": "wildcard match pattern must be a string",
    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
}
_NESTED: dict[str, Callable[[str], Test]] = {
    "prefix": op.prefix,
    "suffix": op.suffix,
    "equals-ignore-case": op.same_letters,
}
