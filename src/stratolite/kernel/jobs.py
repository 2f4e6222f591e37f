"""Jobs: everything that happens later is a row; this loop alone makes anything happen by itself."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import blobs
from .errors import Again, AwsError, Crash, Park
from .service import JobKind
from .store import Row, Tx
from .telemetry import Trace

if TYPE_CHECKING:
    from .call import Call
    from .cloud import Cloud

log = logging.getLogger("stratolite.jobs")

READY, LEASED, BEHIND, PARKED, UNKNOWN = range(5)

SLICE_S = 0.004
"""The jobs loop hands the loop back after this long."""
LANE_LIMIT = 64
"""Asynchronous jobs of one lane under way at once, unless the lane says otherwise."""
BACKOFF_S = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
"""How long a job that failed with an error of ours waits before its next attempt."""
FAULTS = ("fail", "delay")
FAULTS_ASYNC = ("fail", "delay", "duplicate")


@dataclass
class Lane:
    """A bounded share of the loop. `hint` is a lower bound of its next due time."""

    name: str
    limit: int
    hint: float
    running: int = 0


class Jobs:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.world, self.store = cloud, cloud.world, cloud.store
        self._lanes: dict[str, Lane] = {}
        self._limits: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake: asyncio.Event | None = None
        self._stopping = False
        self._at_rest: list[asyncio.Future[None]] = []
        self._next_id: int = 0

    # what operations and jobs ask for

    def add(
        self,
        call: Call,
        kind: str,
        due: float,
        key: str | None,
        lane: str | None,
        args: dict[str, Any],
        payload: int | None = None,
        attempts: int = 0,
    ) -> int:
        """Write a job row in the caller's transaction; returns its id."""
        found = self.cloud.job_kind(kind)
        assert found is not None, f"no job of kind {kind}"
        tx, lane = call.tx, lane or found.lane
        text = json.dumps(args, separators=(",", ":"))
        if payload is None and len(text) > blobs.INLINE_BYTES:
            payload, text = blobs.keep(tx, text.encode()), ""
        state = READY
        if key is not None and tx.one("SELECT 1 FROM job WHERE key = ? LIMIT 1", key) is not None:
            state = BEHIND
        self._next_id += 1
        job = self._next_id
        tx.run(
            "INSERT INTO job"
            " (id, kind, version, lane, state, due, key, attempts, account, region, trace, args, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            job, kind, found.version, lane, state, due, key, attempts, call.account, call.region,
            call.trace.header, text, payload,
        )  # fmt: skip
        tx.after(lambda: self._hint(lane, due))
        return job

    def cancel(self, tx: Tx, job: int) -> None:
        """Take a job back that is not under way."""
        row = tx.one("SELECT id, key, payload, wake FROM job WHERE id = ? AND state <> ?", job, LEASED)
        if row is not None:
            self._finish(tx, row)

    def limit(self, lane: str, limit: int) -> None:
        """How many asynchronous jobs of a lane may be under way at once."""
        self._limits[lane] = limit
        if lane in self._lanes:
            self._lanes[lane].limit = limit

    def _hint(self, lane: str, due: float) -> None:
        if (found := self._lanes.get(lane)) is None:
            self._lanes[lane] = Lane(lane, self._limits.get(lane, LANE_LIMIT), due)
        elif due < found.hint:
            found.hint = due
        if self._wake is not None:
            self._wake.set()

    # the loop

    def recover(self) -> None:
        """Once, before the loop: leases of an earlier life are void, parked jobs look again, odd kinds wait."""
        with self.store.write() as tx:
            tx.run("UPDATE job SET state = ? WHERE state IN (?, ?)", READY, LEASED, UNKNOWN)
            # The last life may have died between a commit and its signal; one that listens until a time is READY.
            tx.run(
                "UPDATE job SET state = ?, due = ? WHERE state = ? OR state = ? AND wake IS NOT NULL AND attempts = 0",
                READY, self.world.now(), PARKED, READY,
            )  # fmt: skip
            for (kind,) in tx.all("SELECT DISTINCT kind FROM job"):
                if self.cloud.job_kind(kind) is None:
                    log.error("jobs of kind %s are set aside: this program does not know it", kind)
                    tx.run("UPDATE job SET state = ? WHERE kind = ?", UNKNOWN, kind)
        self._next_id = self.store.reader().value("SELECT coalesce(max(id), 0) FROM job")
        for (lane,) in self.store.reader().all("SELECT DISTINCT lane FROM job"):
            self._hint(lane, 0.0)

    async def run(self) -> None:
        """Until `stop`: run what is due, in order of (due, id); sleep until the next is."""
        self._wake = asyncio.Event()
        while not self._stopping:
            self._wake.clear()
            if self._run_due():
                await asyncio.sleep(0)
                continue
            now = self.world.now()
            due = min((lane.hint for lane in self._lanes.values() if lane.running < lane.limit), default=None)
            if not self._tasks and not self.store.in_turn and (due is None or due > now):
                self._rest()
            if due is None:
                await self._wake.wait()
            elif due > now:
                try:
                    async with asyncio.timeout(due - now):
                        await self._wake.wait()
                except TimeoutError:
                    pass
            else:
                await asyncio.sleep(0)

    def _run_due(self) -> int:
        """Run what is due, for one slice; returns how many were begun."""
        now, begun, reader = self.world.now(), 0, self.store.reader()
        found: list[Row] = []
        for lane in self._lanes.values():
            free = lane.limit - lane.running
            if lane.hint > now or free <= 0:
                continue
            rows = reader.all(
                "SELECT * FROM job WHERE lane = ? AND state = 0 ORDER BY due, id LIMIT ?", lane.name, min(free, 16)
            )
            ready = [row for row in rows if row["due"] <= now]
            found += ready
            # All of them due: there may be more behind them. Otherwise the first that is not due is next.
            lane.hint = (
                now if len(ready) == len(rows) and rows else next((r["due"] for r in rows[len(ready) :]), float("inf"))
            )
            if not rows:
                lane.hint = float("inf")
        found.sort(key=lambda row: (row["due"], row["id"]))
        deadline = time.perf_counter() + SLICE_S
        for row in found:
            if begun and time.perf_counter() > deadline and not self.cloud.is_simulated:
                for rest in found[begun:]:
                    self._hint(rest["lane"], rest["due"])
                break
            # An earlier job of this slice may have cancelled it.
            if begun and reader.value("SELECT state FROM job WHERE id = ?", row["id"]) != READY:
                begun += 1
                continue
            self._begin(row)
            begun += 1
        return begun

    def _begin(self, row: Row) -> None:
        kind = self.cloud.job_kind(row["kind"])
        if kind is None:
            with self.store.write() as tx:
                tx.run("UPDATE job SET state = ? WHERE id = ?", UNKNOWN, row["id"])
            log.error("job %s of kind %s is set aside: this program does not know it", row["id"], row["kind"])
        elif kind.is_async:
            self._lease(row, kind)
        else:
            self._do(row, kind)

    # def: effect and completion are one commit

    def _do(self, row: Row, kind: JobKind) -> None:
        call = self._call(row)
        try:
            with self.store.write() as tx:
                call.tx = tx
                args = self._args(tx, row)
                self._inject(row, FAULTS)
                kind.fn(call, **args)
                self._finish(tx, row)
        except Park as park:
            self._park(row, park)  # and no span: the journey it was made in is over long before it ends
        except Exception as failure:
            self._fail(row, row["attempts"] + 1, failure)
            call.end_span(failure)
        else:
            call.end_span(None)

    # async: leased, may wait, settles in a last transaction

    def _lease(self, row: Row, kind: JobKind) -> None:
        with self.store.write() as tx:
            tx.run("UPDATE job SET state = ?, attempts = attempts + 1 WHERE id = ?", LEASED, row["id"])
        lane = self._lanes[row["lane"]]
        lane.running += 1
        task = asyncio.get_running_loop().create_task(self._carry_out(row, kind))
        self._tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            lane.running -= 1
            # What waited for the place is due; a look finds out whether anything did.
            self._hint(lane.name, 0.0)
            if not task.cancelled() and (failure := task.exception()) is not None:
                if isinstance(failure, SystemExit):
                    raise failure
                log.error("job %s (%s) could not be settled", row["id"], row["kind"], exc_info=failure)

        task.add_done_callback(ended)

    async def _carry_out(self, row: Row, kind: JobKind) -> None:
        await self.store.committed()  # the attempt is counted before it has an effect
        call = self._call(row)
        settled = twice = False

        def settle(tx: Tx) -> None:
            nonlocal settled
            assert not settled, "a job settles once"
            if twice:
                raise Again(0.0, "duplicate injected")
            settled = True
            self._finish(tx, row)

        call.settle_with = settle
        call.tx = self.store.reader()
        try:
            args = self._args(call.tx, row)
            # It does its work, is not let settle, and does it again.
            twice = self._inject(row, FAULTS_ASYNC)
            await kind.fn(call, **args)
            if not settled:
                with self.store.write() as tx:
                    if twice:
                        raise Again(0.0, "duplicate injected")
                    self._finish(tx, row)
            failure: BaseException | None = None
        except Park as park:
            self._park(row, park)
            await self.store.committed()
            return
        except asyncio.CancelledError:
            raise  # the process is stopping: the lease lapses with this life
        except Exception as e:
            failure = e
            if settled and self.store.reader().one("SELECT 1 FROM job WHERE id = ?", row["id"]) is None:
                log.error("job %s (%s) failed after it had settled", row["id"], row["kind"], exc_info=e)
            else:
                self._fail(row, row["attempts"] + 1, e)
        call.end_span(failure)
        await self.store.committed()

    # how a job ends

    def _finish(self, tx: Tx, row: Row) -> None:
        tx.run("DELETE FROM job WHERE id = ?", row["id"])
        if row["payload"] is not None:
            blobs.release(tx, row["payload"])
        if row["wake"] is not None:
            key = tuple(json.loads(row["wake"]))
            tx.after(lambda: self.cloud.signals.unpark(key, row["id"]))
        if row["key"] is not None:
            self._promote(tx, row["key"])

    def _promote(self, tx: Tx, key: str) -> None:
        head = tx.one("SELECT id, lane, due, state FROM job WHERE key = ? ORDER BY id LIMIT 1", key)
        if head is not None and head["state"] == BEHIND:
            tx.run("UPDATE job SET state = ? WHERE id = ?", READY, head["id"])
            tx.after(lambda: self._hint(head["lane"], head["due"]))

    def _fail(self, row: Row, attempts: int, failure: Exception) -> None:
        if isinstance(failure, Again):
            after_s = failure.after_s
        else:
            after_s = BACKOFF_S[min(attempts, len(BACKOFF_S)) - 1]
            level = logging.WARNING if isinstance(failure, AwsError) else logging.ERROR
            log.log(
                level, "job %s (%s) failed, attempt %s: %s", row["id"], row["kind"], attempts, failure,
                exc_info=None if isinstance(failure, AwsError) else failure,
            )  # fmt: skip
        due = self.world.now() + after_s
        with self.store.write() as tx:
            tx.run("UPDATE job SET state = ?, due = ?, attempts = ? WHERE id = ?", READY, due, attempts, row["id"])
            tx.after(lambda: self._hint(row["lane"], due))

    def _park(self, row: Row, park: Park) -> None:
        key = park.key
        with self.store.write() as tx:
            tx.run(
                "UPDATE job SET state = ?, wake = ?, attempts = 0, due = ? WHERE id = ?",
                READY if park.until is not None else PARKED, json.dumps(key), park.until or 0.0, row["id"],
            )  # fmt: skip
            tx.after(lambda: self._listen(row["id"], row["lane"], key))
            if park.until is not None:
                until = park.until
                tx.after(lambda: self._hint(row["lane"], until))

    def _listen(self, job: int, lane: str, key: tuple[Any, ...]) -> None:
        def wake() -> None:
            with self.store.write() as tx:
                now = self.world.now()
                tx.run(
                    "UPDATE job SET state = ?, due = min(due, ?) WHERE id = ? AND state IN (?, ?)",
                    READY,
                    now,
                    job,
                    READY,
                    PARKED,
                )
                tx.after(lambda: self._hint(lane, now))

        self.cloud.signals.park(key, job, wake)

    # parts

    def _call(self, row: Row) -> Call:
        return self.cloud.new_call(
            account=row["account"],
            region=row["region"],
            trace=Trace.parse(row["trace"]),
            kind="job",
            name=row["kind"],
            attempts=row["attempts"] + 1,
            job=row["id"],
        )

    def _args(self, tx: Tx, row: Row) -> dict[str, Any]:
        text = row["args"] or blobs.read(tx, row["payload"])
        args: dict[str, Any] = json.loads(text)
        if row["args"] and row["payload"] is not None:
            args["payload"] = blobs.read(tx, row["payload"])
        return args

    def _inject(self, row: Row, kinds: tuple[str, ...]) -> bool:
        """Raises the injected failure, or says whether the job is to run twice."""
        match self.world.fault("job", kinds, kind=row["kind"]):
            case "fail":
                raise Again(self.world.random.random() * 2, "failure injected")
            case "delay":
                raise Again(self.world.random.random() * 10, "delay injected")
            case "duplicate":
                return True
        return False

    # rest

    def _rest(self) -> None:
        waiting, self._at_rest = self._at_rest, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def at_rest(self) -> None:
        """Wait until nothing is due and nothing is under way."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._at_rest.append(future)
        if self._wake is not None:
            self._wake.set()
        await future

    def next_due(self) -> float | None:
        """When the next job is due; None when none waits for a time."""
        value: float | None = self.store.reader().value("SELECT min(due) FROM job WHERE state = 0")
        return value

    async def stop(self) -> None:
        """Stop beginning jobs; those under way are given up, their leases lapse."""
        self._stopping = True
        if self._wake is not None:
            self._wake.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


__all__ = ["BEHIND", "LEASED", "PARKED", "READY", "UNKNOWN", "Callable", "Crash", "Jobs", "Lane"]
