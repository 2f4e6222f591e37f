"""Documents that clients send as text: JSON, and not nested beyond reason."""

from __future__ import annotations

import json
import re
from typing import Any

DEPTH = 500  # AWS's parser ends at 1,000; no event worth its name comes near either
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')


def decoded(text: str) -> Any:
    """The value; ValueError for what is not JSON."""
    if text.count("[") + text.count("{") > DEPTH and _depth(text) > DEPTH:
        raise ValueError("nested too deeply")
    return _DECODER.decode(text)


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        bracket = match[0]
        if bracket in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in "]}":
            depth -= 1
    return deepest


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
