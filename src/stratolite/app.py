"""The composition root: a configuration becomes a World, a Store, the services and a Cloud."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stratolite.kernel.cloud import Cloud
from stratolite.kernel.store import Durability, StateError, Store
from stratolite.kernel.telemetry import Telemetry
from stratolite.kernel.world import World
from stratolite.services import Rooms


@dataclass(frozen=True)
class Config:
    """
    Args:
        state: the folder of the state; None keeps everything in memory.
        host, port: where the server listens; port 0 takes a free one.
        strict: refuse what is accepted but not emulated.
        durability: what an answer survives: the death of the `process`, or loss of `power`.
    """

    state: Path | None = Path(".stratolite")
    host: str = "127.0.0.1"
    port: int = 4566
    strict: bool = False
    durability: Durability = "process"


def build(config: Config, world: World | None = None, scratch: Path | None = None) -> Cloud:
    """The cloud of a configuration, not yet started.

    Args:
        world: the real one unless a test brings its own.
        scratch: where files go when the state is in memory.

    Raises:
        StateError: another process has the state, or a newer program wrote it.
    """
    world = world or World()
    if config.state is None:
        import tempfile

        folder = scratch or Path(tempfile.mkdtemp(prefix="stratolite-"))
        return Cloud(
            world, Store(":memory:", world), Telemetry(":memory:", world), folder, Rooms(), strict=config.strict
        )
    config.state.mkdir(parents=True, exist_ok=True)
    folder = config.state.resolve()
    cloud = Cloud(
        world,
        Store(folder / "state.sqlite", world, config.durability),
        Telemetry(folder / "telemetry.sqlite", world),
        folder,
        Rooms(),
        strict=config.strict,
    )
    return cloud


class Claim:
    """The right to be the one process on a state folder: a lock on a file that also says where the server is."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "server.json"
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            import fcntl

            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            os.close(self._fd)
            raise StateError(f"Another Stratolite is running on {folder}.") from e

    def announce(self, **facts: object) -> None:
        """Write where the server is, for `strato` commands that look for it."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, json.dumps({"pid": os.getpid(), **facts}).encode(), 0)

    def release(self) -> None:
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


async def serve(config: Config, cloud: Cloud, ready: Callable[[int], None] = lambda port: None) -> None:
    """Answer on the configuration's host and port until cancelled; `ready` is told the port.

    Raises:
        OSError: the port is taken.
    """
    from stratolite.server.control import Control
    from stratolite.server.hosts import Doors
    from stratolite.server.http import Server

    spool = cloud.folder / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    for left in spool.iterdir():  # bodies that were under way when the last life ended
        left.unlink()
    services = Rooms().names()
    loopback = config.host in ("127.0.0.1", "localhost", "::1")
    doors = Doors(cloud, Control(cloud, services), () if loopback else (config.host,))
    server = Server(doors, wall=cloud.world.wall, spool=spool)
    port = await server.listen(config.host, config.port)
    cloud.host = f"{'localhost' if loopback else config.host}:{port}"
    await cloud.start()
    ready(port)
    try:
        await asyncio.Event().wait()
    finally:
        await server.close()
        await cloud.stop()
