"""Tokens of an expression, with their places, for the errors that quote them."""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import Invalid

LONGEST_BYTES = 4096


class Token(NamedTuple):
    kind: str  # name, number, #, :, operator, end, or ? for what starts no token
    text: str
    start: int
    end: int


END = "<EOF>"
_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<name>[A-Za-z][A-Za-z0-9_]*)
  | (?P<placeholder>\#[A-Za-z0-9_]+)
  | (?P<value>:[A-Za-z0-9_]+)
  | (?P<number>[0-9]+)
  | (?P<operator><>|<=|>=|[=<>()\[\],.+\-])
  | (?P<unknown>.)
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)


def tokens(text: str) -> list[Token]:
    """All tokens of an expression; the last is the end. Raises Invalid for an expression of over 4 KB."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LONGEST_BYTES:
        raise Invalid(f"Expression size has exceeded the maximum allowed size; expression size: {size}")
    found = [
        Token(str(match.lastgroup), match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(text)
        if match.lastgroup != "space"
    ]
    found.append(Token("end", END, len(text), len(text)))
    return found
