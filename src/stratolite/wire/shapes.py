"""Shapes: what this room calls botocore's descriptions of values."""

from __future__ import annotations

from typing import Any, TypeAlias

# botocore's Shape and its subclasses, told apart by `type_name`: a structure has `members`, a list a `member`, a map
# `key` and `value`. Its own annotations know only the base class, so this one is honest about knowing nothing.
Shape: TypeAlias = Any
