"""Subscription filters: a group's lines passed on as they come."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import AwsError, Call, operation

from . import following, names
from .destinations import target_of
from .errors import (
    AccessDeniedException,
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from .events import compiled
from .names import ms
from .pages import paged

_MAX_FILTERS = 2
_PAGE = 50
_WITH_ROLE = {"kinesis", "firehose"}
# What a destination is asked to see whether it is there: service part of the ARN to operation, member, and the refusal.
_LOOKS = {
    "lambda": (
        "get_function",
        "FunctionName",
        "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
        "function.",
    ),
    "kinesis": (
        "describe_stream_summary",
        "StreamARN",
        "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE "
        "state.",
    ),
}


@operation
def put_subscription_filter(
    call: Call,
    log_group_name: str,
    filter_name: str,
    filter_pattern: str,
    destination_arn: str,
    role_arn: str | None = None,
    distribution: str = "ByLogStream",
) -> None:
    parts = destination_arn.split(":", 5)
    if len(parts) < 6:
        raise InvalidParameterException("Invalid destinationArn")
    kind, account = parts[2], parts[4]
    if kind == "lambda" and account != call.account:
        raise AccessDeniedException
    if kind in _WITH_ROLE and role_arn is None:
        raise InvalidParameterException(f"destinationArn for vendor {kind} cannot be used without roleArn")
    group = names.get(call, log_group_name)
    compiled(filter_pattern)
    _look(call, kind, destination_arn)
    others = call.tx.value(
        "SELECT count(*) FROM logs_filter WHERE log_group = ? AND kind = 'subscription' AND name <> ?",
        group.key,
        filter_name,
    )
    if others >= _MAX_FILTERS:
        raise LimitExceededException
    following.put(
        call,
        group,
        "subscription",
        filter_name,
        filter_pattern,
        destination=destination_arn,
        role=role_arn,
        distribution=distribution,
    )


@operation
def describe_subscription_filters(
    call: Call,
    log_group_name: str,
    filter_name_prefix: str = "",
    next_token: str | None = None,
    limit: int = _PAGE,
) -> dict[str, Any]:
    group = names.get(call, log_group_name)
    rows = call.tx.all(
        "SELECT * FROM logs_filter WHERE log_group = ? AND kind = 'subscription' ORDER BY name", group.key
    )
    wanted = [row for row in rows if row["name"].startswith(filter_name_prefix)]
    page, more = paged(wanted, limit, next_token, lambda row: str(row["name"]))
    return {
        "subscriptionFilters": [
            {
                "filterName": row["name"],
                "logGroupName": group.name,
                "filterPattern": row["pattern"],
                "destinationArn": row["destination"],
                "roleArn": row["role"],
                "distribution": row["distribution"],
                "applyOnTransformedLogs": False,
                "creationTime": ms(row["created_at"]),
            }
            for row in page
        ],
        "nextToken": more,
    }


@operation
def delete_subscription_filter(call: Call, log_group_name: str, filter_name: str) -> None:
    group = names.get(call, log_group_name)
    if not following.remove(call, group, "subscription", filter_name):
        raise ResourceNotFoundException(what="subscription filter")


def _look(call: Call, kind: str, arn: str) -> None:
    """A destination that is not there is refused now, not found out with the first line."""
    if kind == "logs":
        target_of(call, arn)
        return
    if kind not in _LOOKS:
        return
    operation_name, member, refusal = _LOOKS[kind]
    try:
        getattr(call.api(kind), operation_name)(**{member: arn})
    except AwsError as error:
        raise InvalidParameterException(refusal) from error
