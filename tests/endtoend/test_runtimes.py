"""Real functions in real processes: what they see, how they end, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stratolite.kernel.world import World
from stratolite.runtimes.fleet import Fleet, Settings
from stratolite.runtimes.function import Code, Function, Invocation, Outcome, Throttled

RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
HANDLERS = """
import json, logging, os, subprocess, sys, time
count = 0
log = logging.getLogger()

def counts(event, context):
    global count
    count += 1
    return {"count": count, "pid": os.getpid()}

def fails(event, context):
    raise ValueError("no " + event["what"])

def sleeps(event, context):
    print("sleeping", flush=True)
    time.sleep(30)

def exits(event, context):
    sys.exit(event["status"])

def hogs(event, context):
    kept = bytearray(400 * 1024 * 1024)
    time.sleep(5)

def speaks(event, context):
    print("a print")
    log.warning("two\\nlines")
    print("no newline", end="")
    print("an error", file=sys.stderr)

def logs(event, context):
    log.debug("not seen")
    log.info("seen", extra={"extra": 1})

def sees(event, context):
    open("/tmp/mine", "w").write("x")
    return {
        "variables": dict(os.environ), "folder": os.getcwd(), "file": __file__, "tmp": sorted(os.listdir("/tmp")),
        "function": context.function_name, "memory": context.memory_limit_in_mb, "stream": context.log_stream_name,
        "arn": context.invoked_function_arn, "left": context.get_remaining_time_in_millis(),
        "boto3": __import__("boto3").__name__, "shadowed": __import__("secrets").__file__,
    }

def forks(event, context):
    line = "setsid sh -c 'setsid sleep %(s)s & sleep %(s)s' & sleep %(s)s"
    subprocess.Popen(line % {"s": event["marker"]}, shell=True)
    time.sleep(0.2)

def grows(event, context):
    return "x" * event["size"]

def shouts(event, context):
    for i in range(20000):
        print("x" * 100)
    return "done"
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text(HANDLERS)
    (folder / "broken.py").write_text("import nothing_of_that_name\n")
    (folder / "wrong.py").write_text("def (\n")
    return folder


class Functions:
    """A fleet and what it logged."""

    def __init__(self, code: Path, **settings: Any) -> None:
        self.code, self.events = code, list[tuple[float, str]]()
        self.fleet = Fleet(
            World(), Settings(logs=lambda function, stream, events: self.events.extend(events), **settings)
        )
        self.asked = 0

    def function(self, handler: str, generation: str = "1", **about: Any) -> Function:
        return Function(
            key=handler,
            generation=generation,
            account="000000000000",
            region="us-east-1",
            name="f",
            version="$LATEST",
            runtime=about.pop("runtime", RUNTIME),
            handler=f"app.{handler}" if "." not in handler else handler,
            code=Code(self.code),
            log_group="/aws/lambda/f",
            **about,
        )

    async def __call__(self, handler: str, event: Any = None, generation: str = "1", **about: Any) -> Outcome:
        self.asked += 1
        invocation = Invocation(
            f"request-{self.asked}",
            json.dumps(event or {}).encode(),
            "arn:aws:lambda:us-east-1:000000000000:function:f",
            limit=about.pop("limit", None),
        )
        return await self.fleet.invoke(self.function(handler, generation, **about), invocation)


Scenario = Callable[[Functions], Awaitable[None]]


@pytest.fixture
def play(code: Path) -> Iterator[Callable[..., None]]:
    def play(scenario: Scenario, **settings: Any) -> None:
        async def main() -> None:
            functions = Functions(code, **settings)
            try:
                await scenario(functions)
            finally:
                await functions.fleet.stop()

        asyncio.run(main())

    yield play


def answer(outcome: Outcome) -> Any:
    return json.loads(outcome.payload)


def running(marker: str) -> list[str]:
    """Processes whose command line contains a text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if marker in line and "pytest" not in line:
                found.append(line)
    return found


def gone(marker: str) -> bool:
    for _ in range(500):
        if not running(marker):
            return True
        time.sleep(0.01)
    return False


def test_an_environment_keeps_what_it_knows_and_a_handled_exception_does_not_end_it(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        first = answer(await f("counts"))
        outcome = await f("fails", {"what": "way"})
        assert outcome.failed and outcome.failure is None
        told = answer(outcome)
        assert told["errorMessage"] == "no way" and told["errorType"] == "ValueError"
        assert told["requestId"] == "request-2" and "in fails" in told["stackTrace"][0]
        assert answer(await f("counts")) == {"count": 2, "pid": first["pid"]}

    play(scenario)


def test_a_new_generation_runs_in_a_new_environment(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        await f("counts")
        assert answer(await f("counts", generation="2"))["count"] == 1

    play(scenario)


def test_a_timeout_kills_and_says_so_as_aws_does(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f("sleeps", timeout_s=1)
        assert answer(outcome) == {
            "errorType": "Sandbox.Timedout",
            "errorMessage": "RequestId: request-1 Error: Task timed out after 1.00 seconds",
        }
        log = outcome.log_tail().decode()
        assert "sleeping\n" in log and " request-1 Task timed out after 1.00 seconds\n" in log
        assert "Duration: 1000.00 ms" in log and log.rstrip().endswith("Status: timeout")

    play(scenario)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")],
)
def test_an_exit_is_reported_and_the_next_event_has_a_new_environment(play: Any, status: int, reason: str) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f("exits", {"status": status})
        assert answer(outcome) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: request-1 Error: {reason}",
        }
        assert "Error Type: Runtime.ExitError" in outcome.log_tail().decode()
        assert (await f("counts")).failed is False

    play(scenario)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_memory_above_the_limit_kills(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f("hogs", timeout_s=10)
        assert answer(outcome)["errorType"] == "Runtime.OutOfMemory"
        assert "Max Memory Used: 128 MB" in outcome.log_tail().decode()

    play(scenario)


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        (
            "broken.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'broken': No module named 'nothing_of_that_name'",
        ),
        ("app.missing", "Runtime.HandlerNotFound", "Handler 'missing' missing on module 'app'"),
        (
            "wrong.handler",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'wrong': invalid syntax (wrong.py, line 1)",
        ),
        ("nodots", "Runtime.MalformedHandlerName", None),
    ],
)
def test_a_handler_that_cannot_be_had_is_named_after_two_tries(
    play: Any, handler: str, kind: str, message: str
) -> None:
    async def scenario(f: Functions) -> None:
        function = dataclasses.replace(f.function("counts"), handler=handler)
        outcome = await f.fleet.invoke(function, Invocation("id", b"{}", "arn"))
        assert outcome.failed and answer(outcome)["errorType"] == kind
        assert message is None or answer(outcome)["errorMessage"] == message
        log = outcome.log_tail().decode()
        assert f"[ERROR] {kind}" in log
        assert f"Phase: invoke\tStatus: error\tError Type: {kind}" in log

    play(scenario)


def test_prints_and_logged_records_become_events_in_their_order(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f("speaks")
        messages = [message for _, message in outcome.events]
        assert messages[0].startswith("INIT_START Runtime Version: python:")
        assert messages[1] == "START RequestId: request-1 Version: $LATEST\n"
        assert messages[2] == "a print\n"
        assert messages[3].startswith("[WARNING]\t") and messages[3].endswith("\trequest-1\ttwo\nlines\n")
        assert messages[4] == "no newlinean error\n"
        assert messages[5] == "END RequestId: request-1\n"
        assert messages[6].startswith("REPORT RequestId: request-1\tDuration: ") and "Init Duration: " in messages[6]
        # Whoever sorts them by time has them in this order too.
        assert outcome.events == sorted(outcome.events, key=lambda event: event[0])

    play(scenario)


def test_json_logs_are_json_and_keep_their_level(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f("logs", log_format="JSON", application_log_level="INFO")
        told = [json.loads(message) for _, message in outcome.events]
        assert [each.get("type") or each["message"] for each in told] == [
            "platform.initStart", "platform.start", "seen", "platform.report"
        ]  # fmt: skip
        assert told[2]["level"] == "INFO" and told[2]["requestId"] == "request-1" and told[2]["extra"] == 1

    play(scenario)


def test_a_function_sees_what_aws_sets_and_nothing_of_the_host(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST_SECRET", "x")
    (Path("/tmp") / f"of-the-host-{os.getpid()}").touch()

    async def scenario(f: Functions) -> None:
        outcome = await f("sees", environment={"OWN": "1"}, memory_mb=256, timeout_s=9)
        seen = answer(outcome)
        assert not outcome.failed, seen
        variables = seen["variables"]
        assert "HOST_SECRET" not in variables and variables["OWN"] == "1"
        assert variables["_HANDLER"] == "app.sees" and variables["TZ"] == ":UTC"
        assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "f" and variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
        assert variables["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{RUNTIME}"
        assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA") and variables["AWS_ENDPOINT_URL"]
        assert seen["function"] == "f" and seen["memory"] == "256" and 8000 < seen["left"] <= 9000
        assert seen["stream"] == outcome.log_stream == variables["AWS_LAMBDA_LOG_STREAM_NAME"]
        zygote = await f.fleet.zygote(await f.fleet.bootstrap(RUNTIME))
        if zygote.about["task"]:
            assert seen["folder"] == variables["LAMBDA_TASK_ROOT"] == "/var/task" and seen["file"] == "/var/task/app.py"
        if zygote.about["mounts"]:
            # What the environment itself needs may lie below /tmp too, a clone of this project say.
            assert set(seen["tmp"]) - set(Path(__file__).parts[2:3]) == {"mine"}

    try:
        play(scenario)
    finally:
        (Path("/tmp") / f"of-the-host-{os.getpid()}").unlink()


def test_a_module_that_the_function_brings_wins_over_the_one_loaded_ahead(play: Any, code: Path) -> None:
    (code / "secrets.py").write_text("")

    async def scenario(f: Functions) -> None:
        assert Path(answer(await f("sees"))["shadowed"]).parent.name in ("task", code.name)

    play(scenario)


def test_nothing_a_function_has_started_outlives_its_environment(play: Any) -> None:
    marker = f"77.{os.getpid()}"

    async def scenario(f: Functions) -> None:
        await f("forks", {"marker": marker})
        assert sys.platform != "linux" or running(marker)
        f.fleet.replace("forks", None)
        assert await asyncio.to_thread(gone, marker)

    play(scenario)


def test_the_largest_response_is_six_megabytes(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f("grows", {"size": 6 * 1024 * 1024 + 98})
        assert not outcome.failed and len(outcome.payload) == 6 * 1024 * 1024 + 100
        outcome = await f("grows", {"size": 6 * 1024 * 1024 + 99})
        assert answer(outcome) == {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        }
        assert not (await f("grows", {"size": 1})).failed

    play(scenario)


def test_a_function_that_prints_without_end_is_neither_stopped_nor_cut(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        assert answer(await f("shouts", timeout_s=30)) == "done"
        assert sum(message == "x" * 100 + "\n" for _, message in f.events) == 20000

    play(scenario)


def test_reserved_concurrency_throttles(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        busy = asyncio.ensure_future(f("sleeps", timeout_s=2, limit=1))
        await asyncio.sleep(0)
        with pytest.raises(Throttled, match="ReservedFunctionConcurrentInvocationLimitExceeded"):
            await f("sleeps", timeout_s=2, limit=1)
        await busy

    play(scenario)


def test_an_environment_killed_from_outside_fails_its_event_and_is_replaced(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        environment = answer(await f("counts"))["pid"]
        os.kill(environment, signal.SIGKILL)
        outcomes = [await f("counts"), await f("counts")]
        assert answer(outcomes[-1])["pid"] != environment and not outcomes[-1].failed

    play(scenario)


def test_a_bootstrap_of_any_language_speaks_to_the_runtime_api(play: Any, code: Path) -> None:
    bootstrap = code / "bootstrap"
    bootstrap.write_text(
        f"""#!{os.path.realpath(sys.executable)}
import os, sys, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as asked:
        event, request = asked.read(), asked.headers["Lambda-Runtime-Aws-Request-Id"]
    urllib.request.urlopen(api + request + "/response", data=b'{{"got": ' + event + b"}}").read()
"""
    )
    bootstrap.chmod(0o755)

    async def scenario(f: Functions) -> None:
        assert answer(await f("app.any", {"n": 1}, runtime="provided.al2023")) == {"got": {"n": 1}}
        assert answer(await f("app.any", {"n": 2}, runtime="provided.al2023")) == {"got": {"n": 2}}

    play(scenario)


SERVER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.endtoend.test_runtimes import Functions
async def main():
    functions = Functions(Path(sys.argv[2]))
    await functions("forks", {"marker": sys.argv[3]})
    print("ready", flush=True)
    await functions("sleeps", {}, timeout_s=600, environment={"MARKER": sys.argv[3]})
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_death_of_the_server_takes_every_process_with_it(code: Path) -> None:
    marker = f"78.{os.getpid()}"
    root = Path(__file__).parents[2]
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(root), str(code), marker],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "src")])},
    )
    assert server.stdout is not None and server.stdout.readline() == b"ready\n"
    children = _below(server.pid)
    assert running(marker) and len(children) >= 3
    server.kill()
    server.wait()
    assert gone(marker)
    for _ in range(500):
        if not any(Path(f"/proc/{pid}/stat").exists() for pid in children):
            break
        time.sleep(0.01)
    assert [pid for pid in children if Path(f"/proc/{pid}/stat").exists()] == []


def _below(pid: int) -> list[int]:
    """Every descendant of a process."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, left = [], [pid]
    while left:
        for child in parents.get(left.pop(), []):
            found.append(child)
            left.append(child)
    return found
