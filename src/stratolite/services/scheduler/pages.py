"""Pages: a list in the order of names, cut at a limit, continued by a token."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from .errors import ValidationException

PAGE = 100


def page(
    rows: Callable[[str, int], list[Any]], limit: int | None, token: str | None, place: Callable[[Any], str]
) -> tuple[list[Any], str | None]:
    """`rows(after, count)` gives those with places later than `after`; the answer has the next page's token."""
    size = limit or PAGE
    found = rows(_after(token), size + 1)
    more = base64.urlsafe_b64encode(place(found[size - 1]).encode()).decode() if len(found) > size else None
    return found[:size], more


def _after(token: str | None) -> str:
    try:
        return base64.urlsafe_b64decode((token or "").encode()).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ValidationException("Invalid NextToken.") from None
