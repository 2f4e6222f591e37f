"""Pages of a list, and the opaque tokens between them."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, TypeVar

from .errors import InvalidNextTokenException

Item = TypeVar("Item")
Order = list[Any]


def paged(
    items: list[tuple[Order, Item]], limit: int, token: str | None, descending: bool = False
) -> tuple[list[Item], str | None]:
    """The items after the token's place, at most `limit`, and the next token.

    Items come sorted by their order, a list of plain values; a place in that order stays right when items come and go.
    """
    if token is not None:
        place = _place(token)
        items = [(order, item) for order, item in items if (order < place if descending else order > place)]
    page = items[:limit]
    more = _token(page[-1][0]) if len(items) > limit else None
    return [item for _, item in page], more


def _token(order: Order) -> str:
    return base64.urlsafe_b64encode(json.dumps(order).encode()).decode()


def _place(token: str) -> Order:
    try:
        place = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise InvalidNextTokenException from None
    if not isinstance(place, list):
        raise InvalidNextTokenException
    return place
