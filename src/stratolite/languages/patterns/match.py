"""Matching: an event laid flat, and the branches that hold for it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from .compile import Branch
from .operators import Value, literal

# Where a value stands: the arrays of objects (or arrays) it is in, and the element of each. Fields that lie in
# different elements of one array do not match together. https://github.com/aws/event-ruler#json-array-matching
Place = tuple[tuple[int, int], ...]
Flat = dict[str, list[tuple[Value, Place]]]


def flatten(event: Mapping[str, Any], wanted: Container[str] | None = None) -> Flat:
    """The event's leaves by dotted path; with `wanted` (paths and their prefixes), only those."""
    flat: Flat = {}
    _walk(event, "", (), [0], flat, wanted)
    return flat


def _walk(
    node: Mapping[str, Any], path: str, place: Place, arrays: list[int], flat: Flat, wanted: Container[str] | None
) -> None:
    for name, value in node.items():
        here = f"{path}.{name}" if path else name
        if wanted is not None and here not in wanted:
            continue
        if isinstance(value, str):
            flat.setdefault(here, []).append((value, place))
        elif isinstance(value, dict):
            _walk(value, here, place, arrays, flat, wanted)
        elif isinstance(value, list):
            _elements(value, here, place, arrays, flat, wanted)
        elif value is None or isinstance(value, bool):
            flat.setdefault(here, []).append((literal(value), place))
        else:
            flat.setdefault(here, []).append((value, place))


def _elements(
    items: list[Any], path: str, place: Place, arrays: list[int], flat: Flat, wanted: Container[str] | None
) -> None:
    array = arrays[0]
    arrays[0] += 1
    for index, value in enumerate(items):
        if isinstance(value, dict):
            _walk(value, path, (*place, (array, index)), arrays, flat, wanted)
        elif isinstance(value, list):
            _elements(value, path, (*place, (array, index)), arrays, flat, wanted)
        elif value is None or isinstance(value, bool):
            flat.setdefault(path, []).append((literal(value), place))
        else:
            flat.setdefault(path, []).append((value, place))


def holds(branch: Branch, flat: Flat) -> bool:
    """Whether every field of the branch is satisfied, in elements of arrays that agree."""
    placed: list[list[Place]] = []
    for path, field in branch.items():
        values = flat.get(path)
        if values is None:
            if not field.absent:
                return False
            continue
        places = [place for value, place in values if field.accepts(value)]
        if not places:
            return False
        if () not in places:
            placed.append(places)
    return len(placed) < 2 or _agree(placed, 0, {})


def _agree(placed: list[list[Place]], at: int, chosen: dict[int, int]) -> bool:
    if at == len(placed):
        return True
    for place in placed[at]:
        if all(chosen.get(array, index) == index for array, index in place) and _agree(
            placed, at + 1, {**chosen, **dict(place)}
        ):
            return True
    return False
