"""`strato deploy`: build a project and make a stack of it, in a cloud that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import deployment, options, running, summary


def deploy(
    path: Annotated[Path, typer.Argument(help="The project's folder, or its template.")] = Path("."),
    stack: options.Stack = None,
    parameter: options.Parameters = None,
    state: options.State = options.DEFAULT_STATE,
    port: options.Port = None,
    as_json: options.Json = False,
) -> None:
    """Build a SAM or CloudFormation project and deploy it to the running cloud."""
    given = deployment.parameters(parameter)
    project = deployment.read(path)
    found = running.need(state, port)
    with deployment.Progress() as tell:
        deployment.check(found, project)
        built = deployment.build(project, tell)
        described = deployment.deploy(found, built, stack or project.name, given, tell)
    summary.show(found, described, as_json)
