"""Inline: a handler called in this process, for the simulated world; to the pool it is an environment like any."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import reports
from .bootstraps import Bootstrap
from .failures import Failure, exited, timed_out
from .function import Function, Invocation, Outcome
from .variables import variables

if TYPE_CHECKING:
    from .fleet import Fleet


PACKAGE = str(Path(__file__).parents[1])
FAULTS = ("kill", "hang", "slow")


class Context:
    """What a handler gets as `context`."""

    def __init__(
        self, function: Function, invocation: Invocation, left_s: Callable[[], float], log_stream: str
    ) -> None:
        self.aws_request_id = invocation.request_id
        self.invoked_function_arn = invocation.invoked_arn
        self.function_name = function.name
        self.function_version = function.version
        self.memory_limit_in_mb = str(function.memory_mb)
        self.log_group_name = function.log_group
        self.log_stream_name = log_stream
        self.client_context = json.loads(invocation.client_context) if invocation.client_context else None
        self.identity = json.loads(invocation.cognito_identity) if invocation.cognito_identity else None
        self._left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(self._left_s() * 1000))


def _own_frames(error: BaseException) -> list[str]:
    """The traceback from the handler on."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, frame in enumerate(frames) if not frame.filename.startswith(PACKAGE)), 0)
    return traceback.format_list(frames[first:])


Handler = Callable[[Any, Context], Awaitable[Any]]
Inline = Callable[[Function, dict[str, str], Callable[[str], None]], Handler]
"""Given a function, its environment variables and where its output goes, makes what handles its events.

One per environment, so that what a handler keeps between events stays its own; raises what the handler raises."""


class InlineEnvironment:
    bootstrap = Bootstrap(Path("inline"), None)

    def __init__(self, fleet: Fleet, slot: int, function: Function, inline: Inline) -> None:
        self.fleet, self.slot, self.function = fleet, slot, function
        self.access_key = "ASIA" + fleet.world.hex(16).upper()
        self.log_stream = function.log_stream(reports.timestamp(fleet.world.now())[:10], fleet.world.hex(32))
        self._running: asyncio.Task[None] | None = None
        self._printed: list[str] = []
        self._handle = inline(function, variables(self, "inline"), self._printed.append)

    def invoke(self, invocation: Invocation, answer: asyncio.Future[Outcome]) -> None:
        self.fleet.serves(self, invocation)
        self._running = asyncio.ensure_future(self._run(invocation, answer))
        self.fleet.keep(self._running)

    async def _run(self, invocation: Invocation, answer: asyncio.Future[Outcome]) -> None:
        world, function = self.fleet.world, self.function
        began = world.wall()
        context = Context(function, invocation, lambda: began + function.timeout_s - world.wall(), self.log_stream)
        events = [(world.now(), reports.start(function, invocation, world.now()))]
        failure: Failure | None = None
        body = b""
        try:
            async with asyncio.timeout(function.timeout_s):
                fault = world.fault("sandbox", FAULTS, function=function.name)
                if fault == "hang":
                    await world.sleep(function.timeout_s + 1)
                if fault == "slow":
                    await world.sleep(world.random.random() * function.timeout_s / 2)
                if fault == "kill" and world.random.random() < 0.5:
                    failure = exited(invocation.request_id, signal.SIGKILL)
                else:
                    body = await self._call(invocation, context)
                    if fault == "kill":
                        # It has done its work, and nobody heard.
                        failure = exited(invocation.request_id, signal.SIGKILL)
            outcome = Outcome(body)
        except TimeoutError:
            failure = timed_out(invocation.request_id, function.timeout_s, reports.timestamp(world.now()))
        except Exception as error:
            body = json.dumps(
                {
                    "errorMessage": str(error),
                    "errorType": type(error).__name__,
                    "requestId": invocation.request_id,
                    "stackTrace": _own_frames(error),
                }
            ).encode()
            outcome = Outcome(body, True)
        if failure is not None:
            outcome = Outcome(failure.payload(), True, failure)
        outcome.duration_ms = (world.wall() - began) * 1000
        outcome.billed_ms = max(1, math.ceil(outcome.duration_ms))
        outcome.memory_mb, outcome.log_stream = 1, self.log_stream
        now = world.now()
        printed, self._printed[:] = "".join(self._printed), []
        events.extend((now, line) for line in printed.splitlines(keepends=True))
        events.extend((now, line) for line in reports.end(function, invocation, outcome, now))
        outcome.events = events
        self.fleet.log(function, self.log_stream, events)
        if not answer.done():
            answer.set_result(outcome)
        if failure is not None:
            self.fleet.gone(self)
            self.fleet.ended(self)
        else:
            self.fleet.ready(self)

    async def _call(self, invocation: Invocation, context: Context) -> bytes:
        return json.dumps(await self._handle(json.loads(invocation.payload), context)).encode()

    def settle_init_failure(self, invocation: Invocation, answer: asyncio.Future[Outcome]) -> None:
        raise AssertionError("an inline handler has no INIT")

    def stop(self) -> None:
        if self._running is not None and not self._running.done():
            self._running.cancel()
        self.fleet.ended(self)

    def exited(self, wait_status: int, peak_kb: int) -> None:
        self.stop()
