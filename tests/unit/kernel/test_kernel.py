"""The kernel: one commit per turn, jobs in order, deliveries that are retried and dead-lettered, lives that go on."""

from __future__ import annotations

import asyncio
import dataclasses
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stratolite.kernel import (
    Again,
    AwsError,
    Call,
    Caller,
    Cloud,
    Crash,
    Delivery,
    Park,
    Retry,
    Service,
    Store,
    Telemetry,
    Trace,
    Undeliverable,
    job,
    operation,
    target,
)
from stratolite.testing.sim import SimWorld

SCHEMA = {1: "CREATE TABLE sqs_message (id TEXT PRIMARY KEY, body TEXT NOT NULL);"}


class QueueDoesNotExist(AwsError):
    """The specified queue does not exist."""


class Sample:
    """A service of few functions, as a module would hold them, with what happened written down."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.refusals = 0
        self.until_s: float | None = None
        seen = self.seen
        sample = self

        @operation
        def send_message(
            call: Call, queue_url: str, message_body: str, delay_seconds: int | None = None
        ) -> dict[str, Any]:
            call.tx.run("INSERT INTO sqs_message (id, body) VALUES (?, ?)", call.world.id(), message_body)
            if queue_url == "nowhere":
                raise QueueDoesNotExist()
            if delay_seconds is not None:
                call.later("sqs.tick", call.now + delay_seconds, name=message_body)
            return {"MessageId": "m"}

        @operation
        async def receive_message(call: Call, queue_url: str, wait_time_seconds: int = 0) -> dict[str, Any]:
            while (row := call.tx.one("SELECT id, body FROM sqs_message")) is None:
                if not await call.wait(("sqs", queue_url), wait_time_seconds):
                    return {}
            with call.write() as c:
                c.tx.run("DELETE FROM sqs_message WHERE id = ?", row["id"])
            return {"Messages": [{"Body": row["body"]}]}

        @job
        def tick(call: Call, name: str, again: int = 0) -> None:
            call.tx.run("INSERT INTO sqs_message (id, body) VALUES (?, ?)", call.world.id(), name)
            if call.attempts <= again:
                raise Again(10.0)
            seen.append((round(call.now), name, call.attempts))
            call.signal("sqs", "q")

        @job
        async def work(call: Call, name: str, seconds: float) -> None:
            await call.world.sleep(seconds)
            with call.settle() as c:
                c.tx.run("INSERT INTO sqs_message (id, body) VALUES (?, ?)", c.world.id(), name)
            seen.append((round(call.world.now()), name, call.attempts))

        @job
        def poll(call: Call) -> None:
            rows = call.tx.all("SELECT body FROM sqs_message")
            if not rows:
                raise Park("sqs", "q", until=None if sample.until_s is None else call.now + sample.until_s)
            call.tx.run("DELETE FROM sqs_message")
            seen.append([r["body"] for r in rows])
            raise_later(call)

        def raise_later(call: Call) -> None:
            call.later("sqs.poll")

        @target("sqs")
        def deliver(call: Call, delivery: Delivery) -> None:
            if delivery.to.endswith(":dead"):
                seen.append(("dead", delivery.text(), delivery.source))
            elif sample.refusals > 0:
                sample.refusals -= 1
                raise Undeliverable("Throttled", "too fast", retry=True)
            elif delivery.to.endswith(":nowhere"):
                raise QueueDoesNotExist()
            else:
                seen.append((round(call.now), delivery.text(), delivery.attempts))

        module = types.ModuleType("sample")
        for fn in (send_message, receive_message, tick, work, poll, deliver):
            fn.__module__ = "sample"
            setattr(module, fn.__name__, fn)
        self.service = Service("sqs", [module])

    def load(self, name: str) -> Service | None:
        return self.service if name == "sqs" else None

    def schemas(self) -> dict[str, dict[int, str]]:
        return {"sqs": SCHEMA}

    def of_arn(self, arn_service: str) -> str | None:
        return "sqs" if arn_service == "sqs" else None

    def of_resource(self, type_name: str) -> str | None:
        return None

    def doors(self, host: str, path: str) -> list[str]:
        return []


class House:
    """A cloud of the sample service in a simulated world."""

    def __init__(self, folder: Path, world: SimWorld | None = None, sample: Sample | None = None) -> None:
        self.folder, self.world, self.sample = folder, world or SimWorld(), sample or Sample()
        self.open()

    def open(self) -> None:
        store = Store(self.folder / "state.sqlite", self.world)
        try:
            self.cloud = Cloud(self.world, store, Telemetry(":memory:", self.world), self.folder, self.sample)
        except Crash:
            store.close()
            raise

    async def ask(self, name: str, **params: Any) -> Any:
        answer = self.cloud.request(self.cloud.operation("sqs", name), Caller(), params, "r")
        return answer if isinstance(answer, dict) else await answer

    def call(self) -> Call:
        return self.cloud.call_for(Caller(), None, "job", "test")

    def bodies(self) -> list[str]:
        return [r[0] for r in self.cloud.store.db.execute("SELECT body FROM sqs_message ORDER BY rowid")]

    def run(self, main: Callable[[], Any]) -> Any:
        async def live() -> Any:
            await self.cloud.start()
            return await main()

        return self.world.run(live())


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def later(house: House, kind: str, due_s: float = 0.0, key: str | None = None, **args: Any) -> None:
    call = house.call()
    with call.write() as c:
        c.later(kind, c.now + due_s, key, None, **args)


def test_an_operation_that_fails_leaves_nothing_behind_while_its_neighbours_in_the_turn_are_kept(house: House) -> None:
    async def main() -> None:
        answers = await asyncio.gather(
            house.ask("SendMessage", QueueUrl="q", MessageBody="kept"),
            house.ask("SendMessage", QueueUrl="nowhere", MessageBody="gone"),
            house.ask("SendMessage", QueueUrl="q", MessageBody="kept too"),
            return_exceptions=True,
        )
        assert [type(a).__name__ for a in answers] == ["dict", "QueueDoesNotExist", "dict"]

    house.run(main)
    assert house.bodies() == ["kept", "kept too"]


def test_an_answer_leaves_only_after_the_commit_of_its_turn(house: House) -> None:
    async def main() -> None:
        answer = house.cloud.request(
            house.cloud.operation("sqs", "SendMessage"), Caller(), {"QueueUrl": "q", "MessageBody": "x"}, "r"
        )
        assert isinstance(answer, asyncio.Future) and not answer.done()
        assert house.cloud.store.db.in_transaction
        assert (await answer)["MessageId"] == "m"
        assert not house.cloud.store.db.in_transaction

    house.run(main)


def test_when_the_commit_fails_every_call_of_the_turn_fails_and_nothing_is_signalled(house: House) -> None:
    async def main() -> None:
        waiting = asyncio.ensure_future(house.cloud.signals.wait(("sqs", "q"), 5.0))
        await asyncio.sleep(0)
        answer = house.cloud.request(
            house.cloud.operation("sqs", "SendMessage"), Caller(), {"QueueUrl": "q", "MessageBody": "x"}, "r"
        )
        house.cloud.store.db.execute("ROLLBACK")  # what SQLite does by itself when the disk is full
        with pytest.raises(AwsError) as failure:
            await answer
        assert failure.value.code == "InternalFailure"
        assert await waiting is False

    house.run(main)
    assert house.bodies() == []


def test_a_long_poll_is_woken_by_what_it_waits_for_and_otherwise_ends_when_its_time_is_over(house: House) -> None:
    async def main() -> None:
        later(house, "sqs.tick", 5.0, name="hello")
        start = house.world.now()
        assert await house.ask("ReceiveMessage", QueueUrl="q", WaitTimeSeconds=20) == {"Messages": [{"Body": "hello"}]}
        assert house.world.now() - start == pytest.approx(5.0)
        assert await house.ask("ReceiveMessage", QueueUrl="q", WaitTimeSeconds=20) == {}
        assert house.world.now() - start == pytest.approx(25.0)

    house.run(main)


def test_jobs_run_in_the_order_of_due_time_then_of_adding(house: House) -> None:
    async def main() -> None:
        for name, due in (("c", 30.0), ("a", 10.0), ("b1", 20.0), ("b2", 20.0)):
            later(house, "sqs.tick", due, name=name)
        await asyncio.sleep(60)

    house.run(main)
    assert [name for _, name, _ in house.sample.seen] == ["a", "b1", "b2", "c"]


def test_a_failing_head_blocks_its_key_and_no_other(house: House) -> None:
    async def main() -> None:
        later(house, "sqs.tick", key="k", name="head", again=2)
        later(house, "sqs.tick", key="k", name="behind")
        later(house, "sqs.tick", key="other", name="free")
        await asyncio.sleep(60)

    house.run(main)
    assert [(name, attempts) for _, name, attempts in house.sample.seen] == [("free", 1), ("head", 3), ("behind", 1)]
    assert house.bodies() == ["free", "head", "behind"], "what an attempt that was given up wrote is undone"


def test_a_parked_job_costs_nothing_until_its_signal(house: House) -> None:
    async def main() -> None:
        later(house, "sqs.poll")
        await house.cloud.at_rest()
        assert house.cloud.jobs.next_due() is None
        assert house.cloud.telemetry.traces(10) == []  # nor does it say anything in the trace it was made in
        later(house, "sqs.tick", 100.0, name="hello")
        await asyncio.sleep(101)

    house.run(main)
    assert ["hello"] in house.sample.seen


@pytest.mark.parametrize("until", [None, 10_000.0])
def test_a_death_between_a_commit_and_its_signal_leaves_no_parked_job_asleep(house: House, until: float | None) -> None:
    world = house.world
    house.sample.until_s = until

    async def main() -> None:
        later(house, "sqs.poll")
        await house.cloud.at_rest()
        later(house, "sqs.tick", 1.0, name="hello")
        await asyncio.sleep(0.5)
        setattr(world, "fault", lambda where, *_, **__: "after" if where == "commit" else None)  # noqa: B010
        await asyncio.sleep(1)

    with pytest.raises(Crash):
        house.run(main)
    del world.fault
    house.cloud.store.db.close()
    world.reborn()
    house.open()

    async def afterwards() -> None:
        await asyncio.sleep(1)

    house.run(afterwards)
    assert ["hello"] in house.sample.seen


def test_a_job_that_settles_may_have_to_do_its_work_twice_and_settles_once(house: House) -> None:
    strikes = iter(["duplicate"])
    fault = lambda where, *_, **__: next(strikes, None) if where == "job" else None  # noqa: E731
    setattr(house.world, "fault", fault)  # noqa: B010

    async def main() -> None:
        start = house.world.now()
        later(house, "sqs.work", name="w", seconds=10.0)
        await house.cloud.at_rest()
        assert house.world.now() - start == pytest.approx(20.0)

    house.run(main)
    assert house.bodies() == ["w"]


def test_after_a_crash_jobs_under_way_run_again_and_attempts_are_counted(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def main() -> None:
        later(house, "sqs.work", name="w", seconds=10.0)
        later(house, "sqs.tick", 30.0, name="t")
        later(house, "sqs.poll", 31.0)
        await asyncio.sleep(5)
        raise Crash("now")

    with pytest.raises(Crash):
        house.run(main)
    house.cloud.store.db.close()
    house.world.reborn()
    house.open()

    async def afterwards() -> None:
        await asyncio.sleep(60)

    house.run(afterwards)
    assert [s[1:] for s in house.sample.seen if isinstance(s, tuple)] == [("w", 2), ("t", 1)]
    assert house.cloud.epoch == 2


def test_a_delivery_is_taken_at_once_retried_when_refused_and_dead_lettered_when_exhausted(house: House) -> None:
    async def main() -> None:
        call = house.call()
        with call.write() as c:
            c.deliver(to="arn:aws:sqs:us-east-1:000000000000:q", payload="first", source="test")
        assert house.sample.seen[-1][1:] == ("first", 1)
        house.sample.refusals = 2
        with call.write() as c:
            c.deliver(to="arn:aws:sqs:us-east-1:000000000000:q", payload="second", source="test")
        await asyncio.sleep(120)
        assert house.sample.seen[-1][1:] == ("second", 3)
        house.sample.refusals = 100
        with call.write() as c:
            c.deliver(
                to="arn:aws:sqs:us-east-1:000000000000:q", payload="third", source="test", retry=Retry(2, 3600),
                dead_letter="arn:aws:sqs:us-east-1:000000000000:dead",
            )  # fmt: skip
        await asyncio.sleep(120)
        assert house.sample.seen[-1] == ("dead", "third", "dead-letter")
        assert house.sample.refusals == 97
        house.sample.refusals = 0
        with call.write() as c:
            c.deliver(
                to="arn:aws:sqs:us-east-1:000000000000:nowhere", payload="fourth", source="test",
                dead_letter="arn:aws:sqs:us-east-1:000000000000:dead",
            )  # fmt: skip
        assert house.sample.seen[-1] == ("dead", "fourth", "dead-letter"), "what can never succeed is not retried"
        assert house.cloud.store.reader().value("SELECT count(*) FROM payload") == 0

    house.run(main)


def test_a_journey_is_one_trace(house: House) -> None:
    async def main() -> None:
        await house.ask("SendMessage", QueueUrl="q", MessageBody="x", DelaySeconds=3)
        await asyncio.sleep(5)
        [journey] = [t for t in house.cloud.telemetry.traces() if "SendMessage" in t["name"]]
        spans = house.cloud.telemetry.spans(journey["trace"])
        assert [(s.kind, s.name) for s in spans] == [("api", "sqs SendMessage"), ("job", "sqs.tick")]
        assert spans[1].parent == spans[0].span

    house.run(main)


def test_the_same_seed_gives_the_same_life_and_deaths_lose_nothing(tmp_path: Path) -> None:
    def life(folder: Path) -> tuple[list[str], dict[str, int]]:
        folder.mkdir()
        world, sample = SimWorld(7), Sample()
        house = House(folder, world, sample)
        world.faults = 0.1
        sent: list[str] = []

        async def main() -> None:
            while len(sent) < 50:
                body = f"m{len(sent)}"
                try:
                    await house.ask("SendMessage", QueueUrl="q", MessageBody=body, DelaySeconds=5)
                except AwsError:
                    continue
                sent.append(body)
            await asyncio.sleep(300)

        alive = True
        for _ in range(200):
            try:
                if not alive:
                    house.open()
                house.run(main)
                break
            except Crash:
                house.cloud.store.db.close()
                world.reborn()
                alive = False
        stored = house.bodies()
        for body in sent:
            assert stored.count(body) >= 2, "sent once, and once more by its timer"
        house.cloud.store.db.close()
        return stored, world.struck

    first = life(tmp_path / "a")
    assert first == life(tmp_path / "b")
    assert any(kind.startswith("commit") for kind in first[1])


def test_a_journey_goes_on_where_a_batch_served_it_together_with_others(house: House) -> None:
    async def main() -> None:
        telemetry, world = house.cloud.telemetry, house.world
        one, two = Trace.start(world), Trace.start(world)
        for trace in (one, two):
            telemetry.span(trace, f"send {trace.root}", "api", "send", "0", "r", 1.0, 2.0, None, None)
        call = dataclasses.replace(house.call(), trace=one.under(f"send {one.root}"), _span=None)
        with call.span("both", "batch") as batch:
            batch.link(two.under(f"send {two.root}"))
            with batch.span("inner"):
                pass
        seen = {s.name: s for s in telemetry.journey(two.root)}
        assert set(seen) == {"send", "both", "inner"}
        assert seen["both"].parent == seen["send"].span and seen["inner"].parent == seen["both"].span
        assert [s.name for s in telemetry.journey(one.root)] == ["send", "inner", "both"]

    house.run(main)


def test_a_job_of_a_kind_nobody_knows_is_set_aside_and_comes_back_with_the_program_that_knows_it(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)

    async def main() -> None:
        later(house, "sqs.tick", 60.0, name="t")

    house.run(main)
    house.cloud.store.db.close()
    known = house.sample.service.jobs.pop("sqs.tick")
    house.world.reborn()
    house.open()

    async def older() -> None:
        await asyncio.sleep(120)
        assert house.sample.seen == []

    house.run(older)
    house.cloud.store.db.close()
    house.sample.service.jobs["sqs.tick"] = known
    house.world.reborn()
    house.open()

    async def newer() -> None:
        await asyncio.sleep(1)

    house.run(newer)
    assert [name for _, name, _ in house.sample.seen] == ["t"]


def test_a_lane_has_no_more_under_way_than_its_limit_and_does_not_hold_up_another(house: House) -> None:
    async def main() -> None:
        house.cloud.jobs.limit("narrow", 2)
        call = house.call()
        with call.write() as c:
            for n in range(4):
                c.later("sqs.work", None, None, "narrow", name=f"n{n}", seconds=10.0)
            c.later("sqs.work", None, None, "wide", name="w", seconds=10.0)
        await asyncio.sleep(11)
        assert sorted(name for _, name, _ in house.sample.seen) == ["n0", "n1", "w"]
        await asyncio.sleep(11)
        assert len(house.sample.seen) == 5

    house.run(main)


def test_a_job_that_was_taken_back_does_not_run_and_lets_the_next_of_its_key_go(house: House) -> None:
    async def main() -> None:
        call = house.call()
        with call.write() as c:
            first = c.later("sqs.tick", c.now + 50, "k", None, name="first")
            c.later("sqs.tick", c.now + 10, "k", None, name="second")
        with call.write() as c:
            c.cancel(first)
        await asyncio.sleep(60)
        assert [name for _, name, _ in house.sample.seen] == ["second"]

    house.run(main)
