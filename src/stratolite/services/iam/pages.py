"""Pages of a list, and the markers between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar

from .errors import ValidationError

Item = TypeVar("Item")
PAGE = 100


def paged(
    items: list[Item], limit: int, marker: str | None, order: Callable[[Item], str]
) -> tuple[list[Item], dict[str, Any]]:
    """The items after the marker, at most `limit`, and what an answer says of the rest. Items come in `order`."""
    if marker is not None:
        place = _place(marker)
        items = [item for item in items if order(item) > place]
    page = items[:limit]
    if len(items) <= limit:
        return page, {"IsTruncated": False}
    return page, {"IsTruncated": True, "Marker": base64.urlsafe_b64encode(order(page[-1]).encode()).decode()}


def _place(marker: str) -> str:
    try:
        return base64.b64decode(marker, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise ValidationError(f"Invalid Marker: {marker}") from None
