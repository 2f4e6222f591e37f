"""The screen: where results are printed for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

_PIPED_COLUMNS = 200
"""A pipe has no width: tables get this one."""


def screen() -> Console:
    """Standard output, nothing coloured by guess."""
    found = Console(highlight=False, soft_wrap=True)
    return found if found.is_terminal else Console(highlight=False, soft_wrap=True, width=_PIPED_COLUMNS)


def table(*names: str) -> Table:
    """A plain table; what is too long goes on in the next line."""
    found = Table(box=None, pad_edge=False)
    for name in names:
        found.add_column(name, overflow="fold")
    return found
