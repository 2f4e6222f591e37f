"""The stack: the deployed application as the traffic needs it, through AWS's own API."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import boto3
from boto3.dynamodb.conditions import Key
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

Result = TypeVar("Result")
PATIENCE_S = 60.0


def patiently(call: Callable[[], Result]) -> Result:
    """Make a call of ours until somebody answers: the cloud may be starting again."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except (ConnectionError, HTTPClientError):
            if time.monotonic() > until:
                raise
            time.sleep(0.25)


@dataclass
class Stack:
    """A deployed stack. Where there is an `AWS_ENDPOINT_URL`, its API is found there too."""

    name: str
    secrets_prefix: str = "forms"
    outputs: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        config = Config(retries={"mode": "standard", "total_max_attempts": 5}, read_timeout=20)
        self._secrets = boto3.client("secretsmanager", config=config)
        formation = boto3.client("cloudformation", config=config)
        found = patiently(lambda: formation.describe_stacks(StackName=self.name))["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
        self._table: Any = boto3.resource("dynamodb", config=config).Table(self.outputs["TableName"])

    @property
    def api(self) -> str:
        """The API's URL."""
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        return (
            f"{endpoint.rstrip('/')}/_aws/execute-api/{self.outputs['ApiId']}" if endpoint else self.outputs["ApiUrl"]
        )

    def put_tenant_secret(self, tenant: str, secret: str) -> None:
        """Give a tenant its secret, or a new one."""
        self._put_secret(f"{self.secrets_prefix}/tenants/{tenant}", secret)

    def register(self, tenant: str, destination: str, url: str, api_key: str, mapping: dict[str, str]) -> None:
        """Enter a destination into the tenant's registry, and put its API key where the connector finds it."""
        self._put_secret(f"{self.secrets_prefix}/destinations/{tenant}/{destination}", api_key)
        item = {"name": destination, "url": url, "mapping": mapping}
        patiently(lambda: self._table.put_item(Item={"PK": f"TENANT#{tenant}", "SK": f"DEST#{destination}", **item}))

    def items(self, tenant: str, prefix: str) -> Iterator[dict[str, Any]]:
        """A tenant's items of one kind."""
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("PK").eq(f"TENANT#{tenant}") & Key("SK").begins_with(prefix),
            "ConsistentRead": True,
        }
        while True:
            found = patiently(lambda: self._table.query(**query))
            yield from found["Items"]
            if "LastEvaluatedKey" not in found:
                return
            query["ExclusiveStartKey"] = found["LastEvaluatedKey"]

    def forget(self, tenants: list[str], destinations: list[tuple[str, str]]) -> None:
        """Remove the secrets again; what is in the table goes by its TTL."""
        names = [f"{self.secrets_prefix}/tenants/{tenant}" for tenant in tenants]
        names += [f"{self.secrets_prefix}/destinations/{tenant}/{name}" for tenant, name in destinations]
        for name in names:
            patiently(partial(self._secrets.delete_secret, SecretId=name, ForceDeleteWithoutRecovery=True))

    def _put_secret(self, name: str, value: str) -> None:
        def put() -> None:
            try:
                self._secrets.create_secret(Name=name, SecretString=value)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceExistsException":
                    raise
                self._secrets.put_secret_value(SecretId=name, SecretString=value)

        patiently(put)
