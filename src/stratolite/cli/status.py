"""`strato status`: what runs, what is deployed, what is accepted and not emulated."""

from __future__ import annotations

import json
from typing import Any

import typer

from . import options, running


def status(
    state: options.State = options.DEFAULT_STATE, port: options.Port = None, as_json: options.Json = False
) -> None:
    """Show the cloud, its stacks, and what was accepted without being emulated."""
    found = running.need(state, port)
    facts = found.ask("status")
    stacks = found.client("cloudformation").describe_stacks()["Stacks"]
    if as_json:
        listed = [
            {
                "name": each["StackName"],
                "status": each["StackStatus"],
                "outputs": {o["OutputKey"]: o["OutputValue"] for o in each.get("Outputs", [])},
            }
            for each in stacks
        ]
        typer.echo(json.dumps({"endpoint": found.endpoint, "pid": found.pid, **facts, "stacks": listed}))
        return
    _show(found, facts, stacks)


def _show(found: running.Running, facts: dict[str, Any], stacks: list[dict[str, Any]]) -> None:
    from .screen import screen, table

    console = screen()
    strict = ", strict" if facts.get("strict") else ""
    console.print(f"Stratolite {facts['version']} answers on [bold]{found.endpoint}[/]{strict}")
    if stacks:
        rows = table("stack", "status", "outputs")
        for each in stacks:
            outputs = "\n".join(f"{o['OutputKey']} = {o['OutputValue']}" for o in each.get("Outputs", []))
            rows.add_row(each["StackName"], each["StackStatus"], outputs)
        console.print(rows)
    else:
        console.print("No stacks.")
    if facts["not_emulated"]:
        console.print("Accepted, not emulated:")
        for text, count in facts["not_emulated"].items():
            console.print(f"  {text}{f' ({count} times)' if count > 1 else ''}")
