"""Fixtures of the gateway's world: its functions, an API, and one that is served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from gateway_world import Api, Functions

from stratolite.kernel import Call, Service, operation
from stratolite.testing.cloud import TestCloud
from stratolite.wire.http1 import Response


@pytest.fixture
def functions(cloud: TestCloud) -> Functions:
    functions = Functions({"hello": {"message": "hi"}})

    @operation
    async def invoke(
        call: Call, function_name: str, invocation_type: str = "RequestResponse", payload: bytes = b""
    ) -> dict[str, Any]:
        name = function_name.rpartition(":")[2]
        await asyncio.sleep(functions.takes_s.get(name, 0))
        return functions.invoke(name, payload)

    @operation
    def get_policy(call: Call, function_name: str) -> dict[str, Any]:
        return {"Policy": functions.policy(function_name.rpartition(":")[2])}

    played = ModuleType("played")
    for fn in (invoke, get_policy):
        fn.__module__ = "played"
        setattr(played, fn.__name__, fn)
    rooms: Any = cloud.cloud.rooms
    rooms._rooms.setdefault("lambda", None)
    rooms._loaded["lambda"] = Service("lambda", [played])
    return functions


@pytest.fixture
def api(cloud: TestCloud, functions: Functions) -> Api:
    gateway = cloud.client("apigatewayv2")
    return Api(cloud, gateway, gateway.create_api(Name="shop", ProtocolType="HTTP")["ApiId"])


@pytest.fixture
def served(api: Api, functions: Functions) -> Callable[..., Response]:
    """Ask a `$default` route of a function that answers as told."""
    api.route("$default")
    api.stage()

    def ask(answer: Any, *request: Any, **more: Any) -> Response:
        functions.answers["hello"] = answer
        return api.ask(*(request or ("GET", "/")), **more)

    return ask
