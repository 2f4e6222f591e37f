"""Pages of Parameter Store's lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stratolite.languages import pages

from .errors import InvalidNextToken

Item = TypeVar("Item")


def paged(
    items: list[Item], limit: int, token: str | None, order: Callable[[Item], pages.Order]
) -> tuple[list[Item], str | None]:
    """As `languages.pages`, with this service's word for a token that is none."""
    try:
        return pages.paged(items, limit, token or None, order)
    except pages.BadToken:
        raise InvalidNextToken from None
