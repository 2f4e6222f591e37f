"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .running import STATE

State = Annotated[Path, typer.Option("--state", help="The folder of the cloud's state.")]
Port = Annotated[int | None, typer.Option("--port", help="The port of the cloud, instead of the state folder's.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Stack = Annotated[str | None, typer.Option("--stack", help="The stack's name; the project folder's when not given.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A parameter of the template; may be repeated."),
]

DEFAULT_STATE = STATE
