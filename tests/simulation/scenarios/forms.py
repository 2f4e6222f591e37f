"""The form-processing application, whole: what it accepts is stored once and reaches every destination, or is named."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3

from simulation.parts import client, insist
from stratolite.testing import inline
from stratolite.testing.checkers import exactly_once, nothing_lost, quiet
from stratolite.testing.cloud import TestCloud

PROJECT = Path(__file__).parents[3] / "examples" / "form-processing"
PATH = "/v1/submissions"
TENANTS = {"acme": ("crm", "mail"), "bolt": ("crm",)}


class Web:
    """The destinations, answering in this process: some are sick for a while, one refuses for good."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.sick = 0.3
        self.got: Counter[tuple[str, str]] = Counter()
        """(URL, idempotency key) of what was taken."""

    def __call__(self, method: str, url: str, headers: dict[str, str], body: bytes) -> urllib3.HTTPResponse:
        status = 503 if self._chance.random() < self.sick else 422 if '"refused"' in body.decode() else 200
        if status == 200:
            self.got[url, headers["idempotency-key"]] += 1
        return urllib3.HTTPResponse(b"", status=status, preload_content=False)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Handlers ask with urllib3: inside an inline one, this web answers."""
        original = urllib3.PoolManager.request

        def request(pool: Any, method: str, url: str, **how: Any) -> Any:
            if inline.current() is None:
                return original(pool, method, url, **how)
            return self(method, url, how["headers"], how["body"])

        setattr(urllib3.PoolManager, "request", request)  # noqa: B010
        try:
            yield
        finally:
            setattr(urllib3.PoolManager, "request", original)  # noqa: B010


def _signed(tenant: str, content: bytes) -> dict[str, str]:
    timestamp, digest = str(int(time.time())), hashlib.sha256(content).hexdigest()
    said = "\n".join([timestamp, "POST", PATH, tenant, digest]).encode()
    return {
        "x-forms-tenant": tenant,
        "x-forms-timestamp": timestamp,
        "x-forms-digest": digest,
        "x-forms-signature": hmac.new(f"{tenant}'s secret".encode(), said, "sha256").hexdigest(),
        "content-type": "application/json",
    }


def _submit(cloud: TestCloud, url: str, tenant: str, document: dict[str, Any]) -> int:
    """The status a submission got in the end: a client asks again when the cloud died, failed or was busy."""
    content = json.dumps(document).encode()
    for _ in range(100):
        try:
            answer = cloud.http("POST", url + PATH, _signed(tenant, content), content)
        except ConnectionError:
            continue
        if answer.status < 500 and answer.status != 429:
            return answer.status
        cloud.clock.advance(1)
    raise AssertionError("never answered")


def a_day(cloud: TestCloud) -> None:
    """Accepted, stored once, delivered to each destination or dead-lettered by name."""
    chance = random.Random(cloud.world.seed)
    faults, cloud.world.faults = cloud.world.faults, 0.0  # how a stack comes up has a scenario of its own
    outputs = cloud.deploy(PROJECT, "forms", {"Pace": "brisk", "AllowHttpDestinations": "true"})
    table, secrets = cloud.resource("dynamodb").Table(outputs["TableName"]), client(cloud, "secretsmanager")
    for tenant, destinations in TENANTS.items():
        secrets.create_secret(Name=f"forms/tenants/{tenant}", SecretString=f"{tenant}'s secret")
        for name in destinations:
            secrets.create_secret(Name=f"forms/destinations/{tenant}/{name}", SecretString="api-key")
            item = {"name": name, "url": f"http://{tenant}.{name}/", "mapping": {"full_name": "fields.name"}}
            table.put_item(Item={"PK": f"TENANT#{tenant}", "SK": f"DEST#{name}", **item})
    cloud.world.faults = faults
    web = Web(chance)
    accepted: dict[str, list[str]] = {tenant: [] for tenant in TENANTS}
    with web.answering():
        for n in range(20):
            tenant, name = chance.choice(sorted(TENANTS)), "refused" if chance.random() < 0.1 else "Ada"
            document = {"form": "contact", "fields": {"name": name, "amount": 19.99}, "key": f"k{n}"}
            status = _submit(cloud, outputs["ApiUrl"], tenant, document)
            assert status in (200, 202), status
            accepted[tenant].append(f"k{n}")
            if chance.random() < 0.2:
                assert _submit(cloud, outputs["ApiUrl"], tenant, document) == 200, "a repeat is a duplicate"
            if chance.random() < 0.1:
                document["fields"] = {"name": "Eve"}
                assert _submit(cloud, outputs["ApiUrl"], tenant, document) == 409, "a changed repeat is a conflict"
            cloud.clock.advance(chance.random() * 3)
        cloud.clock.advance(120)
        web.sick = 0.0
        cloud.clock.advance(hours=2)
    _balance(cloud, outputs["TableName"], accepted, web)
    quiet(cloud)


def _balance(cloud: TestCloud, table: str, accepted: dict[str, list[str]], web: Web) -> None:
    items: list[dict[str, Any]] = []
    start: dict[str, Any] = {}
    while True:
        page = insist(client(cloud, "dynamodb").scan, TableName=table, ConsistentRead=True, **start)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            break
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    for tenant, keys in accepted.items():
        own = [item["SK"]["S"] for item in items if item["PK"]["S"] == f"TENANT#{tenant}"]
        stored = [sk.rpartition("#")[2] for sk in own if sk.startswith("SUB#")]
        dead = {sk.removeprefix("DEAD#") for sk in own if sk.startswith("DEAD#")}
        unstored = {name.partition("#")[2] for name in dead if name.startswith("persist#")}
        exactly_once(keys, stored + sorted(unstored - set(stored)))
        for name in TENANTS[tenant]:
            delivered = {key.partition(":")[2] for url, key in web.got if url == f"http://{tenant}.{name}/"}
            given_up = {key for key in keys if any(key in letter.split("#") for letter in dead)}
            nothing_lost(keys, delivered | given_up)
