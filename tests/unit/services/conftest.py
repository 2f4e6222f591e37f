"""A whole cloud in a simulated world, asked in boto3's style."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stratolite.app import Config, build
from stratolite.kernel import Caller, Principal
from stratolite.testing.sim import SimWorld


class Aws:
    """`aws.sqs.send_message(...)`: one request each, from an account; time stands still between them."""

    def __init__(self, folder: Path, world: SimWorld | None = None) -> None:
        self.world = world or SimWorld(1)
        self.cloud = build(Config(state=None), self.world, scratch=folder)
        self.caller = Caller()
        self.world.run(self.cloud.start())

    def of(self, account: str = "000000000000", region: str = "us-east-1") -> Aws:
        """The same cloud, asked by somebody else or elsewhere."""
        other = object.__new__(Aws)
        other.__dict__.update(self.__dict__)
        other.caller = Caller(Principal(account, f"arn:aws:iam::{account}:root"), account, region)
        return other

    def pass_time(self, seconds: float) -> None:
        """What is due meanwhile happens meanwhile."""
        self.world.run(asyncio.sleep(seconds))

    def settle(self) -> None:
        """Until nothing is due and nothing is under way."""
        self.world.run(self.cloud.at_rest())

    def now(self) -> float:
        return self.world.now()

    def __getattr__(self, service: str) -> _Service:
        if service.startswith("_"):
            raise AttributeError(service)
        return _Service(self, service.rstrip("_"))


class _Service:
    def __init__(self, aws: Aws, name: str) -> None:
        self._aws, self._name = aws, name

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        return lambda **params: self._aws.world.run(self._ask(method, params))

    async def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        cloud = self._aws.cloud
        operation = cloud.operation_by_method(self._name, method)
        answer = cloud.request(operation, self._aws.caller, params, "request")
        answer = answer if isinstance(answer, dict | bytes) else await answer
        return _present(json.loads(answer or b"{}") if isinstance(answer, bytes) else answer)


def _present(value: Any) -> Any:
    """An answer as a client sees it: absent members are absent."""
    if isinstance(value, dict):
        return {name: _present(part) for name, part in value.items() if part is not None}
    return [_present(part) for part in value] if isinstance(value, list) else value


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Aws]:
    aws = Aws(tmp_path)
    yield aws
    aws.world.run(aws.cloud.stop())
