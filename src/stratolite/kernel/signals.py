"""Signals: who waits for what, in memory; losing one loses nothing, since a waiter always looks again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable

Key = tuple[Hashable, ...]


class Signals:
    """One waiter is woken per thing that came, oldest first. Every parked job of the key is."""

    def __init__(self) -> None:
        self._waiters: dict[Key, deque[asyncio.Future[bool]]] = {}
        self._parked: dict[Key, dict[int, Callable[[], None]]] = {}

    def send(self, key: Key, n: int | None = 1) -> None:
        """Wake up to `n` waiters of this key (None: all of them) and every parked job."""
        if (parked := self._parked.pop(key, None)) is not None:
            for wake in parked.values():
                wake()
        if (waiters := self._waiters.get(key)) is None:
            return
        left = len(waiters) if n is None else n
        while waiters and left > 0:
            waiter = waiters.popleft()
            if not waiter.done():
                waiter.set_result(True)
                left -= 1
        if not waiters:
            self._waiters.pop(key, None)

    async def wait(self, key: Key, timeout_s: float) -> bool:
        """True when signalled, False when the time ran out."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiters.setdefault(key, deque()).append(waiter)

        def time_out() -> None:
            if not waiter.done():
                waiter.set_result(False)

        timer = loop.call_later(max(0.0, timeout_s), time_out)
        try:
            return await waiter
        except asyncio.CancelledError:
            # A signal this waiter got but will not use belongs to the next one.
            if waiter.done() and not waiter.cancelled() and waiter.result():
                self.send(key)
            raise
        finally:
            timer.cancel()
            if (waiters := self._waiters.get(key)) is not None and waiter in waiters:
                waiters.remove(waiter)
                if not waiters:
                    del self._waiters[key]

    def park(self, key: Key, job: int, wake: Callable[[], None]) -> None:
        """Call `wake` at the next signal of this key."""
        self._parked.setdefault(key, {})[job] = wake

    def unpark(self, key: Key, job: int) -> None:
        if (parked := self._parked.get(key)) is not None:
            parked.pop(job, None)
            if not parked:
                del self._parked[key]

    def listening(self) -> set[int]:
        """The jobs that are parked on some key."""
        return {job for parked in self._parked.values() for job in parked}
