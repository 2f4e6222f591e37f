"""What is wrong with a template, in AWS's words, and where."""

from __future__ import annotations

Path = tuple[str | int, ...]


class TemplateError(Exception):
    """A template that cannot be used.

    `message` is AWS's text, `path` the place in the document (`text.line_of`), `detail` what AWS leaves out.
    """

    def __init__(self, message: str, path: Path = (), detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.detail = detail
