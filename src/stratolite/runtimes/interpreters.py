"""Interpreters: the Python that a function declares, found on this machine.

Searched in this order: `STRATOLITE_PYTHON_3_12=/path/to/python` in the environment, uv's own pythons, pyenv's, PATH,
the server's own. When none has the version the nearest one is taken and said so.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 9)
"""The programs we run inside (bootstraps/python) need it, as does AWS's client."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    path: Path
    version: tuple[int, int]
    found: str
    """Where: `config`, `uv`, `pyenv`, `PATH`, `server`."""

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


def _folders(folder: Path, pattern: str, found: str) -> Iterator[Interpreter]:
    versions = []
    for entry in folder.glob("*") if folder.is_dir() else ():
        match = re.match(pattern, entry.name)
        if match:
            versions.append((tuple(int(part) for part in match.groups()), entry))
    for version, entry in sorted(versions, reverse=True):
        program = entry / "bin" / f"python{version[0]}.{version[1]}"
        if program.exists():
            yield Interpreter(program, (version[0], version[1]), found)


def _ask(program: str) -> tuple[int, int]:
    code = "import sys; print(*sys.version_info[:2])"
    answer = subprocess.run([program, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    major, minor = answer.stdout.split()
    return int(major), int(minor)
