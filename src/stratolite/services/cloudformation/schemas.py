"""Schemas: which properties each resource type has, and of which kind.

The data in `types/` is written by `tools/resource_types.py` from the published resource provider schemas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "types"


@cache
def _service(name: str) -> dict[str, Any]:
    file = _FOLDER / f"{name.lower()}.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


def schema(type_name: str) -> Mapping[str, Any] | None:
    """A resource type's schema; None for types without a published one (`Custom::...`)."""
    parts = type_name.split("::")
    found: Mapping[str, Any] | None = _service(parts[1]).get(type_name) if len(parts) == 3 else None
    return found


def create_only(type_name: str) -> frozenset[str]:
    """The top-level properties whose change replaces a resource, as published."""
    found = schema(type_name) or {}
    return frozenset(path.partition("/")[0] for path in found.get("createOnlyProperties", ()))


def problems(type_name: str, properties: Mapping[str, Any]) -> list[str]:
    """What is wrong with a resource's properties, in AWS's words; empty when nothing is."""
    found = schema(type_name)
    if found is None:
        return []
    read_only = {path for path in found.get("readOnlyProperties", ()) if "/" not in path}
    stray = [name for name in properties if name in read_only]
    told = [f"Encountered unsupported properties in {{/}}: [{', '.join(stray)}]"] if stray else []
    return told + list(_problems(properties, found, found["definitions"], ""))


def coerced(type_name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties with scalars in the kinds the schema asks for: what comes from parameters is text."""
    found = schema(type_name)
    if found is None:
        return dict(properties)
    return _coerced(properties, found, found["definitions"])  # type: ignore[no-any-return]


def _followed(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    seen = 0
    while "$ref" in schema and seen < 10:
        schema = definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1], {})
        seen += 1
    return schema


def _problems(value: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str) -> Iterator[str]:
    schema = _followed(schema, definitions)
    if isinstance(value, Mapping) and "properties" in schema:
        known = schema["properties"]
        if schema.get("additionalProperties") is False and not schema.get("patternProperties"):
            unknown = [name for name in value if name not in known]
            if unknown:
                yield f"Encountered unsupported properties in {{{path or '/'}}}: [{', '.join(unknown)}]"
        for name in schema.get("required", ()):
            if name not in value:
                yield f"The property {{{path}/{name}}} is required"
        for name, each in value.items():
            if name in known:
                yield from _problems(each, known[name], definitions, f"{path}/{name}")
    elif isinstance(value, list) and "items" in schema:
        for index, each in enumerate(value):
            yield from _problems(each, schema["items"], definitions, f"{path}/{index}")
    else:
        kinds = _kinds(schema)
        admitted = next((kinds & each for type_, each in _ADMITTED if isinstance(value, type_)), kinds)
        if kinds and not admitted:
            yield f"Value of property {{{path}}} must be of type {_named(kinds)}"


# Scalars pass for one another: CloudFormation turns one into the other where it can.
_SCALARS = {"boolean", "integer", "number", "string"}
_ADMITTED: tuple[tuple[type | tuple[type, ...], set[str]], ...] = (
    (Mapping, {"object"}),
    (list, {"array"}),
    ((str, int, float), _SCALARS),
)
_NAMES = {"array": "List", "object": "Object", "string": "String", "integer": "Integer", "number": "Number"}


def _named(kinds: set[str]) -> str:
    return _NAMES.get(min(kinds), min(kinds).capitalize())


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _coerced(value: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    schema = _followed(schema, definitions)
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        other: Mapping[str, Any] = next(iter(patterns.values()), {}) if len(patterns) == 1 else {}
        return {name: _coerced(each, known.get(name, other), definitions) for name, each in value.items()}
    if isinstance(value, list):
        return [_coerced(each, schema.get("items", {}), definitions) for each in value]
    kinds = _kinds(schema)
    if isinstance(value, str):
        if "string" in kinds or not kinds:
            return value
        if "boolean" in kinds and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if "integer" in kinds and re.fullmatch(r"[+-]?\d+", value.strip()):
            return int(value)
        if "number" in kinds:
            try:
                return float(value) if "." in value or "e" in value.lower() else int(value)
            except ValueError:
                return value
    elif kinds == {"string"} and isinstance(value, bool):
        return "true" if value else "false"
    elif kinds == {"string"} and isinstance(value, (int, float)):
        return str(value)
    return value
