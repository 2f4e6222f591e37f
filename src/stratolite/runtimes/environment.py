"""An environment: one sandboxed process and the invocations it serves, from INIT to its end.

Deadlines and durations are wall time, whatever the cloud's clock says: a process cannot be jumped.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import failures, reports
from .bootstraps import Bootstrap
from .failures import Failure
from .function import Function, Invocation, Outcome
from .output import Event, Output
from .runtime_api import Answered, RuntimeApi
from .variables import variables

if TYPE_CHECKING:
    from .fleet import Fleet

INIT_S = 10.0
"""https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""
WATCH_S = 0.05
"""How often a running environment's memory, output and deadline are looked at."""
NOISY_BYTES = 16384
"""A function that printed this much since the last look is read as it prints."""
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)


class Environment:
    bootstrap: Bootstrap

    def __init__(self, fleet: Fleet, slot: int, function: Function) -> None:
        self.fleet, self.slot, self.function = fleet, slot, function
        self.loop = asyncio.get_running_loop()
        world = fleet.world
        self.access_key = "ASIA" + world.hex(16).upper()
        self.log_stream = function.log_stream(reports.timestamp(world.now())[:10], world.hex(32))
        self.api = RuntimeApi(self)
        self.invocation: Invocation | None = None
        self.answer: asyncio.Future[Outcome] | None = None
        self.init_failure: Outcome | None = None
        self.init_ms: float | None = None
        self._attempt = 0
        self._pid = 0
        self._ended = False
        self._primed_mb = 0.0
        self._peak_mb = 0.0
        self._statm = -1
        self._output: Output | None = None
        self._listening: asyncio.Server | None = None
        self._tmp: Path | None = None
        self._events: list[Event] = []
        self._watching: asyncio.TimerHandle | None = None
        self._noisy = False
        self._began = self._deadline = 0.0
        self._killed_for: Failure | None = None
        self._posted_init_error: Answered | None = None

    # ---- INIT

    async def start(self) -> None:
        """Raises OSError when the process cannot be started at all."""
        self._attempt += 1
        self._ended = False
        self._pid = 0
        self._killed_for = None
        self._posted_init_error = None
        self.bootstrap = await self.fleet.bootstrap(self.function.runtime)
        zygote = await self.fleet.zygote(self.bootstrap)
        if self._killed_for is not None:
            # Stopped before it began.
            return self.exited(signal.SIGKILL, 0)
        self._listening = await self.loop.create_server(self.api.connect, "127.0.0.1", 0)
        port = self._listening.sockets[0].getsockname()[1]
        self._tmp = Path(tempfile.mkdtemp(prefix="env-", dir=self.fleet.tmp_folder))
        self._tmp.chmod(0o777)
        function, code = self.function, self.function.code
        request: dict[str, Any] = {
            "env": variables(self, f"127.0.0.1:{port}"),
            "argv": self.bootstrap.command(function.memory_mb),
            "task": str(code.folder),
            "packages": [str(folder) for folder in code.packages],
            "layers": str(code.layers) if code.layers else None,
            "tmp": str(self._tmp),
        }
        if self.bootstrap.ahead:
            request["ahead"] = self.bootstrap.may_wait(function.environment)
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._output = Output(reading)
        self._began = self.fleet.world.wall()
        self._deadline = self._began + (INIT_S if self._attempt == 1 else function.timeout_s)
        if self._attempt == 1:
            now = self.fleet.world.now()
            self._events.append((now, reports.init_start(function, now)))
        # A fork of ours is connected already: no TCP, which costs both sides as much as the rest of the exchange.
        ours, theirs = socket.socketpair()
        try:
            zygote.spawn(request, [writing, theirs.fileno()], self)
        finally:
            os.close(writing)
            theirs.close()
        ours.setblocking(False)
        await self.loop.connect_accepted_socket(self.api.connect, ours)
        self._watch_later()

    def spawned(self, pid: int, primed_kb: int) -> None:
        self._pid, self._primed_mb = pid, primed_kb / 1024
        try:
            self._statm = os.open(f"/proc/{pid}/statm", os.O_RDONLY)
        except OSError:
            self._statm = -1
        if self._killed_for is not None:
            self._kill()

    def asked(self) -> None:
        """The runtime wants an event: INIT is over, or the last invocation."""
        if self.init_ms is None:
            self.init_ms = (self.fleet.world.wall() - self._began) * 1000
            self._drain()
        self.fleet.ready(self)

    def init_failed(self, answer: Answered) -> None:
        self._posted_init_error = answer

    def _init_ended(self, failure: Failure) -> None:
        """INIT came to nothing: AWS tries once more, within the invocation, before it gives up."""
        self._drain(final=True)
        now = self.fleet.world.now()
        took_ms = (self.fleet.world.wall() - self._began) * 1000
        posted = self._posted_init_error
        kind = (posted.error_type if posted else "") or failure.type
        phase = "init" if self._attempt == 1 else "invoke"
        if self.function.log_format != "JSON":
            self._events.append((now, reports.init_report(took_ms, phase, failure.status, kind)))
        self._release()
        if self._attempt == 1:
            self.fleet.keep(self.loop.create_task(self._again()))
            return
        payload = posted.body if posted else failure.payload()
        self.init_failure = Outcome(
            payload, True, Failure(kind, failure.message, failure.status, failure.line), duration_ms=took_ms
        )
        self.fleet.failed(self)

    async def _again(self) -> None:
        try:
            await self.start()
        except Exception as error:
            self.cannot_start(str(error))

    def cannot_start(self, reason: str) -> None:
        failure = failures.cannot_start(reason)
        self.init_failure = Outcome(failure.payload(), True, failure)
        self.fleet.warn(f"{self.function.name}: {reason}")
        self._release()
        self.fleet.failed(self)

    def settle_init_failure(self, invocation: Invocation, answer: asyncio.Future[Outcome]) -> None:
        """The invocation that waited for this INIT gets what came of it."""
        outcome = self.init_failure
        assert outcome is not None
        now = self.fleet.world.now()
        self._events.append((now, reports.start(self.function, invocation, now)))
        self.invocation, self.answer = invocation, answer
        self._began = self.fleet.world.wall() - outcome.duration_ms / 1000
        self._finish(outcome)

    def restoring(self) -> bool:
        """Snapshots are not taken yet: the runtime goes on at once."""
        return False

    def restore_failed(self, answer: Answered) -> None:
        self._posted_init_error = answer

    # ---- INVOKE

    def invoke(self, invocation: Invocation, answer: asyncio.Future[Outcome]) -> None:
        self.invocation, self.answer = invocation, answer
        self.fleet.serves(self, invocation)
        self._drain()
        now = self.fleet.world.now()
        self._events.append((now, reports.start(self.function, invocation, now)))
        self._began = self.fleet.world.wall()
        self._deadline = self._began + self.function.timeout_s
        deadline_ms = int((self.fleet.world.wall() + self.function.timeout_s) * 1000)
        if not self.api.hand_over(invocation, deadline_ms):
            # It died while it was idle, and nobody has told us yet.
            self._fail(failures.exited(invocation.request_id, signal.SIGKILL))
            return
        if self._watching is None:
            self._watch_later()

    def answered(self, answer: Answered) -> None:
        if answer.too_large:
            failure = failures.response_too_large()
            self._finish(Outcome(failure.payload(), True, failure))
        elif answer.error_type:
            self._finish(Outcome(answer.error_body or answer.body, True, content_type=answer.content_type))
        else:
            self._finish(Outcome(answer.body, content_type=answer.content_type))

    def refused(self, answer: Answered) -> None:
        self._finish(Outcome(answer.body, True))

    def streamed(self, piece: bytes) -> None:
        invocation = self.invocation
        if invocation is not None and invocation.stream is not None:
            invocation.stream(piece)

    def _fail(self, failure: Failure) -> None:
        """The platform ends the invocation, and with it the environment."""
        self._killed_for = failure
        self._kill()
        self._finish(Outcome(failure.payload(), True, failure))
        self.fleet.gone(self)

    def _finish(self, outcome: Outcome) -> None:
        invocation, answer = self.invocation, self.answer
        assert invocation is not None and answer is not None
        self.invocation = self.answer = None
        function = self.function
        duration_ms = (self.fleet.world.wall() - self._began) * 1000
        if outcome.failure is not None and outcome.failure.status == "timeout":
            duration_ms = function.timeout_s * 1000
        outcome.duration_ms = duration_ms
        if self.init_ms is not None and self.init_ms >= 0:
            # Reported with the first invocation, and billed with it since August 2025.
            outcome.init_ms, self.init_ms = self.init_ms, -1.0
        outcome.billed_ms = math.ceil(duration_ms + (outcome.init_ms or 0))
        self._drain(final=outcome.failure is not None)
        now = self.fleet.world.now()  # after what was printed: lines are sorted by their times
        self._weigh()
        outcome.memory_mb = min(max(1, math.ceil(self._peak_mb)), function.memory_mb)
        outcome.log_stream = self.log_stream
        if outcome.failure is not None and outcome.failure.line:
            self._events.append((now, outcome.failure.line))
        self._events.extend((now, line) for line in reports.end(function, invocation, outcome, now))
        outcome.events, self._events = self._events, []
        self.fleet.log(function, self.log_stream, outcome.events)
        if not answer.done():
            answer.set_result(outcome)

    # ---- the watch: memory, output, deadline

    def _watch_later(self) -> None:
        self._watching = self.loop.call_later(
            min(WATCH_S, max(0.0, self._deadline - self.fleet.world.wall())), self._watch
        )

    def _watch(self) -> None:
        self._watching = None
        invocation = self.invocation
        initialising = self.init_ms is None and not self._ended
        if self._ended or (invocation is None and not initialising):
            return
        now = self.fleet.world.wall()
        before = len(self._events)
        self._drain()
        if invocation is not None and len(self._events) > before + 1:
            # A long invocation's lines are seen while it runs.
            self.fleet.log(self.function, self.log_stream, self._events)
            self._events = []
        over = self._weigh() > self.function.memory_mb
        if over or now >= self._deadline:
            request_id = invocation.request_id if invocation else self.fleet.world.id()
            if over:
                failure = failures.out_of_memory(request_id)
            elif invocation is None:
                failure = failures.init_timed_out(request_id, self._deadline - self._began)
            else:
                at = reports.timestamp(self.fleet.world.now())
                failure = failures.timed_out(request_id, self.function.timeout_s, at)
            if invocation is not None:
                self._fail(failure)
            else:
                self._killed_for = failure
                self._kill()
            return
        self._watch_later()

    def _weigh(self) -> float:
        """Memory in MB: what is resident, less what the zygote had read ahead for everybody."""
        if self._statm < 0:
            return 0.0
        try:
            resident = int(os.pread(self._statm, 128, 0).split()[1])
        except (OSError, IndexError):
            return 0.0
        used = resident * PAGE_MB - self._primed_mb
        if used > self._peak_mb:
            self._peak_mb = used
        return used

    def _drain(self, final: bool = False) -> None:
        if self._output is None:
            return
        now = self.fleet.world.now()
        found = self._output.drain(now)
        if final:
            found += self._output.flush(now)
        self._events.extend(found)
        if found and not self._noisy and sum(len(message) for _, message in found) > NOISY_BYTES:
            self._noisy = True
            self.loop.add_reader(self._output.fd, self._read_noise)

    def _read_noise(self) -> None:
        assert self._output is not None
        found = self._output.drain(self.fleet.world.now())
        self.fleet.log(self.function, self.log_stream, found)
        if self._output.ended or not found:
            self._quiet()

    def _quiet(self) -> None:
        if self._noisy and self._output is not None:
            self.loop.remove_reader(self._output.fd)
            self._noisy = False

    # ---- the end

    def exited(self, wait_status: int, peak_kb: int) -> None:
        """The process has ended, whoever wanted it."""
        self._ended = True
        self._peak_mb = max(self._peak_mb, peak_kb / 1024 - self._primed_mb)
        invocation = self.invocation
        if self.init_ms is None:
            self._init_ended(self._killed_for or failures.exited(self.fleet.world.id(), wait_status))
            return
        if invocation is not None:
            failure = failures.exited(invocation.request_id, wait_status)
            self._finish(Outcome(failure.payload(), True, failure))
        self._release()
        self.fleet.gone(self)
        self.fleet.ended(self)

    def stop(self) -> None:
        """No longer wanted. SIGKILL at once: without extensions AWS grants no SHUTDOWN phase either."""
        if self.init_ms is None:
            self.init_ms = -1.0
        self._killed_for = self._killed_for or Failure("", "")
        self._kill()

    def _kill(self) -> None:
        if self._pid == 0 or self._ended:
            return
        # The group first; a process between fork and setsid has none yet. Either may be gone, unheard of by us.
        for kill in (os.killpg, os.kill):
            try:
                kill(self._pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            except PermissionError:
                self.fleet.warn(f"{self.function.name}: process {self._pid} may not be killed")
            return

    def _release(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        self._quiet()
        if self._output is not None:
            os.close(self._output.fd)
            self._output = None
        if self._statm >= 0:
            os.close(self._statm)
            self._statm = -1
        self.api.close()
        self.api = RuntimeApi(self)
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        tmp, self._tmp = self._tmp, None
        if tmp is not None:
            self.fleet.discard(tmp)
