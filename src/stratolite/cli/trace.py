"""`strato trace`: the journey of one request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from . import options, running
from .problem import NOT_FOUND, Problem

_LOOKED_AT = 1000
"""So many of the latest are looked through for journeys: most requests are one call and lead nowhere."""


def trace(
    part: Annotated[
        str | None, typer.Argument(metavar="ID", help="Any part of a trace id or request id; none lists the latest.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many of the latest to list.")] = 20,
    everything: Annotated[bool, typer.Option("--all", help="List single API calls too.")] = False,
    state: options.State = options.DEFAULT_STATE,
    port: options.Port = None,
    as_json: options.Json = False,
) -> None:
    """Show one request's journey as a tree with times, or list the latest journeys."""
    found = running.need(state, port)
    if part is None:
        listed = found.ask("traces", limit=limit if everything else _LOOKED_AT)["traces"]
        if not everything:
            listed = [each for each in listed if each["kind"] != "api" or each["spans"] > 1][:limit]
        if as_json:
            typer.echo(json.dumps(listed))
        else:
            _list(listed)
        return
    try:
        journey = found.ask("trace", id=part)
    except Problem as problem:
        raise Problem(str(problem), NOT_FOUND) from problem
    if as_json:
        typer.echo(json.dumps(journey))
    else:
        _tree(journey)


def _list(traces: list[dict[str, Any]]) -> None:
    from datetime import datetime

    from .screen import screen, table

    rows = table("time", "trace", "what", "spans", "ms", "failures")
    for each in traces:
        rows.add_row(
            datetime.fromtimestamp(each["start"]).strftime("%H:%M:%S.%f")[:-3],
            each["trace"],
            f"{each['kind']} {each['name']}",
            str(each["spans"]),
            f"{(each['finish'] - each['start']) * 1000:.1f}",
            f"[red]{each['failures']}[/]" if each["failures"] else "",
        )
    screen().print(rows)


def branches(spans: list[dict[str, Any]]) -> dict[str | None, list[dict[str, Any]]]:
    """The spans below each span, and below None the first ones; `spans` in order of their start.

    A function that traces itself names parents only its own tracer knows: what it called hangs below the invocation
    that was under way.
    """
    ids = {span["span"] for span in spans}
    found: dict[str | None, list[dict[str, Any]]] = {}
    for span in spans:
        parent = span["parent"]
        if parent not in ids:
            around = [
                each
                for each in spans
                if each["kind"] == "invocation" and each["start"] <= span["start"] and span["finish"] <= each["finish"]
            ]
            parent = around[-1]["span"] if around and parent is not None else None
        found.setdefault(parent, []).append(span)
    return found


def _short(name: str) -> str:
    """An ARN as its service and resource; any other name as it is."""
    parts = name.split(":", 5)
    return f"{parts[2]} {parts[5]}" if parts[0] == "arn" and len(parts) == 6 else name


def rows(spans: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every span, what caused it before it, each with the lines that lead there."""
    below = branches(spans)

    def grow(parent: str | None, stem: str) -> Iterator[tuple[str, dict[str, Any]]]:
        children = below.get(parent, [])
        for child in children:
            turn, further = ("", "") if parent is None else ("└─ ", "   ") if child is children[-1] else ("├─ ", "│  ")
            yield stem + turn, child
            yield from grow(child["span"], stem + further)

    return grow(None, "")


def _tree(journey: dict[str, Any]) -> None:
    from rich.text import Text

    from .screen import screen

    console = screen()
    spans = sorted(journey["spans"], key=lambda span: (span["start"], -span["finish"]))
    first = spans[0]["start"]
    console.print(Text.assemble((journey["trace"], "bold")))
    console.print(Text.assemble(("   after ms  took ms", "cyan")))
    for lines, span in rows(spans):
        text = Text()
        text.append(f"{(span['start'] - first) * 1000:11.1f} {(span['finish'] - span['start']) * 1000:8.1f}", "cyan")
        text.append(f"  {lines}{span['kind']} ", "dim")
        text.append(_short(span["name"]), "red" if span["failure"] else "")
        if span["failure"]:
            text.append(f"  {span['failure']}", "red")
        told = [f"{name}={value}" for name, value in (span["attributes"] or {}).items() if value is not None]
        text.append(f"  {', '.join(told)}" if told else "", "dim")
        if console.is_terminal:  # its lines end at its edge; a pipe gets all of it
            console.print(text, soft_wrap=False, no_wrap=True, overflow="ellipsis")
        else:
            console.print(text)
