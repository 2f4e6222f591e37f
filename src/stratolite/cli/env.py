"""`strato env`: the variables that make any AWS tool use this cloud."""

from __future__ import annotations

import json
import shlex

import typer

from . import options, running


def env(state: options.State = options.DEFAULT_STATE, port: options.Port = None, as_json: options.Json = False) -> None:
    """Print the environment for AWS tools: eval "$(strato env)".

    Version 1 of the AWS CLI sends `aws sqs` to AWS itself in its oldest regions, whatever the environment says: give it
    --endpoint-url there, or use version 2.
    """
    found = running.need(state, port).environment
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for name, value in found.items():
            typer.echo(f"export {name}={shlex.quote(value)}")
