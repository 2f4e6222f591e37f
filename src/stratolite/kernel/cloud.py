"""The Cloud: the services, the store and the loop of jobs, put together; every request goes through here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from stratolite.wire.http1 import Request, Response

from . import delivery, resources
from .blobs import Blobs
from .call import ROOT, Call, Caller, Principal
from .errors import AwsError, Crash, InternalFailure, NotEmulated, NotImplementedHere
from .jobs import Jobs
from .service import Endpoint, JobKind, Operation, Service, schema_scripts
from .signals import Signals
from .store import Store, Tx
from .telemetry import Telemetry, Trace
from .world import World

log = logging.getLogger("stratolite.cloud")

Result = dict[str, Any]
REQUEST_FAULTS = ("throttle", "error")


class Rooms(Protocol):
    """Which services there are and where; the kernel knows that there are some, never which."""

    def load(self, name: str) -> Service | None:
        """The service of this botocore name; imported at its first use."""
        ...

    def schemas(self) -> dict[str, dict[int, str]]:
        """Room name to its numbered schema scripts, for every room."""
        ...

    def of_arn(self, arn_service: str) -> str | None:
        """The botocore name of the service that answers for ARNs of this service part."""
        ...

    def of_resource(self, type_name: str) -> str | None:
        """The botocore name of the service that makes this resource type."""
        ...

    def doors(self, host: str, path: str) -> list[str]:
        """The services that may have an endpoint for this host or path."""
        ...


class Cloud:
    """
    Args:
        world: time, ids, chance, failure.
        store: the state; its schemas are brought up to date here.
        telemetry: spans, metrics, log lines.
        folder: where blobs are kept.
        rooms: the services.
        strict: refuse what is accepted but not emulated.
    """

    def __init__(
        self, world: World, store: Store, telemetry: Telemetry, folder: Path, rooms: Rooms, strict: bool = False
    ) -> None:
        self.world, self.store, self.telemetry, self.rooms, self.strict = world, store, telemetry, rooms, strict
        self.is_simulated = world.is_simulated
        self.signals = Signals()
        self.blobs = Blobs(folder / "blobs", store, world)
        self.folder = folder
        self.principals: dict[str, Principal] = {}
        """Access keys handed out in this life (sandboxes)."""
        self.notices: dict[str, int] = {}
        """What was accepted and not emulated, and how often."""
        self.lost: Exception | None = None
        """What stopped the loop of jobs, when something did."""
        self.inside: Callable[[Request], Awaitable[Response]] | None = None
        """How code in this process asks the cloud, where there is no socket (inline functions of a simulated world)."""
        self.inline: Any = None
        """How functions are called in this process instead of in one of their own (`runtimes.inline.Inline`)."""
        self.on_start: list[Callable[[], Awaitable[None] | None]] = []
        self.on_stop: list[Callable[[], Awaitable[None] | None]] = []
        self._operations: dict[tuple[str, str], Operation] = {}
        self._methods: dict[tuple[str, str], Operation] = {}
        self._targets: dict[str, tuple[Callable[..., Any], bool] | None] = {}
        self._kernel = Service("kernel", [delivery])
        self._loop_task: asyncio.Task[None] | None = None
        store.migrate("kernel", schema_scripts(Path(__file__).parent))
        for room, scripts in rooms.schemas().items():
            store.migrate(room, scripts)
        telemetry.on_lines = self._on_lines
        self.epoch = self._next_epoch()
        self.jobs = Jobs(self)
        self.delivery = delivery.Deliveries(self)

    def _on_lines(self, groups: set[tuple[str, str, str]]) -> None:
        """Signal `("logs", account, region, group)`; after the turn, so that who is about to wait for it hears it."""

        def send(failure: BaseException | None) -> None:
            for group in sorted(groups):
                self.signals.send(("logs", *group), None)

        self.store.when_committed(send)

    def _next_epoch(self) -> int:
        """Which life of this state this is: 1, 2, ..."""
        with self.store.write() as tx:
            epoch = int(tx.value("SELECT value FROM meta WHERE name = 'epoch'") or 0) + 1
            tx.run("INSERT OR REPLACE INTO meta (name, value) VALUES ('epoch', ?)", str(epoch))
        return epoch

    # life

    async def start(self) -> None:
        """Go on where the last life ended, and begin to make things happen."""
        self.blobs.sweep()
        self.jobs.recover()
        await self.store.committed()
        for hook in self.on_start:
            if (wait := hook()) is not None:
                await wait
        self._loop_task = asyncio.get_running_loop().create_task(self.jobs.run())
        self._loop_task.add_done_callback(self._loop_ended)

    def _loop_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        failure = task.exception()
        if isinstance(failure, Exception):
            self.lost = failure
            log.critical("the loop of jobs has stopped", exc_info=failure)

    async def stop(self) -> None:
        """Stop in order: nothing that was acknowledged needs this."""
        await self.jobs.stop()
        for hook in self.on_stop:
            if (wait := hook()) is not None:
                await wait
        if self._loop_task is not None:
            self._loop_task.cancel()
            await asyncio.gather(self._loop_task, return_exceptions=True)
        self.store.commit()
        self.telemetry.close()
        self.store.close()

    # finding

    def service(self, name: str) -> Service:
        """Raises NotImplementedHere when we have no such service."""
        if (found := self.rooms.load(name)) is None:
            raise NotImplementedHere(service=name, operation="")
        return found

    def operation(self, service: str, name: str) -> Operation:
        """Raises NotImplementedHere when we lack it."""
        if (found := self._operations.get((service, name))) is None:
            room = self.rooms.load(service)
            if room is None or (found := room.operations.get(name)) is None:
                raise NotImplementedHere(service=service, operation=name)
            self._operations[service, name] = found
        return found

    def operation_by_method(self, service: str, method: str) -> Operation:
        """By boto3's method name."""
        if (found := self._methods.get((service, method))) is None:
            from botocore import xform_name

            for operation in self.service(service).operations.values():
                self._methods[service, xform_name(operation.name)] = operation
            if (found := self._methods.get((service, method))) is None:
                raise NotImplementedHere(service=service, operation=method)
        return found

    def job_kind(self, kind: str) -> JobKind | None:
        name = kind.partition(".")[0]
        if name == "kernel":
            return self._kernel.jobs.get(kind)
        service = self.rooms.load(name)
        return None if service is None else service.jobs.get(kind)

    def target(self, arn: str) -> tuple[Callable[..., Any], bool] | None:
        """What delivers to this ARN, and whether it has to be awaited; None when nothing here can."""
        parts = arn.split(":", 5)
        part = parts[2] if len(parts) > 2 else ""
        # A service may take some kinds of its resources another way (`events:api-destination`).
        kind = f"{part}:{parts[5].partition('/')[0]}" if len(parts) > 5 else part
        if kind not in self._targets:
            name = self.rooms.of_arn(part)
            service = self.rooms.load(name) if name else None
            fn = (service.targets.get(kind) or service.targets.get(part)) if service else None
            self._targets[kind] = None if fn is None else (fn, asyncio.iscoroutinefunction(fn))
        return self._targets[kind]

    def source(self, arn: str) -> Any:
        """What consumes this ARN; None when nothing here can."""
        parts = arn.split(":", 3)
        part = parts[2] if len(parts) > 2 else ""
        name = self.rooms.of_arn(part)
        service = self.rooms.load(name) if name else None
        return service.sources.get(part) if service else None

    def dead_letter_shape(self, source: str) -> Callable[..., delivery.Message] | None:
        name = self.rooms.of_arn(source)
        service = self.rooms.load(name) if name else None
        return service.dead_letters.get(source) if service else None

    def resource(self, type_name: str) -> resources.ResourceType | None:
        """How a resource of this type is made; None when we do not know the type."""
        name = self.rooms.of_resource(type_name)
        service = self.rooms.load(name) if name else None
        return service.resources.get(type_name) if service else None

    def endpoint(self, host: str, path: str) -> tuple[Endpoint, dict[str, str], str] | None:
        """The door a plain HTTP request takes: the endpoint, what its pattern named, and whose it is."""
        for name in self.rooms.doors(host, path):
            if (service := self.rooms.load(name)) is None:
                continue
            for door in service.endpoints:
                if door.host is not None and (match := door.host.fullmatch(host)):
                    return door, match.groupdict(), name
                if door.path is not None and (match := door.path.fullmatch(path)):
                    return door, match.groupdict(), name
        return None

    def principal(self, access_key: str) -> Principal:
        """Who an access key stands for: one handed out here, else the account that 12 digits name, else the default."""
        if (known := self.principals.get(access_key)) is not None:
            return known
        if len(access_key) == 12 and access_key.isdigit():
            return Principal(access_key, f"arn:aws:iam::{access_key}:root", access_key)
        if len(access_key) == 20 and access_key.startswith(("AKIA", "ASIA")):
            row = self._reader.one("SELECT account, arn, user_id FROM credential WHERE access_key = ?", access_key)
            if row is not None:
                return Principal(row["account"], row["arn"], access_key, row["user_id"])
        return ROOT

    def hand_out(self, tx: Tx, principal: Principal) -> None:
        """From now on its access key stands for this principal."""
        tx.run(
            "INSERT OR REPLACE INTO credential (access_key, account, arn, user_id) VALUES (?, ?, ?, ?)",
            principal.access_key, principal.account, principal.arn, principal.user_id,
        )  # fmt: skip

    def take_back(self, tx: Tx, access_key: str) -> None:
        """From now on this access key stands for nobody."""
        tx.run("DELETE FROM credential WHERE access_key = ?", access_key)

    # asking

    def new_call(
        self,
        *,
        account: str,
        region: str,
        trace: Trace | None,
        kind: str,
        name: str,
        attempts: int = 1,
        job: int | None = None,
        principal: Principal = ROOT,
    ) -> Call:
        """A Call nobody asked for from outside: a job, a timer."""
        caller = Caller(principal, account, region, host=self.host)
        return self.call_for(caller, trace, kind, name, attempts=attempts, job=job)

    def call_for(
        self,
        caller: Caller,
        trace: Trace | None,
        kind: str,
        name: str,
        *,
        attempts: int = 1,
        job: int | None = None,
        request_id: str | None = None,
    ) -> Call:
        """A Call under a span of its own; it has no transaction yet but can look."""
        world = self.world
        now = world.now()
        above = trace or Trace.start(world)
        span = world.hex(16)
        return Call(
            self, caller, now, above.under(span), self._reader, request_id or world.id(), attempts, job,
            _span=(span, kind, name, now, above),
        )  # fmt: skip

    host = "localhost:4566"
    """Host and port as clients inside the cloud are told; the server sets it."""

    @property
    def _reader(self) -> Tx:
        return self.store.reader()

    def dispatch(
        self,
        operation: Operation,
        caller: Caller,
        params: dict[str, Any],
        trace: Trace | None = None,
        parent: Tx | None = None,
        request_id: str | None = None,
    ) -> Any:
        """Carry out an operation; an `async def` one gives a coroutine.

        A `def` operation is one savepoint in the caller's transaction (or in the turn); its result may leave the
        process only when the turn is committed (`Store.when_committed`).
        """
        call = self.call_for(caller, trace, "api", f"{operation.service} {operation.name}", request_id=request_id)
        names = operation.parameters
        arguments = {names[m]: v for m, v in params.items() if m in names and v is not None}
        if operation.is_async:
            return self._dispatch_waiting(operation, call, arguments)
        tx = call.tx = Tx(self.store, parent)
        try:
            result = operation.fn(call, **arguments)
        except BaseException as failure:
            tx._close(failure)
            call.end_span(failure)
            raise
        tx._close(None)
        call.end_span(None)
        return {} if result is None else result

    async def _dispatch_waiting(self, operation: Operation, call: Call, arguments: dict[str, Any]) -> Any:
        try:
            result = await operation.fn(call, **arguments)
        except BaseException as failure:
            call.end_span(failure)
            raise
        call.end_span(None)
        return {} if result is None else result

    def request(
        self,
        operation: Operation,
        caller: Caller,
        params: dict[str, Any],
        request_id: str,
        not_emulated: list[str] | None = None,
    ) -> Result | asyncio.Future[Result] | Awaitable[Result]:
        """A request from outside; gives a result or something to wait for. AWS's errors are raised, from either.

        Args:
            not_emulated: gets the members that were accepted and have no effect.
        """
        result = self.perform(operation, caller, params, request_id, not_emulated)
        if operation.is_async or not self.store.in_turn:
            return result
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        def done(failure: BaseException | None) -> None:
            if answer.done():
                return
            if failure is None:
                answer.set_result(result)  # type: ignore[arg-type]
            else:
                answer.set_exception(InternalFailure())

        self.store.when_committed(done)
        return answer

    def perform(
        self,
        operation: Operation,
        caller: Caller,
        params: dict[str, Any],
        request_id: str,
        not_emulated: list[str] | None = None,
    ) -> Result | Awaitable[Result]:
        """The same without the wait for the commit: a `def` operation's result may not leave before it."""
        if operation.unsupported or operation.ignores:
            self._notice(operation, params, not_emulated)
        if fault := self.world.fault("request", REQUEST_FAULTS, service=operation.service, operation=operation.name):
            raise _injected(fault)
        if operation.is_async:
            return self._request_waiting(operation, caller, params, request_id)
        try:
            return self.dispatch(operation, caller, params, caller.trace, None, request_id)  # type: ignore[no-any-return]
        except AwsError:
            raise
        except Exception as e:
            raise self._internal(operation, e) from e

    async def _request_waiting(
        self, operation: Operation, caller: Caller, params: dict[str, Any], request_id: str
    ) -> Result:
        try:
            result = await self.dispatch(operation, caller, params, caller.trace, None, request_id)
            await self.store.committed()
        except (AwsError, asyncio.CancelledError, Crash):
            raise
        except Exception as e:
            raise self._internal(operation, e) from e
        return result  # type: ignore[no-any-return]

    def _internal(self, operation: Operation, failure: Exception) -> InternalFailure:
        log.error("%s %s failed", operation.service, operation.name, exc_info=failure)
        return InternalFailure()

    def _notice(self, operation: Operation, params: dict[str, Any], not_emulated: list[str] | None) -> None:
        for member in operation.not_emulated(params):
            text = f"{operation.service} {operation.name}: {member}"
            if self.strict:
                raise NotEmulated(members=text)
            self.notice(text)
            if not_emulated is not None:
                not_emulated.append(member)

    def notice(self, text: str) -> None:
        """Say once that something is accepted and not emulated; count it after that."""
        if text not in self.notices:
            log.warning("%s accepted, not emulated", text)
        self.notices[text] = self.notices.get(text, 0) + 1

    async def at_rest(self) -> None:
        """Wait until nothing is due and nothing is under way."""
        await self.jobs.at_rest()


def _injected(fault: str) -> AwsError:
    if fault == "throttle":
        return AwsError("Rate exceeded", code="ThrottlingException", status=400)
    return InternalFailure()
