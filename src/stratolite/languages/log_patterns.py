"""Log patterns: the filter language of CloudWatch Logs.

A pattern is one of three: terms (`ERROR -debug "exact words" ?either ?or %regex%`), fields of a space-delimited line
(`[ip, user, ..., status = 4*, bytes > 100]`), or properties of a JSON line (`{ $.level = "ERROR" && $.ms > 100 }`).
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Test = Callable[[Any], bool]
Selector = Callable[[Any], list[Any]]  # the values at a place; none: the place is not there

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"]+))')
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<regex>%[^%]+%)
      | (?P<selector>\$(?:\.?\[(?:\d+|\*|'[^']*'|"[^"]*")\]|\.[\w*-]+|\.)*)
      | (?P<op>&&|\|\||<=|>=|!=|=|<|>|\(|\)|,)
      | (?P<dots>\.\.\.)
      | (?P<word>[^\s"=<>!&|(),]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(
    r"\.?\[(?:(?P<index>\d+)|(?P<every>\*)|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\")\]|\.(?P<name>[\w*-]+)"
)
_FIELD = re.compile(r'\[(?P<bracketed>[^\]]*)\]|"(?P<quoted>[^"]*)"|(?P<plain>\S+)')
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


class PatternError(ValueError):
    """The text is no pattern; says where it stops being one."""


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern."""

    text: str
    _matches: Callable[[str], bool]
    _extract: Callable[[str], dict[str, str]]

    def matches(self, message: str) -> bool:
        return self._matches(message)

    def extract(self, message: str) -> dict[str, str]:
        """What a matching message holds at the pattern's names: `{"$status": "404"}`, `{"$.level": "ERROR"}`."""
        return self._extract(message)


@lru_cache(maxsize=1024)
def compile(text: str) -> Pattern:
    """The pattern of a text; raises PatternError. The empty pattern matches everything."""
    bare = text.strip()
    if not bare:
        return Pattern(text, lambda message: True, lambda message: {})
    if bare.startswith("{"):
        return _json_pattern(text, bare)
    if bare.startswith("["):
        return _fields_pattern(text, bare)
    return _terms_pattern(text, bare)


# terms -----------------------------------------------------------------------


def _terms_pattern(text: str, bare: str) -> Pattern:
    by_sign: dict[str, list[Callable[[str], bool]]] = {"": [], "-": [], "?": []}
    at = 0
    while at < len(bare):
        found = _TERM.match(bare, at)
        if found is None or (found["word"] or "").startswith(("{", "[")):
            raise PatternError(f"Invalid character(s) in term '{bare[at:].strip()}'")
        by_sign[found["sign"]].append(_term(found))
        at = found.end()
        while at < len(bare) and bare[at].isspace():
            at += 1
    wanted, unwanted, either = by_sign[""], by_sign["-"], by_sign["?"]
    if wanted or unwanted:
        either = []  # AWS ignores the optional terms beside others

    def matches(message: str) -> bool:
        return (
            all(term(message) for term in wanted)
            and not any(term(message) for term in unwanted)
            and (not either or any(term(message) for term in either))
        )

    return Pattern(text, matches, lambda message: {})


def _term(found: re.Match[str]) -> Callable[[str], bool]:
    if found["regex"] is not None:
        regex = _regex(found["regex"])
        return lambda message: regex.search(message) is not None
    words = found["word"] if found["quoted"] is None else _unescaped(found["quoted"])
    return lambda message: words in message


# fields ----------------------------------------------------------------------


def _fields_pattern(text: str, bare: str) -> Pattern:
    if not bare.endswith("]"):
        raise PatternError("Invalid filter pattern: a list of fields ends with ]")
    columns = _columns(bare[1:-1])
    gap = next((i for i, column in enumerate(columns) if column is None), None)
    before = [c for c in columns[:gap] if c is not None] if gap is not None else [c for c in columns if c is not None]
    after = [c for c in columns[gap + 1 :] if c is not None] if gap is not None else []

    def pair(message: str) -> list[tuple[_Column, str]] | None:
        fields = [found["bracketed"] or found["quoted"] or found["plain"] or "" for found in _FIELD.finditer(message)]
        if gap is None and columns and len(fields) != len(before):
            return None
        if len(fields) < len(before) + len(after):
            return None
        tail = fields[len(fields) - len(after) :] if after else []
        return [*zip(before, fields, strict=False), *zip(after, tail, strict=True)]

    def matches(message: str) -> bool:
        pairs = pair(message)
        return pairs is not None and all(column.test(field) for column, field in pairs)

    def extract(message: str) -> dict[str, str]:
        return {f"${column.name}": field for column, field in pair(message) or [] if column.name}

    return Pattern(text, matches, extract)


@dataclass(frozen=True)
class _Column:
    name: str
    test: Test


def _columns(text: str) -> list[_Column | None]:
    """The columns of a list of fields; None stands for `...`."""
    if not text.strip():
        return []
    tokens = _Tokens(text)
    columns: list[_Column | None] = []
    while True:
        columns.append(_column(tokens, len(columns) + 1))
        if tokens.done:
            break
        tokens.expect(",")
    if columns.count(None) > 1:
        raise PatternError("Invalid filter pattern: more than one ellipsis")
    return columns


def _column(tokens: _Tokens, position: int) -> _Column | None:
    if tokens.accept_kind("dots"):
        return None
    name = f"{position}"
    tests: list[list[Test]] = [[]]
    while not tokens.done and not tokens.at(","):
        tokens.skip("(")
        name = tokens.take("word", "selector")
        if not tokens.done and not tokens.at(",", "&&", "||", ")"):
            tests[-1].append(_comparison(tokens.take("op"), tokens))
        while tokens.accept(")"):
            pass
        if tokens.accept("||"):
            tests.append([])
        elif not tokens.accept("&&"):
            break
    return _Column(name, lambda field: any(all(test(field) for test in group) for group in tests))


# json ------------------------------------------------------------------------


def _json_pattern(text: str, bare: str) -> Pattern:
    if not bare.endswith("}"):
        raise PatternError("Invalid filter pattern: a JSON pattern ends with }")
    tokens = _Tokens(bare[1:-1])
    selectors: dict[str, Selector] = {}
    test = _either(tokens, selectors)
    if not tokens.done:
        raise PatternError(f"Invalid filter pattern near '{tokens.rest}'")

    def matches(message: str) -> bool:
        document = _document(message)
        return document is not None and test(document)

    def extract(message: str) -> dict[str, str]:
        document = _document(message)
        places = {name: select(document) for name, select in selectors.items()}
        return {name: _text(found[0]) for name, found in places.items() if found}

    return Pattern(text, matches, extract)


def _either(tokens: _Tokens, selectors: dict[str, Selector]) -> Test:
    tests = [_both(tokens, selectors)]
    while tokens.accept("||"):
        tests.append(_both(tokens, selectors))
    return tests[0] if len(tests) == 1 else lambda document: any(test(document) for test in tests)


def _both(tokens: _Tokens, selectors: dict[str, Selector]) -> Test:
    tests = [_one(tokens, selectors)]
    while tokens.accept("&&"):
        tests.append(_one(tokens, selectors))
    return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)


def _one(tokens: _Tokens, selectors: dict[str, Selector]) -> Test:
    if tokens.accept("("):
        inner = _either(tokens, selectors)
        tokens.expect(")")
        return inner
    place = tokens.take("selector")
    select = selectors.setdefault(place, _selector(place))
    if tokens.accept_word("NOT"):
        tokens.expect_word("EXISTS")
        return lambda document: not select(document)
    if tokens.accept_word("EXISTS"):
        return lambda document: bool(select(document))
    if tokens.accept_word("IS"):
        word = tokens.take("word").upper()
        if word not in _CONSTANTS:
            raise PatternError(f"Invalid filter pattern near 'IS {word}'")
        constant = _CONSTANTS[word]
        return lambda document: any(value is constant for value in select(document))
    compare = _comparison(tokens.take("op"), tokens)
    return lambda document: any(compare(value) for value in select(document))


_CONSTANTS: dict[str, Any] = {"NULL": None, "TRUE": True, "FALSE": False}


def _selector(text: str) -> Selector:
    steps: list[Any] = []
    for step in _STEP.finditer(text):
        if step["index"] is not None:
            steps.append(int(step["index"]))
        elif step["every"] is not None or step["name"] == "*":
            steps.append(None)
        else:
            steps.append(next(part for part in (step["single"], step["double"], step["name"]) if part is not None))

    def select(document: Any) -> list[Any]:
        places = [document]
        for step in steps:
            places = [value for place in places for value in _within(place, step)]
        return places

    return select


def _within(place: Any, step: Any) -> list[Any]:
    if step is None:
        return list(place) if isinstance(place, list) else list(place.values()) if isinstance(place, dict) else []
    if isinstance(step, int):
        return [place[step]] if isinstance(place, list) and step < len(place) else []
    return [place[step]] if isinstance(place, dict) and step in place else []


def _document(message: str) -> Any:
    if not message.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(message)
    except ValueError:
        return None


# comparisons -----------------------------------------------------------------


def _comparison(operator: str, tokens: _Tokens) -> Test:
    kind, text = tokens.take_any("string", "regex", "word")
    if operator in _ORDERS:
        bound = _number(text)
        if bound is None:
            raise PatternError(f"Invalid filter pattern: {operator} compares numbers, not '{text}'")
        order = _ORDERS[operator]
        return lambda value: (number := _number(value)) is not None and order(number, bound)
    if operator not in ("=", "!="):
        raise PatternError(f"Invalid filter pattern near '{operator}'")
    equal = _equality(kind, text)
    return equal if operator == "=" else lambda value: not equal(value)


def _equality(kind: str, text: str) -> Test:
    if kind == "regex":
        regex = _regex(text)
        return lambda value: regex.search(_text(value)) is not None
    number = _number(text) if kind == "word" else None
    if number is not None:
        return lambda value: _number(value) == number
    if "*" in text:
        # An asterisk stands for any characters, the empty text among them.
        wild = re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)
        return lambda value: value is not None and wild.fullmatch(_text(value)) is not None
    return lambda value: value is not None and _text(value) == text


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str) or not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value):
        return None
    return float(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise PatternError(f"Invalid regular expression: {error}") from None


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


class _Tokens:
    """A text's tokens, read from the front."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        text = text.strip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise PatternError(f"Invalid character(s) in filter pattern near '{text[at:]}'")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
            while at < len(text) and text[at].isspace():
                at += 1
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._tokens)

    @property
    def rest(self) -> str:
        return " ".join(text for _, text in self._tokens[self._at :])

    def at(self, *texts: str) -> bool:
        return not self.done and self._tokens[self._at] in [("op", text) for text in texts]

    def accept(self, text: str) -> bool:
        found = self.at(text)
        self._at += found
        return found

    def skip(self, text: str) -> None:
        while self.accept(text):
            pass

    def accept_kind(self, kind: str) -> bool:
        found = not self.done and self._tokens[self._at][0] == kind
        self._at += found
        return found

    def accept_word(self, word: str) -> bool:
        found = not self.done and self._tokens[self._at][0] == "word" and self._tokens[self._at][1].upper() == word
        self._at += found
        return found

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise PatternError(f"Invalid filter pattern: expected '{text}' near '{self.rest}'")

    def expect_word(self, word: str) -> None:
        if not self.accept_word(word):
            raise PatternError(f"Invalid filter pattern: expected '{word}' near '{self.rest}'")

    def take(self, *kinds: str) -> str:
        return self.take_any(*kinds)[1]

    def take_any(self, *kinds: str) -> tuple[str, str]:
        if self.done or self._tokens[self._at][0] not in kinds:
            raise PatternError(f"Invalid filter pattern near '{self.rest}'")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "string":
            text = _unescaped(text[1:-1])
        elif kind == "regex":
            text = text[1:-1]
        return kind, text
