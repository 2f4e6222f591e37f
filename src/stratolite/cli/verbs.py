"""The verbs of `strato`, one file each."""

from __future__ import annotations

import typer

from . import deploy, env, invoke, logs, reset, status, stop, trace, up
from .start import DESCRIPTION, parser

EPILOG = (
    "Exit codes: 0 done, 1 it failed (a deployment, a function), 2 the command line is wrong, 3 no cloud runs or can "
    "be started, 4 there is nothing of that name, 130 interrupted."
)

app = typer.Typer(
    help="Stratolite: the serverless cloud in one process.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for verb in (
    up.up,
    deploy.deploy,
    status.status,
    invoke.invoke,
    logs.logs,
    trace.trace,
    reset.reset,
    stop.stop,
    env.env,
):
    app.command()(verb)


@app.command(help=DESCRIPTION, add_help_option=False)
def start() -> None:
    parser().print_help()  # `strato start` itself never comes this way


@app.callback(invoke_without_command=True)
def strato(version: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    if version:
        from stratolite import __version__

        typer.echo(__version__)
        raise typer.Exit
