"""Bootstraps: for every runtime, what is started and in what; a few declarative lines each.

A Python function is a fork of its interpreter's zygote and has no command; anything else is a command that the plain
zygote executes: Node's for one function, or ahead of need. Java, Ruby and .NET join this table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    ahead: bool = False
    """The command can be started before its function is known, and takes the connection that was made for it."""

    def command(self, memory_mb: int) -> list[str]:
        """`{old_space}` in a word stands for what V8 may use of the function's memory."""
        return [word.replace("{old_space}", str(memory_mb * 9 // 10)) for word in self.argv]

    def may_wait(self, variables: Mapping[str, str]) -> bool:
        """Whether a process started without a function's variables can still become it."""
        return self.ahead and not any(READ_AT_START.match(name) for name in variables)


def node(program: Path) -> tuple[str, ...]:
    """The command of a Node.js; the options are those of AWS's own bootstrap."""
    return (
        str(program), "--expose-gc", "--max-http-header-size=81920", "--max-old-space-size={old_space}", str(NODE)
    )  # fmt: skip


NODE = Path(__file__).parent / "node" / "bootstrap.mjs"
READ_AT_START = re.compile(r"(NODE_(?!ENV$|PATH$)|UV_|LD_|SSL_CERT_|OPENSSL_|ICU_)")
"""Variables that Node.js, or the loader of its libraries, looks at before any of our code runs."""
PROVIDED = ("/bin/sh", "-c", 'exec "$([ -x "{task}/bootstrap" ] && echo "{task}" || echo "{layers}")/bootstrap"')
"""AWS looks for `bootstrap` in the package, then in the layers."""
