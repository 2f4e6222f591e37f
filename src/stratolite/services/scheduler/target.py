"""Universal targets: any operation of any service that is here; and what a dead letter of a schedule tells."""

from __future__ import annotations

import inspect
import json

from botocore import xform_name

from stratolite.kernel import AwsError, Call, Delivery, Failure, Message, Undeliverable, dead_letter, target
from stratolite.languages import arns

# Names in universal targets that are not botocore's.
_SERVICES = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}


@target("scheduler")
async def call_operation(call: Call, delivery: Delivery) -> None:
    """`arn:aws:scheduler:::aws-sdk:sqs:sendMessage` with the operation's members as input.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
    """
    parts = arns.parse(delivery.to).resource.split(":")
    if len(parts) != 3 or parts[0] != "aws-sdk":
        raise Undeliverable("ValidationException", f"{delivery.to} is not a valid target.", retry=False)
    service = _SERVICES.get(parts[1], parts[1])
    try:
        members = json.loads(delivery.payload or b"{}")
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise Undeliverable("ValidationException", "The input is not a JSON object.", retry=False)
    try:
        name = xform_name(parts[2][:1].upper() + parts[2][1:])
        answer = getattr(call.api(service), name)(**members)
        if inspect.isawaitable(answer):
            await answer
    except AwsError as error:
        raise Undeliverable(str(error.code), error.message, retry=error.is_transient) from error


@dead_letter("scheduler")
def letter(call: Call, delivery: Delivery, failure: Failure) -> Message:
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html"""
    attributes = {
        "SCHEDULE_ARN": delivery.context.get("schedule_arn", ""),
        "SCHEDULED_TIME": delivery.context.get("scheduled_time", ""),
        "TARGET_ARN": delivery.to,
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": failure.message,
        "EXHAUSTED_RETRY_CONDITION": failure.exhausted,
        "RETRY_ATTEMPTS": str(failure.attempts - 1),
        "IS_PAYLOAD_TRUNCATED": "false",
    }
    shown = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value}
    return Message(delivery.payload, shown)
