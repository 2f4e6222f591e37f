"""Problems: what the user is told when a verb cannot be carried out, and the exit code that says so to a script."""

from __future__ import annotations

import sys

FAILED = 1
USAGE = 2
NO_CLOUD = 3
NOT_FOUND = 4


class Problem(Exception):
    """The message is for people; `code` is the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code

    def tell(self) -> None:
        print(f"strato: {self}", file=sys.stderr)
