"""Wildcards: `*` is any run of characters, `\\*` a star, `\\\\` a backslash."""

from __future__ import annotations

import re
from collections.abc import Iterable

STAR = None  # an element of a parsed wildcard that stands for any run of characters
Parsed = tuple[str | None, ...]
Places = frozenset[tuple[int, int]]  # (which pattern, how much of it is matched)


SETS_SEEN = 1_500  # where the count of complexity gives up: some 20 ms


def parse(text: str) -> Parsed:
    """The characters of a wildcard pattern, with STAR for each wildcard; ValueError carries AWS's sentence.

    Positions count AWS's own form of the value, which has its quotation marks.
    """
    value = f'"{text}"'
    out: list[str | None] = []
    at = 0
    while at < len(value):
        character, following = value[at], value[at + 1 : at + 2]
        if character == "*":
            if following == "*":
                raise ValueError(f"Consecutive wildcard characters at pos {at}")
            out.append(STAR)
        elif character == "\\":
            if following not in ("*", "\\"):
                raise ValueError(f"Invalid escape character at pos {at}")
            out.append(following)
            at += 1
        else:
            out.append(character)
        at += 1
    return tuple(out)


def expression(parsed: Parsed) -> re.Pattern[str]:
    """A regular expression for the value without its quotation marks."""
    return re.compile("".join(".*" if c is STAR else re.escape(c) for c in parsed[1:-1]), re.DOTALL)


def literal_start(parsed: Parsed) -> str:
    """What every matching value begins with."""
    out = []
    for character in parsed[1:-1]:
        if character is STAR:
            break
        out.append(character)
    return "".join(out)


def complexity(patterns: Iterable[Parsed], bound: int) -> int:
    """The most prefixes of these patterns that one value can match at once, counted no further than `bound`.

    A breadth-first walk over the sets of places a reader can be in; a set's size is the answer when it is the largest.
    """
    texts = tuple(patterns)
    alphabet = sorted({c for text in texts for c in text if c is not STAR})
    start = frozenset((i, 0) for i in range(len(texts)))
    seen, edge, most = {start}, [start], 0
    while edge and len(seen) < SETS_SEEN:
        ahead = []
        for places in edge:
            for character in [*alphabet, ""]:
                moved = _moved(texts, places, character)
                if moved and moved not in seen:
                    most = max(most, len(moved))
                    if most >= bound:
                        return most
                    seen.add(moved)
                    ahead.append(moved)
        edge = ahead
    return most


def _moved(texts: tuple[Parsed, ...], places: Places, character: str) -> Places:
    # A place is how much of a pattern is matched. What matches `a` matches `a*` too, so both are entered at once.
    out = set()
    for text_index, at in places:
        text = texts[text_index]
        if at > 0 and text[at - 1] is STAR:
            out.add((text_index, at))
        if at < len(text) and text[at] == character:
            out.add((text_index, at + 1))
            if at + 1 < len(text) and text[at + 1] is STAR:
                out.add((text_index, at + 2))
    return frozenset(out)
