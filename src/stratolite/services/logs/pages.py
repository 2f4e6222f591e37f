"""Pages of a list, and the opaque tokens between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TypeVar

from .errors import InvalidParameterException

Item = TypeVar("Item")
BAD_TOKEN = "The specified nextToken is invalid."


def paged(
    items: list[Item], limit: int, token: str | None, order: Callable[[Item], str], descending: bool = False
) -> tuple[list[Item], str | None]:
    """The items whose order comes after the token, at most `limit`, and the next token. Items come sorted by it."""
    if token is not None:
        place = _place(token)
        items = [item for item in items if (order(item) < place if descending else order(item) > place)]
    page = items[:limit]
    more = base64.urlsafe_b64encode(order(page[-1]).encode()).decode() if len(items) > limit else None
    return page, more


def _place(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidParameterException(BAD_TOKEN) from None
