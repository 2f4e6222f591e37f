"""Tags of secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import InvalidParameterException

_MAX_TAGS = 50


@operation
def tag_resource(call: Call, secret_id: str, tags: list[dict[str, str]]) -> None:
    secret = names.get_primary(call, secret_id)
    _set(call, secret.key, merged(_of(secret.row), tags))


@operation
def untag_resource(call: Call, secret_id: str, tag_keys: list[str]) -> None:
    secret = names.get_primary(call, secret_id)
    if secret.row["tags"]:
        _set(call, secret.key, [tag for tag in _of(secret.row) if tag["Key"] not in tag_keys])


def stamp(call: Call, secret_id: str, stack_tags: Mapping[str, str]) -> None:
    """Puts the tags of a stack before a secret's own, its `aws:` ones too, which nobody else may set."""
    secret = names.get(call, secret_id)
    own = {tag["Key"]: tag for tag in _of(secret.row)}
    stamped = {key: {"Key": key, "Value": value} for key, value in stack_tags.items()}
    if stamped:
        _set(call, secret.key, list((own | stamped | own).values()))


def merged(old: list[dict[str, str]], new: list[dict[str, str]]) -> list[dict[str, str]]:
    """The tags with the new ones added or replaced, in the order they came."""
    by_key = {tag["Key"]: tag for tag in old} | {
        tag.get("Key", ""): {"Key": tag.get("Key", ""), "Value": tag.get("Value", "")} for tag in new
    }
    if any(key.startswith("aws:") for key in by_key if key in {tag.get("Key", "") for tag in new}):
        raise InvalidParameterException(
            "You can't use a tag key that starts with aws: because it is reserved for AWS use."
        )
    if len(by_key) > _MAX_TAGS:
        raise InvalidParameterException("You've exceeded the maximum number of tags (50) for the secret.")
    return list(by_key.values())


def _of(row: Any) -> list[dict[str, str]]:
    return list(json.loads(row["tags"])) if row["tags"] else []


def _set(call: Call, key: int, tags: list[dict[str, str]]) -> None:
    call.tx.run(
        "UPDATE secretsmanager_secret SET tags = ?, changed_at = ? WHERE key = ?", json.dumps(tags), call.now, key
    )
