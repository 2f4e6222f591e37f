"""Answers: what the code of custom resources and the scripts of wait conditions send back, over plain HTTP."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, endpoint
from stratolite.wire.http1 import Headers, Request, Response

_PATH = "/_aws/cloudformation-custom-resource/"


def url(call: Call, token: str) -> str:
    """Where the answer to a question is to be PUT; on AWS this is a presigned URL of S3."""
    return f"{call.caller.scheme}://{call.cloud.host}{_PATH}{token}"


def token_of(url: str) -> str:
    return url.rpartition("/")[2]


@endpoint(path=_PATH + r"(?P<token>[0-9a-f-]{36})")
def answer(call: Call, request: Request, token: str) -> Response:
    """Take an answer. The first of each id counts, and only an object does; S3 would take anything."""
    body = request.body if isinstance(request.body, bytes) else request.body.read()
    try:
        told = json.loads(body)
        identity = str(told.get("UniqueId", ""))
    except (ValueError, AttributeError):
        return Response(400, Headers([("content-type", "text/plain")]), b"The answer is no JSON object.\n")
    call.tx.run(
        "INSERT OR IGNORE INTO cloudformation_answer (token, id, body) VALUES (?, ?, ?)",
        token, identity, body.decode("utf-8", "replace"),
    )  # fmt: skip
    call.signal("cloudformation-answer", token, n=None)
    return Response(200, Headers([("content-length", "0")]), b"")


async def received(call: Call, token: str, count: int, until: float) -> list[dict[str, Any]]:
    """The first answers to a question, `count` of them unless time ends; a failure ends the waiting too."""
    while True:
        told = [
            json.loads(each["body"])
            for each in call.tx.all("SELECT body FROM cloudformation_answer WHERE token = ? ORDER BY id", token)
        ]
        if len(told) >= count or any(each.get("Status") in ("FAILED", "FAILURE") for each in told):
            return told
        left = until - call.world.now()
        if left <= 0:
            return told
        await call.wait(("cloudformation-answer", token), left)


def forget(call: Call, token: str) -> None:
    """Forget what a handle was told."""
    call.tx.run("DELETE FROM cloudformation_answer WHERE token = ?", token)


def asked_at(call: Call, token: str) -> float | None:
    """When a question was asked; None when it was not."""
    found: float | None = call.tx.value("SELECT asked_at FROM cloudformation_question WHERE token = ?", token)
    return found


def note_question(call: Call, token: str) -> None:
    call.tx.run("INSERT INTO cloudformation_question (token, asked_at) VALUES (?, ?)", token, call.now)
