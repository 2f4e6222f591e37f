"""The connector delivers, puts off or gives up: each letter in its own time."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from world import Context

from forms import destinations
from forms.functions import connector


class Receiver(HTTPServer):
    """A destination on this machine that answers as told and remembers what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receipt)
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], Any]] = []


class Receipt(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("location", "https://elsewhere.example/")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(destinations, "SCHEMES", {"http", "https"})
    monkeypatch.setattr(connector, "sleep", lambda _: None)
    monkeypatch.setattr(connector, "jitter", lambda _, most: most)
    with Receiver() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def table() -> Iterator[Stubber]:
    with Stubber(connector.table.meta.client) as stubber:
        yield stubber


@pytest.fixture
def queue() -> Iterator[Stubber]:
    with Stubber(connector.sqs) as stubber:
        yield stubber


@pytest.fixture(autouse=True)
def secrets() -> Iterator[None]:
    connector.secrets._kept.clear()
    with Stubber(connector.secrets._client) as stubber:
        stubber.add_response(
            "get_secret_value",
            {"SecretString": "api-key", "CreatedDate": datetime(2026, 1, 1, tzinfo=UTC)},
            {"SecretId": "forms/destinations/acme/crm", "VersionStage": "AWSCURRENT"},
        )
        yield


def known(table: Stubber, url: str, mapping: dict[str, str] | None = None) -> None:
    item: dict[str, Any] = {"name": {"S": "crm"}, "url": {"S": url}}
    if mapping:
        item["mapping"] = {"M": {name: {"S": path} for name, path in mapping.items()}}
    table.add_response("get_item", {"Item": item}, {"TableName": ANY, "Key": ANY, "ConsistentRead": True})
    submission = {
        "id": {"S": "k1"},
        "form": {"S": "contact"},
        "received_at": {"S": "2026-01-02T03:04:05.678Z"},
        "correlation_id": {"S": "correlation-1"},
        "fields": {"M": {"name": {"S": "Ada"}, "address": {"M": {"city": {"S": "London"}}}}},
    }
    table.add_response(
        "get_item",
        {"Item": submission},
        {"TableName": "forms", "Key": {"PK": "TENANT#acme", "SK": "SUB#k1"}, "ConsistentRead": True},
    )


def url(receiver: Receiver) -> str:
    return f"http://127.0.0.1:{receiver.server_port}/hook"


def letter(identity: str = "m1", receives: int = 1, body: str | None = None) -> dict[str, Any]:
    text = {"tenant": "acme", "submission": "k1", "destination": "crm", "correlation_id": "correlation-1"}
    return {
        "messageId": identity,
        "receiptHandle": f"receipt-{identity}",
        "body": body or json.dumps(text),
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }


def work(*records: dict[str, Any], context: Context | None = None) -> list[str]:
    answer = connector.handler({"Records": list(records)}, context or Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def given_up(queue: Stubber, reason: str) -> None:
    attributes = {"reason": {"DataType": "String", "StringValue": reason}}
    queue.add_response(
        "send_message", {}, {"QueueUrl": connector.DEAD_LETTERS, "MessageBody": ANY, "MessageAttributes": attributes}
    )


def put_off(queue: Stubber, seconds: int) -> None:
    queue.add_response(
        "change_message_visibility",
        {},
        {"QueueUrl": connector.QUEUE, "ReceiptHandle": ANY, "VisibilityTimeout": seconds},
    )


def test_a_letter_is_delivered_mapped_with_key_correlation_and_api_key(
    receiver: Receiver, table: Stubber, queue: Stubber
) -> None:
    mapping = {"full_name": "fields.name", "town": "fields.address.city", "phone": "fields.phone", "ref": "id"}
    known(table, url(receiver), mapping)
    assert work(letter()) == []
    [(headers, body)] = receiver.got
    assert body == {"full_name": "Ada", "town": "London", "ref": "k1"}
    assert headers["authorization"] == "Bearer api-key"
    assert headers["idempotency-key"] == "acme:k1"
    assert headers["x-correlation-id"] == "correlation-1"


def test_a_destination_that_stumbles_is_tried_again_at_once(receiver: Receiver, table: Stubber, queue: Stubber) -> None:
    receiver.answers = [503, 429, 200]
    known(table, url(receiver))
    assert work(letter()) == []
    assert {headers["idempotency-key"] for headers, _ in receiver.got} == {"acme:k1"}
    assert len(receiver.got) == 3


@pytest.mark.parametrize(("receives", "seconds"), [(1, 30), (2, 60), (5, 480), (7, 900)])
def test_a_destination_that_is_down_gets_the_letter_later_and_later(
    receiver: Receiver, table: Stubber, queue: Stubber, receives: int, seconds: int
) -> None:
    receiver.answers = [500, 502, 503]
    known(table, url(receiver))
    put_off(queue, seconds)
    assert work(letter(receives=receives)) == ["m1"]
    assert len(receiver.got) == 3
    queue.assert_no_pending_responses()


def test_a_destination_that_does_not_listen_is_down(receiver: Receiver, table: Stubber, queue: Stubber) -> None:
    known(table, "http://127.0.0.1:1/hook")
    put_off(queue, 30)
    assert work(letter()) == ["m1"]


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_4xx_is_not_retried_and_goes_to_the_dead_letters_with_the_reason(
    receiver: Receiver, table: Stubber, queue: Stubber, status: int
) -> None:
    receiver.answers = [status]
    known(table, url(receiver))
    given_up(queue, f"crm answered {status}")
    assert work(letter()) == []
    assert len(receiver.got) == 1
    queue.assert_no_pending_responses()


def test_a_redirect_is_not_followed_with_the_key(receiver: Receiver, table: Stubber, queue: Stubber) -> None:
    receiver.answers = [302]
    known(table, url(receiver))
    given_up(queue, "crm answered 302")
    assert work(letter()) == []


def test_plain_http_is_refused_unless_allowed(
    receiver: Receiver, table: Stubber, queue: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destinations, "SCHEMES", {"https"})
    known(table, url(receiver))
    given_up(queue, "destination crm: only https is allowed")
    assert work(letter()) == []
    assert receiver.got == []


def test_a_destination_that_left_the_registry_gets_nothing(table: Stubber, queue: Stubber) -> None:
    table.add_response("get_item", {})
    given_up(queue, "the destination is no longer registered")
    assert work(letter()) == []


def test_one_letter_fails_alone(receiver: Receiver, table: Stubber, queue: Stubber) -> None:
    receiver.answers = [503, 503, 503, 200]
    known(table, url(receiver))
    known(table, url(receiver))
    put_off(queue, 30)
    assert work(letter("m1"), letter("m2")) == ["m1"]


def test_a_letter_that_cannot_be_put_with_the_dead_letters_comes_back(
    receiver: Receiver, table: Stubber, queue: Stubber
) -> None:
    receiver.answers = [400]
    known(table, url(receiver))
    queue.add_client_error("send_message", "InternalError")
    assert work(letter()) == ["m1"]


def test_what_is_no_letter_is_given_up(queue: Stubber) -> None:
    queue.add_response("send_message", {})
    assert work(letter(body="{}")) == []
    queue.assert_no_pending_responses()


def test_without_time_no_attempt_is_begun(receiver: Receiver, table: Stubber, queue: Stubber) -> None:
    known(table, url(receiver))
    put_off(queue, 30)
    assert work(letter(), context=Context(remaining_s=1.0)) == ["m1"]
    assert receiver.got == []


def attempts_in(seconds: float, each_takes: float) -> list[float]:
    clock, given = 0.0, []

    def attempt(timeout_s: float) -> None:
        nonlocal clock
        given.append(timeout_s)
        clock += min(each_takes, timeout_s)
        raise destinations.Unavailable("slow")

    remaining: Callable[[], float] = lambda: seconds - clock  # noqa: E731
    with pytest.raises(destinations.Unavailable):
        destinations.deliver(attempt, remaining, attempt_s=2.0, attempts=3, pause=lambda _: None)
    return given


def test_attempts_fit_into_the_letters_share_of_the_time() -> None:
    assert attempts_in(10.0, each_takes=5.0) == [2.0, 2.0, 2.0]
    assert attempts_in(3.0, each_takes=5.0) == [2.0, 1.0]
