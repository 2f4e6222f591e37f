"""Figures and the table they make."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """
    Args:
        work: what was measured.
        value, unit: what came out.
        goal: what we go for, in the same unit; None where there is none.
        floor: what the bare machine needs for it, in the same unit.
        more_is_better: rates, not times.
    """

    work: str
    value: float
    unit: str
    goal: float | None = None
    floor: float | None = None
    more_is_better: bool = False

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value >= self.goal if self.more_is_better else self.value <= self.goal

    def cells(self) -> list[str]:
        verdict = {None: "", True: "met", False: "missed"}[self.met]
        ratio = ""
        if self.floor:
            ratio = f"{(self.floor / self.value if self.more_is_better else self.value / self.floor):.1f}x"
        sign = "" if self.goal is None else (">= " if self.more_is_better else "<= ")
        goal = "" if self.goal is None else f"{sign}{number(self.goal)}"
        return [self.work, f"{number(self.value)} {self.unit}", goal, verdict, ratio]

    def line(self) -> str:
        return "  ".join(f"{c:<{w}}" for c, w in zip(self.cells(), (58, 16, 12, 7, 6), strict=True))


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(figures: list[Figure]) -> str:
    rows = [["work", "here", "goal", "", "to the floor"], ["---"] * 5, *(f.cells() for f in figures)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
