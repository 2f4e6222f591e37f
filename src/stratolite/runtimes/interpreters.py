"""Interpreters: the Python or Node.js that a function declares, found on this machine.

Searched in this order: `STRATOLITE_PYTHON_3_12=/path/to/python` in the environment, uv's own pythons, pyenv's, PATH,
the server's own; for Node.js `STRATOLITE_NODE_22=/path/to/node`, nvm's, fnm's, PATH. When none has the version the
nearest one is taken and said so.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 9)
"""The programs we run inside (bootstraps/python) need it, as does AWS's client."""
OLDEST_NODE = 18


@dataclass(frozen=True, slots=True)
class Interpreter:
    path: Path
    version: tuple[int, int]
    found: str
    """Where: `config`, `uv`, `pyenv`, `nvm`, `fnm`, `PATH`, `server`."""

    @property
    def name(self) -> str:
        return f"{self.version[0]}.{self.version[1]}"


def version_of(runtime: str) -> tuple[int, int]:
    """`python3.12` → (3, 12)."""
    major, minor = runtime.removeprefix("python").split(".")
    return int(major), int(minor)


def python(runtime: str) -> tuple[Interpreter, bool]:
    """The interpreter for a runtime, and whether it is the declared version."""
    wanted = version_of(runtime)
    configured = os.environ.get(f"STRATOLITE_PYTHON_{wanted[0]}_{wanted[1]}")
    if configured:
        return Interpreter(Path(configured), _ask(configured), "config"), True
    everyone = _installed()
    for interpreter in everyone:
        if interpreter.version == wanted:
            return interpreter, True
    # The next newer one understands what the older did more often than the other way round.
    return min(everyone, key=lambda i: (abs(i.version[1] - wanted[1]), -i.version[1])), False


def node(runtime: str) -> tuple[Interpreter, bool]:
    """The Node.js for a runtime (`nodejs22.x`), and whether it is the declared version.

    Raises FileNotFoundError when the machine has none.
    """
    wanted = int(runtime.removeprefix("nodejs").partition(".")[0])
    configured = os.environ.get(f"STRATOLITE_NODE_{wanted}")
    if configured:
        return Interpreter(Path(configured), _ask_node(configured), "config"), True
    everyone = _installed_nodes()
    if not everyone:
        raise FileNotFoundError(
            f"No Node.js here for {runtime}: looked for STRATOLITE_NODE_{wanted}, nvm's, fnm's, and node on PATH"
        )
    for interpreter in everyone:
        if interpreter.version[0] == wanted:
            return interpreter, True
    return min(everyone, key=lambda i: (abs(i.version[0] - wanted), -i.version[0])), False


@functools.cache
def _installed_nodes() -> tuple[Interpreter, ...]:
    return tuple(i for i in _search_nodes() if i.version[0] >= OLDEST_NODE)


def _search_nodes() -> Iterator[Interpreter]:
    nvm = Path(os.environ.get("NVM_DIR") or Path.home() / ".nvm") / "versions" / "node"
    yield from _folders(nvm, r"v(\d+)\.(\d+)\.(\d+)$", "nvm", lambda _: "bin/node")
    fnm = Path(os.environ.get("FNM_DIR") or _data_home() / "fnm") / "node-versions"
    yield from _folders(fnm, r"v(\d+)\.(\d+)\.(\d+)$", "fnm", lambda _: "installation/bin/node")
    if found := shutil.which("node"):
        # A version manager's shim may be a link or a script: the program itself knows.
        yield Interpreter(Path(found).resolve(), _ask_node(found), "PATH")


def _ask_node(program: str) -> tuple[int, int]:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30)
    major, minor, _ = answer.stdout.strip().removeprefix("v").split(".", 2)
    return int(major), int(minor)


@functools.cache
def _installed() -> tuple[Interpreter, ...]:
    return tuple(i for i in _search() if i.version >= OLDEST)


def _search() -> Iterator[Interpreter]:
    home = Path.home()
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or _data_home() / "uv" / "python")
    yield from _folders(uv, r"cpython-(\d+)\.(\d+)\.(\d+)-", "uv")
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    yield from _folders(pyenv, r"(\d+)\.(\d+)\.(\d+)$", "pyenv")
    for minor in range(20, OLDEST[1] - 1, -1):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            # pyenv's shims answer only for the versions switched on: the real ones were found above.
            if folder.endswith("shims"):
                continue
            if found := shutil.which(f"python3.{minor}", path=folder or None):
                yield Interpreter(Path(found), (3, minor), "PATH")
                break
    own = Path(getattr(sys, "_base_executable", None) or sys.executable)
    yield Interpreter(own, (sys.version_info[0], sys.version_info[1]), "server")


def _data_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _python_in(version: tuple[int, ...]) -> str:
    return f"bin/python{version[0]}.{version[1]}"


def _folders(
    folder: Path, pattern: str, found: str, place: Callable[[tuple[int, ...]], str] = _python_in
) -> Iterator[Interpreter]:
    versions = []
    for entry in folder.glob("*") if folder.is_dir() else ():
        match = re.match(pattern, entry.name)
        if match:
            versions.append((tuple(int(part) for part in match.groups()), entry))
    for version, entry in sorted(versions, reverse=True):
        program = entry / place(version)
        if program.exists():
            yield Interpreter(program, (version[0], version[1]), found)


def _ask(program: str) -> tuple[int, int]:
    code = "import sys; print(*sys.version_info[:2])"
    answer = subprocess.run([program, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    major, minor = answer.stdout.split()
    return int(major), int(minor)
