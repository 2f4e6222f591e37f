"""Parts of an item: what a projection names, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .syntax import Path
from .values import Item, Value

Tree = dict[str | int, Any]  # step → subtree; an empty tree takes the value whole


def tree(paths: Iterable[Path]) -> Tree:
    """Paths that do not overlap, as one tree."""
    root: Tree = {}
    for path in paths:
        node = root
        for step in path.steps:
            node = node.setdefault(step, {})
    return root


def _part(value: Value, wanted: Tree) -> Value | None:
    if not wanted:
        return value
    if "M" in value:
        members = value["M"]
        found = {
            name: part
            for name, below in wanted.items()
            if name in members and (part := _part(members[name], below)) is not None
        }
        return {"M": found} if found else None
    if "L" in value:
        elements = value["L"]
        chosen = [
            part
            for index in sorted(step for step in wanted if isinstance(step, int))
            if index < len(elements) and (part := _part(elements[index], wanted[index])) is not None
        ]
        return {"L": chosen} if chosen else None
    return None


def project(item: Item, wanted: Tree) -> Item:
    """What of an item a projection names; list elements close up, in their order."""
    return {
        str(name): part
        for name, below in wanted.items()
        if name in item and (part := _part(item[str(name)], below)) is not None
    }
