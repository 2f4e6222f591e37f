"""Inline functions: Python handlers called in this process, in a thread of their own that never runs beside the loop.

The loop and a handler hand control to each other, so that a simulated world stays a single line of events: while
the handler computes, virtual time stands still; when it asks the cloud something (through botocore) or sleeps, the loop
goes on until the answer is there. Environment variables and the modules of the function's own folder are swapped in
and out with the control.
"""

from __future__ import annotations

import importlib
import io
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.client
import botocore.endpoint

from stratolite.kernel.world import World
from stratolite.runtimes.function import Function
from stratolite.runtimes.inline import Inline
from stratolite.wire.http1 import Request, Response

Answer = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Any, Any], Any]

_bridges = threading.local()
_real_sleep = time.sleep
END_S = 5.0
"""A handler that will not end is left alone after this long."""


class Killed(SystemExit):
    """The environment of this handler is gone; its thread ends."""


def current() -> Bridge | None:
    """The bridge of the handler this thread runs, if it runs one."""
    return getattr(_bridges, "bridge", None)


_alive: dict[Bridge, None] = {}


def bury() -> None:
    """The process died: the threads of its handlers end where they wait."""
    for bridge in list(_alive):
        bridge.end("the process died")


@dataclass(eq=False)
class Bridge:
    """Between a handler's thread and the loop: one of the two waits, always."""

    environment: InlineEnvironment
    thread: threading.Thread | None = None
    is_dead: bool = False
    to_loop: queue.SimpleQueue[tuple[str, Any]] = field(default_factory=queue.SimpleQueue)
    to_handler: queue.SimpleQueue[tuple[str, Any]] = field(default_factory=queue.SimpleQueue)

    def ask(self, kind: str, value: Any) -> Any:
        """From the handler's thread: hand over, and wait for the answer. Raises Killed once it is dead."""
        if self.is_dead:
            raise Killed("what it does on its way out is heard by nobody")
        self.to_loop.put((kind, value))
        outcome, answer = self.to_handler.get()
        if outcome == "failed":
            raise answer
        return answer

    def end(self, reason: str) -> None:
        """From the loop's thread: kill the handler where it waits; the loop goes on when it is gone."""
        _alive.pop(self, None)
        self.is_dead = True
        if self.thread is None or not self.thread.is_alive():
            return
        self.environment.enter()
        try:
            self.to_handler.put(("failed", Killed(reason)))
            self.thread.join(END_S)
        finally:
            self.environment.leave()


def sleep(seconds: float) -> None:
    """`time.sleep` of inline handlers passes virtual time."""
    if (bridge := current()) is None:
        _real_sleep(seconds)
    else:
        bridge.ask("sleep", seconds)


class _Printer(io.TextIOBase):
    """Standard output and error of a handler."""

    def __init__(self, output: Callable[[str], None]) -> None:
        self._output = output

    def write(self, text: str) -> int:
        self._output(text)
        return len(text)


class _Sdk:
    """What functions change in the SDK for the whole process: boto3's default session, with one environment's
    credentials, and what tracing libraries replace in botocore. Each environment has its own."""

    _PLACES = ((botocore.client.BaseClient, "_make_api_call"), (botocore.endpoint.Endpoint, "prepare_request"))

    def __init__(self) -> None:
        self.original = [*(vars(owner)[name] for owner, name in self._PLACES), None]

    def get(self) -> list[Any]:
        session = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
        return [*(vars(owner)[name] for owner, name in self._PLACES), session]

    def set(self, things: list[Any]) -> None:
        *functions, session = things
        for (owner, name), function in zip(self._PLACES, functions, strict=True):
            setattr(owner, name, function)
        if (boto3 := sys.modules.get("boto3")) is not None:
            setattr(boto3, "DEFAULT_SESSION", session)  # noqa: B010


_SDK = _Sdk()


@dataclass
class InlineEnvironment:
    """What makes one function's environment its own inside a shared process.

    Args:
        folders: its code, then its packages: the front of `sys.path` while it runs.
        handler: `module.function`, as the function's configuration says.
        variables: its environment, whole.
        output: takes what it prints.
    """

    folders: list[Path]
    handler: str
    variables: dict[str, str]
    output: Callable[[str], None] = lambda text: None
    modules: dict[str, Any] = field(default_factory=dict)
    function: Handler | None = None
    sdk: list[Any] = field(default_factory=lambda: _SDK.original)
    outside: list[Any] = field(default_factory=list)
    chance: random.Random = field(default_factory=random.Random)
    """Its own `random`: even the back-off of an SDK is then the seed's."""
    _saved: tuple[dict[str, str], list[str], dict[str, Any], Any, Any, Any] | None = None

    def enter(self) -> None:
        own = {name: sys.modules[name] for name in list(sys.modules) if self._is_project(name)}
        self.outside = _SDK.get()
        self._saved = (dict(os.environ), list(sys.path), own, sys.stdout, sys.stderr, random.getstate())
        random.setstate(self.chance.getstate())
        sys.stdout = sys.stderr = _Printer(self.output)
        for name in own:
            del sys.modules[name]
        sys.modules.update(self.modules)
        sys.path[:0] = [str(f) for f in self.folders]
        os.environ.clear()
        os.environ.update(self.variables)
        _SDK.set(self.sdk)

    def leave(self) -> None:
        assert self._saved is not None
        environ, path, others, sys.stdout, sys.stderr, chance = self._saved
        self.chance.setstate(random.getstate())
        random.setstate(chance)
        self.modules = {name: sys.modules[name] for name in list(sys.modules) if self._is_own(sys.modules[name])}
        for name in self.modules:
            del sys.modules[name]
        sys.modules.update(others)
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environ)
        self.sdk = _SDK.get()
        _SDK.set(self.outside)

    def load(self) -> Handler:
        if self.function is None:
            module, _, name = self.handler.rpartition(".")
            self.function = getattr(importlib.import_module(module.replace("/", ".")), name)
        assert self.function is not None
        return self.function

    def _is_project(self, name: str) -> bool:
        """Whether a loaded module would be found in this function's folder too: then it must not be somebody else's."""
        top = name.partition(".")[0]
        code = self.folders[0]
        return (code / f"{top}.py").exists() or (code / top).is_dir()

    def _is_own(self, module: Any) -> bool:
        file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
        return file is not None and (self.folders[0] in Path(file).parents or file == str(self.folders[0]))


async def run(environment: InlineEnvironment, event: Any, context: Any, answer: Answer, world_sleep: Any) -> Any:
    """Call a handler; raises what it raises."""
    bridge = Bridge(environment)

    def main() -> None:
        _bridges.bridge = bridge
        try:
            outcome = ("done", environment.load()(event, context))
        except Killed:
            return
        except BaseException as failure:
            outcome = ("failed", failure)
        bridge.to_loop.put(outcome)

    thread = bridge.thread = threading.Thread(target=main, name=environment.handler, daemon=True)
    _alive[bridge] = None
    reply: tuple[str, Any] | None = None
    while True:
        environment.enter()
        try:
            # Only now may the handler go on: what it sees must be its own.
            if reply is None:
                thread.start()
            else:
                bridge.to_handler.put(reply)
            kind, value = bridge.to_loop.get()  # the loop's thread stands still: only the handler runs
        finally:
            environment.leave()
        if kind in ("done", "failed"):
            _alive.pop(bridge, None)
        if kind == "done":
            return value
        if kind == "failed":
            raise value
        try:
            reply = ("done", await (answer(value) if kind == "request" else world_sleep(value)))
        except Exception as failure:
            reply = ("failed", failure)
        except BaseException:
            bridge.end("the environment is gone")
            raise


def handlers(answer: Answer, world: World) -> Inline:
    """How a simulated cloud's functions are called: here, each environment with modules and variables of its own."""

    def environment(function: Function, variables: dict[str, str], output: Callable[[str], None]) -> Any:
        folders = [function.code.folder, *function.code.packages]
        if function.code.layers is not None:
            folders.append(function.code.layers / "python")
        chance = random.Random(world.random.getrandbits(64))
        own = InlineEnvironment(folders, function.handler, variables, output, chance=chance)

        async def handle(event: Any, context: Any) -> Any:
            return await run(own, event, context, answer, world.sleep)

        return handle

    return environment
