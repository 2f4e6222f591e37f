"""Tokens of a JSON text, each knowing where AWS's parser stands when it complains.

AWS reads patterns with a streaming parser and reports its *current* position. That position has habits: a string is
entered but not read until somebody asks for its text, and a field's name is read with the beginning of its value.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple, NoReturn

SOURCE_SHOWN = 500  # characters of the source that a message quotes

OBJECT, OBJECT_END, ARRAY, ARRAY_END = "{", "}", "[", "]"
FIELD, STRING, INTEGER, FLOAT, TRUE, FALSE, NULL, END = "field", "string", "int", "float", "true", "false", "null", ""
NUMBERS = frozenset({INTEGER, FLOAT})

_SPACE = " \t\r\n"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[\w$]+")
_WORDS = {"true": TRUE, "false": FALSE, "null": NULL}
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')


class PatternError(ValueError):
    """A pattern that AWS would refuse; the text is AWS's reason, with the place where there is one."""


class _Token(NamedTuple):
    kind: str
    start: int
    entered: int  # where the parser stands before the text is read
    end: int


class Tokens:
    """A forward-only reader: `next()` moves, `kind` and `text()` tell of the token, `fail()` complains there."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.kind = END
        self.name = ""
        self._at = 0  # the first character not yet read
        self._token = _Token(END, 0, 0, 0)
        self._ahead: _Token | None = None  # a field's value, begun with its name
        self._open: list[tuple[str, int]] = []
        self._separated = True  # no comma is due before the next element

    def next(self) -> str:
        if self._ahead is not None:
            token, self._ahead = self._ahead, None
        else:
            self._at = max(self._at, self._token.end)
            token = self._scan()
        self._token = token
        self.kind = token.kind
        if token.kind == STRING:
            self._at = token.entered
        elif token.kind == FIELD:
            self.name = str(self._decoded(token))
        if token.kind in (OBJECT, ARRAY):
            self._open.append((token.kind, token.start))
            self._separated = True
        return token.kind

    def text(self) -> str:
        """The current token as text: a string's value, a number's digits, a field's name, a bracket itself."""
        token = self._token
        if token.kind == STRING:
            self._at = token.end
            return str(self._decoded(token))
        if token.kind == FIELD:
            return self.name
        return self.source[token.start : token.end]

    def fail(self, message: str) -> NoReturn:
        raise PatternError(message + self.where())

    def where(self) -> str:
        """The clause that AWS appends: the source, the line and the column."""
        token = self._ahead
        at = (token.entered if token.kind == STRING else token.end) if token is not None else self._at
        return self._clause(at)

    # ------------------------------------------------------------------ scanning

    def _clause(self, at: int) -> str:
        shown, hidden = self.source[:SOURCE_SHOWN], len(self.source) - SOURCE_SHOWN
        cut = f"[truncated {hidden} chars]" if hidden > 0 else ""
        before = self.source[:at]
        line = before.count("\n") + 1
        column = at - (before.rfind("\n") + 1) + 1
        return f'\n at [Source: (String)"{shown}"{cut}; line: {line}, column: {column}]'

    def _stop(self, at: int, message: str) -> NoReturn:
        raise PatternError(message + self._clause(at))

    def _skip(self, at: int) -> int:
        while at < len(self.source) and self.source[at] in _SPACE:
            at += 1
        return at

    def _scan(self) -> _Token:
        at = self._skip(self._at)
        if at >= len(self.source):
            return self._ended(at)
        if self._open:
            kind, start = self._open[-1]
            character = self.source[at]
            if character in "}]":
                return self._close(kind, start, character, at)
            if not self._separated:
                if character != ",":
                    of = "Object" if kind == OBJECT else "Array"
                    self._unexpected(at, f"was expecting comma to separate {of} entries")
                at = self._skip(at + 1)
            if kind == OBJECT:
                return self._field(at)
        return self._value(at)

    def _ended(self, at: int) -> _Token:
        if self._open:
            kind, start = self._open[-1]
            of = "Object" if kind == OBJECT else "Array"
            place = self._clause(start).removeprefix("\n at ").removesuffix("]")
            self._stop(at, f"Unexpected end-of-input: expected close marker for {of} (start marker at {place}])")
        return _Token(END, at, at, at)

    def _close(self, kind: str, start: int, character: str, at: int) -> _Token:
        expected = "}" if kind == OBJECT else "]"
        if character != expected:
            of = "Object" if kind == OBJECT else "Array"
            place = self._clause(start).removeprefix("\n at ")
            self._stop(
                at, f"Unexpected close marker '{character}': expected '{expected}' (for {of} starting at {place})"
            )
        self._open.pop()
        self._separated = False
        self._at = at + 1
        return _Token(character, at, at + 1, at + 1)

    def _field(self, at: int) -> _Token:
        if at >= len(self.source):
            self._ended(at)
        if self.source[at] != '"':
            self._unexpected(at, "was expecting double-quote to start field name")
        end = self._string_end(at, "field name")
        colon = self._skip(end)
        if colon >= len(self.source):
            self._ended(colon)
        if self.source[colon] != ":":
            self._unexpected(colon, "was expecting a colon to separate field name and value")
        self._ahead = self._value(self._skip(colon + 1))
        return _Token(FIELD, at, end, end)

    def _value(self, at: int) -> _Token:
        if at >= len(self.source):
            self._ended(at)
        self._separated = False
        character = self.source[at]
        if character in "{[":
            self._at = at + 1
            return _Token(character, at, at + 1, at + 1)
        if character == '"':
            return _Token(STRING, at, at + 1, self._string_end(at, "VALUE_STRING"))
        number = _NUMBER.match(self.source, at)
        if number:
            self._at = number.end()
            kind = FLOAT if number.group(1) or number.group(2) else INTEGER
            return _Token(kind, at, number.end(), number.end())
        word = _WORD.match(self.source, at)
        if word and word.group() in _WORDS:
            self._at = word.end()
            return _Token(_WORDS[word.group()], at, word.end(), word.end())
        values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
        if word:
            self._stop(word.end(), f"Unrecognized token '{word.group()}': was expecting {values}")
        self._unexpected(at, f"was expecting {values}")

    def _string_end(self, at: int, where: str) -> int:
        match = _STRING.match(self.source, at)
        if match is None:
            for place in range(at + 1, len(self.source)):
                if self.source[place] < " ":
                    code = ord(self.source[place])
                    reason = "has to be escaped using backslash to be included in string value"
                    self._stop(place, f"Illegal unquoted character ((CTRL-CHAR, code {code})): {reason}")
            self._stop(len(self.source), f"Unexpected end-of-input in {where}")
        return match.end()

    def _decoded(self, token: _Token) -> object:
        try:
            return json.loads(self.source[token.start : token.end])
        except ValueError:
            self._stop(token.end, "Unrecognized character escape")

    def _unexpected(self, at: int, expected: str) -> NoReturn:
        character = self.source[at]
        self._stop(at, f"Unexpected character ('{character}' (code {ord(character)})): {expected}")
