"""Running: a cloud's fleet of environments, and what the fleet needs to know of a version to run it."""

from __future__ import annotations

import contextlib
import json
import logging
import weakref
from dataclasses import replace
from pathlib import Path

from stratolite.kernel import Call, Cloud, Principal
from stratolite.kernel.store import Row
from stratolite.kernel.telemetry import Trace
from stratolite.runtimes.fleet import Fleet, Settings
from stratolite.runtimes.folders import Watch
from stratolite.runtimes.function import Code, Function, Invocation

from . import configurations, layers, packages
from .limits import ACCOUNT_CONCURRENCY

log = logging.getLogger("stratolite.lambda")

GONE = ".gone"
LANES = ("lambda-events", "lambda-pollers")

_all: weakref.WeakKeyDictionary[Cloud, Running] = weakref.WeakKeyDictionary()


def of(call: Call) -> Running:
    """The running functions of this call's cloud."""
    running = _all.get(call.cloud)
    if running is None:
        running = _all[call.cloud] = Running(call.cloud)
    return running


class Running:
    def __init__(self, cloud: Cloud) -> None:
        # Weak: the cloud's own life must not hang on what is kept for it.
        self._cloud = weakref.ref(cloud)
        self._functions: dict[int, tuple[int, Function]] = {}
        self._watches: dict[str, Watch] = {}
        self._code = cloud.folder / "code"
        host = cloud.host.replace("localhost", "127.0.0.1", 1)
        self.fleet = Fleet(
            cloud.world,
            Settings(
                endpoint_url=f"http://{host}",
                logs=self._log,
                serving=self._serving,
                warn=self._warn,
                progress=self._warn,
                state=cloud.folder,
                inline=cloud.inline,
            ),
        )
        cloud.on_stop.append(self.stop)
        self._sweep()
        # What waits for a function occupies nothing here: its own concurrency is the limit, not the lane.
        for lane in LANES:
            cloud.jobs.limit(lane, ACCOUNT_CONCURRENCY)

    def _sweep(self) -> None:
        """Unpacked code that no package stands for any more goes; in this life it may still be in use."""
        known = {name for (name,) in self.cloud.store.reader().all("SELECT name FROM blob")}
        for folder in self._code.iterdir() if self._code.is_dir() else ():
            if folder.name in known:
                continue
            away = folder
            if not folder.name.endswith(GONE):
                # Renamed first: who unpacks the same package meanwhile makes a folder of its own.
                away = folder.with_name(folder.name + GONE)
                with contextlib.suppress(OSError):
                    folder.rename(away)
            self.fleet.discard(away)

    @property
    def cloud(self) -> Cloud:
        cloud = self._cloud()
        assert cloud is not None
        return cloud

    async def stop(self) -> None:
        for watch in self._watches.values():
            watch.close()
        await self.fleet.stop()

    def prepare(self, runtime: str) -> None:
        """Functions of this runtime will soon be asked for."""
        if not self.cloud.is_simulated:
            self.fleet.prepare(runtime)

    def changed(self, call: Call, row: Row) -> None:
        key = _key(row)
        call.tx.after(lambda: self.fleet.replace(key, None))

    def deleted(self, call: Call, row: Row) -> None:
        self._functions.pop(row["key"], None)
        self.changed(call, row)

    # ---- a version, ready to run

    async def function(self, call: Call, row: Row) -> Function:
        """What to run for a version's row; its code is unpacked if it is not yet."""
        known = self._functions.get(row["key"])
        if known is None or known[0] != row["generation"]:
            function = await self._read(call, row)
            known = self._functions[row["key"]] = (row["generation"], function)
        function = known[1]
        if function.code.live:
            saved = self._watch(function.code).generation()
            if saved:
                function = replace(function, generation=f"{function.generation}.{saved}")
        return function

    def _watch(self, code: Code) -> Watch:
        key = str(code.folder)
        if key not in self._watches:
            self._watches[key] = Watch(code.folder)
        return self._watches[key]

    async def _read(self, call: Call, row: Row) -> Function:
        config = json.loads(row["config"])
        logging_config = config["LoggingConfig"]
        code = json.loads(row["code"])
        if "zip" in code:
            folder = self._code / code["zip"]
            if not folder.is_dir():
                await call.world.offload(packages.unpack, [call.blobs.path(code["zip"])], folder)
            found = Code(folder)
        else:
            folders = [Path(folder) for folder in code["folders"]]
            found = Code(folders[0], tuple(folders[1:]), live=True)
        if config.get("Layers"):
            found = replace(found, layers=await self._layers(call, [layer["Arn"] for layer in config["Layers"]]))
        return Function(
            key=_key(row),
            generation=str(row["generation"]),
            account=row["account"],
            region=row["region"],
            name=row["name"],
            version=row["version"],
            runtime=config["Runtime"],
            handler=config.get("Handler", ""),
            code=found,
            memory_mb=config["MemorySize"],
            timeout_s=config["Timeout"],
            environment=config.get("Environment", {}).get("Variables", {}),
            log_group=logging_config["LogGroup"],
            log_format=logging_config["LogFormat"],
            application_log_level=logging_config.get("ApplicationLogLevel", "INFO"),
            system_log_level=logging_config.get("SystemLogLevel", "INFO"),
            role=config["Role"],
            traced=config["TracingConfig"]["Mode"] == "Active",
        )

    async def _layers(self, call: Call, arns: list[str]) -> Path:
        archives = [code["zip"] for arn in arns if (code := layers.code(call, arn)) and "zip" in code]
        name = "+".join(archive[:16] for archive in archives) or "none"
        folder = self._code / "layers" / name
        if not folder.is_dir():
            await call.world.offload(packages.unpack, [call.blobs.path(archive) for archive in archives], folder)
        return folder

    # ---- what the fleet tells

    def _log(self, function: Function, stream: str, events: list[tuple[float, str]]) -> None:
        self.cloud.telemetry.log(function.account, function.region, function.log_group, stream, events)

    def _warn(self, text: str) -> None:
        log.warning("%s", text)

    def _serving(self, access_key: str, function: Function, invocation: Invocation | None) -> None:
        """An environment's key speaks for its role, and for the invocation it is serving."""
        if invocation is None:
            self.cloud.principals.pop(access_key, None)
            return
        trace, principals = Trace.parse(invocation.trace), self.cloud.principals
        if (known := principals.get(access_key)) is not None:  # a key is of one environment, and that of one function
            principals[access_key] = Principal(known.account, known.arn, access_key, known.user_id, trace)
            return
        role = function.role.rpartition("/")[2]
        # A session's name has two characters at least, a function's one.
        session = function.name if len(function.name) > 1 else f"{function.name}@lambda_function"
        arn = f"arn:aws:sts::{function.account}:assumed-role/{role}/{session}"
        user_id = f"AROA{function.name[:17]}:{session}"
        principals[access_key] = Principal(function.account, arn, access_key, user_id, trace)


def _key(row: Row) -> str:
    return f"{configurations.bare_arn(row)}:{row['version']}"
