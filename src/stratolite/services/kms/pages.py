"""Pages of a list, and the opaque markers between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TypeVar

from .errors import InvalidMarkerException

Item = TypeVar("Item")


def paged(
    items: list[Item], limit: int, marker: str | None, order: Callable[[Item], str]
) -> tuple[list[Item], str | None]:
    """The items whose order comes after the marker, at most `limit`, and the next marker. Items come sorted by it."""
    if marker is not None:
        place = _place(marker)
        items = [item for item in items if order(item) > place]
    page = items[:limit]
    more = base64.urlsafe_b64encode(order(page[-1]).encode()).decode() if len(items) > limit else None
    return page, more


def _place(marker: str) -> str:
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidMarkerException(marker=marker) from None
