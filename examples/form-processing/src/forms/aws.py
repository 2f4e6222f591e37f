"""Clients: how this application talks to AWS, made once per environment and given little time to hang."""

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# A call that hangs must end well before the function does, so that the failure is ours to report.
CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})


@cache
def client(service: str) -> Any:
    """The client of one service."""
    return boto3.client(service, config=CONFIG)  # type: ignore[call-overload]


@cache
def table(name: str) -> "Table":
    """A DynamoDB table that speaks Python's own types."""
    return boto3.resource("dynamodb", config=CONFIG).Table(name)
