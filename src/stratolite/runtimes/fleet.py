"""The fleet: every environment there is; carries out what the pool decides and tells it what happened."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from stratolite.kernel.world import World

from . import interpreters, pool, sites
from .bootstraps import PROVIDED, Bootstrap
from .bootstraps import node as node_command
from .environment import Environment
from .function import MEMORY_MB, Function, Invocation, Logs, Outcome, Throttled
from .inline import Inline, InlineEnvironment
from .output import Event
from .process import Zygote

IDLE_S = 600.0
"""How long an idle environment lives; AWS keeps them for minutes and promises nothing."""
REAP_S = 15.0
PLACES = 128
OPEN_FILES = 8192


class Serving(Protocol):
    """Told which invocation an access key speaks for from now on; None when the environment has ended."""

    def __call__(self, access_key: str, function: Function, invocation: Invocation | None) -> None: ...


def _nobody(access_key: str, function: Function, invocation: Invocation | None) -> None:
    pass


@dataclass
class Settings:
    endpoint_url: str = "http://127.0.0.1:4566"
    places: int = PLACES
    idle_s: float = IDLE_S
    logs: Logs = lambda function, stream, events: None
    serving: Serving = _nobody
    warn: Callable[[str], None] = lambda text: None
    progress: Callable[[str], None] = lambda text: None
    """Told what takes long (packages installed once)."""
    state: Path | None = None
    """Where environments keep their /tmp; a temporary folder if None."""
    inline: Inline | None = None
    """How handlers are called in this process instead (the simulated world)."""


@dataclass(slots=True)
class _Asked:
    function: Function
    invocation: Invocation
    answer: asyncio.Future[Outcome] = field(repr=False)


class Fleet:
    """
    Args:
        world: the clock of log lines, ids, threads.
        settings: see there.
    """

    def __init__(self, world: World, settings: Settings) -> None:
        self.world, self.settings = world, settings
        self.warn = settings.warn
        self.log = settings.logs
        self._key = world.hex(32)
        self._pool = pool.Pool(settings.places)
        self._asked: dict[int, _Asked] = {}
        self._next = 0
        self._environments: dict[int, Environment | InlineEnvironment] = {}
        self._ending: dict[int, Environment | InlineEnvironment] = {}
        self._zygotes: dict[tuple[Path, Path | None], asyncio.Task[Zygote]] = {}
        self._bootstraps: dict[str, asyncio.Task[Bootstrap]] = {}
        self._tasks: set[asyncio.Future[Any]] = set()
        self._reaping: asyncio.TimerHandle | None = None
        self._tmp: Path | None = None
        self._warned: set[str] = set()
        _open_more_files()

    # ---- what services ask

    @property
    def endpoint_url(self) -> str:
        return self.settings.endpoint_url

    def invoke(self, function: Function, invocation: Invocation) -> asyncio.Future[Outcome]:
        """Run a function once. Raises Throttled when its concurrency, or the account's, is used up."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._next += 1
        need = self._next
        self._asked[need] = _Asked(function, invocation, answer)
        scope = f"{function.account}/{function.region}"
        limits = (invocation.nested, invocation.limit, invocation.unreserved)
        self._step(pool.Need(need, function.key, function.generation, scope, *limits))
        if need in self._asked:
            answer.add_done_callback(lambda answer: self._withdraw(need))
        return answer

    def _withdraw(self, need: int) -> None:
        """Its caller went away while it waited: nobody is left to run it for."""
        if self._asked.pop(need, None) is not None:
            self._step(pool.Withdraw(need))

    def replace(self, function_key: str, generation: str | None) -> None:
        """The function has changed, or is deleted (None): environments of other generations end when they are done."""
        self._step(pool.Replace(function_key, generation))

    def concurrency(self, function_key: str) -> int:
        """Events that run or wait for a place."""
        return pool.concurrency(self._pool, function_key)

    def prepare(self, runtime: str) -> None:
        """Get ready for functions of a runtime, in the background: they start faster then."""
        if runtime.startswith(("python", "nodejs")):
            self.keep(asyncio.ensure_future(self._prepare(runtime)))

    async def _prepare(self, runtime: str) -> None:
        with contextlib.suppress(OSError, sites.SiteError, TimeoutError):
            bootstrap = await self.bootstrap(runtime)
            zygote = await self.zygote(bootstrap)
            if bootstrap.ahead:
                zygote.keep_ahead(tuple(bootstrap.command(MEMORY_MB)))

    async def stop(self) -> None:
        """End every environment and zygote."""
        if self._reaping is not None:
            self._reaping.cancel()
        for environment in [*self._environments.values(), *self._ending.values()]:
            environment.stop()
        for task in [*self._bootstraps.values(), *self._zygotes.values()]:
            if not task.done():
                task.cancel()
            elif not task.cancelled() and task.exception() is None and isinstance(result := task.result(), Zygote):
                await result.stop()
        for environment in [*self._environments.values(), *self._ending.values()]:
            environment.exited(0, 0)
        while self._tasks:
            await asyncio.wait(list(self._tasks))
        if self._tmp is not None:
            shutil.rmtree(self._tmp, ignore_errors=True)

    # ---- the pool's commands

    def _step(self, event: pool.Event) -> None:
        for command in pool.step(self._pool, event):
            match command:
                case pool.Assign(slot, need):
                    asked = self._asked.pop(need)
                    self._environments[slot].invoke(asked.invocation, asked.answer)
                case pool.Start(slot, key, generation):
                    self._start(slot, key, generation)
                case pool.Stop(slot):
                    environment = self._environments.pop(slot)
                    self._ending[slot] = environment
                    environment.stop()
                case pool.Refuse(need, reason):
                    self._asked.pop(need).answer.set_exception(Throttled(reason))
                case pool.Fail(need, slot):
                    asked = self._asked.pop(need)
                    self._environments[slot].settle_init_failure(asked.invocation, asked.answer)

    def _start(self, slot: int, key: str, generation: str) -> None:
        function = next(
            asked.function
            for asked in reversed(self._asked.values())
            if asked.function.key == key and asked.function.generation == generation
        )
        if self._reaping is None:
            self._reaping = asyncio.get_running_loop().call_later(REAP_S, self._reap)
        if self.settings.inline is not None:
            inline = InlineEnvironment(self, slot, function, self.settings.inline)
            self._environments[slot] = inline
            self.ready(inline)
        else:
            self.keep(asyncio.ensure_future(self._start_process(slot, function)))

    async def _start_process(self, slot: int, function: Function) -> None:
        environment = Environment(self, slot, function)
        self._environments[slot] = environment
        try:
            await environment.start()
        except (OSError, sites.SiteError, TimeoutError, ValueError) as error:
            environment.cannot_start(str(error))

    def _reap(self) -> None:
        loop = asyncio.get_running_loop()
        self._reaping = loop.call_later(REAP_S, self._reap) if self._environments else None
        self._step(pool.Reap(loop.time() - self.settings.idle_s))

    # ---- what environments tell

    def ready(self, environment: Environment | InlineEnvironment) -> None:
        self._step(pool.Ready(environment.slot, asyncio.get_running_loop().time()))

    def failed(self, environment: Environment) -> None:
        """INIT failed for good."""
        self._step(pool.Failed(environment.slot))
        self._environments.pop(environment.slot, None)
        self._ending.pop(environment.slot, None)

    def gone(self, environment: Environment | InlineEnvironment) -> None:
        """It has ended, or is being killed and will serve no more."""
        if environment.slot in self._environments:
            self._ending[environment.slot] = self._environments.pop(environment.slot)
        self._step(pool.Gone(environment.slot))

    def ended(self, environment: Environment | InlineEnvironment) -> None:
        """Its process is no more and its folders are free."""
        self._ending.pop(environment.slot, None)
        self.settings.serving(environment.access_key, environment.function, None)

    def serves(self, environment: Environment | InlineEnvironment, invocation: Invocation) -> None:
        self.settings.serving(environment.access_key, environment.function, invocation)

    def discard(self, folder: Path) -> None:
        """Remove a folder, without waiting for it."""
        self.keep(asyncio.ensure_future(self.world.offload(shutil.rmtree, folder, True)))

    def keep(self, task: asyncio.Future[Any]) -> None:
        """Hold a task until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- what environments need

    def secret(self, access_key: str) -> str:
        return hashlib.sha256(f"{self._key}{access_key}".encode()).hexdigest()[:40]

    @property
    def tmp_folder(self) -> Path:
        if self._tmp is None:
            if self.settings.state is not None:
                self._tmp = self.settings.state / "sandboxes"
                # What a killed life left behind.
                shutil.rmtree(self._tmp, ignore_errors=True)
                self._tmp.mkdir(parents=True)
            else:
                self._tmp = Path(tempfile.mkdtemp(prefix="stratolite-"))
        return self._tmp

    async def bootstrap(self, runtime: str) -> Bootstrap:
        """How a runtime is started. Raises ValueError for one we cannot run, SiteError or OSError if that fails."""
        if (task := self._bootstraps.get(runtime)) is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._bootstraps[runtime] = asyncio.ensure_future(self._find_bootstrap(runtime))
        return await asyncio.shield(task)

    async def _find_bootstrap(self, runtime: str) -> Bootstrap:
        if runtime.startswith("provided"):
            own = Path(getattr(sys, "_base_executable", None) or sys.executable)
            return Bootstrap(own, None, PROVIDED)
        if runtime.startswith("nodejs"):
            node, exact = interpreters.node(runtime)
            if not exact:
                self._warn_nearest(runtime, f"Node.js {node.name}", node)
            own = Path(getattr(sys, "_base_executable", None) or sys.executable)
            return Bootstrap(own, None, node_command(node.path), os.fspath(node.path.parent), ahead=True)
        if not runtime.startswith("python"):
            raise ValueError(f"The runtime {runtime} cannot be run here yet")
        interpreter, exact = interpreters.python(runtime)
        if not exact:
            self._warn_nearest(runtime, f"Python {interpreter.name}", interpreter)
        site = await sites.site(interpreter, self.settings.progress)
        return Bootstrap(interpreter.path, site, (), os.fspath(interpreter.path.parent), os.fspath(site))

    def _warn_nearest(self, runtime: str, instead: str, interpreter: interpreters.Interpreter) -> None:
        if runtime not in self._warned:
            self._warned.add(runtime)
            self.warn(f"No {runtime} here: functions that declare it run on {instead} ({interpreter.path})")

    async def zygote(self, bootstrap: Bootstrap) -> Zygote:
        """The running zygote of an interpreter, started if there is none."""
        key = (bootstrap.interpreter, bootstrap.site)
        task = self._zygotes.get(key)
        if task is not None and task.done() and (task.cancelled() or task.exception() or not task.result().alive):
            task = None
        if task is None:
            task = self._zygotes[key] = asyncio.ensure_future(self._start_zygote(bootstrap))
        return await asyncio.shield(task)

    async def _start_zygote(self, bootstrap: Bootstrap) -> Zygote:
        zygote = Zygote(bootstrap.interpreter, bootstrap.site, self.warn)
        await zygote.start()
        if not zygote.about["task"] and "mounts" not in self._warned:
            self._warned.add("mounts")
            self.warn(f"Functions see their code at its own place and share /tmp: {zygote.about['why']}")
        return zygote


def _open_more_files() -> None:
    """Four descriptors an environment: the usual 1,024 would not do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


__all__ = ["Event", "Fleet", "Settings"]
