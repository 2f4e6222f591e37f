"""`strato invoke`: call a function with an event."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from . import options, running
from .problem import FAILED, NOT_FOUND, USAGE, Problem


def invoke(
    function: Annotated[str, typer.Argument(help="The function's name, or its logical id in a stack.")],
    event: Annotated[str, typer.Argument(help="JSON, @FILE, or - for standard input.")] = "{}",
    asynchronous: Annotated[bool, typer.Option("--async", help="Hand the event over and do not wait.")] = False,
    logs: Annotated[bool, typer.Option("--logs", help="Show the invocation's log on standard error.")] = False,
    state: options.State = options.DEFAULT_STATE,
    port: options.Port = None,
) -> None:
    """Invoke a function; prints what it returns. Exit code 1 when it fails."""
    payload = _event(event)
    found = running.need(state, port)
    client = found.client("lambda")
    try:
        answer = client.invoke(
            FunctionName=_named(found, function),
            Payload=payload,
            InvocationType="Event" if asynchronous else "RequestResponse",
            LogType="Tail" if logs and not asynchronous else "None",
        )
    except client.exceptions.ResourceNotFoundException as error:
        raise Problem(f"there is no function {function}", NOT_FOUND) from error
    if "LogResult" in answer:
        sys.stderr.write(base64.b64decode(answer["LogResult"]).decode("utf-8", "replace"))
    text = answer["Payload"].read().decode("utf-8", "replace")
    if text:
        typer.echo(text)
    if "FunctionError" in answer:
        raise typer.Exit(FAILED)


def _event(text: str) -> bytes:
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text()
        json.loads(text)
    except OSError as error:
        raise Problem(f"{text[1:]}: {error.strerror}", USAGE) from error
    except ValueError as error:
        raise Problem(f"the event is no JSON: {error}", USAGE) from error
    return text.encode()


def _named(found: running.Running, function: str) -> str:
    """A logical id as the physical name; anything else as it is."""
    formation: Any = found.client("cloudformation")
    for stack in formation.describe_stacks()["Stacks"]:
        for each in formation.describe_stack_resources(StackName=stack["StackName"])["StackResources"]:
            if each["LogicalResourceId"] == function and each["ResourceType"] == "AWS::Lambda::Function":
                return str(each["PhysicalResourceId"])
    return function
