"""A cloud for one test: in this process, in a simulated world, with the clock in hand."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stratolite.app import Config, build
from stratolite.kernel import Caller, Cloud, Crash
from stratolite.kernel.telemetry import LogLine, Span
from stratolite.server.control import Control
from stratolite.server.hosts import Doors
from stratolite.wire.http1 import Headers, Request, Response

from . import inline, transport
from .sim import SimWorld

ENDPOINT = "http://localhost:4566"
REGION = "us-east-1"
ACCOUNT = "000000000000"


class Clock:
    """The cloud's time. It moves only when told to, or when somebody waits."""

    def __init__(self, cloud: TestCloud) -> None:
        self._cloud = cloud

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self._cloud.world.now(), UTC)

    def advance(self, by: float | timedelta = 0.0, **units: float) -> None:
        """Let time pass; everything due on the way happens, in order.

        Args:
            by: seconds, or a timedelta.
            units: a timedelta's own words: `days=14`.
        """
        seconds = (by.total_seconds() if isinstance(by, timedelta) else by) + timedelta(**units).total_seconds()

        end = self._cloud.world.now() + seconds

        async def pass_by() -> None:
            if (left := end - self._cloud.world.now()) > 0:
                await asyncio.sleep(left)
            await self._cloud.cloud.at_rest()

        self._cloud.through_deaths(pass_by)

    def settle(self) -> None:
        """Let everything that is due now happen, and what follows from it at once."""
        self._cloud.through_deaths(lambda: self._cloud.cloud.at_rest())


class TestCloud:
    """
    Args:
        seed: of everything random.
        faults: how often the seed's sick places fail, 0 to 1.
        folder: where files go; None makes one that goes with the cloud.
        strict: refuse what is accepted but not emulated.
        durable: keep the state in files and survive injected deaths: a request under way gets a connection error, the
            next one meets the cloud's next life.

    A `with` block, or `close()`, ends it.
    """

    __test__ = False  # not a class of tests, whatever pytest thinks of its name

    def __init__(
        self,
        seed: int = 0,
        faults: float = 0.0,
        folder: Path | None = None,
        strict: bool = False,
        durable: bool = False,
    ) -> None:
        self.world = SimWorld(seed)
        self._own = None if folder else Path(tempfile.mkdtemp(prefix="stratolite-"))
        self.folder = folder or self._own or Path()
        self._config = Config(state=self.folder / "state" if durable else None, strict=strict)
        self.clock = Clock(self)
        self.deaths = 0
        transport.install()
        self._open()
        self.world.run(self.cloud.start())
        self.world.faults = faults

    def _open(self) -> None:
        self.cloud: Cloud = build(self._config, self.world, self.folder)
        self.cloud.host = ENDPOINT.partition("//")[2]
        names = self.cloud.rooms.names()  # type: ignore[attr-defined]
        self._doors = Doors(self.cloud, Control(self.cloud, names))
        self.cloud.inside = self.answer
        self.cloud.inline = inline.handlers(self.answer, self.world)

    def _live_again(self) -> None:
        """After a death: what was in memory is gone, the files are not."""
        while True:
            self.deaths += 1
            inline.bury()
            self.cloud.store.close()
            self.world.reborn()
            faults, self.world.faults = self.world.faults, 0.0
            try:
                self._open()
            finally:
                self.world.faults = faults
            try:
                self.world.run(self.cloud.start())
                return
            except Crash:
                continue

    def __enter__(self) -> TestCloud:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self.world.faults = 0.0
        self.run(self.cloud.stop())
        self.world.loop.close()
        transport.uninstall()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def run(self, main: Awaitable[Any]) -> Any:
        """Run a coroutine in the cloud's world until it is done.

        Raises:
            ConnectionError: the cloud died meanwhile (injected); it lives again when this is raised.
        """

        async def wrapped() -> Any:
            return await main

        try:
            return self.world.run(wrapped())
        except Crash as death:
            if self._config.state is None:
                raise
            self._live_again()
            raise ConnectionError(f"the cloud died: {death}") from None

    def through_deaths(self, main: Callable[[], Awaitable[Any]]) -> Any:
        """Run it, again after each injected death."""
        while True:
            try:
                return self.run(main())
            except ConnectionError:
                continue

    # as clients see it

    async def answer(self, request: Request) -> Response:
        answer = self._doors(request)
        response = await answer if isinstance(answer, Awaitable) else answer
        if not isinstance(response.body, bytes):
            response.body = b"".join([part async for part in response.body])
        return response

    def ask(self, request: Request) -> Response:
        """Any HTTP request, as if it had come through the socket."""
        response: Response = self.run(self.answer(request))
        return response

    def http(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | str = b""
    ) -> Response:
        """A plain HTTP request to a URL of this cloud (an API's, a function's)."""
        host, slash, path = url.partition("://")[2].partition("/")
        data = body.encode() if isinstance(body, str) else body
        pairs = [("Host", host), *(headers or {}).items(), ("Content-Length", str(len(data)))]
        return self.ask(Request(method, slash + path or "/", Headers(pairs), data))

    def client(self, service: str, region: str = REGION, account: str = ACCOUNT, **options: Any) -> Any:
        """A boto3 client of this cloud."""
        client = self.session(region, account).client(service, endpoint_url=ENDPOINT, **options)
        client.meta.events.register("before-send", transport.through(self.ask))
        return client

    def resource(self, service: str, region: str = REGION, account: str = ACCOUNT, **options: Any) -> Any:
        """A boto3 resource of this cloud."""
        resource = self.session(region, account).resource(service, endpoint_url=ENDPOINT, **options)
        resource.meta.client.meta.events.register("before-send", transport.through(self.ask))
        return resource

    def session(self, region: str = REGION, account: str = ACCOUNT) -> Any:
        """A boto3 session with credentials of an account."""
        import boto3

        return boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=region)

    # what a test wants to do and to know

    def deploy(
        self,
        template: Path | str | Mapping[str, Any],
        stack: str = "test",
        parameters: Mapping[str, str] | None = None,
        timeout_s: float = 600.0,
    ) -> dict[str, str]:
        """Deploy a template (a file, a project's folder, or its content); returns the stack's outputs.

        Raises:
            DeployError: with the reasons of everything that failed.
        """
        from stratolite.frontends import sam

        body = json.dumps(template) if isinstance(template, Mapping) else sam.read(Path(template)).body
        client = self.client("cloudformation")
        names = [s["StackName"] for s in client.describe_stacks()["Stacks"]]
        ask = client.update_stack if stack in names else client.create_stack
        ask(
            StackName=stack,
            TemplateBody=body,
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in (parameters or {}).items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        end = self.world.now() + timeout_s
        while True:
            found = client.describe_stacks(StackName=stack)["Stacks"][0]
            if not found["StackStatus"].endswith("_IN_PROGRESS") or self.world.now() > end:
                break
            self.clock.advance(0.5)
        if found["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = client.describe_stack_events(StackName=stack)["StackEvents"]
            reasons = [
                f"{e['LogicalResourceId']}: {e['ResourceStatusReason']}"
                for e in reversed(events)
                if e["ResourceStatus"].endswith("_FAILED") and "ResourceStatusReason" in e
            ]
            raise DeployError(f"{stack} is {found['StackStatus']}\n" + "\n".join(reasons))
        return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}

    def invoke(self, function: str, event: Any = None) -> Any:
        """Invoke a function and return what it returned. Raises FunctionError when it raised."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event or {}).encode())
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise FunctionError(result)
        return result

    def logs(self, group: str) -> list[LogLine]:
        """The lines of a log group, in order of time."""
        return self.cloud.telemetry.lines(ACCOUNT, REGION, group)

    def trace(self, part: str) -> list[Span]:
        """The journey of a request, by its trace id or any request id of it."""
        found = self.cloud.telemetry.find_trace(part)
        return self.cloud.telemetry.journey(found) if found else []

    def web(self, answers: Callable[[str, str, dict[str, str], bytes], Response]) -> None:
        """What answers requests that leave the cloud: (method, url, headers, body) to a Response."""
        self.world.web = answers

    def caller(self) -> Caller:
        return Caller(account=ACCOUNT, region=REGION)


class DeployError(AssertionError):
    """A stack that did not come up."""


class FunctionError(AssertionError):
    """What a function raised, as Lambda reports it."""

    def __init__(self, report: Any) -> None:
        super().__init__(
            f"{report.get('errorType')}: {report.get('errorMessage')}" if isinstance(report, dict) else report
        )
        self.report = report


def simulate(
    scenario: Callable[[TestCloud], None], seeds: range | int = 100, faults: float = 0.02, on_seed: Any = None
) -> int:
    """Run a scenario once per seed, each in a fresh cloud whose sick places the seed chooses; returns how many ran.

    A failure says which seed to run again.
    """
    ran = 0
    for seed in itertools.islice(seeds, None) if isinstance(seeds, range) else range(seeds):
        with contextlib.ExitStack() as stack:
            cloud = stack.enter_context(TestCloud(seed, faults, durable=True))
            try:
                scenario(cloud)
            except Exception as failure:
                failure.add_note(f"simulate: seed {seed}, faults {faults}, struck {cloud.world.struck}")
                raise
        ran += 1
        if on_seed:
            on_seed(seed)
    return ran
