"""`strato logs`: what functions wrote."""

from __future__ import annotations

import re
import time
from typing import Annotated

import typer

from . import news, options, running
from .problem import USAGE, Problem

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def logs(
    group: Annotated[str | None, typer.Argument(help="Part of a log group's or function's name; all of them.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    since: Annotated[str, typer.Option(help="How far back: 30s, 10m, 2h, 1d.")] = "1h",
    state: options.State = options.DEFAULT_STATE,
    port: options.Port = None,
    as_json: options.Json = False,
) -> None:
    """Show log lines of all functions in order of time."""
    match = re.fullmatch(r"(\d+)([smhd])", since)
    if match is None:
        raise Problem(f"--since {since}: a number and s, m, h or d", USAGE)
    found = running.need(state, port)
    show = news.printer(as_json)
    for each in news.lines(found, time.time() - int(match[1]) * _UNITS_S[match[2]], follow, group or ""):
        show(each)
