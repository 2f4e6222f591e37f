"""The pool as a table of events and commands; no processes, no clock."""

from __future__ import annotations

import random

import pytest

from stratolite.runtimes.pool import (
    Assign,
    Command,
    Fail,
    Failed,
    Gone,
    Need,
    Pool,
    Ready,
    Reap,
    Refuse,
    Replace,
    Start,
    Stop,
    Withdraw,
    concurrency,
    step,
)


def run(pool: Pool, *events: object) -> list[Command]:
    """The commands of the last event."""
    commands: list[Command] = []
    for event in events:
        commands = step(pool, event)  # type: ignore[arg-type]
    return commands


def test_an_event_that_finds_nobody_idle_starts_an_environment_and_gets_it_when_it_is_ready() -> None:
    pool = Pool(places=8)
    assert run(pool, Need(1, "f", "1")) == [Start(1, "f", "1")]
    assert run(pool, Ready(1)) == [Assign(1, 1)]


def test_an_idle_environment_is_reused_and_the_latest_used_first() -> None:
    pool = Pool(places=8)
    run(pool, Need(1, "f", "1"), Need(2, "f", "1"), Ready(1), Ready(2), Ready(1), Ready(2))
    assert run(pool, Need(3, "f", "1")) == [Assign(2, 3)]


def test_who_waits_longest_gets_the_first_environment_that_is_free_even_if_it_was_started_for_another() -> None:
    pool = Pool(places=8)
    run(pool, Need(1, "f", "1"), Ready(1), Need(2, "f", "1"))
    assert run(pool, Ready(1)) == [Assign(1, 2)]
    assert run(pool, Ready(2)) == []
    assert run(pool, Need(3, "f", "1")) == [Assign(2, 3)]


def test_with_no_place_left_an_event_waits_until_somebody_has_finished() -> None:
    pool = Pool(places=1)
    run(pool, Need(1, "f", "1"), Ready(1))
    assert run(pool, Need(2, "f", "1")) == []
    assert run(pool, Ready(1)) == [Assign(1, 2)]


def test_an_idle_environment_of_another_function_makes_room() -> None:
    pool = Pool(places=1)
    run(pool, Need(1, "f", "1"), Ready(1), Ready(1))
    assert run(pool, Need(2, "g", "1")) == [Stop(1), Start(2, "g", "1")]


def test_a_waiting_event_of_another_function_is_served_when_an_environment_becomes_idle() -> None:
    pool = Pool(places=1)
    run(pool, Need(1, "f", "1"), Ready(1), Need(2, "g", "1"))
    assert run(pool, Ready(1)) == [Stop(1), Start(2, "g", "1")]


def test_an_event_sent_by_a_running_function_never_waits_for_a_place() -> None:
    pool = Pool(places=1)
    run(pool, Need(1, "f", "1"), Ready(1))
    assert run(pool, Need(2, "g", "1", nested=True)) == [Start(2, "g", "1")]


def test_reserved_concurrency_refuses_what_is_above_it() -> None:
    pool = Pool(places=8)
    run(pool, Need(1, "f", "1", limit=1))
    assert run(pool, Need(2, "f", "1", limit=1)) == [Refuse(2, "ReservedFunctionConcurrentInvocationLimitExceeded")]
    assert run(pool, Need(3, "g", "1", limit=0)) == [Refuse(3, "ReservedFunctionConcurrentInvocationLimitExceeded")]


def test_functions_without_a_reservation_share_what_the_account_has_left() -> None:
    pool = Pool(places=8)
    run(pool, Need(1, "f", "1", "a", unreserved=2), Need(2, "g", "1", "a", unreserved=2))
    assert run(pool, Need(3, "h", "1", "a", unreserved=2)) == [Refuse(3, "ConcurrentInvocationLimitExceeded")]
    assert run(pool, Need(4, "h", "1", "other", unreserved=2)) == [Start(3, "h", "1")]


def test_a_new_generation_replaces_idle_environments_at_once_and_busy_ones_when_they_are_done() -> None:
    pool = Pool(places=8)
    run(pool, Need(1, "f", "1"), Need(2, "f", "1"), Ready(1), Ready(2), Ready(1))
    assert run(pool, Replace("f", "2")) == [Stop(1)]
    assert run(pool, Ready(2)) == [Stop(2)]
    assert not pool.slots and not pool.lines


def test_an_event_of_a_new_generation_never_runs_on_an_old_environment() -> None:
    pool = Pool(places=8)
    run(pool, Need(1, "f", "1"), Ready(1), Ready(1))
    assert run(pool, Need(2, "f", "2")) == [Stop(1), Start(2, "f", "2")]


def test_an_event_that_was_sent_before_the_change_still_runs_on_what_it_was_sent_to() -> None:
    pool = Pool(places=8)
    run(pool, Need(1, "f", "1"), Replace("f", "2"))
    assert run(pool, Ready(1)) == [Assign(1, 1)]


def test_an_init_that_fails_fails_one_event_and_the_others_keep_their_own() -> None:
    pool = Pool(places=8)
    run(pool, Need(1, "f", "1"), Need(2, "f", "1"))
    assert run(pool, Failed(1)) == [Fail(1, 1)]
    assert run(pool, Ready(2)) == [Assign(2, 2)]


def test_what_has_been_idle_too_long_is_stopped() -> None:
    pool = Pool(places=8)
    run(pool, Need(1, "f", "1"), Ready(1, 10.0), Ready(1, 20.0))
    assert run(pool, Reap(20.0)) == []
    assert run(pool, Reap(20.1)) == [Stop(1)]


def test_an_event_whose_caller_went_away_leaves_no_trace() -> None:
    pool = Pool(places=1)
    run(pool, Need(1, "f", "1"), Ready(1), Need(2, "g", "1"), Withdraw(2))
    assert concurrency(pool, "g") == 0 and not pool.short
    assert run(pool, Ready(1)) == []


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_every_event_ends_and_nothing_is_left_over(seed: int) -> None:
    """A random world of starts, deaths and changes: each need is assigned, failed or refused exactly once."""
    chance = random.Random(seed)
    pool, phases, ended, busy = Pool(places=chance.randint(1, 4)), {}, set(), {}
    asked = 0

    def carry_out(commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Start(slot, _, _):
                    assert slot not in phases
                    phases[slot] = "starting"
                case Assign(slot, need):
                    assert phases[slot] in ("starting", "idle") and need not in ended
                    phases[slot] = "busy"
                    busy[slot] = need
                    ended.add(need)
                case Stop(slot):
                    assert phases.pop(slot) in ("idle", "starting"), "only what has nothing to do is stopped"
                case Refuse(need, _) | Fail(need, _):
                    assert need not in ended
                    ended.add(need)

    def something() -> None:
        slot = chance.choice(sorted(phases))
        if chance.random() < 0.8:
            if phases[slot] != "idle":
                phases[slot], was = "idle", phases[slot]
                if was == "busy":
                    del busy[slot]
                carry_out(step(pool, Ready(slot)))
        else:
            was = phases.pop(slot)
            busy.pop(slot, None)
            carry_out(step(pool, Failed(slot) if was == "starting" else Gone(slot)))

    for _ in range(200):
        draw = chance.random()
        if draw < 0.5 or not phases:
            asked += 1
            limit = chance.choice([None, None, 2])
            key = chance.choice("fgh")
            carry_out(step(pool, Need(asked, key, chance.choice("12"), nested=chance.random() < 0.1, limit=limit)))
        elif draw < 0.55:
            carry_out(step(pool, Replace(chance.choice("fgh"), chance.choice("12"))))
        else:
            something()
    for _ in range(10_000):
        if len(ended) == asked and not busy:
            break
        something()
    assert ended == set(range(1, asked + 1))
    assert not pool.short and all(count == 0 for count in pool.unreserved.values())
