"""The pool: which environment serves which event, as a machine without clocks, processes or sockets.

`step(state, event)` changes the state and returns commands; the fleet carries them out and reports back with more
events. One state covers every function, because what runs short (places on this machine) is shared by all.

On AWS an event that finds no idle environment gets a new one, until concurrency runs out; here also until the machine's
`places` run out: then it waits. An event sent by a function that is itself running never waits: the place it would
wait for may be its caller's.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ACCOUNT_LIMIT = 1000
"""Concurrent executions of an account and region: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html"""


# ---- events


@dataclass(frozen=True, slots=True)
class Need:
    """An event wants to run."""

    id: int
    key: str
    generation: str
    scope: str = ""
    """Account and region: they share what is not reserved."""
    nested: bool = False
    limit: int | None = None
    """The function's reserved concurrency; None when it has none."""
    unreserved: int = ACCOUNT_LIMIT
    """What the functions of the scope without a reservation share."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An environment wants an event: INIT is over, or it has finished the last one."""

    slot: int
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """An environment ended before INIT was over."""

    slot: int


@dataclass(frozen=True, slots=True)
class Gone:
    """An environment has ended (or was killed) after INIT."""

    slot: int


@dataclass(frozen=True, slots=True)
class Reap:
    """Stop what has been idle since before `older_than`."""

    older_than: float


@dataclass(frozen=True, slots=True)
class Replace:
    """Stop what is of another generation: now if idle, when done if busy. Generation None: the function is deleted."""

    key: str
    generation: str | None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The caller of a need that still waits went away."""

    need: int


Event = Need | Ready | Failed | Gone | Reap | Replace | Withdraw


# ---- commands


@dataclass(frozen=True, slots=True)
class Start:
    slot: int
    key: str
    generation: str


@dataclass(frozen=True, slots=True)
class Assign:
    slot: int
    need: int


@dataclass(frozen=True, slots=True)
class Stop:
    slot: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """The event is throttled."""

    need: int
    reason: str


@dataclass(frozen=True, slots=True)
class Fail:
    """The event gets the INIT failure of a slot."""

    need: int
    slot: int


Command = Start | Assign | Stop | Refuse | Fail


# ---- state


@dataclass(slots=True)
class Slot:
    id: int
    key: str
    generation: str
    phase: str = "starting"
    """starting, idle, busy"""
    serving: Need | None = None
    idle_since: float = 0.0


@dataclass(slots=True)
class Line:
    """One function version: who is idle (latest used last), who waits."""

    generation: str = ""
    """The one asked for last: environments of others end when they have nothing left to do."""
    waiting: deque[Need] = field(default_factory=deque)
    wanting: Counter[str] = field(default_factory=Counter)
    """How many wait, by generation."""
    starting: Counter[str] = field(default_factory=Counter)
    """How many environments start, by generation."""
    nested: int = 0
    """How many of those that wait were sent by a running function."""
    idle: list[int] = field(default_factory=list)
    busy: int = 0

    def join(self, need: Need) -> None:
        self.waiting.append(need)
        self.wanting[need.generation] += 1
        self.nested += need.nested

    def leave(self, need: Need) -> None:
        self.waiting.remove(need)
        self.wanting[need.generation] -= 1
        self.nested -= need.nested

    def first(self, generation: str) -> Need | None:
        """Who waits longest for an environment of this generation."""
        return next((need for need in self.waiting if need.generation == generation), None)


@dataclass(slots=True)
class Pool:
    places: int
    slots: dict[int, Slot] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    short: dict[str, None] = field(default_factory=dict)
    """Functions with more waiting events than environments starting, in order of arrival."""
    unreserved: dict[str, int] = field(default_factory=dict)
    """By scope, events that wait or run without a reservation."""
    next_slot: int = 1


def concurrency(pool: Pool, key: str) -> int:
    line = pool.lines.get(key)
    return line.busy + len(line.waiting) if line else 0


def step(pool: Pool, event: Event) -> list[Command]:
    commands: list[Command] = []
    _STEPS[type(event)](pool, event, commands)
    return commands


def _need(pool: Pool, need: Need, commands: list[Command]) -> None:
    line = pool.lines.get(need.key)
    if line is None:
        line = pool.lines[need.key] = Line()
    if need.limit is not None:
        if line.busy + len(line.waiting) >= need.limit:
            commands.append(Refuse(need.id, "ReservedFunctionConcurrentInvocationLimitExceeded"))
            return _forget(pool, need.key, line)
    else:
        running = pool.unreserved.get(need.scope, 0)
        if running >= need.unreserved:
            commands.append(Refuse(need.id, "ConcurrentInvocationLimitExceeded"))
            return _forget(pool, need.key, line)
        pool.unreserved[need.scope] = running + 1
    line.generation = need.generation
    while line.idle:
        slot = pool.slots[line.idle.pop()]
        if slot.generation == need.generation:
            return _assign(slot, line, need, commands)
        _remove(pool, slot, commands)
    line.join(need)
    _grow(pool, need.key, line, commands)


def _assign(slot: Slot, line: Line, need: Need, commands: list[Command]) -> None:
    slot.phase, slot.serving = "busy", need
    line.busy += 1
    commands.append(Assign(slot.id, need.id))


def _settle(pool: Pool, need: Need) -> None:
    if need.limit is None:
        pool.unreserved[need.scope] -= 1


def _grow(pool: Pool, key: str, line: Line, commands: list[Command]) -> None:
    """Start what the waiting events of a function still lack, as far as there are places."""
    for generation in [generation for generation, count in line.wanting.items() if count > line.starting[generation]]:
        while line.starting[generation] < line.wanting[generation]:
            if len(pool.slots) >= pool.places and not line.nested:
                idle = (slot for slot in pool.slots.values() if slot.phase == "idle")
                oldest = min(idle, key=lambda slot: slot.idle_since, default=None)
                if oldest is None:
                    pool.short[key] = None
                    return
                _drop_idle(pool, oldest, commands)
            slot = Slot(pool.next_slot, key, generation)
            pool.next_slot += 1
            pool.slots[slot.id] = slot
            line.starting[generation] += 1
            commands.append(Start(slot.id, key, generation))
    pool.short.pop(key, None)


def _grow_short(pool: Pool, commands: list[Command]) -> None:
    for key in list(pool.short):
        if key in pool.lines:
            _grow(pool, key, pool.lines[key], commands)


def _remove(pool: Pool, slot: Slot, commands: list[Command]) -> None:
    del pool.slots[slot.id]
    commands.append(Stop(slot.id))


def _drop_idle(pool: Pool, slot: Slot, commands: list[Command]) -> None:
    line = pool.lines[slot.key]
    line.idle.remove(slot.id)
    _remove(pool, slot, commands)
    _forget(pool, slot.key, line)


def _ready(pool: Pool, event: Ready, commands: list[Command]) -> None:
    slot = pool.slots.get(event.slot)
    if slot is None:
        return
    line = pool.lines[slot.key]
    if slot.phase == "starting":
        line.starting[slot.generation] -= 1
    elif slot.serving is not None:
        line.busy -= 1
        _settle(pool, slot.serving)
        slot.serving = None
    need = line.first(slot.generation)
    if need is not None:
        line.leave(need)
        _assign(slot, line, need, commands)
    elif slot.generation != line.generation:
        _remove(pool, slot, commands)
    else:
        slot.phase, slot.idle_since = "idle", event.now
        line.idle.append(slot.id)
    if pool.short:
        _grow_short(pool, commands)
    _forget(pool, slot.key, line)


def _failed(pool: Pool, event: Failed, commands: list[Command]) -> None:
    slot = pool.slots.pop(event.slot, None)
    if slot is None:
        return
    line = pool.lines[slot.key]
    line.starting[slot.generation] -= 1
    need = line.first(slot.generation)
    if need is not None:
        line.leave(need)
        _settle(pool, need)
        commands.append(Fail(need.id, slot.id))
    _regrow(pool, slot.key, line, commands)


def _gone(pool: Pool, event: Gone, commands: list[Command]) -> None:
    slot = pool.slots.get(event.slot)
    if slot is None:
        return
    if slot.phase == "starting":
        return _failed(pool, Failed(slot.id), commands)
    del pool.slots[slot.id]
    line = pool.lines[slot.key]
    if slot.serving is not None:
        line.busy -= 1
        _settle(pool, slot.serving)
    else:
        line.idle.remove(slot.id)
    _regrow(pool, slot.key, line, commands)


def _regrow(pool: Pool, key: str, line: Line, commands: list[Command]) -> None:
    _grow(pool, key, line, commands)
    _grow_short(pool, commands)
    _forget(pool, key, line)


def _reap(pool: Pool, event: Reap, commands: list[Command]) -> None:
    for slot in list(pool.slots.values()):
        if slot.phase == "idle" and slot.idle_since < event.older_than:
            _drop_idle(pool, slot, commands)


def _replace(pool: Pool, event: Replace, commands: list[Command]) -> None:
    line = pool.lines.get(event.key)
    if line is None:
        return
    line.generation = event.generation or ""
    for slot in list(pool.slots.values()):
        if slot.key == event.key and slot.phase == "idle" and slot.generation != line.generation:
            _drop_idle(pool, slot, commands)
    _grow_short(pool, commands)


def _withdraw(pool: Pool, event: Withdraw, commands: list[Command]) -> None:
    for key, line in pool.lines.items():
        for need in line.waiting:
            if need.id == event.need:
                line.leave(need)
                _settle(pool, need)
                if not line.waiting:
                    pool.short.pop(key, None)
                return _forget(pool, key, line)


def _forget(pool: Pool, key: str, line: Line) -> None:
    if not (line.waiting or line.idle or line.busy or line.starting.total()):
        pool.lines.pop(key, None)
        pool.short.pop(key, None)


_STEPS: dict[type, Callable[[Pool, Any, list[Command]], None]] = {
    Need: _need,
    Ready: _ready,
    Failed: _failed,
    Gone: _gone,
    Reap: _reap,
    Replace: _replace,
    Withdraw: _withdraw,
}
