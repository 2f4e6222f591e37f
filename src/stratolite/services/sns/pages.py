"""Pages of SNS's lists."""

from __future__ import annotations

from collections.abc import Sequence

from stratolite.kernel.store import Row
from stratolite.languages import pages

from .errors import invalid

MOST = 100


def paged(rows: Sequence[Row], token: str | None, column: str) -> tuple[list[Row], str | None]:
    """At most a hundred rows, which come sorted by the column, and the next token."""
    try:
        return pages.paged(list(rows), MOST, token, lambda row: [row[column]])
    except pages.BadToken:
        raise invalid("NextToken") from None
