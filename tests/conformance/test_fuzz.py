"""Fuzz: requests drawn from the models, and garbage, at every operation: no internal failure, no stuck connection.

Values seen in earlier answers come back in later requests, under the same member names, so that the fuzz meets things
that exist.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "wire"))

from wire_oracle import parsed, request_of, signed
from wire_samples import Sampler

from stratolite.services import Rooms
from stratolite.testing import TestCloud
from stratolite.wire import models
from stratolite.wire.http1 import Headers, Request
from stratolite.wire.protocols import SERVICES

ROUNDS = 20
SERVICES_HERE = Rooms().names()


class Remembering(Sampler):
    """A sampler that often repeats what it has seen under a member's name."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.seen: dict[str, list[Any]] = {}

    def structure(self, shape: Any, depth: int = 0) -> dict[str, Any]:
        out = super().structure(shape, depth)
        for name in list(out):
            known = self.seen.get(name.lower())
            if known and shape.members[name].type_name == "string" and self._random.random() < 0.7:
                out[name] = self._random.choice(known[-8:])
        return out

    def remember(self, value: Any, name: str = "") -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                self.remember(inner, key.lower())
        elif isinstance(value, list):
            for inner in value:
                self.remember(inner, name)
        elif isinstance(value, str) and value and len(value) < 2048:
            self.seen.setdefault(name, []).append(value)


@pytest.mark.parametrize("service", SERVICES_HERE)
def test_no_request_the_model_allows_is_an_internal_failure(service: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    room = Rooms().load(service)
    assert room is not None
    protocol = SERVICES[service].protocols[0]
    random = Random(f"fuzz {service}")
    sampler = Remembering(random)
    failures = []
    operations = sorted(room.operations)
    with TestCloud(seed=1) as cloud:
        for round_ in range(ROUNDS):
            random.shuffle(operations)
            # First what makes things, so that there are some.
            operations.sort(
                key=lambda name: round_ < 2 and not name.startswith(("Create", "Put", "Register", "Publish"))
            )
            for operation in operations:
                shape = models.operation(service, operation).input_shape
                params = {} if shape is None else sampler.structure(shape)
                sampler.remember(params)
                request = signed(request_of(service, operation, protocol, params), service)
                response = cloud.ask(request)
                if response.status == 500:
                    failures.append((operation, params))
                elif response.status < 300:
                    sampler.remember(parsed(service, operation, protocol, response))
        cloud.clock.settle()
    unexpected = [r.getMessage() for r in caplog.records if r.exc_info and r.exc_info[0] is not SystemExit]
    assert not failures, f"{failures[0]}\n{caplog.text[-3000:]}"
    assert not unexpected, caplog.text[-3000:]


def mutilated(random: Random, request: Request) -> Request:
    """The same request with something broken: bytes of the body, a header, the path."""
    body = bytearray(request.bytes())
    match random.randrange(5):
        case 0:
            body = bytearray(random.randbytes(random.randrange(64)))
        case 1 if body:
            for _ in range(random.randint(1, 4)):
                body[random.randrange(len(body))] = random.randrange(256)
        case 2:
            body = body[: random.randrange(len(body) + 1)]
        case 3:
            body = bytearray(random.choice([b"[]", b"null", b"{", b'{"a":' * 2000, b"<a>", b"\xff\xfe", b'"x"', b"1"]))
        case _:
            pass
    headers = [
        (name, random.choice(["", "x", "application/json", value[::-1]]) if random.random() < 0.08 else value)
        for name, value in request.headers.items()
        if random.random() > 0.04
    ]
    return Request(request.method, request.target, Headers(headers), bytes(body))


@pytest.mark.parametrize("service", SERVICES_HERE)
def test_no_broken_request_is_an_internal_failure(service: str) -> None:
    room = Rooms().load(service)
    assert room is not None
    protocol = SERVICES[service].protocols[0]
    random = Random(f"broken {service}")
    sampler = Remembering(random)
    with TestCloud(seed=2) as cloud:
        for operation in sorted(room.operations):
            for _ in range(ROUNDS):
                shape = models.operation(service, operation).input_shape
                params = {} if shape is None else sampler.structure(shape)
                sampler.remember(params)
                request = mutilated(random, signed(request_of(service, operation, protocol, params), service))
                response = cloud.ask(request)
                assert response.status != 500, (operation, request)
