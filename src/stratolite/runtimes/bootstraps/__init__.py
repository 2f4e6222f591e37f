"""Bootstraps: for every runtime, what is started and in what; a few declarative lines each.

A Python function is a fork of its interpreter's zygote and has no command; anything else is a command that the plain
zygote executes. Node, Java, Ruby and .NET join this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bootstrap:
    interpreter: Path
    """Of the zygote it comes out of."""
    site: Path | None
    """What the zygote loads ahead; None for the plain one, which only executes."""
    argv: tuple[str, ...] = ()
    """`{task}` and `{layers}` stand for where the environment sees them; empty for a fork."""
    programs: str = ""
    """What comes first in PATH."""
    runtime_dir: str = "/var/runtime"


PROVIDED = ("/bin/sh", "-c", 'exec "$([ -x "{task}/bootstrap" ] && echo "{task}" || echo "{layers}")/bootstrap"')
"""AWS looks for `bootstrap` in the package, then in the layers."""
