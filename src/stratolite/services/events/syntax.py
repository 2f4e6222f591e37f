"""Patterns, judged in EventBridge's words."""

from __future__ import annotations

from stratolite.languages import patterns

from .errors import InvalidEventPatternException


def checked(source: str) -> patterns.Pattern:
    """The compiled pattern, or AWS's refusal."""
    try:
        return patterns.compile_pattern(source)
    except patterns.PatternError as error:
        raise InvalidEventPatternException(reason=str(error)) from None
