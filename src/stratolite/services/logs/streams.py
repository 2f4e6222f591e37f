"""Streams: made, listed, deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import InvalidParameterException, ResourceAlreadyExistsException, ResourceNotFoundException
from .names import Group, ms
from .pages import paged

_PAGE = 50


@dataclass(frozen=True)
class Stream:
    """`lines`: when its first and last events were, and when the last one was written; None without events."""

    name: str
    created_at: float
    lines: tuple[float, float, float] | None


@operation
def create_log_stream(call: Call, log_group_name: str, log_stream_name: str) -> None:
    group = names.get(call, log_group_name)
    if exists(call, group, log_stream_name):
        raise ResourceAlreadyExistsException(what="log stream")
    call.tx.run(
        "INSERT INTO logs_stream (log_group, name, created_at) VALUES (?, ?, ?)", group.key, log_stream_name, call.now
    )


@operation
def delete_log_stream(call: Call, log_group_name: str, log_stream_name: str) -> None:
    group = names.get(call, log_group_name)
    check(call, group, log_stream_name)
    call.tx.run("DELETE FROM logs_stream WHERE log_group = ? AND name = ?", group.key, log_stream_name)
    call.tx.after(lambda: call.cloud.telemetry.forget_lines(*group.place, stream=log_stream_name))


@operation
def describe_log_streams(
    call: Call,
    log_group_name: str | None = None,
    log_group_identifier: str | None = None,
    log_stream_name_prefix: str | None = None,
    order_by: str = "LogStreamName",
    descending: bool = False,
    next_token: str | None = None,
    limit: int = _PAGE,
) -> dict[str, Any]:
    group = names.choose(call, log_group_name, log_group_identifier)
    if order_by == "LastEventTime" and log_stream_name_prefix is not None:
        raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
    order = _ORDERS[order_by]
    found = [stream for stream in _all(call, group) if stream.name.startswith(log_stream_name_prefix or "")]
    found.sort(key=order, reverse=descending)
    page, more = paged(found, limit, next_token, order, descending)
    return {"logStreams": [_described(group, stream) for stream in page], "nextToken": more}


def exists(call: Call, group: Group, name: str) -> bool:
    made = call.tx.value("SELECT 1 FROM logs_stream WHERE log_group = ? AND name = ?", group.key, name)
    return bool(made) or name in call.cloud.telemetry.streams(*group.place)


def check(call: Call, group: Group, name: str) -> None:
    if not exists(call, group, name):
        raise ResourceNotFoundException(what="log stream")


_ORDERS: dict[str, Callable[[Stream], str]] = {
    "LogStreamName": lambda stream: stream.name,
    "LastEventTime": lambda stream: f"{ms(stream.lines[1] if stream.lines else 0.0):015d} {stream.name}",
}


def _all(call: Call, group: Group) -> list[Stream]:
    """Those that were created, and those that functions write to without asking."""
    written = call.cloud.telemetry.streams(*group.place)
    made = {
        row["name"]: row["created_at"]
        for row in call.tx.all("SELECT name, created_at FROM logs_stream WHERE log_group = ?", group.key)
    }
    created = {name: lines[0] for name, lines in written.items()} | made
    return [Stream(name, created_at, written.get(name)) for name, created_at in created.items()]


def _described(group: Group, stream: Stream) -> dict[str, Any]:
    described: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": ms(stream.created_at),
        "arn": f"{group.arn}:log-stream:{stream.name}",
        "storedBytes": 0,  # AWS stopped counting them in 2019
    }
    if stream.lines is not None:
        first, last, written = stream.lines
        described |= {
            "firstEventTimestamp": ms(first),
            "lastEventTimestamp": ms(last),
            "lastIngestionTime": ms(written),
            "uploadSequenceToken": sequence_token(ms(written)),
        }
    return described


def sequence_token(number: int) -> str:
    """The token AWS still sends and does not look at any more."""
    return f"49{number:054d}"
