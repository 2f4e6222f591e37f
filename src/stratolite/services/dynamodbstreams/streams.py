"""Streams: listed and described."""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import Call, operation

from .errors import ResourceNotFoundException, ValidationException

ARN = re.compile(r"arn:[^:]+:dynamodb:([^:]+):([^:]+):table/([^/]+)/stream/([^/]+)").fullmatch
MOST_LISTED = 100
# A sequence number is this and the record's number: 21 digits at least, growing.
FIRST_SEQUENCE = 10**20

Answer = dict[str, Any]


def sequence_number(seq: int) -> str:
    return str(FIRST_SEQUENCE + seq)


def find(call: Call, arn: str) -> Any:
    """The row of a stream. Raises ResourceNotFoundException, or ValidationException for what is no stream's ARN."""
    match = ARN(arn)
    if match is None:
        raise ValidationException(f"Invalid StreamArn: {arn}")
    region, account, table, label = match.groups()
    row = call.tx.one(
        "SELECT * FROM dynamodb_stream WHERE account = ? AND region = ? AND table_name = ? AND label = ?",
        account,
        region,
        table,
        label,
    )
    if row is None:
        raise ResourceNotFoundException(stream=arn)
    return row


def arn_of(row: Any) -> str:
    return f"arn:aws:dynamodb:{row['region']}:{row['account']}:table/{row['table_name']}/stream/{row['label']}"


def check_limit(limit: int | None, most: int) -> int:
    """A page's length. Raises ValidationException for one that is too long; the model says what is too short."""
    if limit is not None and limit > most:
        raise ValidationException(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            f"Member must have value less than or equal to {most}"
        )
    return limit or most


@operation(raw=True)
def list_streams(
    call: Call, table_name: str | None = None, limit: int | None = None, exclusive_start_stream_arn: str | None = None
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_ListStreams.html"""
    most = check_limit(limit, MOST_LISTED)
    after = 0
    if exclusive_start_stream_arn is not None:
        after = find(call, exclusive_start_stream_arn)["key"]
    named = "" if table_name is None else "AND table_name = ? "
    rows = call.tx.all(
        f"SELECT * FROM dynamodb_stream WHERE account = ? AND region = ? AND key > ? {named}ORDER BY key LIMIT ?",
        call.account,
        call.region,
        after,
        *(() if table_name is None else (table_name,)),
        most + 1,
    )
    answer: Answer = {
        "Streams": [
            {"StreamArn": arn_of(row), "TableName": row["table_name"], "StreamLabel": row["label"]}
            for row in rows[:most]
        ]
    }
    if len(rows) > most:
        answer["LastEvaluatedStreamArn"] = arn_of(rows[most - 1])
    return answer


def shard_of(row: Any) -> Answer:
    """AWS: a shard lives for about four hours and has a child. Here: one shard as long as the stream is enabled."""
    numbers = {"StartingSequenceNumber": sequence_number(row["first"])}
    if row["disabled_at"] is not None:
        numbers["EndingSequenceNumber"] = sequence_number(max(row["next"] - 1, row["first"]))
    return {"ShardId": row["shard"], "SequenceNumberRange": numbers}


@operation(raw=True)
def describe_stream(
    call: Call,
    stream_arn: str,
    limit: int | None = None,
    exclusive_start_shard_id: str | None = None,
    shard_filter: dict[str, str] | None = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_DescribeStream.html"""
    check_limit(limit, MOST_LISTED)
    if shard_filter is not None:
        for member in ("Type", "ShardId"):
            if shard_filter.get(member) is None:
                raise ValidationException(
                    f"1 validation error detected: Value null at 'shardFilter.{member[0].lower()}{member[1:]}' "
                    "failed to "
                    "satisfy constraint: Member must not be null"
                )
    row = find(call, stream_arn)
    # One shard: nothing comes after it, and it has no children.
    shards = [shard_of(row)] if exclusive_start_shard_id is None and shard_filter is None else []
    return {
        "StreamDescription": {
            "StreamArn": arn_of(row),
            "StreamLabel": row["label"],
            "StreamStatus": "ENABLED" if row["disabled_at"] is None else "DISABLED",
            "StreamViewType": row["view_type"],
            "CreationRequestDateTime": round(row["created_at"], 3),
            "TableName": row["table_name"],
            "KeySchema": json.loads(row["key_schema"]),
            "Shards": shards,
        }
    }
