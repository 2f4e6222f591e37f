"""What an expression is made of, once parsed: leaves still name their placeholders until they are bound."""

from __future__ import annotations

from dataclasses import dataclass

from .values import Value


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: attribute names (or #placeholders, before binding) and list indexes. The first is a name."""

    steps: tuple[str | int, ...]

    def __str__(self) -> str:
        return "[" + ", ".join(f"[{step}]" if isinstance(step, int) else step for step in self.steps) + "]"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`:name`, before binding."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """The value a placeholder stood for."""

    value: Value


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its operands."""

    function: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right` or `left - right`, in SET only."""

    operator: str
    left: Operand
    right: Operand


Operand = Path | Placeholder | Literal | Call | Arithmetic


@dataclass(frozen=True, slots=True)
class Compare:
    operator: str  # = <> < <= > >=
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    operand: Operand
    lower: Operand
    upper: Operand


@dataclass(frozen=True, slots=True)
class In:
    operand: Operand
    candidates: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class And:
    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Or:
    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition


Condition = Compare | Between | In | And | Or | Not | Call


@dataclass(frozen=True, slots=True)
class Set:
    path: Path
    value: Operand


@dataclass(frozen=True, slots=True)
class Remove:
    path: Path


@dataclass(frozen=True, slots=True)
class Add:
    path: Path
    value: Operand


@dataclass(frozen=True, slots=True)
class Delete:
    path: Path
    value: Operand


Action = Set | Remove | Add | Delete
Update = tuple[Action, ...]
Projection = tuple[Path, ...]
