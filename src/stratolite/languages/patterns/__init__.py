"""Event patterns: one language for EventBridge rules, SNS filter policies, and the filters of mappings and pipes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .compile import Branch, branches
from .dialects import EVENTBRIDGE, FILTER_POLICY, MAPPING, Dialect
from .index import PatternIndex, steps
from .match import flatten, holds
from .tokens import PatternError

__all__ = [
    "EVENTBRIDGE",
    "FILTER_POLICY",
    "MAPPING",
    "Branch",
    "Dialect",
    "Pattern",
    "PatternError",
    "PatternIndex",
    "compile_pattern",
]


class Pattern:
    """A compiled pattern; `matches(event)` says whether it holds for a JSON object."""

    __slots__ = ("branches", "source", "wanted")

    def __init__(self, source: str, dialect: Dialect = EVENTBRIDGE) -> None:
        self.source = source
        self.branches = branches(source, dialect)
        self.wanted = steps(path for branch in self.branches for path in branch)

    def matches(self, event: Mapping[str, Any]) -> bool:
        flat = flatten(event, self.wanted)
        return any(holds(branch, flat) for branch in self.branches)


@lru_cache(maxsize=4096)
def compile_pattern(source: str, dialect: Dialect = EVENTBRIDGE) -> Pattern:
    """The pattern that a JSON text describes; PatternError carries AWS's reason. Compiled patterns are kept."""
    return Pattern(source, dialect)
