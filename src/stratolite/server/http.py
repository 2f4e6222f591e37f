"""The HTTP server: a listening socket, its connections, and what becomes of them as time passes or the server ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from .answers import Dates
from .connection import Connection, Handler
from .limits import Limits

SWEEP_S = 1.0
"""How often deadlines are looked at: one timer for all connections instead of one set and cleared per request."""


class Server:
    """A listening socket and its connections.

    `wall` gives the time for the Date field; `spool` is the folder for bodies too large for memory.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        wall: Callable[[], float],
        limits: Limits | None = None,
        spool: Path | None = None,
    ) -> None:
        self.handler = handler
        self.limits = limits or Limits()
        self.spool = spool
        self.closing = False
        self.connections: set[Connection] = set()
        self._wall = wall
        self._dates = Dates()
        self._listeners: list[asyncio.Server] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._emptied = asyncio.Event()

    async def listen(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Accept connections; returns the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: Connection(self, loop), host, port, backlog=1024)
        self._listeners.append(listener)
        return int(listener.sockets[0].getsockname()[1])

    async def close(self, grace_s: float = 2.0) -> None:
        """Stop listening, let requests under way finish for `grace_s`, then cut the rest."""
        self.closing = True
        for listener in self._listeners:
            listener.close()
        for connection in list(self.connections):
            connection.close_if_idle()
        if self.connections:
            self._emptied.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), grace_s)
        for connection in list(self.connections):
            connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    def date(self) -> str:
        return self._dates.line(self._wall())

    def opened(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        self.connections.add(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_S, self._sweep, loop)

    def lost(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._emptied.set()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in list(self.connections):
            if connection.deadline < now:
                connection.expire()
        # No connections, no timer: an idle server does nothing at all.
        self._sweeper = loop.call_later(SWEEP_S, self._sweep, loop) if self.connections else None
