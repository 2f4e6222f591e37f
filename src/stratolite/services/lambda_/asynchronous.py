"""Asynchronous: events accepted to be run later: tried again, sent on, never lost.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: two retries, after one and two
minutes, for errors of the function; throttles are tried again for up to six hours, a second to five minutes apart.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from stratolite.kernel import Call, Retry, job
from stratolite.kernel.store import Row
from stratolite.runtimes.function import Invocation

from . import invocations, names, versions
from .errors import ResourceNotFoundException, TooManyRequestsException

RETRY_AFTER_S = (60.0, 120.0)
RETRIES = 2
MAX_AGE_S = 21_600
BUSY_S = (1.0, 300.0)
"""The first and the longest wait after a throttle."""
ERROR_MESSAGE_CHARS = 1024
SEND = Retry(attempts=5, max_age_s=3600.0, backoff="internal")


def accept(call: Call, which: names.Named, body: bytes, request_id: str) -> None:
    """An event, in this transaction."""
    call.later(
        "lambda.event",
        function=which.qualified(),
        event=body.decode(),
        request_id=request_id,
        accepted_at=call.now,
        attempt=1,
        waits=0,
    )
    call.metric("AWS/Lambda", "AsyncEventsReceived", 1, FunctionName=which.name)


@job(lane="lambda-events")
async def event(
    call: Call, function: str, event: str, request_id: str, accepted_at: float, attempt: int, waits: int
) -> None:
    """Run an event once; what follows (a retry, a destination) is written with this job's end."""
    which = names.named(call, function)
    try:
        row = versions.routed(call, which)
    except ResourceNotFoundException:
        return
    retries, max_age_s, on_success, on_failure = _policy(call, row, which.qualifier)
    ask = {"function": function, "event": event, "request_id": request_id, "accepted_at": accepted_at}
    if row["reserved"] == 0:
        # Nothing can run it before somebody changes that: AWS does not even try.
        with call.settle() as c:
            _give_up(c, row, which, ask, "ZeroReservedConcurrency", 0, None, on_failure)
        return
    if call.now - accepted_at > max_age_s:
        with call.settle() as c:
            _give_up(c, row, which, ask, "EventAgeExceeded", attempt - 1, None, on_failure)
        return
    invocation = Invocation(request_id, event.encode(), which.qualified())
    try:
        outcome = await invocations.run(call, row, invocation)
    except TooManyRequestsException:
        wait_s = min(BUSY_S[1], BUSY_S[0] * 2 ** min(waits, 10))
        with call.settle() as c:
            if c.now + wait_s - accepted_at > max_age_s:
                _give_up(c, row, which, ask, "EventAgeExceeded", attempt, None, on_failure)
            else:
                c.later("lambda.event", c.now + wait_s, **ask, attempt=attempt, waits=waits + 1)
        return
    with call.settle() as c:
        result = _result(row, outcome.payload, outcome.failed)
        if not outcome.failed:
            if on_success:
                _send(c, row, which, on_success, record(c, which, ask, "Success", attempt, result))
            return
        wait_s = RETRY_AFTER_S[min(attempt, len(RETRY_AFTER_S)) - 1]
        if attempt > retries:
            _give_up(c, row, which, ask, "RetriesExhausted", attempt, result, on_failure)
        elif c.now + wait_s - accepted_at > max_age_s:
            _give_up(c, row, which, ask, "EventAgeExceeded", attempt, result, on_failure)
        else:
            c.later("lambda.event", c.now + wait_s, **ask, attempt=attempt + 1, waits=0)


def _policy(call: Call, row: Row, qualifier: str | None) -> tuple[int, int, str | None, str | None]:
    """Retries, age, destinations: of the qualifier the event was sent to."""
    found = call.tx.one(
        "SELECT * FROM lambda_event_invoke WHERE function = ? AND qualifier = ?",
        row["function"],
        qualifier or names.LATEST,
    )
    if found is None:
        return RETRIES, MAX_AGE_S, None, None
    retries = RETRIES if found["retries"] is None else found["retries"]
    return retries, found["max_age_s"] or MAX_AGE_S, found["on_success"], found["on_failure"]


def _result(row: Row, payload: bytes, failed: bool) -> dict[str, Any]:
    context = {"statusCode": 200, "executedVersion": row["version"]}
    if failed:
        context["functionError"] = "Unhandled"
    try:
        body = json.loads(payload)
    except ValueError:
        body = payload.decode("utf-8", "replace")
    return {"responseContext": context, "responsePayload": body}


def record(
    call: Call, which: names.Named, ask: dict[str, Any], condition: str, invoked: int, result: dict[str, Any] | None
) -> dict[str, Any]:
    """What a destination is told.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations
    """
    return {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(call.now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": ask["request_id"],
            "functionArn": which.qualified(names.LATEST),
            "condition": condition,
            "approximateInvokeCount": invoked,
        },
        "requestPayload": json.loads(ask["event"]),
        **(result or {}),
    }


def _give_up(
    call: Call,
    row: Row,
    which: names.Named,
    ask: dict[str, Any],
    condition: str,
    invoked: int,
    result: dict[str, Any] | None,
    on_failure: str | None,
) -> None:
    call.metric("AWS/Lambda", "AsyncEventsDropped", 1, FunctionName=which.name)
    if on_failure:
        _send(call, row, which, on_failure, record(call, which, ask, condition, invoked, result))
    letters = json.loads(row["config"]).get("DeadLetterConfig", {}).get("TargetArn")
    if letters:
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq
        error = (result or {}).get("responsePayload")
        message = error.get("errorMessage", "") if isinstance(error, dict) else ""
        attributes = {"RequestID": ("String", ask["request_id"]), "ErrorCode": ("Number", "200")}
        if message:
            attributes["ErrorMessage"] = ("String", message[:ERROR_MESSAGE_CHARS])
        shaped = {name: {"DataType": kind, "StringValue": text} for name, (kind, text) in attributes.items()}
        call.deliver(
            to=letters, payload=ask["event"], source="lambda", retry=SEND, context={"message_attributes": shaped}
        )


def _send(call: Call, row: Row, which: names.Named, to: str, told: dict[str, Any]) -> None:
    payload = told
    if to.split(":")[2] == "events":
        succeeded = told["requestContext"]["condition"] == "Success"
        payload = {
            "version": "0",
            "id": call.world.id(),
            "detail-type": f"Lambda Function Invocation Result - {'Success' if succeeded else 'Failure'}",
            "source": "lambda",
            "account": which.account,
            "time": told["timestamp"].partition(".")[0] + "Z",
            "region": which.region,
            "resources": [to, which.qualified(names.LATEST)],
            "detail": told,
        }
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    call.deliver(to=to, payload=text, source="lambda", retry=SEND)
    call.metric("AWS/Lambda", "DestinationDeliveryFailures", 0, FunctionName=which.name)
