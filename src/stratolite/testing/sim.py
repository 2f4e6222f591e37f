"""The simulated world: virtual time, seeded chance, failures injected at the four seams."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from stratolite.kernel.world import World
from stratolite.wire.http1 import Response

T = TypeVar("T")

START = 1_750_000_000.0
"""The virtual clock's first instant: 15 June 2025, 15:06:40 UTC."""


class _JumpingSelector(selectors.SelectSelector):
    """Where a real selector would wait for a deadline, move the clock to it."""

    def __init__(self, world: SimWorld) -> None:
        super().__init__()
        self._world = world

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Stalled("nothing is ready, nothing is due, and somebody waits")
            self._world.elapsed_s += timeout
        return ready


class Stalled(RuntimeError):
    """The simulated process waits for something that will never come."""


class SimLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop on a virtual clock."""

    def __init__(self, world: SimWorld) -> None:
        self._world = world
        super().__init__(_JumpingSelector(world))
        # Timers of virtual time are exact; the real resolution would only blur their order.
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._world.elapsed_s


class SimWorld(World):
    """
    Args:
        seed: everything random comes from it: ids, jitter, which faults strike.
        faults: how often an active seam strikes, 0 to 1; per seed about half of the places are active,
            so that each seed is a world with a few sick organs.
    """

    is_simulated = True

    def __init__(self, seed: int = 0, faults: float = 0.0) -> None:
        self.seed, self.faults = seed, faults
        self.random = random.Random(seed)
        self._chance = random.Random(f"faults {seed}")
        self._active: dict[str, bool] = {}
        self._graves: list[set[asyncio.Task[Any]]] = []
        self.elapsed_s = 0.0
        self.jumped_s = 0.0
        self.struck: dict[str, int] = {}
        """How often each kind of fault was injected."""
        self.web: Callable[[str, str, dict[str, str], bytes], Response | Coroutine[Any, Any, Response]] | None = None
        """What answers requests that leave the cloud."""
        self.loop = SimLoop(self)

    def now(self) -> float:
        return START + self.elapsed_s + self.jumped_s

    def wall(self) -> float:
        return self.now()

    def at(self, wall: float) -> float:
        return wall

    def fault(self, where: str, kinds: tuple[str, ...], **about: Any) -> str | None:
        if not self.faults:
            return None
        place = f"{where} {' '.join(str(v) for v in about.values())}"
        if (active := self._active.get(place)) is None:
            active = self._active[place] = self._chance.random() < 0.5
        if not active or self._chance.random() >= self.faults:
            return None
        kind = kinds[self._chance.randrange(len(kinds))]
        self.struck[f"{where}: {kind}"] = self.struck.get(f"{where}: {kind}", 0) + 1
        return kind

    async def offload(self, fn: Callable[..., T], *args: Any) -> T:
        return fn(*args)

    async def fetch(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"", timeout_s: float = 30.0
    ) -> Response:
        if self.web is None:
            raise OSError(f"nothing answers {url} in this simulated world")
        answer = self.web(method, url, headers or {}, body)
        return await answer if isinstance(answer, Coroutine) else answer

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run to completion in virtual time; a Crash inside ends it with SystemExit."""
        asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(main)

    def reborn(self) -> None:
        """A new loop after a Crash: what was in memory is gone, the clock and chance go on."""
        old, self.loop = self.loop, SimLoop(self)
        dead = asyncio.all_tasks(old)
        for task in dead:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        # Kept while this world lives: their `finally` blocks must not run, the process they were in is dead.
        self._graves.append(dead)
        old.close()
