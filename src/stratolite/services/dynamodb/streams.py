"""A table's stream, turned on and off; what it says is in `records`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from stratolite.kernel import Call, job

from . import records

Definition = dict[str, Any]


def enable(call: Call, account: str, region: str, name: str, definition: Definition, view: str) -> None:
    """Give a definition a stream; it has to be stored by the caller."""
    label = _label(call, account, region, name)
    stamp = int(call.now * 1000)
    call.tx.run(
        "INSERT INTO dynamodb_stream (account, region, table_name, label, view_type, key_schema, shard, "
        "created_at, first,"
        " next) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        account,
        region,
        name,
        label,
        view,
        json.dumps(definition["KeySchema"]),
        f"shardId-{stamp:020d}-{call.world.hex(8)}",
        call.now,
        stamp * 1000,
        stamp * 1000,
    )
    definition["Stream"] = call.tx.value(
        "SELECT key FROM dynamodb_stream WHERE account = ? AND region = ? AND table_name = ? AND label = ?",
        account,
        region,
        name,
        label,
    )
    definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    definition["LatestStreamLabel"] = label
    definition["LatestStreamArn"] = f"arn:aws:dynamodb:{region}:{account}:table/{name}/stream/{label}"


def _label(call: Call, account: str, region: str, name: str) -> str:
    """The instant, to the millisecond; the next one free when a table gets two streams in one."""
    at = call.now
    while True:
        label = _stamp(at)
        taken = call.tx.value(
            "SELECT 1 FROM dynamodb_stream WHERE account = ? AND region = ? AND table_name = ? AND label = ?",
            account,
            region,
            name,
            label,
        )
        if not taken:
            return label
        at += 0.001


def _stamp(at: float) -> str:
    """`2025-06-15T15:06:40.000`: ISO 8601 without a zone, as in a stream's ARN."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")


def disable(call: Call, definition: Definition) -> None:
    """Take a definition's stream away; its records can be read for another day."""
    stream = definition.pop("Stream", None)
    definition.pop("StreamSpecification", None)
    if stream is not None:
        call.tx.run("UPDATE dynamodb_stream SET disabled_at = ? WHERE key = ?", call.now, stream)
        call.later("dynamodb.forget_stream", call.now + records.RETENTION_S, None, None, stream=stream)
        call.signal("dynamodb-stream", stream, n=None)


SLICE = 500


@job
def trim(call: Call, stream: int) -> None:
    """Drop the records of a stream that are older than a day."""
    horizon = call.now - records.RETENTION_S
    gone = call.tx.run(
        "DELETE FROM dynamodb_stream_record WHERE stream = ? AND seq IN"
        " (SELECT seq FROM dynamodb_stream_record WHERE stream = ? AND at <= ? ORDER BY seq LIMIT ?)",
        stream,
        stream,
        horizon,
        SLICE,
    ).rowcount
    if gone == SLICE:
        call.later("dynamodb.trim", call.now, None, None, stream=stream)
        return
    oldest = call.tx.value("SELECT at FROM dynamodb_stream_record WHERE stream = ? ORDER BY seq LIMIT 1", stream)
    if oldest is None:
        call.tx.run("UPDATE dynamodb_stream SET trimming = 0 WHERE key = ?", stream)
    else:
        # Records of one minute go together: a busy stream is trimmed once a minute, not once a record.
        call.later("dynamodb.trim", oldest + records.RETENTION_S + 60.0, None, None, stream=stream)


@job
def forget_stream(call: Call, stream: int) -> None:
    """A stream that was disabled a day ago is gone."""
    gone = call.tx.run(
        "DELETE FROM dynamodb_stream_record WHERE stream = ? AND seq IN"
        " (SELECT seq FROM dynamodb_stream_record WHERE stream = ? LIMIT ?)",
        stream,
        stream,
        SLICE,
    ).rowcount
    if gone == SLICE:
        call.later("dynamodb.forget_stream", call.now, None, None, stream=stream)
    else:
        call.tx.run("DELETE FROM dynamodb_stream WHERE key = ?", stream)
