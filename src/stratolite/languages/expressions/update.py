"""A bound update applied to an item.

Every operand is read from the item as it was; then SET, ADD and DELETE change it, and REMOVE takes list elements out
from the last to the first, so that indexes mean what they meant when the expression was written.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

from __future__ import annotations

import copy

from . import numbers, syntax, values
from .errors import Invalid
from .evaluate import ABSENT, WRONG_TYPE, AbsentAttribute, at, resolve
from .syntax import Literal, Path, Update
from .values import Item, Value

INVALID_PATH = "The document path provided in the update expression is invalid for update"


def _parent(path: Path, item: Item) -> Value:
    """The map or list a path's last step lies in, as a value; the item itself is `{"M": item}`."""
    if len(path.steps) == 1:
        return {"M": item}
    parent = at(Path(path.steps[:-1]), item)
    wanted = "L" if isinstance(path.steps[-1], int) else "M"
    if parent is None or wanted not in parent:
        raise Invalid(INVALID_PATH)
    return parent


def _put(path: Path, value: Value, item: Item) -> None:
    parent, step = _parent(path, item), path.steps[-1]
    if isinstance(step, int):
        elements = parent["L"]
        if step < len(elements):
            elements[step] = value
        else:
            elements.append(value)
    else:
        parent["M"][step] = value


def _remove(path: Path, item: Item) -> None:
    parent, step = _parent(path, item), path.steps[-1]
    if isinstance(step, int):
        if step < len(parent["L"]):
            del parent["L"][step]
    else:
        parent["M"].pop(step, None)


def added(current: Value | None, value: Value) -> Value:
    """What ADD makes of a number or a set. Raises Invalid where the types do not go together."""
    if current is None:
        return value
    kind = values.type_of(value)
    if kind not in current:
        raise Invalid(WRONG_TYPE)
    if kind == "N":
        return {"N": numbers.add(current["N"], value["N"])}
    return {kind: list(dict.fromkeys([*current[kind], *value[kind]]))}


def deleted(current: Value | None, value: Value) -> Value | None:
    """What DELETE leaves of a set; None when nothing is left. Raises Invalid where the types do not go together."""
    if current is None:
        return None
    kind = values.type_of(value)
    if kind not in current:
        raise Invalid(WRONG_TYPE)
    gone = set(value[kind])
    left = [member for member in current[kind] if member not in gone]
    return {kind: left} if left else None


def _sort_key(path: Path) -> tuple[tuple[str | int, ...], int]:
    last = path.steps[-1]
    return path.steps[:-1], last if isinstance(last, int) else 0


def apply(actions: Update, item: Item, exists: bool = True) -> Item:
    """The item an update makes of another, which stays as it is.

    exists: whether the item was stored before; of one that was not, any path may be removed.
    Raises Invalid for paths and operands the item does not have or has in another type.
    """
    touched = {action.path.steps[0] for action in actions if len(action.path.steps) > 1}
    result = {name: copy.deepcopy(value) if name in touched else value for name, value in item.items()}
    sets: list[tuple[Path, Value]] = []
    removals: list[Path] = []
    for action in actions:
        if isinstance(action, syntax.Set):
            value = resolve(action.value, item)
            if value is None:
                raise AbsentAttribute(ABSENT)
            sets.append((action.path, value))
        elif isinstance(action, syntax.Remove):
            if exists or len(action.path.steps) == 1:
                removals.append(action.path)
        else:
            assert isinstance(action.value, Literal), "ADD and DELETE take placeholders only"
            current = at(action.path, item)
            if isinstance(action, syntax.Add):
                sets.append((action.path, added(current, action.value.value)))
                continue
            left = deleted(current, action.value.value)
            if left is not None:
                sets.append((action.path, left))
            elif current is not None:
                removals.append(action.path)
    for path in removals:
        _parent(path, result)  # all paths are judged before anything moves
    # What lies beyond the end of a list is appended, in the order of its index.
    sets.sort(key=lambda change: change[0].steps[-1] if isinstance(change[0].steps[-1], int) else -1)
    for path, value in sets:
        _put(path, value, result)
    for path in sorted(removals, key=lambda path: _sort_key(path)[1], reverse=True):
        _remove(path, result)
    return result
