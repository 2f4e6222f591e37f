"""The whole application in one process: Stratolite's `cloud` fixture deploys the template and runs the functions.

Time stands still unless a test lets it pass; an hour passes in no time.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from forms.signing import signature

PROJECT = Path(__file__).parent.parent.parent
PATH = "/v1/submissions"


class Destination(HTTPServer):
    """One of the tenants' destinations: keeps what it gets, answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receipt)
        self.status = 200
        self.got: list[tuple[dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Receipt(BaseHTTPRequestHandler):
    server: Destination

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Application:
    """The deployed application, as its tenants see it and as its operator does."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.outputs = cloud.deploy(PROJECT, "forms", {"Pace": "brisk", "AllowHttpDestinations": "true"})
        self.table = cloud.resource("dynamodb").Table(self.outputs["TableName"])
        self.secrets = cloud.client("secretsmanager")
        self.keys: dict[str, str] = {}

    def tenant(self, name: str, **destinations: Destination) -> None:
        self.keys[name] = f"{name}'s secret"
        self.secrets.create_secret(Name=f"forms/tenants/{name}", SecretString=self.keys[name])
        for destination, server in destinations.items():
            self.secrets.create_secret(Name=f"forms/destinations/{name}/{destination}", SecretString="api-key")
            item = {"name": destination, "url": server.url, "mapping": {"full_name": "fields.name"}}
            self.table.put_item(Item={"PK": f"TENANT#{name}", "SK": f"DEST#{destination}", **item})

    def rotate(self, name: str) -> None:
        self.keys[name] += " anew"
        self.secrets.put_secret_value(SecretId=f"forms/tenants/{name}", SecretString=self.keys[name])

    def headers(self, tenant: str, method: str, content: bytes, secret: str | None = None) -> dict[str, str]:
        timestamp, digest = int(time.time()), hashlib.sha256(content).hexdigest()
        return {
            "x-forms-tenant": tenant,
            "x-forms-timestamp": str(timestamp),
            "x-forms-digest": digest,
            "x-forms-signature": signature(secret or self.keys[tenant], timestamp, method, PATH, tenant, digest),
            "content-type": "application/json",
        }

    def submit(
        self, tenant: str, name: str = "Ada", key: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        document = {"form": "contact", "fields": {"name": name, "amount": 19.99}} | ({"key": key} if key else {})
        body = json.dumps(document).encode()
        answer = self.cloud.http(
            "POST", self.outputs["ApiUrl"] + PATH, headers or self.headers(tenant, "POST", body), body
        )
        return answer.status, json.loads(answer.body) | {"request": answer.headers["apigw-requestid"]}

    def listed(self, tenant: str, query: str = "", secret: str | None = None) -> tuple[int, dict[str, Any]]:
        url = self.outputs["ApiUrl"] + PATH + (f"?{query}" if query else "")
        answer = self.cloud.http("GET", url, self.headers(tenant, "GET", query.encode(), secret))
        return answer.status, json.loads(answer.body)

    def items(self, tenant: str, prefix: str) -> list[dict[str, Any]]:
        query = Key("PK").eq(f"TENANT#{tenant}") & Key("SK").begins_with(prefix)
        return list(self.table.query(KeyConditionExpression=query)["Items"])

    def settle(self) -> None:
        self.cloud.clock.advance(1)


@pytest.fixture
def application(cloud: Any) -> Application:
    return Application(cloud)


@pytest.fixture
def destination() -> Iterator[Callable[[], Destination]]:
    open_ones: list[Destination] = []

    def made() -> Destination:
        server = Destination()
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        open_ones.append(server)
        return server

    yield made
    for server in open_ones:
        server.shutdown()
        server.server_close()


Made = Callable[[], Destination]


def test_a_submission_reaches_each_destination_under_one_correlation_id(
    application: Application, destination: Made
) -> None:
    crm, mail = destination(), destination()
    application.tenant("acme", crm=crm, mail=mail)
    status, answer = application.submit("acme", key="k1")
    application.settle()
    assert (status, answer["id"], answer["status"]) == (202, "k1", "accepted")
    [item] = application.items("acme", "SUB#")
    assert item["correlation_id"] == answer["request"]
    assert str(item["fields"]["amount"]) == "19.99"
    for server in (crm, mail):
        [(headers, body)] = server.got
        assert body == {"full_name": "Ada"}
        assert headers["authorization"] == "Bearer api-key"
        assert headers["idempotency-key"] == "acme:k1"
        assert headers["x-correlation-id"] == answer["request"]
    services = {
        line["service"]
        for line in (json.loads(each.message) for each in logged(application))
        if line.get("correlation_id") == answer["request"]
    }
    assert services == {"authorizer", "ingest", "persist", "fan-out", "connector"}


def logged(application: Application) -> list[Any]:
    lines = application.cloud.logs(application.outputs["LogGroup"])
    return [line for line in lines if line.message.startswith('{"level"')]


def test_a_duplicate_is_stored_and_delivered_once(application: Application, destination: Made) -> None:
    crm = destination()
    application.tenant("acme", crm=crm)
    answers = [application.submit("acme", key="k1") for _ in range(2)]
    application.settle()
    assert [status for status, _ in answers] == [202, 200]
    assert answers[1][1]["status"] == "duplicate"
    assert len(application.items("acme", "SUB#")) == len(crm.got) == 1


def test_a_changed_duplicate_is_a_conflict(application: Application) -> None:
    application.tenant("acme")
    application.submit("acme", "Ada", key="k1")
    status, answer = application.submit("acme", "Eve", key="k1")
    application.settle()
    assert (status, answer["error"]) == (409, "IdempotencyConflict")
    assert application.items("acme", "SUB#")[0]["fields"]["name"] == "Ada"


def test_a_captured_signature_opens_nothing_else(application: Application) -> None:
    application.tenant("acme")
    body = json.dumps({"form": "contact", "fields": {"name": "Ada", "amount": 19.99}}).encode()
    captured = application.headers("acme", "POST", body)
    assert application.submit("acme", "Ada", headers=captured)[0] == 202
    status, answer = application.submit("acme", "Mallory", headers=captured)
    assert (status, answer["error"]) == (403, "DigestMismatch")
    answer = application.cloud.http("GET", application.outputs["ApiUrl"] + PATH, captured)
    assert answer.status == 403


def test_tenants_read_their_own_and_only_their_own(application: Application) -> None:
    for tenant in ("acme", "bolt"):
        application.tenant(tenant)
        for number in range(3):
            application.submit(tenant, key=f"{tenant}-{number}")
            application.settle()
    status, first = application.listed("acme", "limit=2")
    assert status == 200
    _, second = application.listed("acme", f"limit=2&next={first['next']}")
    assert [one["id"] for one in first["submissions"] + second["submissions"]] == ["acme-2", "acme-1", "acme-0"]
    _, stolen = application.listed("bolt", f"next={first['next']}")
    assert all(one["id"].startswith("bolt-") for one in stolen["submissions"])
    assert application.listed("acme", secret=application.keys["bolt"])[0] == 403


def test_a_destination_that_is_down_gets_its_letters_when_it_is_back(
    application: Application, destination: Made
) -> None:
    crm = destination()
    crm.status = 503
    application.tenant("acme", crm=crm)
    application.submit("acme", key="k1")
    application.settle()
    crm.status = 200
    application.cloud.clock.advance(minutes=1)
    assert {headers["idempotency-key"] for headers, _ in crm.got} == {"acme:k1"}
    assert application.items("acme", "DEAD#") == []


def test_a_destination_that_stays_down_leaves_dead_letters_by_name(application: Application, destination: Made) -> None:
    crm = destination()
    crm.status = 503
    application.tenant("acme", crm=crm)
    application.submit("acme", key="k1")
    application.cloud.clock.advance(minutes=5)
    [dead] = application.items("acme", "DEAD#")
    assert dead["SK"] == "DEAD#connector#k1#crm"
    assert dead["reason"].startswith("given up")


def test_a_destination_that_refuses_is_asked_once(application: Application, destination: Made) -> None:
    crm = destination()
    crm.status = 422
    application.tenant("acme", crm=crm)
    application.submit("acme", key="k1")
    application.cloud.clock.advance(minutes=5)
    [dead] = application.items("acme", "DEAD#")
    assert (dead["reason"], len(crm.got)) == ("crm answered 422", 1)


def test_what_persist_cannot_store_is_dead_lettered_whole(application: Application) -> None:
    application.tenant("acme")
    function = next(
        one["FunctionName"]
        for one in application.cloud.client("lambda").list_functions()["Functions"]
        if "PersistFunction" in one["FunctionName"]
    )
    application.cloud.client("lambda").update_function_configuration(
        FunctionName=function, Environment={"Variables": {"TABLE": "nowhere", "POWERTOOLS_METRICS_NAMESPACE": "Forms"}}
    )
    assert application.submit("acme", key="k1")[0] == 202
    application.cloud.clock.advance(minutes=10)
    [dead] = application.items("acme", "DEAD#")
    assert (dead["SK"], dead["content"]["fields"]["name"]) == ("DEAD#persist#k1", "Ada")
    assert dead["reason"].startswith("RetriesExhausted")


def test_the_previous_secret_stays_good_after_a_rotation(application: Application) -> None:
    application.tenant("acme")
    old = application.keys["acme"]
    assert application.listed("acme")[0] == 200
    application.rotate("acme")
    assert application.listed("acme", "limit=5", secret=old)[0] == 200
