"""`strato stop`: end the cloud in order."""

from __future__ import annotations

import typer

from . import options, running


def stop(state: options.State = options.DEFAULT_STATE, port: options.Port = None) -> None:
    """End the cloud; its state stays."""
    running.need(state, port).stop()
    typer.echo("Stopped.", err=True)
