"""Node.js functions in real processes: handlers of every form, the context, the log's lines, errors, and their ends.

Shapes and texts are those of AWS's Node.js runtime interface client (npm: aws-lambda-ric).
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stratolite.kernel.world import World
from stratolite.runtimes import interpreters
from stratolite.runtimes.fleet import Fleet, Settings
from stratolite.runtimes.function import Code, Function, Invocation, Outcome

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js on PATH")

RUNTIME = "nodejs20.x"
FILES = {
    "app.js": """
const os = require("node:os"), fs = require("node:fs"), { spawn } = require("node:child_process");
let count = 0;
exports.counts = async () => ({ count: ++count, pid: process.pid });
exports.echoes = async (event) => event;
exports.throws = async () => { const e = new TypeError("no way"); e.code = "E_WAY"; throw e; };
exports.throwsAtOnce = () => { throw new RangeError("at once"); };
exports.rejectsText = async () => { throw "only text"; };
exports.callsBack = (event, context, callback) => callback(null, "called");
let late = "not yet";
exports.waits = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = event.waits;
  late = "not yet";
  setTimeout(() => { late = "done"; }, 50);
  callback(null, { get late() { return late; } });
};
exports.callsBackWithError = (event, context, callback) => callback("text error");
exports.says = (event, context) => context[event.how](event.how === "done" ? null : "value", "value");
exports.saysNothing = () => {};
exports.neverResolves = () => new Promise(() => {});
exports.cannotBeSaid = async () => ({ big: 1n });
exports.nested = { deep: { handler: async () => "deep" } };
exports.notAFunction = 7;
exports.speaks = async (event) => {
  console.log("hello %s", "you", { a: 1 });
  console.error("two\\nlines");
  process.stdout.write("plain\\n");
  console.debug("seen in text only");
};
exports.logsError = async () => { console.error(new TypeError("logged")); console.warn("two", new Error("second")); };
const later = () => new Promise((resolve) => setTimeout(resolve, 1000));
exports.rejectsUnhandled = async () => { Promise.reject(new Error("unheard")); await later(); };
exports.throwsLater = async () => { setTimeout(() => { throw new Error("later"); }, 1); await later(); };
exports.exits = async (event) => process.exit(event.status);
exports.loops = async () => { for (;;); };
exports.hogs = async () => { const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1)); };
exports.sees = async (event, context) => {
  fs.writeFileSync("/tmp/mine", "x");
  const { getRemainingTimeInMillis, ...rest } = context;
  return {
    variables: process.env, folder: process.cwd(), file: __filename, tmp: fs.readdirSync("/tmp"), context: rest,
    left: context.getRemainingTimeInMillis(), options: process.execArgv, argv: process.argv, send: typeof process.send,
  };
};
exports.leaves = async (event) => { spawn("sleep", [event.marker], { detached: true, stdio: "ignore" }).unref(); };
exports.grows = async (event) => "x".repeat(event.size);
exports.shouts = async () => { for (let i = 0; i < 20000; i++) console.log("x".repeat(60)); return "done"; };
exports.streams = awslambda.streamifyResponse(async (event, stream, context) => {
  stream.setContentType("text/plain");
  stream.write("one ");
  stream.write("two");
  stream.end();
});
exports.streamsHttp = awslambda.streamifyResponse(async (event, stream) => {
  const out = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
  out.write("body");
  out.end();
});
exports.breaksStream = awslambda.streamifyResponse(async (event, stream) => {
  stream.write("half");
  throw new Error("broken");
});
""",
    "module.mjs": """
import { readFileSync } from "node:fs";
const started = await Promise.resolve("top level");
export const handler = async (event) => started;
export default { handler: async () => "default" };
""",
    "common.cjs": 'exports.handler = async () => "cjs";\n',
    "sources/in/folder.js": 'exports.handler = async () => require("own");\n',
    "node_modules/own/index.js": 'module.exports = "own package";\n',
    "node_modules/packaged/package.json": '{"name": "packaged", "main": "main.js"}',
    "node_modules/packaged/main.js": 'exports.handler = async () => "package";\n',
    "typed/package.json": '{"type": "module"}',
    "typed/index.js": 'import own from "own"; export const handler = async () => own + " imported";\n',
    "missing.js": 'require("nothing-of-that-name");\n',
    "wrong.js": "exports.handler = async ( => 1;\n",
    "throws.js": 'throw new TypeError("while loading");\n',
}


class Functions:
    """A fleet, what it logged and what it warned of."""

    def __init__(self, code: Path, **settings: Any) -> None:
        self.code, self.events, self.warnings = code, list[tuple[float, str]](), list[str]()
        logs = lambda function, stream, events: self.events.extend(events)  # noqa: E731
        self.fleet = Fleet(World(), Settings(logs=logs, warn=self.warnings.append, **settings))
        self.asked = 0

    async def __call__(self, handler: str, event: Any = None, **about: Any) -> Outcome:
        self.asked += 1
        invocation = Invocation(
            f"request-{self.asked}",
            json.dumps(event if event is not None else {}).encode(),
            "arn:aws:lambda:us-east-1:000000000000:function:f",
            trace=about.pop("trace", ""),
            client_context=about.pop("client_context", ""),
        )
        function = Function(
            key=handler,
            generation="1",
            account="000000000000",
            region="us-east-1",
            name="f",
            version="$LATEST",
            runtime=about.pop("runtime", RUNTIME),
            handler=handler if "." in handler else f"app.{handler}",
            code=Code(self.code),
            log_group="/aws/lambda/f",
            **{"timeout_s": 10, **about},
        )
        return await self.fleet.invoke(function, invocation)


Scenario = Callable[[Functions], Awaitable[None]]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def play(code: Path) -> Iterator[Callable[[Scenario], None]]:
    def play(scenario: Scenario) -> None:
        async def main() -> None:
            functions = Functions(code)
            try:
                await scenario(functions)
            finally:
                await functions.fleet.stop()

        asyncio.run(main())

    yield play


def answer(outcome: Outcome) -> Any:
    return json.loads(outcome.payload)


@pytest.mark.parametrize(
    ("handler", "result"),
    [
        ("module.handler", "top level"),
        ("module.default.handler", "default"),
        ("common.handler", "cjs"),
        ("sources/in/folder.handler", "own package"),
        ("app.nested.deep.handler", "deep"),
        ("packaged.handler", "package"),
        ("typed/index.handler", "own package imported"),
        ("app.callsBack", "called"),
        ("app.saysNothing", None),
        ("app.neverResolves", None),
    ],
)
def test_handlers_of_every_form(play: Any, handler: str, result: Any) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f(handler)
        assert not outcome.failed and answer(outcome) == result, outcome.log_tail().decode()

    play(scenario)


def test_an_environment_keeps_what_it_knows_and_a_handled_error_does_not_end_it(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        first = answer(await f("counts"))
        assert first["count"] == 1
        assert answer(await f("counts")) == {"count": 2, "pid": first["pid"]}
        for _ in range(2):
            outcome = await f("throws")
            assert outcome.failed and outcome.failure is None
            told = answer(outcome)
            assert list(told) == ["errorType", "errorMessage", "trace"]
            assert told["errorType"] == "TypeError" and told["errorMessage"] == "no way"
            assert told["trace"][0] == "TypeError: no way" and "exports.throws" in told["trace"][1]
        line = next(message for _, message in outcome.events if "Invoke Error" in message)
        stamp, request, level, text, error = line.split("\t")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", stamp)
        assert (request, level, text) == ("request-4", "ERROR", "Invoke Error ")
        members = json.loads(error)
        assert list(members) == ["errorType", "errorMessage", "code", "stack"] and members["code"] == "E_WAY"

    play(scenario)


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        ("throwsAtOnce", ("RangeError", "at once")),
        ("rejectsText", ("string", "only text")),
        ("callsBackWithError", ("string", "text error")),
        ("cannotBeSaid", ("Error", "Unable to stringify response body")),
    ],
)
def test_errors_are_told_as_aws_tells_them(play: Any, handler: str, told: tuple[str, str]) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f(handler)
        said = answer(outcome)
        assert outcome.failed and (said["errorType"], said["errorMessage"]) == told

    play(scenario)


@pytest.mark.parametrize(("waits", "seen"), [(True, "done"), (False, "not yet")])
def test_a_callback_waits_for_the_event_loop_unless_told_not_to(play: Any, waits: bool, seen: str) -> None:
    async def scenario(f: Functions) -> None:
        assert answer(await f("waits", {"waits": waits})) == {"late": seen}

    play(scenario)


def test_done_succeed_and_fail(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        assert answer(await f("says", {"how": "done"})) == "value"
        assert answer(await f("says", {"how": "succeed"})) == "value"
        assert answer(await f("says", {"how": "fail"})) == {"errorType": "string", "errorMessage": "value", "trace": []}

    play(scenario)


def test_runtimes_from_24_on_refuse_callbacks(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f("callsBack", runtime="nodejs24.x")
        assert answer(outcome)["errorType"] == "Runtime.CallbackHandlerDeprecated"
        if shutil.which("node") and all(i.version[0] != 24 for i in interpreters._installed_nodes()):
            assert [
                w for w in f.warnings if w.startswith("No nodejs24.x here: functions that declare it run on Node.js")
            ]

    play(scenario)


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        (
            "missing.handler",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'nothing-of-that-name'\nRequire stack:\n- {task}/missing.js\n"
            "- /var/runtime/index.mjs",
        ),
        (
            "nowhere.handler",
            "Runtime.ImportModuleError",
            "Error: Cannot find module 'nowhere'\nRequire stack:\n- /var/runtime/index.mjs",
        ),
        ("wrong.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected token '=>'"),
        ("throws.handler", "TypeError", "while loading"),
        ("app.absent", "Runtime.HandlerNotFound", "app.absent is undefined or not exported"),
        ("app.notAFunction", "Runtime.HandlerNotFound", "app.notAFunction is not a function"),
        (
            "../app.handler",
            "Runtime.MalformedHandlerName",
            "'../app.handler' is not a valid handler name. Use absolute paths when specifying root directories in "
            "handler names.",
        ),
    ],
)
def test_a_handler_that_cannot_be_had_is_named_after_two_tries(
    play: Any, code: Path, handler: str, kind: str, message: str
) -> None:
    async def scenario(f: Functions) -> None:
        outcome = await f(handler)
        told = answer(outcome)
        task = "/var/task" if (await f.fleet.zygote(await f.fleet.bootstrap(RUNTIME))).about["task"] else str(code)
        assert (told["errorType"], told["errorMessage"]) == (kind, message.replace("{task}", task))
        log = outcome.log_tail().decode()
        assert f"Phase: invoke\tStatus: error\tError Type: {kind}" in log
        assert '\tundefined\tERROR\tUncaught Exception \t{"errorType":' in log

    play(scenario)


@pytest.mark.parametrize(
    ("handler", "kind", "message", "line"),
    [
        ("rejectsUnhandled", "Runtime.UnhandledPromiseRejection", "Error: unheard", "Unhandled Promise Rejection"),
        ("throwsLater", "Error", "later", "Uncaught Exception"),
    ],
)
def test_what_nobody_catches_ends_the_environment(play: Any, handler: str, kind: str, message: str, line: str) -> None:
    async def scenario(f: Functions) -> None:
        for _ in range(2):
            outcome = await f(handler)
            assert (answer(outcome)["errorType"], answer(outcome)["errorMessage"]) == (kind, message)
            assert f"ERROR\t{line} \t" in outcome.log_tail().decode()

    play(scenario)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")],
)
def test_an_exit_is_reported(play: Any, status: int, reason: str) -> None:
    async def scenario(f: Functions) -> None:
        told = answer(await f("exits", {"status": status}))
        assert told == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: request-1 Error: {reason}"}
        assert not (await f("counts")).failed

    play(scenario)


def test_a_timeout_and_a_memory_hog_are_killed(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        assert answer(await f("loops", timeout_s=1)) == {
            "errorType": "Sandbox.Timedout",
            "errorMessage": "RequestId: request-1 Error: Task timed out after 1.00 seconds",
        }
        assert answer(await f("hogs"))["errorType"] == "Runtime.OutOfMemory"

    play(scenario)


def test_text_log_lines(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        messages = [message for _, message in (await f("speaks")).events]
        assert messages[0].startswith("INIT_START Runtime Version: nodejs:20.v")
        assert messages[1] == "START RequestId: request-1 Version: $LATEST\n"
        assert messages[2].endswith("Z\trequest-1\tINFO\thello you { a: 1 }\n")
        assert messages[3].endswith("Z\trequest-1\tERROR\ttwo\nlines\n")
        assert messages[4] == "plain\n"
        assert messages[5].endswith("Z\trequest-1\tDEBUG\tseen in text only\n")
        assert messages[6] == "END RequestId: request-1\n"

    play(scenario)


def test_json_log_lines_have_levels(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        about = {"log_format": "JSON", "application_log_level": "INFO"}
        told = [json.loads(message) for _, message in (await f("logsError", **about)).events]
        first, second = (each for each in told if "level" in each)
        assert first["level"] == "ERROR" and first["requestId"] == "request-1"
        assert first["message"]["errorType"] == "TypeError" and first["message"]["errorMessage"] == "logged"
        assert first["message"]["stackTrace"][0] == "TypeError: logged"
        assert second["message"].startswith("two Error: second") and second["errorMessage"] == "second"
        lines = [message for _, message in (await f("speaks", **about)).events]
        assert not [line for line in lines if "seen in text only" in line]

    play(scenario)


@pytest.mark.parametrize("ahead", [True, False])
def test_a_function_sees_what_aws_sets_and_nothing_of_the_host(
    play: Any, monkeypatch: pytest.MonkeyPatch, ahead: bool
) -> None:
    monkeypatch.setenv("HOST_SECRET", "x")

    async def scenario(f: Functions) -> None:
        # With options that Node.js reads when it starts, the process cannot have been started before.
        own = {"OWN": "1"} if ahead else {"OWN": "1", "NODE_OPTIONS": "--stack-trace-limit=3"}
        if ahead:
            await started_ahead(f)
        outcome = await f(
            "sees",
            environment=own,
            trace="Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
            client_context='{"custom":{"ä":"ö"}}',
        )
        seen = answer(outcome)
        variables, context = seen["variables"], seen["context"]
        assert not {"HOST_SECRET", "NODE_CHANNEL_FD", "STRATOLITE_CONNECTION"} & variables.keys()
        assert variables["OWN"] == "1" and variables["_HANDLER"] == "app.sees" and variables["TZ"] == ":UTC"
        assert variables["_X_AMZN_TRACE_ID"].startswith("Root=1-5759e988")
        assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs20.x" and seen["send"] == "undefined"
        assert context["functionName"] == "f" and context["functionVersion"] == "$LATEST"
        assert context["memoryLimitInMB"] == "128" and context["awsRequestId"] == "request-1"
        assert context["invokedFunctionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:f"
        assert context["logGroupName"] == "/aws/lambda/f" and context["logStreamName"] == outcome.log_stream
        assert context["clientContext"] == {"custom": {"ä": "ö"}} and context["callbackWaitsForEmptyEventLoop"] is True
        assert 9000 < seen["left"] <= 10000 and "--max-old-space-size=115" in seen["options"]
        assert seen["argv"][1] == "/var/runtime/index.mjs"
        zygote = await f.fleet.zygote(await f.fleet.bootstrap(RUNTIME))
        if zygote.about["task"]:
            assert seen["folder"] == variables["LAMBDA_TASK_ROOT"] == "/var/task" and seen["file"] == "/var/task/app.js"
        if zygote.about["mounts"]:
            # What the environment itself needs may lie below /tmp too, a clone of this project say.
            assert set(seen["tmp"]) - set(Path(__file__).parts[2:3]) == {"mine"}

    play(scenario)


def waiting(zygote: int) -> list[int]:
    children = Path(f"/proc/{zygote}/task/{zygote}/children").read_text().split()
    return [int(pid) for pid in children if b"bootstrap.mjs" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def started_ahead(f: Functions, *known: int) -> int:
    """The idle Node.js that a prepared runtime has; its pid."""
    f.fleet.prepare(RUNTIME)
    zygote = await f.fleet.zygote(await f.fleet.bootstrap(RUNTIME))
    for _ in range(500):
        for pid in waiting(zygote._process.pid):
            if pid not in known:
                return pid
        await asyncio.sleep(0.01)
    raise AssertionError("no process was started ahead")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
def test_a_prepared_runtime_has_a_process_that_becomes_the_next_environment(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        pid = await started_ahead(f)
        assert answer(await f("counts"))["pid"] == pid
        assert await started_ahead(f, pid)

    play(scenario)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
def test_nothing_a_function_has_started_outlives_its_environment(play: Any) -> None:
    marker = f"88.{time.time_ns() % 1_000_000}"

    def running() -> bool:
        lines = (p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists())
        return any(line == f"sleep\0{marker}\0".encode() for line in lines)

    async def scenario(f: Functions) -> None:
        await f("leaves", {"marker": marker})
        assert running()
        f.fleet.replace("leaves", None)
        for _ in range(500):
            if not running():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("still running")

    play(scenario)


def test_large_events_and_responses(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        event = {"text": "ä" * 1_000_000}
        assert answer(await f("echoes", event, memory_mb=256)) == event
        outcome = await f("grows", {"size": 6 * 1024 * 1024 + 99}, memory_mb=256)
        assert answer(outcome)["errorType"] == "Function.ResponseSizeTooLarge"
        assert answer(await f("grows", {"size": 1}, memory_mb=256)) == "x"

    play(scenario)


def test_a_function_that_logs_without_end_is_neither_stopped_nor_cut(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        assert answer(await f("shouts", timeout_s=30)) == "done"
        assert sum(message.endswith("x" * 60 + "\n") for _, message in f.events) == 20000

    play(scenario)


def test_streamed_responses_arrive_whole_where_nobody_listens_for_pieces(play: Any) -> None:
    async def scenario(f: Functions) -> None:
        for _ in range(2):
            outcome = await f("streams")
            assert (outcome.payload, outcome.content_type, outcome.failed) == (b"one two", "text/plain", False)
        outcome = await f("streamsHttp")
        assert outcome.payload == b'{"statusCode":201}' + b"\0" * 8 + b"body"
        assert outcome.content_type == "application/vnd.awslambda.http-integration-response"
        outcome = await f("breaksStream")
        assert outcome.failed and answer(outcome)["errorMessage"] == "broken"

    play(scenario)
