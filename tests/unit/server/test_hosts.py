"""Which door a request takes, and who may take the control's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stratolite.wire.http1 import Headers, Request, Response


def ask(cloud: Any, path: str, method: str = "GET", body: bytes = b"", **fields: str) -> Response:
    pairs = [("Host", fields.pop("host", "localhost:4566"))]
    pairs += [(name.replace("_", "-"), value) for name, value in fields.items()]
    answer: Response = cloud.ask(Request(method, path, Headers(pairs), body))
    return answer


def read(answer: Response) -> Any:
    assert isinstance(answer.body, bytes)
    return json.loads(answer.body)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:4566", "127.0.0.1:4566", "[::1]:4566", "api.localhost:4566"])
def test_the_control_answers_to_this_machine(cloud: Any, host: str) -> None:
    answer = ask(cloud, "/_strato/health", host=host)
    assert (answer.status, read(answer)["status"]) == (200, "running")


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "evil.example:4566"},
        {"host": "localhost.evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "evil-localhost"},
        {"host": ""},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost@evil.example"},
        {"origin": "http://evil.example#localhost"},
    ],
)
def test_a_web_page_from_elsewhere_cannot_drive_the_cloud(cloud: Any, fields: dict[str, str]) -> None:
    # DNS rebinding shows in the Host, a page that asks 127.0.0.1 directly in the Origin.
    assert ask(cloud, "/_strato/status", **fields).status == 403


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "http://127.0.0.1", "https://app.localhost", "http://[::1]:80"]
)
def test_a_page_of_this_machine_can(cloud: Any, origin: str) -> None:
    assert ask(cloud, "/_strato/status", origin=origin).status == 200


def test_the_control_says_what_it_does_not_have(cloud: Any) -> None:
    assert ask(cloud, "/_strato/nothing").status == 404
    answer = ask(cloud, "/_strato/health", "DELETE")
    assert (answer.status, read(answer)) == (405, {"message": "/_strato/health answers GET"})


def test_status_names_what_was_accepted_and_not_emulated(cloud: Any) -> None:
    cloud.cloud.notice("sqs CreateQueue: KmsMasterKeyId")
    assert read(ask(cloud, "/_strato/status"))["not_emulated"] == {"sqs CreateQueue: KmsMasterKeyId": 1}


def test_a_request_leaves_a_trace_that_can_be_asked_for(cloud: Any) -> None:
    fields = {"x_amz_target": "AmazonSQS.ListQueues", "content_type": "application/x-amz-json-1.0"}
    root = "1-5759e988-bd862e3fe1be46a994272793"
    assert ask(cloud, "/", "POST", b"{}", **fields, x_amzn_trace_id=f"Root={root}").status == 200
    found = read(ask(cloud, f"/_strato/trace?id={root}"))
    assert [span["name"] for span in found["spans"]] == ["sqs ListQueues"]
    assert ask(cloud, "/_strato/trace?id=none").status == 404


def test_an_answer_carries_the_id_of_its_request(cloud: Any) -> None:
    answer = ask(cloud, "/", "POST", b"{}", x_amz_target="AmazonSQS.ListQueues")
    assert answer.status == 200 and len(answer.headers["x-amzn-requestid"]) == 36


def test_what_we_lack_is_refused_by_name_and_never_a_quiet_200(cloud: Any) -> None:
    answer = ask(cloud, "/", "POST", b"{}", x_amz_target="Firehose_20150804.ListDeliveryStreams")
    assert answer.status == 501
    assert b"firehose ListDeliveryStreams is not implemented by Stratolite" in answer.body  # type: ignore[operator]


def test_an_error_of_ours_is_an_internal_failure_without_its_insides(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(cloud.cloud, "perform", broken)
    answer = ask(cloud, "/", "POST", b"{}", x_amz_target="AmazonSQS.ListQueues")
    assert answer.status == 500 and b"InternalFailure" in answer.body and b"secret" not in answer.body  # type: ignore[operator]


@pytest.mark.parametrize(("fault", "status"), [("throttle", 429), ("error", 500)])
def test_the_edge_of_a_plain_http_endpoint_can_be_sick_too(
    cloud: Any, monkeypatch: pytest.MonkeyPatch, fault: str, status: int
) -> None:
    monkeypatch.setattr(cloud.world, "fault", lambda where, *_, **__: fault if where == "request" else None)
    assert ask(cloud, "/", host="abcdefghij.execute-api.us-east-1.localhost:4566").status == status
