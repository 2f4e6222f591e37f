"""Reports: the platform's own lines in a function's log: INIT_START, START, END, REPORT, as text or as JSON.

Text is recorded on AWS (LocalStack's `test_lambda.snapshot.json`); the JSON events follow
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from typing import Any

from .function import Function, Invocation, Outcome

UTC = timezone.utc  # noqa: UP017


def timestamp(now: float) -> str:
    """2026-11-21T03:33:37.123Z"""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def runtime_version(function: Function) -> tuple[str, str]:
    """`python:3.12.v1` and an ARN that stays the same for a runtime."""
    name = function.runtime.replace(".x", "")
    family = name.rstrip("0123456789.")
    digest = hashlib.sha256(function.runtime.encode()).hexdigest()
    return f"{family}:{name[len(family) :]}.v1", f"arn:aws:lambda:{function.region}::runtime:{digest}"


def _event(now: float, kind: str, record: dict[str, Any]) -> str:
    return json.dumps({"time": timestamp(now), "type": kind, "record": record}, separators=(",", ":")) + "\n"


def init_start(function: Function, now: float) -> str:
    version, arn = runtime_version(function)
    if function.log_format == "JSON":
        record = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": version,
            "runtimeVersionArn": arn,
            "functionName": function.name,
            "functionVersion": function.version,
        }
        return _event(now, "platform.initStart", record)
    return f"INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}\n"


def start(function: Function, invocation: Invocation, now: float) -> str:
    if function.log_format == "JSON":
        record = {"requestId": invocation.request_id, "version": function.version}
        return _event(now, "platform.start", record)
    return f"START RequestId: {invocation.request_id} Version: {function.version}\n"


def end(function: Function, invocation: Invocation, outcome: Outcome, now: float) -> list[str]:
    """END and REPORT."""
    failure, request_id = outcome.failure, invocation.request_id
    status = failure.status if failure else "error" if outcome.failed else "success"
    if function.log_format == "JSON":
        metrics: dict[str, Any] = {
            "durationMs": round(outcome.duration_ms, 3),
            "billedDurationMs": outcome.billed_ms,
            "memorySizeMB": function.memory_mb,
            "maxMemoryUsedMB": outcome.memory_mb,
        }
        if outcome.init_ms is not None:
            metrics["initDurationMs"] = round(outcome.init_ms, 3)
        record: dict[str, Any] = {"requestId": request_id, "metrics": metrics, "status": status}
        if failure:
            record["errorType"] = failure.type
        return [_event(now, "platform.report", record)]
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {outcome.duration_ms:.2f} ms",
        f"Billed Duration: {outcome.billed_ms} ms",
        f"Memory Size: {function.memory_mb} MB",
        f"Max Memory Used: {outcome.memory_mb} MB",
    ]
    if outcome.init_ms is not None:
        parts.append(f"Init Duration: {outcome.init_ms:.2f} ms")
    parts.append("")
    if failure:
        parts[-1] = f"Status: {status}"
        if status == "error":
            parts.append(f"Error Type: {failure.type}")
    trace = dict(part.partition("=")[::2] for part in invocation.trace.split(";"))
    report = "\t".join(parts) + "\n"
    if trace.get("Sampled") == "1":
        segment = trace.get("Parent", "")
        report += f"XRAY TraceId: {trace.get('Root', '')}\tSegmentId: {segment}\tSampled: true\t\n"
    return [f"END RequestId: {request_id}\n", report]


def init_report(took_ms: float, phase: str, status: str, kind: str) -> str:
    """Only when INIT failed; `phase` is `init`, or `invoke` for the second try."""
    end = f"Status: {status}" if status == "timeout" else f"Status: {status}\tError Type: {kind}"
    return f"INIT_REPORT Init Duration: {took_ms:.2f} ms\tPhase: {phase}\t{end}\n"
