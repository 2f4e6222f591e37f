"""Which Node.js a function runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stratolite.runtimes import interpreters
from stratolite.runtimes.bootstraps import Bootstrap, node


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with 18 and 22 by nvm, 20 by fnm, nothing on PATH."""
    for place in (
        "nvm/versions/node/v18.20.4/bin/node",
        "nvm/versions/node/v22.1.0/bin/node",
        "nvm/versions/node/v22.11.0/bin/node",
        "nvm/versions/node/v16.20.0/bin/node",
        "fnm/node-versions/v20.1.0/installation/bin/node",
    ):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).touch()
    monkeypatch.setenv("NVM_DIR", str(tmp_path / "nvm"))
    monkeypatch.setenv("FNM_DIR", str(tmp_path / "fnm"))
    monkeypatch.setenv("PATH", "")
    interpreters._installed_nodes.cache_clear()
    yield tmp_path
    interpreters._installed_nodes.cache_clear()


@pytest.mark.parametrize(
    ("runtime", "path", "exact"),
    [
        ("nodejs18.x", "nvm/versions/node/v18.20.4/bin/node", True),
        ("nodejs20.x", "fnm/node-versions/v20.1.0/installation/bin/node", True),
        ("nodejs22.x", "nvm/versions/node/v22.11.0/bin/node", True),
        ("nodejs26.x", "nvm/versions/node/v22.11.0/bin/node", False),
        ("nodejs16.x", "nvm/versions/node/v18.20.4/bin/node", False),
    ],
)
def test_the_declared_version_or_the_nearest(machine: Path, runtime: str, path: str, exact: bool) -> None:
    found, is_exact = interpreters.node(runtime)
    assert found.path == machine / path and is_exact is exact


def test_what_is_configured_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = machine / "own-node"
    program.write_text("#!/bin/sh\necho v22.9.1\n")
    program.chmod(0o755)
    monkeypatch.setenv("STRATOLITE_NODE_22", str(program))
    found, exact = interpreters.node("nodejs22.x")
    assert (found.path, found.version, found.found, exact) == (program, (22, 9), "config", True)


def test_a_machine_without_node_is_told_what_was_looked_for(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVM_DIR", str(machine / "none"))
    monkeypatch.setenv("FNM_DIR", str(machine / "none"))
    with pytest.raises(FileNotFoundError, match=r"^No Node\.js here for nodejs22\.x: looked for STRATOLITE_NODE_22"):
        interpreters.node("nodejs22.x")


def test_the_heap_follows_the_functions_memory() -> None:
    bootstrap = Bootstrap(Path("python"), None, node(Path("node")), ahead=True)
    assert "--max-old-space-size=460" in bootstrap.command(512)


@pytest.mark.parametrize(
    ("name", "may_wait"), [("NODE_ENV", True), ("TABLE", True), ("NODE_OPTIONS", False), ("UV_THREADPOOL_SIZE", False)]
)
def test_variables_that_node_reads_when_it_starts_need_a_process_of_their_own(name: str, may_wait: bool) -> None:
    bootstrap = Bootstrap(Path("python"), None, node(Path("node")), ahead=True)
    assert bootstrap.may_wait({name: "1"}) is may_wait
