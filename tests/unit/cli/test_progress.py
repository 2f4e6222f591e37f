"""Progress: one line, from half a second on, gone at the end."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import rich.console

from stratolite.cli import deployment


class Line:
    """What is shown: how often begun and ended, and every text."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.texts: list[str] = []
        self.shown = threading.Event()

    def status(self, text: str) -> Line:
        self.texts.append(text)
        return self

    def update(self, text: str) -> None:
        self.texts.append(text)

    def start(self) -> None:
        self.begun += 1
        self.shown.set()

    def stop(self) -> None:
        self.ended += 1


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    line = Line()
    monkeypatch.setattr(deployment, "_SHOW_AFTER_S", 0.01)
    monkeypatch.setattr(rich.console, "Console", lambda **_: line)
    return line


def test_what_is_told_meanwhile_is_shown_in_the_same_line_and_it_ends(line: Line) -> None:
    with deployment.Progress() as tell:
        tell("Building")
        assert line.shown.wait(10)
        tell("Deploying")
    assert (line.begun, line.ended, line.texts) == (1, 1, ["Building", "Deploying"])


def test_what_is_over_at_once_is_not_shown(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "_SHOW_AFTER_S", 60.0)
    with deployment.Progress() as tell:
        tell("Building")
    assert line.texts == []


def test_it_ends_when_the_work_fails(line: Line) -> None:
    def work(tell: Any) -> None:
        assert line.shown.wait(10)
        raise ValueError

    with pytest.raises(ValueError), deployment.Progress() as tell:
        work(tell)
    assert (line.begun, line.ended) == (1, 1)
