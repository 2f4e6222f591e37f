"""Source: how event source mappings and pipes consume a queue."""

from __future__ import annotations

import base64
from typing import Any

from stratolite.kernel import Batch, Call, source

from . import bodies, content, queues, receiving
from .errors import QueueDoesNotExist
from .queues import Queue as Found


@source("sqs")
class Queue:
    @staticmethod
    def batch(call: Call, arn: str, cursor: Any, limit: int, options: dict[str, Any]) -> Batch:
        """Take up to `limit` messages, hidden for `visibility_s` (the queue's own when absent).

        Each of `handles` is {"receipt": ..., "trace": ...}: the trace of the request that sent it.
        """
        queue = _find(call, arn)
        hide_s = options.get("visibility_s")
        taken = receiving.take(
            call, queue, limit, queue.number("VisibilityTimeout") if hide_s is None else float(hide_s)
        )
        return Batch(
            records=[_record(call, each, queue) for each in taken],
            ids=[each.row["id"] for each in taken],
            more=0 < limit == len(taken),
            wake=("sqs", queue.key),
            due=receiving.next_at(call, queue),
            handles=[{"receipt": each.handle(queue), "trace": each.row["trace"]} for each in taken],
        )

    @staticmethod
    def settle(call: Call, arn: str, batch: Batch, failed: set[str]) -> None:
        """Delete what was done. What failed becomes visible when its time is over, as on AWS."""
        try:
            queue = _find(call, arn)
        except QueueDoesNotExist:
            return
        for id_, handle in zip(batch.ids, batch.handles, strict=True):
            if id_ not in failed:
                row, receipt = receiving.of_handle(call, queue, handle["receipt"])
                if row is not None and row["receipt"] == receipt:
                    receiving.remove(call, queue, row)

    @staticmethod
    def shards(call: Call, arn: str) -> list[dict[str, Any]]:
        return [{"id": "", "parent": None, "closed": False}]


def _find(call: Call, arn: str) -> Found:
    queue = queues.of_arn(call, arn)
    if queue is None:
        raise QueueDoesNotExist()
    return queue


def _record(call: Call, taken: receiving.Taken, queue: Found) -> dict[str, Any]:
    """As Lambda hands it to a function: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    row = taken.row
    attributes = content.unpacked(row["attributes"])
    record = {
        "messageId": row["id"],
        "receiptHandle": taken.handle(queue),
        "body": bodies.read(call, row),
        "attributes": taken.system(queue),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
        "md5OfBody": row["md5"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": queue.region,
    }
    if attributes:
        record["md5OfMessageAttributes"] = content.attributes_digest(attributes)
    return record


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "BinaryValue" in value:
        shown["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    else:
        shown["stringValue"] = value["StringValue"]
    return shown
