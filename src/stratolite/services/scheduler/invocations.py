"""Invocations: when a schedule comes due, and what its target gets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from stratolite.kernel import Call, Retry, job
from stratolite.languages import arns, schedules

_INSTANT_S = 0.001  # what lies just before an instant counts from it on


def begin(call: Call, row: Any) -> None:
    """Invoke from now on by what the row says, instead of whatever was planned before."""
    end(call, row)
    if row["state"] == "ENABLED":
        # A rate counts from the start date, or else begins at once.
        # https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based
        _plan(call, row["key"], json.loads(row["document"]), row["created_at"], call.now - _INSTANT_S)


def end(call: Call, row: Any) -> None:
    """No invocation any more."""
    if row["job"] is not None:
        call.cancel(row["job"])
        call.tx.run("UPDATE scheduler_schedule SET job = NULL WHERE key = ?", row["key"])


def _plan(call: Call, key: int, document: dict[str, Any], created_at: float, after: float) -> bool:
    """A job for the next invocation later than `after`; False when there is none."""
    schedule = schedules.parse(document["ScheduleExpression"], document["ScheduleExpressionTimezone"])
    start, last = document.get("StartDate"), document.get("EndDate")
    anchor = start if start is not None else created_at
    at = schedule.next_after(after if start is None else max(after, start - _INSTANT_S), anchor)
    if at is None or (last is not None and at > last):
        call.tx.run("UPDATE scheduler_schedule SET job = NULL WHERE key = ?", key)
        return False
    window = document["FlexibleTimeWindow"]
    late_s = call.world.random.random() * 60 * window["MaximumWindowInMinutes"] if window["Mode"] == "FLEXIBLE" else 0
    planned = call.later("scheduler.invoke", at + late_s, None, None, schedule=key, at=at)
    call.tx.run("UPDATE scheduler_schedule SET job = ? WHERE key = ?", planned, key)
    return True


@job
def invoke(call: Call, schedule: int, at: float) -> None:
    """One invocation, and the plan of the next, in one commit."""
    row = call.tx.one(
        """SELECT s.*, g.name AS group_name FROM scheduler_schedule s JOIN scheduler_group g ON g.key = s.grp
            WHERE s.key = ? AND s.job = ?""",
        schedule, call.job,
    )  # fmt: skip
    if row is None:
        return
    document = json.loads(row["document"])
    arn = f"arn:aws:scheduler:{call.region}:{call.account}:schedule/{row['group_name']}/{row['name']}"
    _send(call, arn, document["Target"], at)
    if not _plan(call, schedule, document, row["created_at"], at) and document["ActionAfterCompletion"] == "DELETE":
        call.tx.run("DELETE FROM scheduler_schedule WHERE key = ?", schedule)


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _send(call: Call, arn: str, target: dict[str, Any], at: float) -> None:
    to = arns.parse(target["Arn"])
    text = target.get("Input") or ("{}" if to.service == "scheduler" else _default(call, arn, at))
    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    # AWS: the number of each attempt. Here: of the first, whichever it is; the input is filled once.
    attributes = {
        "<aws.scheduler.schedule-arn>": arn,
        "<aws.scheduler.scheduled-time>": _instant(at),
        "<aws.scheduler.execution-id>": call.world.id(),
        "<aws.scheduler.attempt-number>": "1",
    }
    for name, value in attributes.items():
        text = text.replace(name, value)
    context: dict[str, Any] = {"schedule_arn": arn, "scheduled_time": _instant(at)}
    if to.service == "sqs" and target.get("SqsParameters"):
        context["message_group_id"] = target["SqsParameters"]["MessageGroupId"]
    if to.service == "kinesis" and target.get("KinesisParameters"):
        context["partition_key"] = target["KinesisParameters"]["PartitionKey"]
    if to.service == "events" and target.get("EventBridgeParameters"):
        text = _event(call, target["EventBridgeParameters"], text)
    policy = target["RetryPolicy"]
    call.deliver(
        to=target["Arn"],
        payload=text,
        source="scheduler",
        retry=Retry(policy["MaximumRetryAttempts"], float(policy["MaximumEventAgeInSeconds"]), "events"),
        dead_letter=(target.get("DeadLetterConfig") or {}).get("Arn"),
        context=context,
    )


def _default(call: Call, arn: str, at: float) -> str:
    """What a target gets that was given no input. Its detail is a text."""
    event = {
        "version": "0",
        "id": call.world.id(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": call.account,
        "time": _instant(at),
        "region": call.region,
        "resources": [arn],
        "detail": "{}",
    }
    return json.dumps(event, separators=(",", ":"))


def _event(call: Call, parameters: dict[str, str], text: str) -> str:
    """PutEvents to a bus: the input is the detail."""
    try:
        detail = json.loads(text)
    except (ValueError, RecursionError):
        detail = None
    event = {
        "version": "0",
        "id": call.world.id(),
        "detail-type": parameters["DetailType"],
        "source": parameters["Source"],
        "account": call.account,
        "time": _instant(call.now),
        "region": call.region,
        "resources": [],
        "detail": detail,
    }
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)
