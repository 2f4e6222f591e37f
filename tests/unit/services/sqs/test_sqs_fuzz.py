"""Requests made of the model's shapes and of nonsense: every one is answered, none with a failure of ours."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any
from urllib.parse import urlencode

import pytest

from stratolite.wire import models
from stratolite.wire.http1 import Headers, Request

MODEL = models.service("sqs")
QUEUES = ("http://localhost:4566/000000000000/q", "http://localhost:4566/000000000000/q.fifo")
TEXTS = (
    "", "a", "q", "q.fifo", "x" * 300, "ä€😀", "\0", "All", "../..", "-1", "true", "{}", "[]", "/", "http://", "0",
    '{"deadLetterTargetArn": 1, "maxReceiveCount": "x"}', '{"redrivePermission": "byQueue", "sourceQueueArns": [1]}',
    '{"Statement": 1}', "arn:aws:sqs:us-east-1:000000000000:q", "arn:aws:sqs:::", "http://x/000000000000/q", "Zm9v",
    "eyJ0YXNrSWQiOiAxLCAic291cmNlQXJuIjogMn0=", "OTk5OTk5OTk5OTk5OTk5OTk5OTkgMSAyIDM=", "String", "Binary", "Number",
    "VisibilityTimeout", "Policy", "RedrivePolicy", "RedriveAllowPolicy", "AWSTraceHeader", "9" * 30,
)  # fmt: skip
NUMBERS = (0, 1, -1, 10, 11, 43_200, 43_201, 2**31, 2**63, -(2**63), 10**30)
NONSENSE = (None, 1, "x", [], {}, True, 1.5, [None], {"a": None})


class Nonsense:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def of(self, shape: Any) -> Any:
        chance = self.chance
        if chance.random() < 0.03:
            return chance.choice(NONSENSE)
        match shape.type_name:
            case "string":
                return chance.choice(TEXTS)
            case "integer" | "long":
                return chance.choice(NUMBERS)
            case "blob":
                return chance.choice(("", "YQ==", "!"))
            case "boolean":
                return chance.random() < 0.5
            case "list":
                return [self.of(shape.member) for _ in range(chance.choice((0, 1, 1, 2, 11)))]
            case "map":
                return {chance.choice(TEXTS): self.of(shape.value) for _ in range(chance.choice((0, 1, 2)))}
        return {name: self.of(member) for name, member in shape.members.items() if chance.random() < 0.85}

    def request(self) -> Request:
        operation = self.chance.choice([name for name in MODEL.operation_names if name != "DeleteQueue"])
        params = self.of(MODEL.operation_model(operation).input_shape)
        if isinstance(params, dict) and "QueueUrl" in params and self.chance.random() < 0.7:
            params["QueueUrl"] = self.chance.choice(QUEUES)
        fields = [("Host", "localhost:4566")]
        if self.chance.random() < 0.7:
            fields += [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", f"AmazonSQS.{operation}")]
            return Request("POST", "/", Headers(fields), json.dumps(params).encode())
        fields.append(("Content-Type", "application/x-www-form-urlencoded"))
        form = [("Action", operation), ("Version", "2012-11-05"), *_flat(params, "")]
        return Request("POST", "/", Headers(fields), urlencode(form).encode())


def _flat(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for name, part in value.items() for pair in _flat(part, f"{path}.{name}" if path else name)]
    if isinstance(value, list):
        return [pair for n, part in enumerate(value, 1) for pair in _flat(part, f"{path}.{n}")]
    return [] if value is None else [(path, str(value))]


@pytest.mark.parametrize("seed", range(4))
def test_no_request_brings_a_failure_of_ours(cloud: Any, seed: int) -> None:
    sqs = cloud.client("sqs")
    sqs.create_queue(QueueName="q")
    sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
    nonsense = Nonsense(seed)

    async def ask(request: Request) -> int:
        return int((await asyncio.wait_for(cloud.answer(request), 60)).status)

    for _ in range(400):
        request = nonsense.request()
        assert cloud.run(ask(request)) < 500, request
