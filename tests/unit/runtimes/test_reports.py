"""The platform's lines, as AWS writes them (recorded in LocalStack's `test_lambda.snapshot.json`, November 2025)."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

from stratolite.runtimes import failures, reports
from stratolite.runtimes.function import Code, Function, Invocation, Outcome

FUNCTION = Function(
    key="arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
    generation="1",
    account="000000000000",
    region="us-east-1",
    name="f",
    version="$LATEST",
    runtime="python3.12",
    handler="app.handler",
    code=Code(Path("/code")),
)
INVOCATION = Invocation("id", b"{}", FUNCTION.arn, trace="Root=1-5-6;Parent=53995c3f42cd8ad8;Sampled=0")


def outcome(**about: object) -> Outcome:
    found = Outcome(b"{}", duration_ms=3.009, billed_ms=114, memory_mb=36)
    for name, value in about.items():
        setattr(found, name, value)
    return found


def test_the_first_invocation_reports_its_init() -> None:
    assert reports.end(FUNCTION, INVOCATION, outcome(init_ms=110.1), 0.0) == [
        "END RequestId: id\n",
        "REPORT RequestId: id\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n",
    ]


def test_a_timeout_is_told_in_the_report_and_in_the_log() -> None:
    failure = failures.timed_out("id", 3, "2026-11-21T03:53:40.583Z")
    assert failure.line == "2026-11-21T03:53:40.583Z id Task timed out after 3.00 seconds\n\n"
    assert json.loads(failure.payload()) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: id Error: Task timed out after 3.00 seconds",
    }
    assert reports.end(FUNCTION, INVOCATION, outcome(failure=failure), 0.0)[1].endswith("\tStatus: timeout\n")


def test_an_exit_says_how() -> None:
    assert failures.exited("id", 127 << 8).message == "RequestId: id Error: Runtime exited with error: exit status 127"
    assert failures.exited("id", 0).message == "RequestId: id Error: Runtime exited without providing a reason"
    killed = failures.exited("id", signal.SIGSEGV)
    assert killed.message == "RequestId: id Error: Runtime exited with error: signal: segmentation fault"


def test_a_sampled_invocation_names_its_trace() -> None:
    traced = replace(INVOCATION, trace="Root=1-5-6;Parent=53995c3f42cd8ad8;Sampled=1")
    report = reports.end(FUNCTION, traced, outcome(), 0.0)[1]
    assert report.endswith("\nXRAY TraceId: 1-5-6\tSegmentId: 53995c3f42cd8ad8\tSampled: true\t\n")


def test_json_logs_report_in_json() -> None:
    told = json.loads(reports.end(replace(FUNCTION, log_format="JSON"), INVOCATION, outcome(init_ms=110.1), 0.0)[0])
    assert told["type"] == "platform.report"
    assert told["record"] == {
        "requestId": "id",
        "metrics": {
            "durationMs": 3.009,
            "billedDurationMs": 114,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 36,
            "initDurationMs": 110.1,
        },
        "status": "success",
    }


def test_the_tail_is_the_last_four_kilobytes() -> None:
    long = outcome(events=[(0.0, "x" * 5000 + "\n"), (0.0, "END\n")])
    assert len(long.log_tail()) == 4096 and long.log_tail().endswith(b"x\nEND\n")
