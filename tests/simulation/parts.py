"""What every scenario needs: an insisting client, functions from text, a queue read to its end."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from stratolite.testing.cloud import TestCloud

ROLE = "arn:aws:iam::000000000000:role/r"
PASSING = {"ThrottlingException", "InternalFailure", "TooManyRequestsException", "ServiceException"}
"""What an SDK tries again."""

ALREADY = {
    "ResourceInUseException",
    "ResourceConflictException",
    "ResourceAlreadyExistsException",
    "ResourceExistsException",
    "AlreadyExistsException",
    "ParameterAlreadyExists",
    "ConflictException",
}
"""What a create is told when an earlier try of it, that got no answer, has done it."""


def client(cloud: TestCloud, service: str) -> Any:
    """A client that does not retry by itself: the scenario does, and knows what it tried."""
    return cloud.client(service, config=Config(retries={"total_max_attempts": 1, "mode": "standard"}))


def insist(ask: Callable[..., Any], _done: str = "", **params: Any) -> Any:
    """Ask until there is an answer; None when an earlier try that got none has done it already.

    Args:
        ask: a client's method.
        _done: the code of the refusal that says so, where it is no create.
    """
    tried = 0
    while True:
        tried += 1
        try:
            return ask(**params)
        except HTTPClientError:
            continue
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if tried > 1 and (code == _done or (code in ALREADY and ask.__name__.startswith("create_"))):
                return None
            if code not in PASSING or tried > 200:
                raise


def function(cloud: TestCloud, name: str, source: str, **options: Any) -> None:
    """A Python function from its text, ready to be invoked."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr(zipfile.ZipInfo("app.py"), source)
    insist(
        client(cloud, "lambda").create_function,
        FunctionName=name,
        Runtime="python3.12",
        Handler="app.handler",
        Role=ROLE,
        Timeout=20,
        Code={"ZipFile": archive.getvalue()},
        **options,
    )
    while insist(client(cloud, "lambda").get_function_configuration, FunctionName=name)["State"] != "Active":
        cloud.clock.advance(1)


def queue(cloud: TestCloud, name: str, **attributes: str) -> tuple[str, str]:
    """(URL, ARN) of a new queue."""
    sqs = client(cloud, "sqs")
    url = insist(sqs.create_queue, QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = insist(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def table(cloud: TestCloud, name: str, **options: Any) -> Any:
    """A table with the key `pk`, ready to be written to."""
    dynamodb = client(cloud, "dynamodb")
    insist(
        dynamodb.create_table,
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        **options,
    )
    while (made := insist(dynamodb.describe_table, TableName=name)["Table"])["TableStatus"] != "ACTIVE":
        cloud.clock.advance(1)
    return made


def items(cloud: TestCloud, name: str) -> list[dict[str, Any]]:
    """Every item of a table."""
    found: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        page = insist(client(cloud, "dynamodb").scan, TableName=name, ConsistentRead=True, **start)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def drained(cloud: TestCloud, url: str) -> list[dict[str, Any]]:
    """Every message of a queue, deleted as it is received; the queue is empty afterwards."""
    sqs = client(cloud, "sqs")
    found: dict[str, dict[str, Any]] = {}
    empty = 0
    while empty < 3:
        got = insist(
            sqs.receive_message,
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        for message in got.get("Messages", []):
            insist(sqs.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found[message["MessageId"]] = message
        if got.get("Messages"):
            empty = 0
        else:
            empty += 1
            cloud.clock.advance(60)  # what an unanswered receive has hidden comes back
    return list(found.values())
