"""Following: what the filters of a group do with its lines, as they are written.

A filter is a row with a place in the lines, and a job that reads on from there whenever lines were written. The place
moves in the transaction that hands the lines on, so each line is handed on once.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from stratolite.kernel import AwsError, Call, Park, Retry, job
from stratolite.kernel.telemetry import LogLine
from stratolite.languages import log_patterns

from .destinations import target_of
from .events import event_id
from .names import Group, ms

_LOOK_AGAIN_S = 60.0  # a restart may fall between lines written and lines followed
_BLOCK_DIGITS = 20  # of a line's id: the block it was written in
_RETRY = Retry(attempts=185, max_age_s=86_400.0)


def put(call: Call, group: Group, kind: str, name: str, pattern: str, **more: str | None) -> None:
    """Makes or changes a filter; a new one begins with the lines written from now on."""
    old = call.tx.one(
        "SELECT key FROM logs_filter WHERE log_group = ? AND kind = ? AND name = ?", group.key, kind, name
    )
    values = (pattern, more.get("destination"), more.get("role"), more.get("distribution"), more.get("transformations"))
    if old is not None:
        call.tx.run(
            """UPDATE logs_filter SET pattern = ?, destination = ?, role = ?, distribution = ?, transformations = ?
               WHERE key = ?""",
            *values,
            old["key"],
        )
        return
    made = call.tx.run(
        """INSERT INTO logs_filter (pattern, destination, role, distribution, transformations, log_group, kind, name,
                                    created_at, block)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        *values,
        group.key,
        kind,
        name,
        call.now,
        call.cloud.telemetry.newest_block(),
    )
    call.later("logs.follow", filter=made.lastrowid)


def remove(call: Call, group: Group, kind: str, name: str) -> bool:
    """Whether there was one."""
    gone = call.tx.run("DELETE FROM logs_filter WHERE log_group = ? AND kind = ? AND name = ?", group.key, kind, name)
    call.signal("logs", *group.place, n=None)  # its job finds that it has nothing to do any more
    return gone.rowcount > 0


@job
def follow(call: Call, filter: int) -> None:
    """Hands on what was written since the last time, then waits for more."""
    row = call.tx.one("SELECT * FROM logs_filter WHERE key = ?", filter)
    if row is None:
        return
    group = Group(call.tx.one("SELECT * FROM logs_group WHERE key = ?", row["log_group"]))
    lines = call.cloud.telemetry.lines(*group.place, after_block=row["block"])
    if not lines:
        raise Park("logs", *group.place, until=call.now + _LOOK_AGAIN_S)
    pattern = log_patterns.compile(row["pattern"])
    matching = [line for line in lines if pattern.matches(line.message)]
    if row["kind"] == "subscription":
        _hand_on(call, group, row, matching)
    else:
        _measure(call, row, pattern, matching)
    block = max(int(line.id[:_BLOCK_DIGITS]) for line in lines)
    call.tx.run("UPDATE logs_filter SET block = ? WHERE key = ?", block, filter)
    call.later("logs.follow", filter=filter)


def _hand_on(call: Call, group: Group, row: Any, lines: list[LogLine]) -> None:
    """One message per stream, as AWS packs them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    by_stream: dict[str, list[LogLine]] = {}
    for line in lines:
        by_stream.setdefault(line.stream, []).append(line)
    for stream, found in by_stream.items():
        message = {
            "messageType": "DATA_MESSAGE",
            "owner": group.place[0],
            "logGroup": group.name,
            "logStream": stream,
            "subscriptionFilters": [row["name"]],
            "logEvents": [
                {"id": event_id(line), "timestamp": ms(line.time), "message": line.message} for line in found
            ],
        }
        packed = gzip.compress(json.dumps(message).encode(), mtime=0)
        try:
            to = target_of(call, row["destination"])
        except AwsError:
            return  # the destination was deleted under the filter
        if to.split(":")[2] == "lambda":
            packed = json.dumps({"awslogs": {"data": base64.b64encode(packed).decode()}}).encode()
        call.deliver(to=to, payload=packed, source="logs", retry=_RETRY, context={"partition_key": stream})


def _measure(call: Call, row: Any, pattern: log_patterns.Pattern, lines: list[LogLine]) -> None:
    for rule in json.loads(row["transformations"]):
        for line in lines:
            found = pattern.extract(line.message)
            value = _number(rule["metricValue"], found)
            dimensions = {
                name: found[field] for name, field in (rule.get("dimensions") or {}).items() if field in found
            }
            if value is not None and len(dimensions) == len(rule.get("dimensions") or {}):
                call.metric(
                    rule["metricNamespace"], rule["metricName"], value, rule.get("unit") or "None", **dimensions
                )


def _number(text: str, found: dict[str, str]) -> float | None:
    """A metric value: a number, or what the line holds at a place of the pattern."""
    try:
        return float(found[text] if text.startswith("$") else text)
    except (KeyError, ValueError):
        return None
