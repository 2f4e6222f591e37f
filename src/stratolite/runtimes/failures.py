"""Failures: the ways in which the platform, not the handler, ends an invocation, in AWS's words.

Recorded on AWS in November 2025 (LocalStack's `test_lambda.snapshot.json`); the forms changed in 2023 with INIT_REPORT.
"""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass

RESPONSE_LIMIT_BYTES = 6_291_556
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB, and what AWS's own errors say."""


@dataclass(frozen=True, slots=True)
class Failure:
    type: str
    """`Sandbox.Timedout`, `Runtime.ExitError` ..."""
    message: str
    status: str = "error"
    """What REPORT says: `error` or `timeout`."""
    line: str = ""
    """A line in the function's own log, when AWS writes one."""

    def payload(self) -> bytes:
        return json.dumps({"errorType": self.type, "errorMessage": self.message}, separators=(",", ":")).encode()


def timed_out(request_id: str, timeout_s: float, at: str) -> Failure:
    text = f"Task timed out after {timeout_s:.2f} seconds"
    return Failure(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: {text}", "timeout", f"{at} {request_id} {text}\n\n"
    )


def init_timed_out(request_id: str, limit_s: float) -> Failure:
    return Failure(
        "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {limit_s:.2f} seconds", "timeout"
    )


def exited(request_id: str, wait_status: int) -> Failure:
    """What a process's end says to whoever waits for its answer."""
    if os.WIFSIGNALED(wait_status):
        # Go's names, which AWS prints: `signal: killed`, `signal: segmentation fault`.
        number = os.WTERMSIG(wait_status)
        name = GO_SIGNALS.get(number, str(number))
        reason = f"Runtime exited with error: signal: {name}"
    elif os.WEXITSTATUS(wait_status):
        reason = f"Runtime exited with error: exit status {os.WEXITSTATUS(wait_status)}"
    else:
        reason = "Runtime exited without providing a reason"
    text = f"RequestId: {request_id} Error: {reason}"
    return Failure("Runtime.ExitError", text, line=f"{text}\nRuntime.ExitError\n")


def out_of_memory(request_id: str) -> Failure:
    text = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    return Failure("Runtime.OutOfMemory", text, line=f"{text}\nRuntime.ExitError\n")


def response_too_large() -> Failure:
    return Failure(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT_BYTES} bytes).",
    )


def cannot_start(reason: str) -> Failure:
    """Ours: the machine has no such interpreter, the code folder is gone. AWS has no word for it."""
    return Failure("Runtime.StartError", reason, line=reason + "\n")


GO_SIGNALS: dict[int, str] = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
}
