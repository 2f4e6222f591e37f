"""Outbox: e-mails, text messages and notifications on phones, which do not leave, and can be read here."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from stratolite.kernel import Call, endpoint
from stratolite.wire.http1 import Headers, Request, Response

from .content import MessageAttributes

MOST = 1_000
"""Messages that are told at once; the oldest go first when a query asks for what came after a `key`."""


@dataclass(frozen=True)
class Letter:
    protocol: str
    endpoint: str
    message_id: str
    message: str
    subject: str | None = None
    topic_arn: str | None = None
    attributes: MessageAttributes = field(default_factory=dict)


def put(call: Call, letter: Letter) -> None:
    call.tx.run(
        "INSERT INTO sns_outbox (account, region, protocol, endpoint, topic_arn, message_id, subject, message,"
        " attributes, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        call.account, call.region, letter.protocol, letter.endpoint, letter.topic_arn, letter.message_id,
        letter.subject, letter.message, json.dumps(letter.attributes, default=_text), call.now,
    )  # fmt: skip


def _text(value: Any) -> str:
    return base64.b64encode(value).decode()


@endpoint(path=r"/_aws/sns/outbox")
def read(call: Call, request: Request) -> Response:
    """What would have left, oldest first. Query: `protocol`, `endpoint`, `after` (a key that was told before)."""
    query = dict(request.query)
    rows = call.tx.all(
        "SELECT * FROM sns_outbox WHERE key > ? AND ? IN ('', protocol) AND ? IN ('', endpoint) ORDER BY key LIMIT ?",
        int(query.get("after") or 0), query.get("protocol", ""), query.get("endpoint", ""), MOST,
    )  # fmt: skip
    letters = [{**dict(row), "attributes": json.loads(row["attributes"])} for row in rows]
    return Response(200, Headers({"content-type": "application/json"}), json.dumps({"messages": letters}).encode())
