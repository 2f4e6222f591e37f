"""Tags of groups and destinations, by either of the two APIs."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import destinations, names
from .errors import ResourceNotFoundException, TooManyTagsException

_MAX_TAGS = 50


@operation
def tag_resource(call: Call, resource_arn: str, tags: dict[str, str]) -> None:
    _set(call, resource_arn, _of(call, resource_arn) | tags)


@operation
def untag_resource(call: Call, resource_arn: str, tag_keys: list[str]) -> None:
    _set(call, resource_arn, {k: v for k, v in _of(call, resource_arn).items() if k not in tag_keys})


@operation
def list_tags_for_resource(call: Call, resource_arn: str) -> dict[str, Any]:
    return {"tags": _of(call, resource_arn)}


@operation
def tag_log_group(call: Call, log_group_name: str, tags: dict[str, str]) -> None:
    tag_resource(call, names.get(call, log_group_name).arn, tags)


@operation
def untag_log_group(call: Call, log_group_name: str, tags: list[str]) -> None:
    untag_resource(call, names.get(call, log_group_name).arn, tags)


@operation
def list_tags_log_group(call: Call, log_group_name: str) -> dict[str, Any]:
    return list_tags_for_resource(call, names.get(call, log_group_name).arn)


def _of(call: Call, arn: str) -> dict[str, str]:
    destination = destinations.find(call, arn)
    row = destination if destination is not None else names.by_identifier(call, arn).row
    return dict(json.loads(row["tags"]))


def _set(call: Call, arn: str, tags: dict[str, str]) -> None:
    if len(tags) > _MAX_TAGS:
        raise TooManyTagsException
    destination = destinations.find(call, arn)
    if destination is not None:
        call.tx.run(
            "UPDATE logs_destination SET tags = ? WHERE account = ? AND region = ? AND name = ?",
            json.dumps(tags),
            destination["account"],
            destination["region"],
            destination["name"],
        )
        return
    group = names.by_identifier(call, arn)
    if not arn.startswith("arn:"):
        raise ResourceNotFoundException(what="log group")
    call.tx.run("UPDATE logs_group SET tags = ? WHERE key = ?", json.dumps(tags), group.key)
