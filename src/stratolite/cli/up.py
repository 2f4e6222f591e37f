"""`strato up`: a project, running."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from . import deployment, news, options, running, summary
from .problem import Problem


def up(
    path: Annotated[Path, typer.Argument(help="The project's folder, or its template.")] = Path("."),
    stack: options.Stack = None,
    parameter: options.Parameters = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what AWS accepts and is not emulated.")] = False,
    follow: Annotated[bool, typer.Option(help="Follow logs and events until Ctrl-C.")] = True,
    state: options.State = options.DEFAULT_STATE,
    port: options.Port = None,
    as_json: options.Json = False,
) -> None:
    """Start the cloud if none runs, build and deploy the project, follow what happens; Ctrl-C ends it."""
    given = deployment.parameters(parameter)
    project = deployment.read(path)  # before anything is started: a broken template is told at once
    signal.signal(signal.SIGTERM, _as_interrupt)
    found = running.find(state, port)
    if found is None:
        found = running.launch(state, port, ("--strict",) if strict else ())
    elif strict and not found.ask("status")["strict"]:
        raise Problem(f"the cloud on {found.endpoint} runs already, and not with --strict")
    try:
        with deployment.Progress() as tell:
            deployment.check(found, project)
            built = deployment.build(project, tell)
            described = deployment.deploy(found, built, stack or project.name, given, tell)
        summary.show(found, described, as_json)
        if follow:
            try:
                _follow(found, project, stack or project.name, given, as_json)
            except KeyboardInterrupt:  # how following ends; anything before it was interrupted
                typer.echo("", err=True)
    finally:
        if found.process is not None and follow:
            found.stop()
            typer.echo(f"Stopped; the state stays in {state}.", err=True)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _follow(found: running.Running, project: Any, stack: str, given: dict[str, str], as_json: bool) -> None:
    """Show what happens; deploy again when the template or the requirements change."""
    if not as_json:
        typer.echo("\nFollowing logs and events; a saved handler is live with the next event. Ctrl-C ends.", err=True)
    show = news.printer(as_json)
    seen = _stamps(project)
    for each in news.lines(found, None, True, idle=True):
        if each is not None:
            show(each)
            continue
        if _stamps(project) == seen:
            continue
        try:
            project = deployment.read(project.template)
            with deployment.Progress() as tell:
                built = deployment.build(project, tell)
                deployment.deploy(found, built, stack, given, tell)
            typer.echo(f"{stack} is deployed again.", err=True)
        except Problem as problem:
            problem.tell()
        seen = _stamps(project)


def _stamps(project: Any) -> list[tuple[str, float]]:
    """The files whose change needs a deployment, each with the time of its last."""
    found = []
    for file in project.files:
        with contextlib.suppress(OSError):
            found.append((str(file), file.stat().st_mtime))
    return found
