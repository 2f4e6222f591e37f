"""Pages: a list in the order of names, cut at a limit, continued by a token."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from .errors import ValidationException

PAGE = 100  # EventBridge's own when no limit is given


def page(
    rows: Callable[[str, int], list[Any]], limit: int | None, token: str | None, name: Callable[[Any], str]
) -> tuple[list[Any], str | None]:
    """`rows(after, count)` gives those with names later than `after`; the answer has the next page's token."""
    size = limit or PAGE
    found = rows(_after(token), size + 1)
    more = _token(name(found[size - 1])) if len(found) > size else None
    return found[:size], more


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _after(token: str | None) -> str:
    if not token:
        return ""
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ValidationException("Parameter NextToken is not valid.") from None
