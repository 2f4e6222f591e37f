"""Pages of KMS's lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stratolite.languages import pages

from .errors import InvalidMarkerException

Item = TypeVar("Item")


def paged(
    items: list[Item], limit: int, marker: str | None, order: Callable[[Item], pages.Order]
) -> tuple[list[Item], str | None]:
    """As `languages.pages`, with this service's word for a marker that is none."""
    try:
        return pages.paged(items, limit, marker, order)
    except pages.BadToken:
        raise InvalidMarkerException(marker=marker) from None
