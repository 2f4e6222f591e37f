"""Tags of parameters."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import InvalidResourceId, InvalidResourceType, TooManyTagsError, ValidationException

_MAX_TAGS = 50


@operation
def add_tags_to_resource(call: Call, resource_type: str, resource_id: str, tags: list[dict[str, str]]) -> None:
    parameter = _tagged(call, resource_type, resource_id)
    merged = json.loads(parameter["tags"]) | {tag["Key"]: tag["Value"] for tag in tags}
    if len(merged) > _MAX_TAGS:
        raise TooManyTagsError
    _set(call, parameter["key"], merged)


@operation
def remove_tags_from_resource(call: Call, resource_type: str, resource_id: str, tag_keys: list[str]) -> None:
    parameter = _tagged(call, resource_type, resource_id)
    tags = json.loads(parameter["tags"])
    _set(call, parameter["key"], {key: value for key, value in tags.items() if key not in tag_keys})


@operation
def list_tags_for_resource(call: Call, resource_type: str, resource_id: str) -> dict[str, Any]:
    tags = json.loads(_tagged(call, resource_type, resource_id)["tags"])
    return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _tagged(call: Call, resource_type: str, resource_id: str) -> Any:
    """The parameter; nothing else that Systems Manager tags exists here."""
    if resource_type != "Parameter":
        raise InvalidResourceType
    try:
        parameter = names.find(call, resource_id)
    except ValidationException:
        parameter = None
    if parameter is None:
        raise InvalidResourceId(id=resource_id)
    return parameter


def _set(call: Call, key: int, tags: dict[str, str]) -> None:
    call.tx.run("UPDATE ssm_parameter SET tags = ? WHERE key = ?", json.dumps(tags), key)
