"""A cloud whose topics and queues are pretended, so that they can fail, wait and be counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stratolite.app import Config, build
from stratolite.kernel import AwsError, Call, Caller, Made, NotReady, Wanted
from stratolite.kernel.resources import ResourceType, marked, resource
from stratolite.testing.sim import SimWorld

SNS, SQS = "AWS::SNS::Topic", "AWS::SQS::Queue"


class Bed:
    """The cloud, the pretended types and what was done to them."""

    def __init__(self, folder: Path, world: SimWorld) -> None:
        self.folder, self.world = folder, world
        self.journal: list[tuple[str, str]] = []
        self.broken: set[tuple[str, str]] = set()
        self.types = self._types()
        self.begin()

    def begin(self) -> None:
        """A life of the process."""
        self.cloud = build(Config(state=self.folder), self.world)
        real = self.cloud.resource
        self.cloud.resource = lambda name: self.types.get(name) or real(name)  # type: ignore[method-assign]
        self.world.run(self.cloud.start())

    def _did(self, verb: str, name: str) -> None:
        self.journal.append((verb, name))
        if (verb, name) in self.broken:
            raise AwsError(f"cannot {verb} {name}", code="InvalidParameter")

    def _types(self) -> dict[str, ResourceType]:
        bed = self

        def made(name: str, wanted: Wanted) -> Made:
            arn = f"arn:aws:sns:us-east-1:000000000000:{name}"
            return Made(arn, {"TopicArn": arn, "TopicName": name, "DisplayName": wanted.properties.get("DisplayName")})

        @resource(SNS, replaces={"TopicName", "FifoTopic"}, ignores={"SignatureVersion"})
        class Topic:
            @staticmethod
            def create(call: Call, wanted: Wanted) -> Made:
                bed._did("create", wanted.logical_id)
                wanted.properties.get("Tags")
                return made(wanted.properties.get("TopicName") or wanted.physical_name(256), wanted)

            @staticmethod
            def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
                bed._did("update", wanted.logical_id)
                wanted.properties.get("TopicName")
                return made(made_id.rsplit(":", 1)[1], wanted)

            @staticmethod
            def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
                bed._did("delete", made_id.rsplit(":", 1)[1])

        @resource(SQS, replaces={"QueueName"})
        class Queue:
            """One that takes its time: asynchronous, and not ready when first asked."""

            @staticmethod
            async def create(call: Call, wanted: Wanted) -> Made:
                name = wanted.properties.get("QueueName") or wanted.physical_name(80)
                if wanted.made is None:
                    bed._did("create", wanted.logical_id)
                    await call.world.sleep(0.1)
                    raise NotReady(0.2, Made(name, {"Arn": f"arn:{name}", "QueueName": name}))
                return wanted.made

            @staticmethod
            async def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
                bed._did("update", wanted.logical_id)
                return Made(made_id, {"Arn": f"arn:{made_id}", "QueueName": made_id})

            @staticmethod
            async def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
                bed._did("delete", made_id)

        @resource("AWS::DynamoDB::Table")
        class Table:
            @staticmethod
            def create(call: Call, wanted: Wanted) -> Made:
                bed._did("create", wanted.logical_id)
                return Made(wanted.properties.copy()["TableName"])

            @staticmethod
            def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
                bed._did("delete", made_id)

        found = marked(SimpleNamespace(Topic=Topic, Queue=Queue, Table=Table))  # type: ignore[arg-type]
        return {each.name: each for each in found}

    # asking

    def ask(self, method: str, service: str = "cloudformation", **params: Any) -> dict[str, Any]:
        return self.world.run(self._ask(service, method, params))

    async def _ask(self, service: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if isinstance(params.get("TemplateBody"), dict):
            params["TemplateBody"] = json.dumps(params["TemplateBody"])
        operation = self.cloud.operation_by_method(service, method)
        answer = self.cloud.request(operation, Caller(), params, "request")
        return answer if isinstance(answer, dict) else await answer

    def fails(self, method: str, **params: Any) -> AwsError:
        with pytest.raises(AwsError) as error:
            self.ask(method, **params)
        return error.value

    def settle(self) -> None:
        self.world.run(self.cloud.at_rest())

    def stack(self, name: str = "s") -> dict[str, Any]:
        found: dict[str, Any] = self.ask("describe_stacks", StackName=name)["Stacks"][0]
        return found

    def status(self, name: str = "s") -> str:
        self.settle()
        return str(self.stack(name)["StackStatus"])

    def events(self, name: str = "s") -> list[tuple[str, str, str | None]]:
        """Oldest first: logical id, status, reason."""
        found = self.ask("describe_stack_events", StackName=name)["StackEvents"]
        return [(e["LogicalResourceId"], e["ResourceStatus"], e["ResourceStatusReason"]) for e in reversed(found)]


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    bed = Bed(tmp_path, SimWorld(1))
    yield bed
    bed.world.run(bed.cloud.stop())


@pytest.fixture
def new_bed() -> type[Bed]:
    """To make one in a world of one's own."""
    return Bed
