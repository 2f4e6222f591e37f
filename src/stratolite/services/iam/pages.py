"""Pages of IAM's lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from stratolite.languages import pages

from .errors import ValidationError

Item = TypeVar("Item")
PAGE = 100


def paged(
    items: list[Item], limit: int, marker: str | None, order: Callable[[Item], pages.Order]
) -> tuple[list[Item], dict[str, Any]]:
    """As `languages.pages`; what an answer says of the rest comes as its members."""
    try:
        page, more = pages.paged(items, limit, marker, order)
    except pages.BadToken:
        raise ValidationError(f"Invalid Marker: {marker}") from None
    return page, {"IsTruncated": more is not None, "Marker": more}
