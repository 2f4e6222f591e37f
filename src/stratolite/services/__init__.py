"""The services: which there are, and what each answers for. One room each; nobody imports another's."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stratolite.kernel import Service


@dataclass(frozen=True)
class Room:
    """One service.

    Args:
        name: botocore's name of it.
        folder: its package here, when the name is not one.
        arns: the service parts of the ARNs it delivers to or is consumed by.
        types: the middle part of the resource types it makes (`AWS::SQS::...`).
        doors: texts of which one is in the host or path of every plain HTTP request it may answer.
    """

    name: str
    folder: str = ""
    arns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    doors: tuple[str, ...] = ()


ALL = (
    Room("apigatewayv2", arns=("execute-api",), types=("ApiGatewayV2",), doors=("execute-api",)),
    Room("cloudformation", types=("CloudFormation", "CDK"), doors=("cloudformation-custom-resource",)),
    Room("dynamodb", arns=("dynamodb",), types=("DynamoDB",)),
    Room("dynamodbstreams"),
    Room("events", arns=("events",), types=("Events",)),
    Room("iam", types=("IAM",)),
    Room("kms", types=("KMS",)),
    Room("lambda", "lambda_", arns=("lambda",), types=("Lambda",), doors=("lambda-url", "_aws/lambda/")),
    Room("logs", arns=("logs",), types=("Logs",)),
    Room("s3", arns=("s3",), types=("S3",)),
    Room("scheduler", arns=("scheduler",), types=("Scheduler",)),
    Room("secretsmanager", types=("SecretsManager",)),
    Room("sns", arns=("sns",), types=("SNS",), doors=("_aws/sns/",)),
    Room("sqs", arns=("sqs",), types=("SQS",)),
    Room("ssm", types=("SSM",)),
    Room("sts"),
)


_NONE: list[str] = []


class Rooms:
    """The rooms of this package, each imported at its first use."""

    def __init__(self) -> None:
        here = Path(__file__).parent
        self._rooms = {r.name: r for r in ALL if (here / (r.folder or r.name) / "__init__.py").exists()}
        self._arns = {arn: r.name for r in self._rooms.values() for arn in r.arns}
        self._types = {t: r.name for r in self._rooms.values() for t in r.types}
        self._doors = [(door, r.name) for r in self._rooms.values() for door in r.doors]
        self._any_door = re.compile("|".join(re.escape(door) for door, _ in self._doors) or r"(?!)")
        self._loaded: dict[str, Service] = {}

    def names(self) -> list[str]:
        """botocore's names of the services we have."""
        return list(self._rooms)

    def load(self, name: str) -> Service | None:
        if (found := self._loaded.get(name)) is None:
            if (room := self._rooms.get(name)) is None:
                return None
            module = importlib.import_module(f"{__name__}.{room.folder or room.name}")
            found = self._loaded[name] = module.service
        return found

    def schemas(self) -> dict[str, dict[int, str]]:
        here = Path(__file__).parent
        found = {}
        for room in self._rooms.values():
            folder = here / (room.folder or room.name) / "schema"
            scripts = {int(f.stem): f.read_text() for f in sorted(folder.glob("[0-9]*.sql"))}
            if scripts:
                found[room.name] = scripts
        return found

    def of_arn(self, arn_service: str) -> str | None:
        return self._arns.get(arn_service)

    def of_resource(self, type_name: str) -> str | None:
        parts = type_name.split("::")
        if type_name.startswith("Custom::"):
            return "cloudformation"
        return self._types.get(parts[1]) if len(parts) == 3 and parts[0] == "AWS" else None

    def doors(self, host: str, path: str) -> list[str]:
        if self._any_door.search(host) is None and self._any_door.search(path) is None:
            return _NONE  # as nearly every request: AWS's API
        return [name for door, name in self._doors if door in host or door in path]
