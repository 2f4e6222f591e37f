"""Stream records: what a table's stream says of a change.

A record is written whole, as GetRecords answers it and as a function is handed it.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
"""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions import values
from stratolite.languages.expressions.values import Item

from .table import Table

RETENTION_S = 24 * 3600.0
# Sequence numbers have 21 digits at least; they grow with each record of a stream.
FIRST_SEQUENCE = 10**20
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
SERVICE_IDENTITY = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


def sequence_number(seq: int) -> str:
    return str(FIRST_SEQUENCE + seq)


def write(call: Call, table: Table, before: Item | None, after: Item | None, by_service: bool = False) -> None:
    """Append to the table's stream what changed, and wake who reads it.

    by_service: the change was DynamoDB's own: an item's time to live ended.
    """
    row = call.tx.one(
        "UPDATE dynamodb_stream SET next = next + 1 WHERE key = ? RETURNING next - 1, trimming", table.stream
    )
    assert row is not None, "an enabled stream has a row"
    seq, trimming = row
    present = after if after is not None else before
    assert present is not None
    key = table.key_of(present)
    size = values.item_bytes(key)
    change: dict[str, Any] = {"ApproximateCreationDateTime": int(call.now), "Keys": key}
    if after is not None and table.view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        change["NewImage"] = after
        size += values.item_bytes(after)
    if before is not None and table.view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        change["OldImage"] = before
        size += values.item_bytes(before)
    change["SequenceNumber"] = sequence_number(seq)
    change["SizeBytes"] = size
    change["StreamViewType"] = table.view
    record: dict[str, Any] = {
        "eventID": call.world.hex(32),
        "eventName": "INSERT" if before is None else "REMOVE" if after is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": table.region,
        "dynamodb": change,
    }
    if by_service:
        record["userIdentity"] = SERVICE_IDENTITY
    call.tx.run(
        "INSERT INTO dynamodb_stream_record (stream, seq, at, trace, record) VALUES (?, ?, ?, ?, ?)",
        table.stream,
        seq,
        call.now,
        call.trace.header,
        _encode(record).encode("utf-8", "surrogatepass"),
    )
    if not trimming:
        call.tx.run("UPDATE dynamodb_stream SET trimming = 1 WHERE key = ?", table.stream)
        call.later("dynamodb.trim", call.now + RETENTION_S, None, None, stream=table.stream)
    call.signal("dynamodb-stream", table.stream, n=None)
