"""A Call: one request's context, and the verbs a service has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .errors import NotEmulated
from .store import Tx
from .telemetry import Trace

if TYPE_CHECKING:
    from .blobs import Blobs
    from .cloud import Cloud
    from .delivery import Retry
    from .world import World

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Principal:
    """Who asks: the account, the ARN of the user or role session, and the access key it came with."""

    account: str = DEFAULT_ACCOUNT
    arn: str = f"arn:aws:iam::{DEFAULT_ACCOUNT}:root"
    access_key: str = ""
    user_id: str = ""
    trace: Trace | None = None
    """Set when a sandbox asks: the trace of the invocation it is serving."""


ROOT = Principal()


@dataclass(frozen=True)
class Caller:
    """What the edge knows of a request: who, where, how it came in."""

    principal: Principal = ROOT
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    host: str = "localhost:4566"
    """The Host header: URLs handed out use the same."""
    scheme: str = "http"
    peer: str = "127.0.0.1"
    trace: Trace | None = None
    agent: str = ""
    protocol: str = ""
    """The wire protocol (`query`, `json`, ...): a few texts depend on it."""


@dataclass
class Call:
    """One operation's, job's or delivery's view of the cloud; `tx` is its transaction."""

    cloud: Cloud
    caller: Caller
    now: float
    trace: Trace
    """The trace it runs under; children hang below `span_id`."""
    tx: Tx
    request_id: str = ""
    attempts: int = 1
    """Of a job or delivery: which attempt this is, from 1."""
    job: int | None = None
    not_emulated: list[str] = field(default_factory=list)
    settle_with: Callable[[Tx], None] | None = None
    _span: tuple[str, str, str, float, Trace] | None = None
    """Its own: id, kind, name, start, and the trace above it."""
    _attributes: dict[str, Any] | None = None

    # who and where

    @property
    def world(self) -> World:
        return self.cloud.world

    @property
    def blobs(self) -> Blobs:
        return self.cloud.blobs

    @property
    def account(self) -> str:
        return self.caller.account

    @property
    def region(self) -> str:
        return self.caller.region

    @property
    def principal(self) -> Principal:
        return self.caller.principal

    # transactions

    def write(self) -> Writing:
        """A short transaction of an `async def`; the Call it gives has the transaction and the instant."""
        return Writing(self, None)

    def settle(self) -> Writing:
        """The last transaction of an `async def` job: what is written here and the job's end are one commit."""
        assert self.settle_with is not None, "only an async job settles"
        return Writing(self, self.settle_with)

    async def committed(self) -> None:
        """Wait until everything written so far is durable."""
        await self.cloud.store.committed()

    def _with(self, tx: Tx) -> Call:
        return Call(
            self.cloud, self.caller, self.world.now(), self.trace, tx, self.request_id, self.attempts, self.job,
            self.not_emulated, self.settle_with, self._span, self._attributes,
        )  # fmt: skip

    # the verbs

    def api(
        self, service: str, *, account: str | None = None, region: str | None = None, as_: Principal | None = None
    ) -> Api:
        """Another service's operations, in boto3's style: `call.api("kms").decrypt(CiphertextBlob=b)`.

        A `def` operation joins this transaction; an `async def` one is awaited. AWS errors are raised as `AwsError`.
        """
        caller = self.caller
        if account or region or as_:
            caller = replace(
                caller,
                account=account or caller.account,
                region=region or caller.region,
                principal=as_ or caller.principal,
            )
        return Api(self, service, caller)

    def later(
        self, kind: str, due: float | None = None, key: str | None = None, lane: str | None = None, /, **args: Any
    ) -> int:
        """A job in this transaction; returns its id.

        Args:
            kind: `service.function`.
            due: epoch seconds; None, at once.
            key: jobs of one key run one at a time, in the order they were added.
            lane: the share of the loop it runs in; None, its kind's own.
            args: the function's arguments, as JSON.
        """
        return self.cloud.jobs.add(self, kind, self.now if due is None else due, key, lane, args)

    def cancel(self, job: int) -> None:
        """Take a job back that is not under way."""
        self.cloud.jobs.cancel(self.tx, job)

    def deliver(
        self,
        *,
        to: str,
        payload: bytes | str,
        source: str,
        retry: Retry | None = None,
        dead_letter: str | None = None,
        context: dict[str, Any] | None = None,
        key: str | None = None,
        due: float | None = None,
    ) -> None:
        """Deliver to an ARN, in this transaction; see `kernel.delivery`."""
        self.cloud.delivery.send(
            self, to=to, payload=payload, source=source, retry=retry, dead_letter=dead_letter, context=context, key=key,
            due=due,
        )  # fmt: skip

    def signal(self, *key: Any, n: int | None = 1) -> None:
        """After the commit, wake up to `n` who wait for this key (None: all)."""
        signals = self.cloud.signals
        self.tx.after(lambda: signals.send(key, n))

    async def wait(self, key: tuple[Any, ...], timeout_s: float) -> bool:
        """Wait for a signal, at most so long; True when it came. Look again either way."""
        return await self.cloud.signals.wait(key, timeout_s)

    # telling

    def span(self, name: str, kind: str = "step", **attributes: Any) -> Spanning:
        """A child span; the Call it gives hangs what it does below it."""
        return Spanning(self.below(name, kind, attributes))

    def below(self, name: str, kind: str, attributes: dict[str, Any]) -> Call:
        """A Call under a span of its own below this one's; whoever asked for it ends the span."""
        world = self.cloud.world
        span = world.hex(16)
        return Call(
            self.cloud, self.caller, self.now, self.trace.under(span), self.tx, self.request_id, self.attempts,
            self.job, self.not_emulated, self.settle_with, (span, kind, name, world.now(), self.trace), attributes,
        )  # fmt: skip

    def not_emulated_here(self, text: str) -> None:
        """Say that something is accepted and has no effect here. Raises NotEmulated under --strict."""
        if self.cloud.strict:
            raise NotEmulated(members=text)
        self.cloud.notice(text)

    def link(self, other: Trace) -> None:
        """What another trace's journey goes on with is this span."""
        assert self._span is not None
        self.cloud.telemetry.span(
            other, self.world.hex(16), "link", "", self.account, self.region, self.now, self.now, None,
            {"trace": self.trace.root, "span": self._span[0]},
        )  # fmt: skip

    def annotate(self, **attributes: Any) -> None:
        """Say something about what this call did; the trace shows it."""
        if self._attributes is None:
            self._attributes = attributes
        else:
            self._attributes.update(attributes)

    def end_span(self, failure: BaseException | None) -> None:
        if self._span is None:
            return
        span, kind, name, start, trace = self._span
        self.cloud.telemetry.span(
            trace, span, kind, name, self.account, self.region, start, self.world.now(),
            None if failure is None else f"{getattr(failure, 'code', type(failure).__name__)}: {failure}",
            self._attributes,
        )  # fmt: skip

    def metric(self, namespace: str, name: str, value: float = 1.0, unit: str = "Count", **dimensions: str) -> None:
        self.cloud.telemetry.metric(self.account, self.region, namespace, name, value, unit, dimensions, self.now)

    def metrics(
        self, namespace: str, points: Iterable[tuple[str, float, str]], dimensions: tuple[tuple[str, str], ...]
    ) -> None:
        """Several at once, (name, value, unit) each, of the same dimensions."""
        self.cloud.telemetry.metrics(self.account, self.region, namespace, points, dimensions, self.now)

    def log(self, group: str, stream: str, lines: list[tuple[float, str]]) -> None:
        self.cloud.telemetry.log(self.account, self.region, group, stream, lines)


# Classes, not generators: a hot path enters several of these for every request.


class Writing:
    """`with call.write() as c`, `with call.settle() as c`."""

    __slots__ = ("_call", "_first", "_tx")

    def __init__(self, call: Call, first: Callable[[Tx], None] | None) -> None:
        self._call, self._first, self._tx = call, first, Tx(call.cloud.store)

    def __enter__(self) -> Call:
        if self._first is not None:
            try:
                self._first(self._tx)
            except BaseException as failure:
                self._tx._close(failure)
                raise
        return self._call._with(self._tx)

    def __exit__(self, kind: object, failure: BaseException | None, where: object) -> None:
        self._tx._close(failure)


class Spanning:
    """`with call.span(...) as child`."""

    __slots__ = ("_child",)

    def __init__(self, child: Call) -> None:
        self._child = child

    def __enter__(self) -> Call:
        return self._child

    def __exit__(self, kind: object, failure: BaseException | None, where: object) -> None:
        self._child.end_span(failure)


class Api:
    """One service's operations as methods, from inside the cloud."""

    __slots__ = ("_call", "_caller", "_service")

    def __init__(self, call: Call, service: str, caller: Caller) -> None:
        self._call, self._service, self._caller = call, service, caller

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call, service, caller = self._call, self._service, self._caller
        operation = call.cloud.operation_by_method(service, method)

        def ask(**params: Any) -> Any:
            result = call.cloud.dispatch(operation, caller, params, call.trace, call.tx)
            # A raw operation may answer with the bytes that would have left: here they are read.
            return json.loads(result or b"{}") if result.__class__ is bytes else result

        return ask
