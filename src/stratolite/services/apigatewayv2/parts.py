"""Parts: an API's routes, integrations, authorizers and stages, kept as documents."""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call

from .errors import BadRequestException, NotFoundException

Document = dict[str, Any]

_ALPHABET = string.ascii_lowercase + string.digits
_PAGE = 100  # AWS does not say how many it gives when nobody asks


@dataclass(frozen=True)
class Api:
    """One API: its key, its owner, and its document (the model's members)."""

    key: int
    account: str
    region: str
    id: str
    document: Document
    tags: dict[str, str]
    created_at: float

    @property
    def arn(self) -> str:
        return f"arn:aws:apigateway:{self.region}::/apis/{self.id}"


def random_id(call: Call, length: int) -> str:
    return "".join(call.world.random.choices(_ALPHABET, k=length))


def given(**members: Any) -> Document:
    """The members that were given."""
    return {name: value for name, value in members.items() if value is not None}


def find_api(call: Call, api_id: str) -> Api:
    """Raises NotFoundException; another account's API is not there."""
    row = call.tx.one(
        "SELECT * FROM apigatewayv2_api WHERE id = ? AND account = ? AND region = ?", api_id, call.account, call.region
    )
    if row is None:
        raise NotFoundException(kind="API", id=f"{call.account}:{api_id}")
    return api_of(row)


def api_of(row: Any) -> Api:
    return Api(
        row["key"],
        row["account"],
        row["region"],
        row["id"],
        json.loads(row["document"]),
        json.loads(row["tags"]),
        row["created_at"],
    )


def save_api(call: Call, api: Api, document: Document) -> None:
    call.tx.run("UPDATE apigatewayv2_api SET document = ? WHERE key = ?", json.dumps(document), api.key)


def add(call: Call, api: Api, kind: str, part_id: str, document: Document) -> Document:
    call.tx.run(
        "INSERT INTO apigatewayv2_part (api, kind, id, document) VALUES (?, ?, ?, ?)",
        api.key,
        kind,
        part_id,
        json.dumps(document),
    )
    return document


def every(call: Call, api: Api, kind: str) -> list[Document]:
    rows = call.tx.all("SELECT document FROM apigatewayv2_part WHERE api = ? AND kind = ? ORDER BY seq", api.key, kind)
    return [json.loads(row["document"]) for row in rows]


def find(call: Call, api: Api, kind: str, part_id: str) -> Document:
    """Raises NotFoundException."""
    text = call.tx.value(
        "SELECT document FROM apigatewayv2_part WHERE api = ? AND kind = ? AND id = ?", api.key, kind, part_id
    )
    if text is None:
        raise NotFoundException(kind="stage" if kind == "Stage" else kind, id=part_id)
    return json.loads(text)  # type: ignore[no-any-return]


def save(call: Call, api: Api, kind: str, part_id: str, document: Document) -> Document:
    call.tx.run(
        "UPDATE apigatewayv2_part SET document = ? WHERE api = ? AND kind = ? AND id = ?",
        json.dumps(document),
        api.key,
        kind,
        part_id,
    )
    return document


def remove(call: Call, api: Api, kind: str, part_id: str) -> None:
    """Raises NotFoundException."""
    find(call, api, kind, part_id)
    call.tx.run("DELETE FROM apigatewayv2_part WHERE api = ? AND kind = ? AND id = ?", api.key, kind, part_id)


def page(items: list[Document], max_results: str | None, next_token: str | None) -> Document:
    """A page of a list; a token is a place in it."""
    try:
        start, size = int(next_token or 0), int(max_results or _PAGE)
    except ValueError:
        raise BadRequestException("Invalid value for NextToken or MaxResults") from None
    end = start + size
    return {"Items": items[start:end], "NextToken": str(end) if end < len(items) else None}
