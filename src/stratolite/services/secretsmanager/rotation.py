"""Rotation: a function gives a secret its next value, in four steps, on a schedule.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-function-overview.html
"""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import AwsError, Call, job, operation
from stratolite.languages import schedules

from . import names, values
from .errors import AccessDeniedException, InvalidParameterException, InvalidRequestException, ResourceNotFoundException
from .names import Secret

_STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
_TRIAL = ["testSecret"]  # what AWS does to test the configuration when it is not to rotate at once
_DAY_S = 86400.0


@operation
def rotate_secret(
    call: Call,
    secret_id: str,
    client_request_token: str | None = None,
    rotation_lambda_arn: str | None = None,
    rotation_rules: dict[str, Any] | None = None,
    rotate_immediately: bool = True,
) -> dict[str, Any]:
    if client_request_token is None:
        raise InvalidParameterException("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    secret = names.get_primary(call, secret_id)
    function = rotation_lambda_arn or secret.row["rotation_lambda"]
    if not function:
        raise InvalidRequestException("No Lambda rotation function ARN is associated with this secret.")
    _check_function(call, function)
    rules = rotation_rules or json.loads(secret.row["rotation_rules"] or "{}")
    pending = values.holder_of(call, secret.key, "AWSPENDING")
    current = values.holder_of(call, secret.key, "AWSCURRENT")
    if current is None:
        raise ResourceNotFoundException(
            "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
        )
    if pending not in (None, current, client_request_token):
        raise InvalidRequestException("A previous rotation isn't complete. That rotation will be reattempted.")
    call.tx.run(
        """UPDATE secretsmanager_secret
           SET rotation_enabled = 1, rotation_lambda = ?, rotation_rules = ?, changed_at = ? WHERE key = ?""",
        function,
        json.dumps(rules),
        call.now,
        secret.key,
    )
    _schedule(call, secret.key, rules)
    _start(call, secret.key, client_request_token, _STEPS if rotate_immediately else _TRIAL)
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": client_request_token}


@operation
def cancel_rotate_secret(call: Call, secret_id: str) -> dict[str, Any]:
    """Turns automatic rotation off. A version that is pending stays so, as on AWS."""
    secret = names.get_primary(call, secret_id)
    call.tx.run(
        """UPDATE secretsmanager_secret
           SET rotation_enabled = 0, rotate_at = NULL, rotation_lambda = NULL, rotation_rules = NULL WHERE key = ?""",
        secret.key,
    )
    pending = values.holder_of(call, secret.key, "AWSPENDING")
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": pending}


@job
def rotation_due(call: Call, secret: int, at: float) -> None:
    """Begins the rotation that a secret's schedule asks for, or takes up the one that did not end."""
    row = call.tx.one("SELECT * FROM secretsmanager_secret WHERE key = ?", secret)
    if row is None or row["rotate_at"] != at or not row["rotation_enabled"] or row["delete_at"] is not None:
        return
    _schedule(call, secret, json.loads(row["rotation_rules"]))
    pending = values.holder_of(call, secret, "AWSPENDING")
    unfinished = pending if pending != values.holder_of(call, secret, "AWSCURRENT") else None
    _start(call, secret, unfinished or call.world.id(), _STEPS)


@job
async def rotate(call: Call, secret: int, token: str, steps: list[str]) -> None:
    """Calls the function for each step and stops at the first that fails; the version then stays pending."""
    row = call.tx.one("SELECT * FROM secretsmanager_secret WHERE key = ?", secret)
    if row is None or not row["rotation_lambda"]:
        return
    arn = Secret(row, row["region"]).arn
    for step in steps:
        event = {"Step": step, "SecretId": arn, "ClientRequestToken": token, "RotationToken": call.world.id()}
        answer = await call.api("lambda", account=row["account"], region=row["region"]).invoke(
            FunctionName=row["rotation_lambda"], Payload=json.dumps(event).encode()
        )
        if answer.get("FunctionError"):
            break
    with call.settle() as c:
        if steps == _TRIAL:
            _drop_trial(c, secret, token)
        elif values.holder_of(c, secret, "AWSCURRENT") == token:
            c.tx.run("UPDATE secretsmanager_secret SET rotated_at = ? WHERE key = ?", c.now, secret)


def _start(call: Call, secret: int, token: str, steps: list[str]) -> None:
    """Makes the pending version, still without a value, and the job that has the function fill it."""
    call.tx.run(
        """INSERT INTO secretsmanager_version (secret, id, created_at) VALUES (?, ?, ?)
           ON CONFLICT (secret, id) DO NOTHING""",
        secret,
        token,
        call.now,
    )
    values.attach(call, secret, token, "AWSPENDING")
    call.later(
        "secretsmanager.rotate", None, f"secretsmanager.rotate:{secret}", secret=secret, token=token, steps=steps
    )


def _drop_trial(call: Call, secret: int, token: str) -> None:
    call.tx.run(
        "DELETE FROM secretsmanager_stage WHERE secret = ? AND label = 'AWSPENDING' AND version = ?", secret, token
    )
    call.tx.run(
        "DELETE FROM secretsmanager_version WHERE secret = ? AND id = ? AND string IS NULL AND binary IS NULL",
        secret,
        token,
    )


def _schedule(call: Call, secret: int, rules: dict[str, Any]) -> None:
    at = _next(rules, call.now)
    call.tx.run("UPDATE secretsmanager_secret SET rotate_at = ? WHERE key = ?", at, secret)
    if at is not None:
        call.later("secretsmanager.rotation_due", at, secret=secret, at=at)


def _next(rules: dict[str, Any], now: float) -> float | None:
    """The next rotation. AWS: some time in a window of that day. Here: at its beginning."""
    if days := rules.get("AutomaticallyAfterDays"):
        return now + float(days) * _DAY_S
    if expression := rules.get("ScheduleExpression"):
        return schedule(expression).next_after(now, now)
    return None


def schedule(expression: str) -> schedules.Schedule:
    try:
        return schedules.parse_rule(expression)
    except schedules.ScheduleError:
        raise InvalidParameterException("Invalid ScheduleExpression.") from None


def _check_function(call: Call, function: str) -> None:
    try:
        call.api("lambda").get_function(FunctionName=function)
    except AwsError as error:
        raise AccessDeniedException from error
