"""News: what functions say and what happens, as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal, overload

from .running import Running

_POLL_S = 0.2
_SHOWN_KINDS = ("http", "delivery")


@overload
def lines(
    found: Running, since: float | None, follow: bool, group: str | None = None, *, idle: Literal[True]
) -> Iterator[dict[str, Any] | None]: ...
@overload
def lines(found: Running, since: float | None, follow: bool, group: str | None = None) -> Iterator[dict[str, Any]]: ...
def lines(
    found: Running, since: float | None, follow: bool, group: str | None = None, *, idle: bool = False
) -> Iterator[dict[str, Any] | None]:
    """Log lines and notable spans in order of time.

    Args:
        since: epoch seconds; None, only what comes.
        follow: go on until interrupted.
        group: only log groups whose name contains this text, and no spans.
        idle: give None now and then, when there is no news.
    """
    place = {"block": 0, "span": 0}
    if since is None:
        place = _place(found.ask("news", limit=0))
    while True:
        news = found.ask("news", block=place["block"], span=place["span"], since=since or 0)
        place = _place(news)
        heard = [{"kind": "log", **line} for line in news["lines"] if group is None or group in line["group"]]
        seen = [span for span in news["spans"] if group is None and _is_notable(span)]
        yield from sorted([*heard, *seen], key=lambda each: float(each["time"]))
        if not follow and not news["more"]:
            return
        if not news["more"]:
            if idle:
                yield None
            time.sleep(_POLL_S)


def _place(news: dict[str, Any]) -> dict[str, int]:
    return {"block": news["block"], "span": news["span"]}


def _is_notable(span: dict[str, Any]) -> bool:
    return span["kind"] in _SHOWN_KINDS or (span["kind"] in ("job", "invocation") and bool(span["failure"]))


def speaker(group: str, stream: str) -> str:
    """Whose line it is: functions that share a log group are told apart by their streams' names."""
    function = stream.rpartition("/")[2].partition("[")[0] if "[" in stream else ""
    return function or group.rpartition("/")[2]


def printer(as_json: bool) -> Callable[[dict[str, Any]], None]:
    """What prints one piece of news."""
    if as_json:
        return lambda each: print(json.dumps(each), flush=True)
    from rich.text import Text

    from .screen import screen

    console = screen()

    def show(each: dict[str, Any]) -> None:
        moment = datetime.fromtimestamp(each["time"]).strftime("%H:%M:%S.%f")[:-3]
        text = Text.assemble((f"{moment} ", "dim"))
        if each["kind"] == "log":
            text.append(f"{speaker(each['group'], each['stream'])}  ", style="cyan")
            text.append(each["message"].rstrip("\n"))
        else:
            style = "red" if each["failure"] else "green"
            text.append(f"{each['kind']} {each['name']}", style=style)
            text.append(f"  {each['ms']:.1f} ms", style="dim")
            if each["failure"]:
                text.append(f"  {each['failure']}", style="red")
        console.print(text)

    return show
