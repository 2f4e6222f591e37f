"""Pages of CloudWatch Logs' lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from stratolite.languages import pages

from .errors import InvalidParameterException

Item = TypeVar("Item")
BAD_TOKEN = "The specified nextToken is invalid."


def paged(
    items: list[Item], limit: int, token: str | None, order: Callable[[Item], pages.Order], descending: bool = False
) -> tuple[list[Item], str | None]:
    """As `languages.pages`, with this service's word for a token that is none."""
    try:
        return pages.paged(items, limit, token, order, descending)
    except pages.BadToken:
        raise InvalidParameterException(BAD_TOKEN) from None
