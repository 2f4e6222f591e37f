"""Pages of a list, and the opaque tokens between them.

A token is a place in the list's order, not a count: it stays right when items before it come or go.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
Order = Sequence[Any]
"""What a list is sorted by: plain values (text, numbers), told apart for every item."""


class BadToken(ValueError):
    """Not a token that was given out."""


def paged(
    items: list[Item],
    limit: int,
    token: str | None,
    order: Callable[[Item], Order],
    descending: bool = False,
) -> tuple[list[Item], str | None]:
    """The items after the token's place, at most `limit`, and the next token, None at the end.

    Items come sorted by `order`, from the last on when `descending`. Raises BadToken.
    """
    if token is not None:
        place = _place(token)
        try:
            items = [item for item in items if (order(item) < place if descending else order(item) > place)]
        except TypeError:
            raise BadToken from None
    page = items[:limit]
    return page, _token(order(page[-1])) if page and len(items) > limit else None


def _token(place: Order) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(token: str) -> Any:
    """A place is a text or a list of plain values, as the order gave it."""
    try:
        place = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise BadToken from None
    if not isinstance(place, str | list):
        raise BadToken
    return place
