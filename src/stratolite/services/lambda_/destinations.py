"""Destinations: how the asynchronous invocations of a qualifier are retried and where they end.

https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
"""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row
from stratolite.languages import arns

from . import names
from .errors import InvalidParameterValueException, ResourceNotFoundException
from .names import LATEST

SERVICES = frozenset({"sqs", "sns", "lambda", "events"})
FAILURE_SERVICES = SERVICES | {"s3"}


def _row(call: Call, which: names.Named) -> Row | None:
    function = names.look(call, which)
    if function is None:
        return None
    return call.tx.one(
        "SELECT * FROM lambda_event_invoke WHERE function = ? AND qualifier = ?",
        function["key"],
        which.qualifier or LATEST,
    )


def _found(call: Call, which: names.Named) -> Row:
    row = _row(call, which)
    if row is None:
        raise ResourceNotFoundException(f"The function {which.qualified(LATEST)} doesn't have an EventInvokeConfig")
    return row


def _shown(row: Row, which: names.Named) -> dict[str, Any]:
    ends = {"OnSuccess": row["on_success"], "OnFailure": row["on_failure"]}
    return {
        "LastModified": row["modified_at"],
        "FunctionArn": f"{which.arn}:{row['qualifier']}",
        "MaximumRetryAttempts": row["retries"],
        "MaximumEventAgeInSeconds": row["max_age_s"],
        "DestinationConfig": {name: {"Destination": arn} if arn else {} for name, arn in ends.items()},
    }


def _check(call: Call, which: names.Named, config: dict[str, Any] | None) -> tuple[str | None, str | None]:
    """The two ARNs of a DestinationConfig, None where there is none."""
    found = []
    for name, services in (("OnSuccess", SERVICES), ("OnFailure", FAILURE_SERVICES)):
        arn = ((config or {}).get(name) or {}).get("Destination") or None
        found.append(arn)
        if arn is None:
            continue
        try:
            parsed = arns.parse(arn)
        except arns.ArnError:
            parsed = None
        if parsed is None or parsed.service not in services:
            shown = {key: ((config or {}).get(key) or {}).get("Destination") for key in ("OnSuccess", "OnFailure")}
            texts = [
                f"{key[0].lower()}{key[1:]}=" + (f"{key}(destination={value})" if value else "null")
                for key, value in shown.items()
            ]
            raise InvalidParameterValueException(
                f"The provided destination config DestinationConfig({', '.join(texts)}) is invalid."
            )
        if parsed.service == "lambda":
            target = names.named(call, arn)
            if target.arn == which.arn:
                raise InvalidParameterValueException("You can't specify the function as a destination for itself.")
            if names.look(call, target) is None:
                raise InvalidParameterValueException(f"The destination ARN {arn} is invalid.")
        if parsed.service == "sqs" and arn.endswith(".fifo"):
            raise InvalidParameterValueException(
                "The provided destination config DestinationConfig is invalid: FIFO queues are not supported."
            )
    return found[0], found[1]


def _write(
    call: Call,
    function_name: str,
    qualifier: str | None,
    retries: int | None,
    age_s: int | None,
    config: Any,
    keep: bool,
) -> dict[str, Any]:
    which = names.named(call, function_name, qualifier)
    if retries is None and age_s is None and config is None:
        raise InvalidParameterValueException("You must specify at least one of error handling or destination setting.")
    function = names.look(call, which)
    if function is None:
        raise ResourceNotFoundException("The function doesn't exist.")
    try:
        names.version(call, which)
    except ResourceNotFoundException:
        raise ResourceNotFoundException("The function doesn't exist.") from None
    on_success, on_failure = _check(call, which, config)
    if keep and (was := _row(call, which)) is not None:
        retries = was["retries"] if retries is None else retries
        age_s = was["max_age_s"] if age_s is None else age_s
        if config is None:
            on_success, on_failure = was["on_success"], was["on_failure"]
    elif keep:
        raise ResourceNotFoundException(f"The function {which.qualified(LATEST)} doesn't have an EventInvokeConfig")
    call.tx.run(
        "INSERT OR REPLACE INTO lambda_event_invoke (function, qualifier, retries, max_age_s, on_success, on_failure,"
        " modified_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        function["key"], which.qualifier or LATEST, retries, age_s, on_success, on_failure, call.now,
    )  # fmt: skip
    return _shown(_found(call, which), which)


@operation
def put_function_event_invoke_config(
    call: Call,
    function_name: str,
    qualifier: str | None = None,
    maximum_retry_attempts: int | None = None,
    maximum_event_age_in_seconds: int | None = None,
    destination_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return _write(
        call, function_name, qualifier, maximum_retry_attempts, maximum_event_age_in_seconds, destination_config, False
    )


@operation
def update_function_event_invoke_config(
    call: Call,
    function_name: str,
    qualifier: str | None = None,
    maximum_retry_attempts: int | None = None,
    maximum_event_age_in_seconds: int | None = None,
    destination_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return _write(
        call, function_name, qualifier, maximum_retry_attempts, maximum_event_age_in_seconds, destination_config, True
    )


@operation
def get_function_event_invoke_config(call: Call, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    which = names.named(call, function_name, qualifier)
    return _shown(_found(call, which), which)


@operation
def delete_function_event_invoke_config(call: Call, function_name: str, qualifier: str | None = None) -> None:
    which = names.named(call, function_name, qualifier)
    row = _found(call, which)
    call.tx.run(
        "DELETE FROM lambda_event_invoke WHERE function = ? AND qualifier = ?", row["function"], row["qualifier"]
    )


@operation
def list_function_event_invoke_configs(
    call: Call, function_name: str, marker: str | None = None, max_items: int = 50
) -> dict[str, Any]:
    which = names.named(call, function_name)
    function = names.look(call, which)
    if function is None:
        raise ResourceNotFoundException("The function doesn't exist.")
    rows = call.tx.all(
        "SELECT * FROM lambda_event_invoke WHERE function = ? AND qualifier > ? ORDER BY qualifier LIMIT ?",
        function["key"], marker or "", min(max_items, 50) + 1,
    )  # fmt: skip
    page = rows[: min(max_items, 50)]
    found: dict[str, Any] = {"FunctionEventInvokeConfigs": [_shown(row, which) for row in page]}
    if len(rows) > len(page):
        found["NextMarker"] = page[-1]["qualifier"]
    return found
