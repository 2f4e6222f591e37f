"""`strato reset`: forget everything."""

from __future__ import annotations

import shutil
import sys
from typing import Annotated

import typer

from . import options, running
from .problem import Problem


def reset(
    state: options.State = options.DEFAULT_STATE,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete the state; a cloud that runs on it is started again, empty."""
    if not state.exists():
        typer.echo(f"There is nothing in {state}.", err=True)
        return
    known = ("state.sqlite", "telemetry.sqlite", "server.json")
    if not any((state / name).exists() for name in known):
        raise Problem(f"{state} is no state folder of Stratolite: left alone")
    if not yes and sys.stdin.isatty() and not typer.confirm(f"Delete everything in {state}?"):
        raise Problem("left as it is")
    facts = running.announced(state)
    if facts:
        running.Running(int(facts["port"]), pid=int(facts["pid"])).stop()
    shutil.rmtree(state)
    if facts:
        words = ["--host", str(facts["host"]), "--durability", str(facts["durability"])]
        again = running.launch(state, int(facts["port"]), (*words, *(["--strict"] if facts["strict"] else [])))
        typer.echo(f"Empty, and answering on {again.endpoint}.", err=True)
    else:
        typer.echo("Empty.", err=True)
