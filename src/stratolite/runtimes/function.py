"""Functions as the runtimes see them: what runs, what it is asked, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .failures import Failure

TAIL_BYTES = 4096
MEMORY_MB = 128
"""What a function has that does not say."""
Logs = Callable[["Function", str, list[tuple[float, str]]], None]
"""Takes a function, a log stream's name and its new events: (time in seconds since the epoch, message)."""


@dataclass(frozen=True, slots=True)
class Code:
    """Where a function's code lies: a folder, read in place, and folders of packages that are importable behind it."""

    folder: Path
    packages: tuple[Path, ...] = ()
    layers: Path | None = None
    """Layers merged in their order, seen at /opt."""
    live: bool = False
    """A project's own folder: a file saved in it makes a new generation."""


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """One version of a function. Two generations of the same `key` never share an environment."""

    key: str
    """The qualified ARN: environments are pooled by it."""
    generation: str
    """Changes with code or configuration (a revision id): environments of another generation are replaced."""
    account: str
    region: str
    name: str
    version: str
    runtime: str
    handler: str
    code: Code
    memory_mb: int = MEMORY_MB
    timeout_s: float = 3
    environment: dict[str, str] = field(default_factory=dict)
    log_group: str = ""
    log_format: str = "Text"
    """`Text` or `JSON`; with JSON, `application_log_level` and `system_log_level` apply."""
    application_log_level: str = "INFO"
    system_log_level: str = "INFO"
    role: str = ""
    traced: bool = False
    """X-Ray tracing is asked for: its traces are sampled."""

    @property
    def arn(self) -> str:
        """Without a qualifier."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    def log_stream(self, day: str, environment: str) -> str:
        """The log stream of an environment; in a group of the user's own, which functions may share, it has their name.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
        """
        own = self.log_group not in ("", f"/aws/lambda/{self.name}")
        return f"{day.replace('-', '/')}/{self.name if own else ''}[{self.version}]{environment}"


@dataclass(slots=True, eq=False)
class Invocation:
    """One event on its way into a function."""

    request_id: str
    payload: bytes
    invoked_arn: str
    trace: str = ""
    """The X-Ray header: `Root=...;Parent=...;Sampled=1`."""
    client_context: str = ""
    """JSON text, already decoded from base64."""
    cognito_identity: str = ""
    tenant: str = ""
    nested: bool = False
    """The caller is itself an environment of ours: its callee must not wait for the place it holds."""
    limit: int | None = None
    """The function's reserved concurrency; None shares what is unreserved."""
    unreserved: int = 1000
    """What the functions of the account and region without a reservation share."""
    stream: Callable[[bytes], None] | None = None
    """Takes the response piece by piece, if the runtime streams it."""


@dataclass(slots=True, eq=False)
class Outcome:
    """What an invocation came to."""

    payload: bytes
    failed: bool = False
    """The caller sees `X-Amz-Function-Error: Unhandled`."""
    failure: Failure | None = None
    """Ours, when it was the platform that failed the invocation (timeout, exit, init), not the handler."""
    content_type: str = "application/json"
    duration_ms: float = 0.0
    billed_ms: int = 0
    init_ms: float | None = None
    """Only when this invocation waited for an INIT."""
    memory_mb: int = 0
    events: list[tuple[float, str]] = field(default_factory=list)
    """The invocation's log from START to REPORT (of a long one, what has not been passed on while it ran)."""
    log_stream: str = ""
    request_id: str = ""
    version: str = ""
    """Of the function: which one ran."""

    def log_tail(self) -> bytes:
        """The last 4 KB of the log, as `LogType: Tail` returns them."""
        lines = (message if message.endswith("\n") else message + "\n" for _, message in self.events)
        return "".join(lines).encode()[-TAIL_BYTES:]


class Throttled(Exception):
    """An invocation refused for want of concurrency; `reason` is one of AWS's (`ConcurrentInvocationLimitExceeded`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
