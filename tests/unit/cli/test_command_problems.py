"""What is refused before any cloud is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from stratolite.cli import deployment, invoke, running
from stratolite.cli.problem import NO_CLOUD, USAGE, Problem


@pytest.mark.parametrize("words", [["x"], ["=y"]])
def test_a_parameter_is_a_name_and_a_value(words: list[str]) -> None:
    with pytest.raises(Problem) as problem:
        deployment.parameters(words)
    assert problem.value.code == USAGE


def test_a_value_may_have_an_equals_sign() -> None:
    assert deployment.parameters(["A=b=c", "D="]) == {"A": "b=c", "D": ""}


@pytest.mark.parametrize("text", ["{", "@nowhere.json"])
def test_an_event_is_json(text: str) -> None:
    with pytest.raises(Problem) as problem:
        invoke._event(text)
    assert problem.value.code == USAGE


def test_a_server_that_died_is_not_found_by_what_it_left(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").touch()
    (tmp_path / "server.json").write_text('{"pid": 4194305, "port": 1}')
    assert running.announced(tmp_path) == {}
    with pytest.raises(Problem) as problem:
        running.need(tmp_path)
    assert problem.value.code == NO_CLOUD
