"""Shards: where to read a stream from, and its records."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from stratolite.kernel import Call, operation

from .errors import (
    ExpiredIteratorException,
    ResourceNotFoundException,
    TrimmedDataAccessException,
    ValidationException,
)
from .streams import FIRST_SEQUENCE, arn_of, check_limit, find

MOST_RECORDS = 1000
MOST_BYTES = 1024 * 1024
ITERATOR_LIFE_S = 900.0

Answer = dict[str, Any]


def iterator(call: Call, row: Any, seq: int) -> str:
    """An iterator that goes on at a record's number, as AWS prints them: the stream and something opaque."""
    content = json.dumps([row["key"], row["shard"], seq, round(call.now, 3)], separators=(",", ":"))
    return f"{arn_of(row)}|1|{base64.b64encode(content.encode()).decode()}"


def opened(text: str) -> tuple[int, int, float]:
    """Stream, next record and time of birth of an iterator. Raises ValidationException for what is none."""
    try:
        key, _, seq, born = json.loads(base64.b64decode(text.rsplit("|", 1)[1], validate=True))
        return int(key), int(seq), float(born)
    except (IndexError, ValueError, TypeError, binascii.Error):
        raise ValidationException("Invalid ShardIterator") from None


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValidationException(f"Invalid SequenceNumber: {text}")
    return int(text) - FIRST_SEQUENCE


@operation(raw=True)
def get_shard_iterator(
    call: Call,
    stream_arn: str,
    shard_id: str,
    shard_iterator_type: str,
    sequence_number: str | None = None,
    timestamp: float | None = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html"""
    by_number = shard_iterator_type in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")
    if by_number and sequence_number is None:
        raise ValidationException(f"SequenceNumber must be specified when ShardIteratorType is {shard_iterator_type}")
    if not by_number and sequence_number is not None:
        raise ValidationException(
            f"SequenceNumber must not be specified when ShardIteratorType is {shard_iterator_type}"
        )
    row = find(call, stream_arn)
    if shard_id != row["shard"]:
        raise ResourceNotFoundException(f"Requested resource not found: Shard: {shard_id} not found in {stream_arn}")
    if by_number:
        assert sequence_number is not None
        wanted = _number(sequence_number)
        if wanted < row["first"] - 1:
            raise TrimmedDataAccessException()
        seq = wanted + (shard_iterator_type == "AFTER_SEQUENCE_NUMBER")
    elif shard_iterator_type == "TRIM_HORIZON":
        seq = row["first"]
    elif shard_iterator_type == "AT_TIMESTAMP":
        if timestamp is None:
            raise ValidationException("Timestamp must be specified when ShardIteratorType is AT_TIMESTAMP")
        found = call.tx.value(
            "SELECT min(seq) FROM dynamodb_stream_record WHERE stream = ? AND at >= ?", row["key"], timestamp
        )
        seq = row["next"] if found is None else found
    else:
        seq = row["next"]
    return {"ShardIterator": iterator(call, row, seq)}


@operation(raw=True)
def get_records(call: Call, shard_iterator: str, limit: int | None = None) -> bytes:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html"""
    most = check_limit(limit, MOST_RECORDS)
    key, seq, born = opened(shard_iterator)
    if call.now - born > ITERATOR_LIFE_S:
        raise ExpiredIteratorException(at=born, now=call.now)
    row = call.tx.one("SELECT * FROM dynamodb_stream WHERE key = ?", key)
    if row is None:
        raise ResourceNotFoundException(stream=shard_iterator.partition("|")[0])
    found: list[bytes] = []
    size = 0
    for number, record in call.tx.all(
        "SELECT seq, record FROM dynamodb_stream_record WHERE stream = ? AND seq >= ? ORDER BY seq LIMIT ?",
        key,
        seq,
        most,
    ):
        if found and size + len(record) > MOST_BYTES:
            break
        found.append(record)
        size += len(record)
        seq = number + 1
    answer = b'{"Records":[' + b",".join(found) + b"]"
    # A shard that is closed and read to its end has no next iterator.
    if row["disabled_at"] is None or seq < row["next"]:
        answer += b',"NextShardIterator":' + json.dumps(iterator(call, row, seq)).encode()
    return answer + b"}"
