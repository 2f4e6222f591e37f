"""Events: put, read page by page, searched."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.telemetry import LogLine
from stratolite.languages import log_patterns

from . import names, streams
from .errors import InvalidParameterException
from .groups import oldest_kept
from .names import Group, ms
from .pages import BAD_TOKEN

_PAGE = 10_000
_PAGE_BYTES = 1024 * 1024
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
_BATCH_BYTES = 1_048_576
_EVENT_OVERHEAD_BYTES = 26
_DAY_MS = 24 * 3600 * 1000
_OLDEST_MS = 14 * _DAY_MS
_NEWEST_MS = 2 * 3600 * 1000

_TOKEN = re.compile(r"(?P<way>[fb])/(?P<place>\d{56})/s")
_END = 10**56 - 1


@operation
def put_log_events(
    call: Call,
    log_group_name: str,
    log_stream_name: str,
    log_events: list[dict[str, Any]],
    sequence_token: str | None = None,
) -> dict[str, Any]:
    """Acknowledged lines are written; which sequence token came with them AWS does not look at any more either."""
    group = names.get(call, log_group_name)
    streams.check(call, group, log_stream_name)
    times = [event["timestamp"] for event in log_events]
    if any(a > b for a, b in pairwise(times)):
        raise InvalidParameterException("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] > _DAY_MS:
        raise InvalidParameterException(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    size = sum(len(event["message"].encode()) + _EVENT_OVERHEAD_BYTES for event in log_events)
    if size > _BATCH_BYTES:
        raise InvalidParameterException(f"Upload too large: {size} bytes exceeds limit of {_BATCH_BYTES}")
    now = ms(call.now)
    too_old = sum(time < now - _OLDEST_MS for time in times)
    expired = sum(time < ms(oldest_kept(call, group)) for time in times)
    too_new = sum(time > now + _NEWEST_MS for time in times)
    accepted = log_events[max(too_old, expired) : len(log_events) - too_new]
    if accepted:
        telemetry = call.cloud.telemetry
        call.log(group.name, log_stream_name, [(event["timestamp"] / 1000, event["message"]) for event in accepted])
        telemetry.flush()  # acknowledged lines are on disk; see docs/decisions
    rejected = {
        "tooNewLogEventStartIndex": len(log_events) - too_new if too_new else None,
        "tooOldLogEventEndIndex": too_old or None,
        "expiredLogEventEndIndex": expired or None,
    }
    return {
        "nextSequenceToken": streams.sequence_token(now),
        "rejectedLogEventsInfo": rejected if any(index is not None for index in rejected.values()) else None,
    }


@operation
def get_log_events(
    call: Call,
    log_stream_name: str,
    log_group_name: str | None = None,
    log_group_identifier: str | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
    next_token: str | None = None,
    limit: int = _PAGE,
    start_from_head: bool = False,
) -> dict[str, Any]:
    """A page of a stream, oldest first: the first of them, the last of them, or beside a token."""
    group = names.choose(call, log_group_name, log_group_identifier)
    streams.check(call, group, log_stream_name)
    forward, place = start_from_head, 0 if start_from_head else _END
    if next_token is not None:
        if not (token := _TOKEN.fullmatch(next_token)):
            raise InvalidParameterException(BAD_TOKEN)
        forward, place = token["way"] == "f", int(token["place"])
    lines = _lines(call, group, log_stream_name, start_time, end_time)
    if forward:
        page = _fit([line for line in lines if _place(line) > place], limit)
    else:
        page = _fit([line for line in reversed(lines) if _place(line) < place], limit)[::-1]
    first, last = (_place(page[0]), _place(page[-1])) if page else (place, place)
    if not page and next_token is None:
        first = last = 0
    return {
        "events": [
            {"timestamp": ms(line.time), "message": line.message, "ingestionTime": ms(line.written)} for line in page
        ],
        "nextForwardToken": f"f/{last:056d}/s",
        "nextBackwardToken": f"b/{first:056d}/s",
    }


@operation
def filter_log_events(
    call: Call,
    log_group_name: str | None = None,
    log_group_identifier: str | None = None,
    log_stream_names: list[str] | None = None,
    log_stream_name_prefix: str | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
    filter_pattern: str = "",
    next_token: str | None = None,
    limit: int = _PAGE,
    start_from_head: bool = True,
    interleaved: bool = True,
) -> dict[str, Any]:
    """Events of many streams by time. Always interleaved, whatever the request says, as on AWS since 2019."""
    group = names.choose(call, log_group_name, log_group_identifier)
    if log_stream_names and log_stream_name_prefix:
        raise InvalidParameterException("logStreamNamePrefix and logStreamNames are mutually exclusive parameters.")
    for name in log_stream_names or []:
        streams.check(call, group, name)
    pattern = compiled(filter_pattern)
    place = 0 if start_from_head else _END
    if next_token is not None:
        if not next_token.isdecimal() or len(next_token) != 56:
            raise InvalidParameterException(BAD_TOKEN)
        place = int(next_token)
    found = [
        line
        for line in _lines(call, group, None, start_time, end_time)
        if (_place(line) > place if start_from_head else _place(line) < place)
        and (not log_stream_names or line.stream in log_stream_names)
        and line.stream.startswith(log_stream_name_prefix or "")
        and pattern.matches(line.message)
    ]
    if not start_from_head:
        found.reverse()
    page = _fit(found, limit)
    return {
        "events": [
            {
                "logStreamName": line.stream,
                "timestamp": ms(line.time),
                "message": line.message,
                "ingestionTime": ms(line.written),
                "eventId": event_id(line),
            }
            for line in page
        ],
        "searchedLogStreams": [],
        "nextToken": f"{_place(page[-1]):056d}" if len(page) < len(found) else None,
    }


def compiled(pattern: str) -> log_patterns.Pattern:
    try:
        return log_patterns.compile(pattern)
    except log_patterns.PatternError as error:
        raise InvalidParameterException(f"Invalid filter pattern: {error}") from None


def event_id(line: LogLine) -> str:
    return f"{_place(line):056d}"


def _lines(call: Call, group: Group, stream: str | None, start: int | None, end: int | None) -> list[LogLine]:
    """Events with start <= time < end (ms), oldest first, that the group's retention still lets be seen."""
    since = max((start or 0) / 1000, oldest_kept(call, group))
    until = end / 1000 if end is not None else float("inf")
    return call.cloud.telemetry.lines(*group.place, stream=stream, start=since, end=until)


def _place(line: LogLine) -> int:
    """Where a line stands in its group: by time, then as it came. Unique."""
    return int(f"{ms(line.time)}{line.id}")


def _fit(lines: list[LogLine], limit: int) -> list[LogLine]:
    """As many as a page holds: `limit`, and 1 MB."""
    room, page = _PAGE_BYTES, lines[:limit]
    for count, line in enumerate(page):
        room -= len(line.message) + _EVENT_OVERHEAD_BYTES
        if room < 0 and count:
            return page[:count]
    return page
