"""Sites: what AWS's Python runtimes bring along (boto3, its runtime client), one folder per Python version, made once.

A folder lies in the user's cache (`$XDG_CACHE_HOME/stratolite/sites`), is installed by uv or by pip, and appears whole
or not at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .interpreters import Interpreter

PACKAGES = ("boto3", "simplejson>=3.17", "snapshot-restore-py")
RUNTIME_CLIENT = "awslambdaric"
"""Published for Linux alone because of one C module, which we replace: its Python files are taken anywhere."""

Progress = Callable[[str], None]


class SiteError(Exception):
    """The packages of a runtime could not be installed."""


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stratolite"


def folder_of(interpreter: Interpreter) -> Path:
    digest = hashlib.sha256(
        " ".join([*PACKAGES, RUNTIME_CLIENT, sys.platform, os.uname().machine]).encode()
    ).hexdigest()[:8]
    return cache_folder() / "sites" / f"python{interpreter.name}-{digest}"


async def site(interpreter: Interpreter, progress: Progress | None = None) -> Path:
    """The site folder of an interpreter, installed if it is not there yet.

    Raises SiteError with the installer's own words.
    """
    folder = folder_of(interpreter)
    if folder.is_dir():
        return folder
    if progress:
        progress(f"Installing boto3 for Python {interpreter.name} (once)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=folder.name + "-", dir=folder.parent))
    try:
        await _run(_command(interpreter, draft, list(PACKAGES), []))
        foreign = [] if sys.platform == "linux" else ["--platform", "manylinux2014_x86_64", "--only-binary=:all:"]
        await _run(_command(interpreter, draft, [RUNTIME_CLIENT], ["--no-deps", *foreign]))
        _publish(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _publish(draft: Path, folder: Path) -> None:
    for extension in draft.glob("runtime_client*.so"):
        extension.unlink()
    shutil.rmtree(draft / "bin", ignore_errors=True)
    try:
        draft.rename(folder)
    except OSError:
        # Somebody else was faster; theirs is as good.
        if not folder.is_dir():
            raise


def _command(interpreter: Interpreter, target: Path, packages: list[str], options: list[str]) -> list[str]:
    if uv := shutil.which("uv"):
        platform = (
            ["--python-platform", "x86_64-manylinux2014", "--only-binary", ":all:"] if "--platform" in options else []
        )
        rest = ["--no-deps"] if "--no-deps" in options else []
        return [
            uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(interpreter.path),
            "--target", str(target), *platform, *rest, *packages,
        ]  # fmt: skip
    return [
        str(interpreter.path), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
        "--root-user-action=ignore", "--upgrade", "--target", str(target), *options, *packages,
    ]  # fmt: skip


async def _run(command: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise SiteError(f"{' '.join(command[:4])} ... failed:\n{output.decode('utf-8', 'replace').strip()}")
