"""A table's stream as something to be consumed, by event source mappings and pipes."""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import Batch, Call, source

from .errors import ResourceNotFoundException
from .records import sequence_number

ARN = re.compile(r"arn:[^:]+:dynamodb:([^:]+):([^:]+):table/([^/]+)/stream/([^/]+)").fullmatch
MOST_BYTES = 6 * 1024 * 1024
"""A function's payload is no larger."""


def _find(call: Call, arn: str) -> Any:
    match = ARN(arn)
    row = None
    if match is not None:
        region, account, table, label = match.groups()
        row = call.tx.one(
            "SELECT * FROM dynamodb_stream WHERE account = ? AND region = ? AND table_name = ? AND label = ?",
            account,
            region,
            table,
            label,
        )
    if row is None:
        raise ResourceNotFoundException(f"Requested resource not found: Stream: {arn} not found")
    return row


def _beginning(call: Call, stream: Any, options: dict[str, Any]) -> int:
    """The first record a new consumer is handed."""
    position = options.get("position", "TRIM_HORIZON")
    if position == "LATEST":
        return int(stream["next"])
    if position == "AT_TIMESTAMP":
        found = call.tx.value(
            "SELECT min(seq) FROM dynamodb_stream_record WHERE stream = ? AND at >= ?",
            stream["key"],
            options["timestamp"],
        )
        return int(stream["next"] if found is None else found)
    return int(stream["first"])


@source("dynamodb")
class Stream:
    """One shard per stream; the cursor is the number of the next record.

    https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """

    @staticmethod
    def batch(call: Call, arn: str, cursor: Any, limit: int, options: dict[str, Any]) -> Batch:
        """Up to `limit` records from the cursor on, each with the ARN of its stream, as a function sees it."""
        stream = _find(call, arn)
        at = _beginning(call, stream, options) if cursor is None else int(cursor)
        records: list[dict[str, Any]] = []
        ids: list[str] = []
        handles: list[dict[str, str]] = []
        size = 0
        rows = call.tx.all(
            "SELECT seq, trace, record FROM dynamodb_stream_record WHERE stream = ? AND seq >= ? ORDER BY seq LIMIT ?",
            stream["key"],
            at,
            limit,
        )
        for seq, trace, record in rows:
            size += len(record)
            if records and size > MOST_BYTES:
                break
            records.append({**json.loads(record), "eventSourceARN": arn})
            ids.append(sequence_number(seq))
            handles.append({"trace": trace})
            at = seq + 1
        is_open = stream["disabled_at"] is None
        return Batch(
            records=records,
            ids=ids,
            cursor=at,
            handles=handles,
            more=at < stream["next"] and bool(records),
            wake=("dynamodb-stream", stream["key"]) if is_open else None,
        )

    @staticmethod
    def settle(call: Call, arn: str, batch: Batch, failed: set[str]) -> None:
        """Nothing: a stream forgets by time, and the consumer keeps its cursor."""

    @staticmethod
    def shards(call: Call, arn: str) -> list[dict[str, Any]]:
        """The one shard of a stream."""
        stream = _find(call, arn)
        return [{"id": stream["shard"], "parent": None, "closed": stream["disabled_at"] is not None}]
