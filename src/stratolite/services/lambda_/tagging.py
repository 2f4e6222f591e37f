"""Tags of functions and of event source mappings."""

from __future__ import annotations

import json
from dataclasses import dataclass

from stratolite.kernel import Call, operation

from . import configurations, limits, names
from .errors import InvalidParameterValueException, ResourceNotFoundException


@dataclass(frozen=True, slots=True)
class Tagged:
    table: str
    key: int
    tags: dict[str, str]


def _find(call: Call, resource: str) -> Tagged:
    if ":event-source-mapping:" in resource:
        row = call.tx.one("SELECT key, tags FROM lambda_mapping WHERE uuid = ?", resource.rpartition(":")[2])
        if row is None:
            raise ResourceNotFoundException(f"Event source mapping not found: {resource}")
        return Tagged("lambda_mapping", row["key"], json.loads(row["tags"]))
    which = names.named(call, resource)
    if which.qualifier is not None:
        raise InvalidParameterValueException(
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    row = names.function(call, which)
    return Tagged("lambda_function", row["key"], json.loads(row["tags"]))


def _write(call: Call, tagged: Tagged, tags: dict[str, str]) -> None:
    call.tx.run(f"UPDATE {tagged.table} SET tags = ? WHERE key = ?", json.dumps(tags), tagged.key)
    if tagged.table == "lambda_function":
        latest = call.tx.value("SELECT key FROM lambda_version WHERE function = ? AND version = '$LATEST'", tagged.key)
        configurations.changed(call, latest)


@operation
def tag_resource(call: Call, resource: str, tags: dict[str, str]) -> None:
    tagged = _find(call, resource)
    if not tags:
        raise InvalidParameterValueException("An error occurred and the request cannot be processed.")
    merged = {**tagged.tags, **tags}
    if len(merged) > limits.TAGS:
        raise InvalidParameterValueException("Number of tags exceeds resource tag limit.")
    _write(call, tagged, merged)


@operation
def untag_resource(call: Call, resource: str, tag_keys: list[str]) -> None:
    tagged = _find(call, resource)
    _write(call, tagged, {key: value for key, value in tagged.tags.items() if key not in tag_keys})


@operation
def list_tags(call: Call, resource: str) -> dict[str, dict[str, str]]:
    return {"Tags": _find(call, resource).tags}
