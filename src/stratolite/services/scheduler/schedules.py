"""Schedules: made, described, listed, changed, deleted."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stratolite.kernel import Call, operation
from stratolite.languages import arns
from stratolite.languages import schedules as expressions

from . import groups, invocations
from .errors import ConflictException, ResourceNotFoundException, ValidationException
from .pages import page

KIND = "Schedule"
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
RETRY = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
UNIVERSAL = "aws-sdk:"


def schedule_arn(group: Any, name: str) -> str:
    return f"arn:aws:scheduler:{group['region']}:{group['account']}:schedule/{group['name']}/{name}"


def _look(call: Call, group: Any, name: str) -> Any:
    return call.tx.one("SELECT * FROM scheduler_schedule WHERE grp = ? AND name = ?", group["key"], name)


def _find(call: Call, group_name: str | None, name: str) -> tuple[Any, Any]:
    group = groups.find(call, group_name or groups.DEFAULT)
    row = _look(call, group, name)
    if row is None:
        raise ResourceNotFoundException(kind=KIND, name=name)
    return group, row


def _epoch(value: float | datetime | None) -> float | None:
    return value.timestamp() if isinstance(value, datetime) else value


def _document(
    expression: str,
    target: dict[str, Any],
    window: dict[str, Any],
    zone: str | None,
    start: float | None,
    end: float | None,
    description: str | None,
    state: str | None,
    key: str | None,
    after: str | None,
) -> dict[str, Any]:
    """What a schedule is, with AWS's defaults; ValidationException when it is none."""
    try:
        expressions.parse(expression)
        ZoneInfo(zone or "UTC")
    except expressions.ScheduleError:
        raise ValidationException(f"Invalid Schedule Expression {expression}.") from None
    except (ZoneInfoNotFoundError, ValueError):
        raise ValidationException(f"Invalid ScheduleExpressionTimezone {zone}.") from None
    if window["Mode"] == "FLEXIBLE" and not window.get("MaximumWindowInMinutes"):
        raise ValidationException("MaximumWindowInMinutes is required when FlexibleTimeWindow Mode is FLEXIBLE.")
    if start is not None and end is not None and end <= start:
        raise ValidationException("The EndDate must be later than the StartDate.")
    try:
        arns.parse(target["Arn"])
    except arns.ArnError:
        raise ValidationException(f"Provided Arn {target['Arn']} is not in correct format.") from None
    given = {
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": zone or "UTC",
        "StartDate": start,
        "EndDate": end,
        "Description": description,
        "State": state or "ENABLED",
        "KmsKeyArn": key,
        "Target": {**target, "RetryPolicy": {**RETRY, **(target.get("RetryPolicy") or {})}},
        "FlexibleTimeWindow": window,
        "ActionAfterCompletion": after or "NONE",
    }
    return {name: value for name, value in given.items() if value is not None}


# What these say has no effect here: their services are not part of Stratolite, or their way in is not.
_NOT_EMULATED = [
    "KmsKeyArn",
    "Target.EcsParameters",
    "Target.SageMakerPipelineParameters",
    "Target.EventBridgePutEventsV2Parameters",
    "Target.EventBridgePutRawEventsParameters",
]


@operation(ignores=_NOT_EMULATED)
def create_schedule(
    call: Call,
    name: str,
    schedule_expression: str,
    target: dict[str, Any],
    flexible_time_window: dict[str, Any],
    group_name: str | None = None,
    start_date: float | None = None,
    end_date: float | None = None,
    description: str | None = None,
    schedule_expression_timezone: str | None = None,
    state: str | None = None,
    kms_key_arn: str | None = None,
    client_token: str | None = None,
    action_after_completion: str | None = None,
) -> dict[str, Any]:
    document = _document(
        schedule_expression, target, flexible_time_window, schedule_expression_timezone, _epoch(start_date),
        _epoch(end_date), description, state, kms_key_arn, action_after_completion,
    )  # fmt: skip
    group = groups.find(call, group_name or groups.DEFAULT)
    known = _look(call, group, name)
    if known is not None:
        if client_token is None or known["token"] != client_token:
            raise ConflictException(kind=KIND, name=name)
        return {"ScheduleArn": schedule_arn(group, name)}
    call.tx.run(
        """INSERT INTO scheduler_schedule (grp, name, document, state, token, created_at, modified_at)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        group["key"], name, json.dumps(document), document["State"], client_token, call.now, call.now,
    )  # fmt: skip
    invocations.begin(call, _look(call, group, name))
    return {"ScheduleArn": schedule_arn(group, name)}


@operation(ignores=_NOT_EMULATED)
def update_schedule(
    call: Call,
    name: str,
    schedule_expression: str,
    target: dict[str, Any],
    flexible_time_window: dict[str, Any],
    group_name: str | None = None,
    start_date: float | None = None,
    end_date: float | None = None,
    description: str | None = None,
    schedule_expression_timezone: str | None = None,
    state: str | None = None,
    kms_key_arn: str | None = None,
    client_token: str | None = None,
    action_after_completion: str | None = None,
) -> dict[str, Any]:
    """All of a schedule is replaced: what is not given falls back to its default."""
    document = _document(
        schedule_expression, target, flexible_time_window, schedule_expression_timezone, _epoch(start_date),
        _epoch(end_date), description, state, kms_key_arn, action_after_completion,
    )  # fmt: skip
    group, row = _find(call, group_name, name)
    call.tx.run(
        "UPDATE scheduler_schedule SET document = ?, state = ?, modified_at = ? WHERE key = ?",
        json.dumps(document), document["State"], call.now, row["key"],
    )  # fmt: skip
    invocations.begin(call, _look(call, group, name))
    return {"ScheduleArn": schedule_arn(group, name)}


@operation
def get_schedule(call: Call, name: str, group_name: str | None = None) -> dict[str, Any]:
    group, row = _find(call, group_name, name)
    return {
        "Arn": schedule_arn(group, name),
        "GroupName": group["name"],
        "Name": name,
        **json.loads(row["document"]),
        "CreationDate": row["created_at"],
        "LastModificationDate": row["modified_at"],
    }


@operation
def list_schedules(
    call: Call,
    group_name: str | None = None,
    name_prefix: str | None = None,
    state: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    if group_name is not None:
        groups.find(call, group_name)
    rows, token = page(
        lambda after, count: call.tx.all(
            """SELECT s.*, g.name AS group_name, g.account, g.region, g.name || '/' || s.name AS place
                 FROM scheduler_schedule s JOIN scheduler_group g ON g.key = s.grp
                WHERE g.account = ? AND g.region = ? AND ? IN ('', g.name) AND ? IN ('', s.state)
                  AND substr(s.name, 1, ?) = ? AND place > ?
                ORDER BY place LIMIT ?""",
            call.account, call.region, group_name or "", state or "", len(name_prefix or ""), name_prefix or "",
            after, count,
        ),
        max_results, next_token, lambda row: row["place"],
    )  # fmt: skip
    return {"Schedules": [_summary(row) for row in rows], "NextToken": token}


def _summary(row: Any) -> dict[str, Any]:
    group = {"region": row["region"], "account": row["account"], "name": row["group_name"]}
    return {
        "Arn": schedule_arn(group, row["name"]),
        "Name": row["name"],
        "GroupName": row["group_name"],
        "State": row["state"],
        "Target": {"Arn": json.loads(row["document"])["Target"]["Arn"]},
        "CreationDate": row["created_at"],
        "LastModificationDate": row["modified_at"],
    }


@operation
def delete_schedule(
    call: Call, name: str, group_name: str | None = None, client_token: str | None = None
) -> dict[str, Any]:
    _, row = _find(call, group_name, name)
    invocations.end(call, row)
    call.tx.run("DELETE FROM scheduler_schedule WHERE key = ?", row["key"])
    return {}
