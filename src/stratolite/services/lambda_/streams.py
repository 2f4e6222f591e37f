"""Streams: the poller of a shard, which reads it in order, and what it does with a batch that fails.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from datetime import UTC, datetime
from typing import Any

from stratolite.kernel import Again, Batch, Call, Park, Retry, job
from stratolite.kernel.store import Row
from stratolite.runtimes.function import Outcome

from . import filters, mappings, names, pollers
from .errors import ResourceNotFoundException, TooManyRequestsException
from .pollers import LANE, Mapping

BACKOFF_S = (1.0, 60.0)
"""A batch of a stream that failed is tried again after a second, two, ... a minute (AWS does not publish it)."""
LOST_FUNCTION_S = 60.0
SEND = Retry(attempts=5, max_age_s=3600.0, backoff="internal")


@job(lane=LANE)
async def poll_stream(call: Call, mapping: int, shard: str) -> None:
    """Read a shard in order: a batch that fails holds up what is behind it until it is done, or given up."""
    while (current := pollers.polled(call, mapping, shard)) is not None:
        row = call.tx.one("SELECT * FROM lambda_mapping_shard WHERE mapping = ? AND shard = ?", mapping, shard)
        if row is None or row["done"]:
            return
        reader = _Reader(call, current, row)
        batch = reader.read(reader.limit)
        if not batch.records:
            if batch.wake is None:
                reader.close()
                return
            raise Park(*batch.wake, until=batch.due)
        await reader.work(batch)


class _Reader:
    """One look at a shard: what is next, and what becomes of it."""

    def __init__(self, call: Call, mapping: Mapping, row: Row) -> None:
        self.call, self.mapping, self.key = call, mapping, row["shard"]
        self.shard, self.part, self.parts = mappings.part_of(row["shard"])
        self.cursor = json.loads(row["cursor"] or "null")
        retry = json.loads(row["retry"] or "{}")
        self.counts: list[int] = retry.get("counts", [])
        """How the records that are tried again are cut, first to last."""
        self.invoked: int = retry.get("invoked", 0)
        """How often the first of them has been."""

    @property
    def limit(self) -> int:
        return self.counts[0] if self.counts else int(self.mapping.config["BatchSize"])

    def read(self, limit: int) -> Batch:
        config = self.mapping.config
        options = {
            "shard": self.shard,
            "position": config.get("StartingPosition"),
            "timestamp": config.get("StartingPositionTimestamp"),
        }
        batch: Batch = self.call.cloud.source(self.mapping.arn).batch(
            self.call, self.mapping.arn, self.cursor, limit, options
        )
        return batch

    def _kept(self, batch: Batch) -> list[int]:
        """Which records of a batch the function gets: of this reader's part of the keys, and wanted by a pattern."""
        return [
            i
            for i, record in enumerate(batch.records)
            if (self.parts == 1 or zlib.crc32(_item(record)) % self.parts == self.part)
            and filters.keeps(self.mapping.wanted, record)
        ]

    async def work(self, batch: Batch) -> None:
        call, config = self.call, self.mapping.config
        if not self.counts:
            batch = await self._fill(batch)
        aged = self._aged(batch)
        if aged:
            self._discard(self.read(aged), "RecordAgeExceeded", None)
            return
        kept = self._kept(batch)
        if not kept:
            self._advance(batch.cursor)
            return
        ids = [batch.ids[i] for i in kept]
        try:
            outcome = await pollers.hand_over(call, self.mapping, batch, kept)
        except TooManyRequestsException:
            raise Again(BACKOFF_S[0], "throttled") from None
        except ResourceNotFoundException as error:
            raise Again(LOST_FUNCTION_S, error.message) from None
        failed = pollers.failures(self.mapping, outcome, ids)
        _age_metric(call, self.mapping, batch)
        if not failed:
            self._advance(batch.cursor, "OK")
            return
        # Everything before the first failure is done.
        first = min(batch.ids.index(each) for each in failed)
        if first > 0:
            self.cursor = self.read(first).cursor
            self.counts = [len(batch.records) - first, *self.counts[1:]]
            self.invoked = 0
            batch = self.read(self.counts[0])
        self.invoked += 1
        size = len(batch.records)
        most = config["MaximumRetryAttempts"]
        if config["BisectBatchOnFunctionError"] and size > 1 and (first == 0 or outcome.failed):
            half = size // 2
            self.counts = [half, size - half, *self.counts[1:]]
            self.invoked = 0
            self._write("PROBLEM: Function call failed")
        elif 0 <= most < self.invoked:
            self._discard(batch, "RetryAttemptsExhausted", outcome)
        else:
            self.counts = [size, *self.counts[1:]]
            self._write("PROBLEM: Function call failed")
            raise Again(min(BACKOFF_S[1], BACKOFF_S[0] * 2 ** min(self.invoked - 1, 10)), "the function failed")

    async def _fill(self, batch: Batch) -> Batch:
        size, window_s = self.mapping.config["BatchSize"], self.mapping.config["MaximumBatchingWindowInSeconds"]
        until = self.call.world.now() + window_s
        while window_s and len(batch.records) < size and batch.wake is not None:
            left_s = until - self.call.world.now()
            if left_s <= 0 or not await self.call.wait(batch.wake, left_s):
                break
            batch = self.read(size)
        return self.read(size) if window_s else batch

    def _aged(self, batch: Batch) -> int:
        """How many of the first records are too old to be tried."""
        most = self.mapping.config["MaximumRecordAgeInSeconds"]
        if most < 0:
            return 0
        count = 0
        for record in batch.records:
            if self.call.world.now() - pollers.arrived(record) <= most:
                break
            count += 1
        return count

    def _advance(self, cursor: Any, result: str | None = None) -> None:
        self.cursor, self.counts, self.invoked = cursor, self.counts[1:], 0
        self._write(result)

    def _discard(self, batch: Batch, condition: str, outcome: Outcome | None) -> None:
        """Give a batch up: those of its records that were kept go to the failure destination, if there is one."""
        to = (self.mapping.config["DestinationConfig"].get("OnFailure") or {}).get("Destination")
        invoked, kept = self.invoked, self._kept(batch)
        left = self.counts[0] - len(batch.records) if self.counts else 0
        self.cursor, self.invoked = batch.cursor, 0
        self.counts = [left, *self.counts[1:]] if left > 0 else self.counts[1:]
        with self.call.write() as c:
            self._write_in(c, None)
            if to and kept:
                lost = dataclasses.replace(
                    batch, records=[batch.records[i] for i in kept], ids=[batch.ids[i] for i in kept]
                )
                record = _record(c, self.mapping, self.shard, lost, condition, invoked, outcome)
                if to.split(":")[2] == "s3":
                    record["payload"] = {"Records": lost.records}
                text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
                c.deliver(to=to, payload=text, source="lambda", retry=SEND)

    def _write(self, result: str | None) -> None:
        with self.call.write() as c:
            self._write_in(c, result)

    def _write_in(self, c: Call, result: str | None) -> None:
        retry = json.dumps({"counts": self.counts, "invoked": self.invoked}) if self.counts else None
        c.tx.run(
            "UPDATE lambda_mapping_shard SET cursor = ?, retry = ? WHERE mapping = ? AND shard = ?",
            json.dumps(self.cursor), retry, self.mapping.row["key"], self.key,
        )  # fmt: skip
        if result is not None and result != self.mapping.row["result"]:
            c.tx.run("UPDATE lambda_mapping SET result = ? WHERE key = ?", result, self.mapping.row["key"])

    def close(self) -> None:
        """The shard has ended; its children, if it has any, are read now."""
        with self.call.write() as c:
            key = self.mapping.row["key"]
            c.tx.run("UPDATE lambda_mapping_shard SET done = 1 WHERE mapping = ? AND shard = ?", key, self.key)
            rows = c.tx.all("SELECT shard, done FROM lambda_mapping_shard WHERE mapping = ?", key)
            if any(not row["done"] and mappings.part_of(row["shard"])[0] == self.shard for row in rows):
                return
            known = {mappings.part_of(row["shard"])[0] for row in rows}
            for shard in c.cloud.source(self.mapping.arn).shards(c, self.mapping.arn):
                if shard["parent"] == self.shard and shard["id"] not in known:
                    for part in mappings.parts(shard["id"], self.mapping.config):
                        mappings.start(c, self.mapping.row, part)


def _item(record: dict[str, Any]) -> bytes:
    """What must stay in order: the item of a table, the partition key of a stream."""
    if "kinesis" in record:
        return str(record["kinesis"]["partitionKey"]).encode()
    return json.dumps(record["dynamodb"]["Keys"], sort_keys=True).encode()


def _instant(at: float, timespec: str = "seconds") -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def _record(
    call: Call, mapping: Mapping, shard: str, batch: Batch, condition: str, invoked: int, outcome: Outcome | None
) -> dict[str, Any]:
    """What a failure destination is told; recorded on AWS (LocalStack's dynamodb streams snapshots)."""
    info = "KinesisBatchInfo" if ":kinesis:" in mapping.arn else "DDBStreamBatchInfo"
    found: dict[str, Any] = {
        "requestContext": {
            "requestId": outcome.request_id if outcome else call.world.id(),
            "functionArn": mapping.row["function_arn"],
            "condition": condition,
            "approximateInvokeCount": invoked,
        }
    }
    if outcome is not None:
        found["responseContext"] = {
            "statusCode": 200,
            "executedVersion": outcome.version,
            "functionError": "Unhandled" if outcome.failed else None,
        }
    found["version"] = "1.0"
    found["timestamp"] = _instant(call.now, "milliseconds")
    found[info] = {
        "shardId": shard,
        "startSequenceNumber": batch.ids[0],
        "endSequenceNumber": batch.ids[-1],
        "approximateArrivalOfFirstRecord": _instant(pollers.arrived(batch.records[0])),
        "approximateArrivalOfLastRecord": _instant(pollers.arrived(batch.records[-1])),
        "batchSize": len(batch.records),
        "streamArn": mapping.arn,
    }
    return found


def _age_metric(call: Call, mapping: Mapping, batch: Batch) -> None:
    age_ms = max(0.0, (call.world.now() - pollers.arrived(batch.records[-1])) * 1000)
    name = names.named(call, mapping.row["function_arn"]).name
    call.metric("AWS/Lambda", "IteratorAge", age_ms, "Milliseconds", FunctionName=name)
