"""strato: the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `strato`."""
    if sys.argv[1:2] == ["start"]:
        # The server pays for no command-line library: it answers 50 ms earlier.
        from .start import run

        sys.exit(run(sys.argv[2:]))
    from .problem import Problem
    from .verbs import app

    try:
        app()
    except Problem as problem:
        problem.tell()
        sys.exit(problem.code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read us has enough (`strato logs | head`).
        sys.stderr.close()
        sys.exit(0)
