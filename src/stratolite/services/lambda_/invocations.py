"""Invocations: a function run while the caller waits, or accepted to be run later."""

from __future__ import annotations

import base64
import json
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row
from stratolite.runtimes.function import Invocation, Outcome, Throttled
from stratolite.wire.http1 import BodyFile

from . import asynchronous, limits, names, running, versions
from .errors import (
    InvalidRequestContentException,
    RequestTooLargeException,
    ResourceConflictException,
    TooManyRequestsException,
)

_REDACTED = (
    "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {column}]"
)


@operation
async def invoke(
    call: Call,
    function_name: str,
    invocation_type: str = "RequestResponse",
    log_type: str | None = None,
    client_context: str | None = None,
    payload: bytes | BodyFile | None = None,
    qualifier: str | None = None,
) -> dict[str, Any]:
    which = names.named(call, function_name, qualifier)
    row = versions.routed(call, which)
    body = (payload if isinstance(payload, bytes) else payload.read() if payload is not None else b"") or b"{}"
    limit = limits.EVENT_BYTES if invocation_type == "Event" else limits.REQUEST_BYTES
    if len(body) > limit:
        raise RequestTooLargeException(limit=limit)
    if row["state"] == "Pending":
        raise ResourceConflictException(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        )
    if invocation_type == "DryRun":
        return {"StatusCode": 204}
    check_json(body)
    if invocation_type == "Event":
        with call.write() as c:
            asynchronous.accept(c, which, body, call.request_id)
        return {"StatusCode": 202, "Payload": b""}
    invocation = Invocation(call.request_id, body, which.qualified())
    if client_context:
        invocation.client_context = base64.b64decode(client_context).decode()
    outcome = await run(call, row, invocation)
    found = {"StatusCode": 200, "ExecutedVersion": row["version"], "Payload": outcome.payload}
    if outcome.failed:
        found["FunctionError"] = "Unhandled"
    if log_type == "Tail":
        found["LogResult"] = base64.b64encode(outcome.log_tail()).decode()
    return found


@operation
def invoke_async(call: Call, function_name: str, invoke_args: bytes | BodyFile) -> dict[str, Any]:
    """Deprecated by AWS in favour of Invoke with `Event`."""
    which = names.named(call, function_name)
    names.version(call, which)
    body = invoke_args if isinstance(invoke_args, bytes) else invoke_args.read()
    check_json(body)
    asynchronous.accept(call, which, body, call.request_id)
    return {"Status": 202}


def check_json(body: bytes) -> None:
    """Raises InvalidRequestContentException in the words of AWS's own parser."""
    try:
        json.loads(body)
    except UnicodeDecodeError as error:
        raise _unparsed(f"Invalid UTF-8 start byte 0x{body[error.start]:x}", error.start + 1) from None
    except ValueError as error:
        position = getattr(error, "pos", 0)
        text = body.decode("utf-8", "replace")
        found = text[position] if position < len(text) else ""
        shown = (
            f"'{found}' (code {ord(found)})"
            if found.isprintable() and found
            else f"(CTRL-CHAR, code {ord(found or ' ')})"
        )
        raise _unparsed(
            f"Unexpected character ({shown}): expected a valid value (JSON String, Number,"
            f" Array, Object or token 'null',"
            " 'true' or 'false')",
            position + 1,
        ) from None


def _unparsed(what: str, column: int) -> InvalidRequestContentException:
    return InvalidRequestContentException(
        f"Could not parse request body into json: Could not parse payload into json: {what}"
        + _REDACTED.format(column=column)
    )


async def run(call: Call, row: Row, invocation: Invocation) -> Outcome:
    """Run a version once and tell telemetry. Raises TooManyRequestsException."""
    home = running.of(call)
    function = await home.function(call, row)
    invocation.nested = call.principal.trace is not None
    invocation.limit = row["reserved"]
    invocation.unreserved = limits.ACCOUNT_CONCURRENCY - row["reserved_in_all"]
    name = row["name"]
    with call.span(name, "invocation", request_id=invocation.request_id, version=row["version"]) as child:
        # AWS samples where the function asks for tracing; the trace itself goes on either way.
        invocation.trace = child.trace._replace(sampled=function.traced).header
        try:
            outcome = await home.fleet.invoke(function, invocation)
        except Throttled as throttled:
            call.metric("AWS/Lambda", "Throttles", 1, FunctionName=name)
            raise TooManyRequestsException(Reason=throttled.reason) from None
        outcome.request_id, outcome.version = invocation.request_id, row["version"]
        child.annotate(
            failure=_failure(outcome) if outcome.failed else None,
            duration_ms=round(outcome.duration_ms, 3),
            billed_ms=outcome.billed_ms,
            init_ms=outcome.init_ms,
            memory_mb=outcome.memory_mb,
            memory_size_mb=function.memory_mb,
            log_stream=outcome.log_stream,
        )
    points = (
        ("Invocations", 1.0, "Count"),
        ("Errors", float(outcome.failed), "Count"),
        ("Duration", round(outcome.duration_ms, 2), "Milliseconds"),
        ("ConcurrentExecutions", home.fleet.concurrency(function.key) + 1.0, "Count"),
    )
    call.metrics("AWS/Lambda", points, (("FunctionName", name),))
    return outcome


def _failure(outcome: Outcome) -> str:
    try:
        body = json.loads(outcome.payload)
        return f"{body.get('errorType')}: {body.get('errorMessage')}"
    except (ValueError, AttributeError):
        return "Unhandled"
