"""Pollers: the jobs that take batches from queues and streams and hand them to functions.

An idle poller is parked on its source's signal and costs nothing. What a queue has given is hidden there and comes back
by itself after a crash; where a stream's poller stands is written with the outcome of every batch.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

from stratolite.kernel import Again, Batch, Call, Park, Retry, Trace, job
from stratolite.kernel.store import Row
from stratolite.runtimes.function import Invocation, Outcome

from . import filters, invocations, limits, mappings, names, versions
from .errors import ResourceNotFoundException, TooManyRequestsException

LANE = "lambda-pollers"
FIRST_CONCURRENCY = 5
CONCURRENCY_PER_S = 5.0
"""A queue's batches under way: five at first, 300 more a minute, up to 1,250.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
MOST_CONCURRENCY = 1250
BACKOFF_S = (1.0, 60.0)
"""A batch of a stream that failed is tried again after a second, two, ... a minute (AWS does not publish it)."""
LOST_FUNCTION_S = 60.0
SEND = Retry(attempts=5, max_age_s=3600.0, backoff="internal")


@dataclasses.dataclass(frozen=True)
class Mapping:
    row: Row
    config: dict[str, Any]
    wanted: list[str]

    @property
    def arn(self) -> str:
        arn: str = self.row["source_arn"]
        return arn

    def has(self, response_type: str) -> bool:
        return response_type in self.config["FunctionResponseTypes"]


def _mapping(call: Call, key: int, shard: str) -> Mapping | None:
    """The mapping as it is now; None when it is not to be polled, or by another job than this."""
    row = call.tx.one(
        "SELECT m.* FROM lambda_mapping m JOIN lambda_mapping_shard s ON s.mapping = m.key"
        " WHERE m.key = ? AND m.state IN ('Enabled', 'Updating') AND s.shard = ? AND s.job = ?",
        key, shard, call.job,
    )  # fmt: skip
    if row is None:
        return None
    config = json.loads(row["config"])
    return Mapping(row, config, filters.patterns(config.get("FilterCriteria")))


async def _invoke(call: Call, mapping: Mapping, batch: Batch, kept: list[int]) -> Outcome:
    """Hand the kept records of a batch over. Raises TooManyRequestsException, ResourceNotFoundException."""
    records = [batch.records[i] for i in kept]
    which = names.named(call, mapping.row["function_arn"])
    version = versions.routed(call, which)
    for record in records:
        if "dynamodb" in record:
            # A whole number in the stream's own API, one with a fraction here.
            record["dynamodb"]["ApproximateCreationDateTime"] = arrived(record)
    body = json.dumps({"Records": records}, separators=(",", ":"), ensure_ascii=False).encode()
    # The journey goes on under the trace of whoever sent the first record; those of the others lead there.
    found = [Trace.parse(batch.handles[i].get("trace")) for i in kept] if batch.handles else []
    traces = list({trace.root: trace for trace in found if trace is not None}.values()) or [call.trace]
    under = dataclasses.replace(call, trace=traces[0], _span=None)
    with under.span(mapping.arn, "batch", records=len(records)) as child:
        for other in traces[1:]:
            child.link(other)
        return await invocations.run(child, version, Invocation(call.world.id(), body, which.qualified()))


def _failed(mapping: Mapping, outcome: Outcome, ids: list[str]) -> set[str]:
    """Which of the records handed over are to be handed over again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
    An empty or absent list means success; what is no list, or names what was not in the batch, that all have failed.
    """
    if outcome.failed:
        return set(ids)
    if not mapping.has("ReportBatchItemFailures"):
        return set()
    everything = set(ids)
    try:
        answer = json.loads(outcome.payload or b"null")
    except ValueError:
        return everything
    if not answer:
        return set()
    if not isinstance(answer, dict):
        return everything
    listed = answer.get("batchItemFailures")
    if not listed:
        return set()
    if not isinstance(listed, list):
        return everything
    found = {each.get("itemIdentifier") if isinstance(each, dict) else None for each in listed}
    return {str(each) for each in found} if found <= everything else everything


# ---- queues


@job(lane=LANE)
async def poll_queue(call: Call, mapping: int, shard: str) -> None:
    """Take batches as long as there are any, several at once; park when there are none."""
    tasks: set[asyncio.Task[None]] = set()
    began = call.world.now()
    try:
        while (current := _mapping(call, mapping, shard)) is not None:
            most = current.config.get("ScalingConfig", {}).get("MaximumConcurrency") or MOST_CONCURRENCY
            grown = FIRST_CONCURRENCY + CONCURRENCY_PER_S * (call.world.now() - began)
            batch = None
            while len(tasks) < min(most, grown):
                batch = _take(call, current, current.config["BatchSize"])
                if not batch.records:
                    break
                tasks.add(asyncio.ensure_future(_work(call, current, batch)))
            if not tasks:
                assert batch is not None
                raise Park(*(batch.wake or ("lambda-mapping", mapping)), until=batch.due)
            await _any(call, tasks, batch)
        if tasks:
            await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def _take(call: Call, mapping: Mapping, limit: int) -> Batch:
    with call.write() as c:
        batch: Batch = c.cloud.source(mapping.arn).batch(c, mapping.arn, None, limit, {})
    return batch


async def _any(call: Call, tasks: set[asyncio.Task[None]], batch: Batch | None) -> None:
    """Until one of the batches is done, or there is something new while there is room for it."""
    waits: set[asyncio.Future[Any]] = set(tasks)
    new = None
    if batch is not None and batch.wake is not None:
        now = call.world.now()
        new = asyncio.ensure_future(call.wait(batch.wake, max(0.0, (batch.due or now + 1.0) - now)))
        waits.add(new)
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if new is not None:
            new.cancel()
            await asyncio.gather(new, return_exceptions=True)
    for task in [task for task in tasks if task.done()]:
        tasks.discard(task)
        task.result()


async def _work(call: Call, mapping: Mapping, batch: Batch) -> None:
    """One batch of a queue: filled up, filtered, handed over, settled."""
    batch = await _fill(call, mapping, batch)
    kept = [i for i, record in enumerate(batch.records) if filters.keeps(mapping.wanted, record)]
    failed: set[str] = set()
    if kept:
        ids = [batch.ids[i] for i in kept]
        try:
            # Committed first: a message that a function has seen must stay hidden after a crash.
            await call.committed()
            outcome = await _invoke(call, mapping, batch, kept)
            failed = _failed(mapping, outcome, ids)
        except (TooManyRequestsException, ResourceNotFoundException):
            # As on AWS they become visible again when their time is over.
            failed = set(ids)
    with call.write() as c:
        c.cloud.source(mapping.arn).settle(c, mapping.arn, batch, failed)


async def _fill(call: Call, mapping: Mapping, batch: Batch) -> Batch:
    """Wait for more, if the mapping has a window, until the batch is full, 6 MB or the window over."""
    size, window_s = mapping.config["BatchSize"], mapping.config["MaximumBatchingWindowInSeconds"]
    until = call.world.now() + window_s
    while window_s and len(batch.records) < size and batch.wake is not None:
        left_s = until - call.world.now()
        if left_s <= 0 or sum(len(record.get("body", "")) for record in batch.records) > limits.REQUEST_BYTES // 2:
            break
        await call.wait(batch.wake, min(left_s, max(0.05, (batch.due or until) - call.world.now())))
        more = _take(call, mapping, size - len(batch.records))
        batch = dataclasses.replace(
            more,
            records=[*batch.records, *more.records],
            ids=[*batch.ids, *more.ids],
            handles=[*batch.handles, *more.handles],
        )
    return batch


# ---- streams


@job(lane=LANE)
async def poll_stream(call: Call, mapping: int, shard: str) -> None:
    """Read a shard in order: a batch that fails holds up what is behind it until it is done, or given up."""
    while (current := _mapping(call, mapping, shard)) is not None:
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
        self.call, self.mapping, self.shard = call, mapping, row["shard"]
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

    async def work(self, batch: Batch) -> None:
        call, config = self.call, self.mapping.config
        if not self.counts:
            batch = await self._fill(batch)
        aged = self._aged(batch)
        if aged:
            self._discard(self.read(aged), list(range(aged)), "RecordAgeExceeded", None)
            return
        kept = [i for i, record in enumerate(batch.records) if filters.keeps(self.mapping.wanted, record)]
        if not kept:
            self._advance(batch.cursor)
            return
        ids = [batch.ids[i] for i in kept]
        try:
            outcome = await _invoke(call, self.mapping, batch, kept)
        except TooManyRequestsException:
            raise Again(BACKOFF_S[0], "throttled") from None
        except ResourceNotFoundException as error:
            raise Again(LOST_FUNCTION_S, error.message) from None
        failed = _failed(self.mapping, outcome, ids)
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
            kept = [i for i, record in enumerate(batch.records) if filters.keeps(self.mapping.wanted, record)]
            self._discard(batch, kept, "RetryAttemptsExhausted", outcome)
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
            if self.call.world.now() - arrived(record) <= most:
                break
            count += 1
        return count

    def _advance(self, cursor: Any, result: str | None = None) -> None:
        self.cursor, self.counts, self.invoked = cursor, self.counts[1:], 0
        self._write(result)

    def _discard(self, batch: Batch, kept: list[int], condition: str, outcome: Outcome | None) -> None:
        """Give a batch up: those of its records that were kept go to the failure destination, if there is one."""
        to = (self.mapping.config["DestinationConfig"].get("OnFailure") or {}).get("Destination")
        invoked = self.invoked
        left = self.counts[0] - len(batch.records) if self.counts else 0
        self.cursor, self.invoked = batch.cursor, 0
        self.counts = [left, *self.counts[1:]] if left > 0 else self.counts[1:]
        with self.call.write() as c:
            self._write_in(c, None)
            if to:
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
            json.dumps(self.cursor), retry, self.mapping.row["key"], self.shard,
        )  # fmt: skip
        if result is not None and result != self.mapping.row["result"]:
            c.tx.run("UPDATE lambda_mapping SET result = ? WHERE key = ?", result, self.mapping.row["key"])

    def close(self) -> None:
        """The shard has ended; its children, if it has any, are read now."""
        with self.call.write() as c:
            key = self.mapping.row["key"]
            c.tx.run("UPDATE lambda_mapping_shard SET done = 1 WHERE mapping = ? AND shard = ?", key, self.shard)
            for shard in c.cloud.source(self.mapping.arn).shards(c, self.mapping.arn):
                known = c.tx.one("SELECT 1 FROM lambda_mapping_shard WHERE mapping = ? AND shard = ?", key, shard["id"])
                if shard["parent"] == self.shard and known is None:
                    mappings.start(c, self.mapping.row, shard["id"])


def arrived(record: dict[str, Any]) -> float:
    """When a stream got a record: epoch seconds."""
    if "kinesis" in record:
        return float(record["kinesis"]["approximateArrivalTimestamp"])
    return float(record["dynamodb"]["ApproximateCreationDateTime"])


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
        "approximateArrivalOfFirstRecord": _instant(arrived(batch.records[0])),
        "approximateArrivalOfLastRecord": _instant(arrived(batch.records[-1])),
        "batchSize": len(batch.records),
        "streamArn": mapping.arn,
    }
    return found


def _age_metric(call: Call, mapping: Mapping, batch: Batch) -> None:
    age_ms = max(0.0, (call.world.now() - arrived(batch.records[-1])) * 1000)
    name = names.named(call, mapping.row["function_arn"]).name
    call.metric("AWS/Lambda", "IteratorAge", age_ms, "Milliseconds", FunctionName=name)
