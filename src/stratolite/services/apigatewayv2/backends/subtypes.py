"""Subtypes: the calls of other services that a route can make without a function.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import AwsError, Call
from stratolite.wire.http1 import Headers, Response

from .. import answers, context
from ..payloads import Exchange

Members = dict[str, Any]


@dataclass(frozen=True)
class Subtype:
    """One call: whose, which, what must be given, and how the parameters become its members."""

    service: str
    method: str
    required: frozenset[str]
    members: Callable[[Members], Members] = lambda given: given


def _entry(given: Members) -> Members:
    entry = dict(given)
    if isinstance(resources := entry.get("Resources"), str):
        entry["Resources"] = json.loads(resources)
    return {"Entries": [entry]}


def _message(given: Members) -> Members:
    members = dict(given)
    for name in ("MessageAttributes", "MessageSystemAttributes"):
        if isinstance(members.get(name), str):
            members[name] = json.loads(members[name])
    return _numbers(members)


def _record(given: Members) -> Members:
    return {**given, "Data": str(given["Data"]).encode()}


def _numbers(given: Members) -> Members:
    whole = {"DelaySeconds", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds"}
    return {name: int(value) if name in whole else value for name, value in given.items()}


ALL = {
    "EventBridge-PutEvents": Subtype("events", "put_events", frozenset({"Detail", "DetailType", "Source"}), _entry),
    "SQS-SendMessage": Subtype("sqs", "send_message", frozenset({"QueueUrl", "MessageBody"}), _message),
    "SQS-ReceiveMessage": Subtype("sqs", "receive_message", frozenset({"QueueUrl"}), _numbers),
    "SQS-DeleteMessage": Subtype("sqs", "delete_message", frozenset({"QueueUrl", "ReceiptHandle"})),
    "SQS-PurgeQueue": Subtype("sqs", "purge_queue", frozenset({"QueueUrl"})),
    "Kinesis-PutRecord": Subtype("kinesis", "put_record", frozenset({"StreamName", "Data", "PartitionKey"}), _record),
    "StepFunctions-StartExecution": Subtype("stepfunctions", "start_execution", frozenset({"StateMachineArn"})),
    "StepFunctions-StartSyncExecution": Subtype(
        "stepfunctions", "start_sync_execution", frozenset({"StateMachineArn"})
    ),
    "StepFunctions-StopExecution": Subtype("stepfunctions", "stop_execution", frozenset({"ExecutionArn"})),
}

_CASE = {"stepfunctions": str.lower}
"""Services whose members begin with a small letter."""


async def proxy(call: Call, exchange: Exchange, integration: Mapping[str, Any], source: str) -> Response:
    """Make the call with what the request gives; its result as JSON."""
    subtype = ALL[integration["IntegrationSubtype"]]
    selected = {name: context.selected(exchange, e) for name, e in (integration.get("RequestParameters") or {}).items()}
    given = {name: _text(value) for name, value in selected.items() if value is not None}
    if missing := subtype.required - given.keys():
        exchange.notes["integrationErrorMessage"] = f"{', '.join(sorted(missing))} is missing"
        return _said(400, {"message": f"Missing required parameters: {', '.join(sorted(missing))}"})
    region = given.pop("Region", None) or exchange.region
    api = call.api(subtype.service, account=exchange.account, region=region)
    try:
        members = subtype.members(given)
        if case := _CASE.get(subtype.service):
            members = {case(name[0]) + name[1:]: value for name, value in members.items()}
        result = getattr(api, subtype.method)(**members)
        if inspect.isawaitable(result):
            result = await asyncio.wait_for(_awaited(result), integration["TimeoutInMillis"] / 1000)
    except TimeoutError:
        return answers.own(503)
    except ValueError as error:
        return _said(400, {"message": str(error)})
    except AwsError as error:
        exchange.notes["integrationErrorMessage"] = error.message
        return _said(error.status or 400, {"__type": error.code, "message": error.message})
    exchange.notes["integrationStatus"] = 200
    return _said(200, result)


async def _awaited(result: Any) -> Any:
    return await result


def _text(value: Any) -> Any:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else value


def _said(status: int, document: Mapping[str, Any]) -> Response:
    kept = {name: value for name, value in document.items() if value is not None}
    body = json.dumps(kept, default=_plain, separators=(",", ":")).encode()
    return Response(status, Headers([("content-type", "application/json")]), body)


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
