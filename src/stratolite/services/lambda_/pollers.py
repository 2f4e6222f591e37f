"""Pollers: the jobs that take batches from queues and streams and hand them to functions.

An idle poller is parked on its source's signal and costs nothing. What a queue has given is hidden there and comes back
by itself after a crash; where a stream's poller stands is written with the outcome of every batch.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

from stratolite.kernel import Batch, Call, Park, Trace, job
from stratolite.kernel.store import Row
from stratolite.runtimes.function import Invocation, Outcome

from . import filters, invocations, limits, names, versions
from .errors import ResourceNotFoundException, TooManyRequestsException

LANE = "lambda-pollers"
FIRST_CONCURRENCY = 5
CONCURRENCY_PER_S = 5.0
"""A queue's batches under way: five at first, 300 more a minute, up to 1,250.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
MOST_CONCURRENCY = 1250


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


def polled(call: Call, key: int, shard: str) -> Mapping | None:
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


async def hand_over(call: Call, mapping: Mapping, batch: Batch, kept: list[int]) -> Outcome:
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


def failures(mapping: Mapping, outcome: Outcome, ids: list[str]) -> set[str]:
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
        while (current := polled(call, mapping, shard)) is not None:
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
            outcome = await hand_over(call, mapping, batch, kept)
            failed = failures(mapping, outcome, ids)
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


def arrived(record: dict[str, Any]) -> float:
    """When a stream got a record: epoch seconds."""
    if "kinesis" in record:
        return float(record["kinesis"]["approximateArrivalTimestamp"])
    return float(record["dynamodb"]["ApproximateCreationDateTime"])
