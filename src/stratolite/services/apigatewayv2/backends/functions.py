"""Functions: invoked for a request, and what they gave back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from stratolite.kernel import AwsError, Call
from stratolite.wire.http1 import Response

from .. import answers, grants, payloads
from ..payloads import Exchange

TIMEOUT_S = 30.0

_STATUS = {
    "RequestTooLargeException": 413,
    "RequestEntityTooLargeException": 413,
    "TooManyRequestsException": 503,
    "ServiceException": 503,
}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_under_way: set[asyncio.Task[Any]] = set()
"""Invocations whose gateway gave up waiting: on AWS they go on, too."""


class Failed(Exception):
    """The invocation gave no result; `status` is what the caller is told."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


async def proxy(call: Call, exchange: Exchange, integration: Mapping[str, Any], source: str) -> Response:
    """A request as an event, and the function's result as a response."""
    version = integration["PayloadFormatVersion"]
    function = grants.function_arn(integration["IntegrationUri"], exchange.stage_variables)
    event = payloads.INTEGRATION[version](exchange)
    try:
        payload = await invoke(
            call, exchange, function, source, event, integration["TimeoutInMillis"] / 1000,
            integration.get("CredentialsArn"),
        )  # fmt: skip
        return answers.interpreted(version, payload)
    except Failed as failure:
        exchange.notes |= {"integrationErrorMessage": str(failure), "integration.error": str(failure)}
        return answers.own(failure.status)
    except answers.NotAnAnswer as problem:
        exchange.notes |= {"integrationErrorMessage": f"The response from the Lambda function is invalid: {problem}"}
        return answers.own(500)


async def invoke(
    call: Call,
    exchange: Exchange,
    function: str,
    source: str,
    event: dict[str, Any],
    timeout_s: float,
    credentials: str | None,
) -> bytes:
    """The function's result. Raises Failed."""
    if credentials is None and not grants.may_invoke(call, function, source, exchange.account):
        raise Failed(
            500,
            "The IAM role configured on the integration or API Gateway doesn't have permissions to call the "
            "integration. Check the permissions and try again.",
        )
    body = _encode(event).encode("utf-8", "surrogatepass")
    api = call.api("lambda", account=exchange.account, region=exchange.region)
    started = call.world.now()
    task = asyncio.ensure_future(api.invoke(FunctionName=function, InvocationType="RequestResponse", Payload=body))
    _under_way.add(task)
    task.add_done_callback(_done)
    try:
        await asyncio.wait((task,), timeout=timeout_s)
        if not task.done():
            raise Failed(503, "The integration timed out.")
        result = task.result()
    except AwsError as error:
        raise Failed(_STATUS.get(error.code or "", 500), error.message) from None
    finally:
        latency_ms = round((call.world.now() - started) * 1000)
        exchange.notes |= {"integrationLatency": latency_ms, "integration.latency": latency_ms}
    exchange.notes |= {"integrationStatus": 200, "integration.integrationStatus": result.get("StatusCode", 200)}
    payload: bytes = result.get("Payload") or b""
    if result.get("FunctionError"):
        exchange.notes["integration.status"] = 200
        raise Failed(500, _message(payload))
    return payload


def _done(task: asyncio.Task[Any]) -> None:
    _under_way.discard(task)
    if not task.cancelled():
        task.exception()  # looked at, so that nobody is told of it twice


def _message(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return "The function failed."
