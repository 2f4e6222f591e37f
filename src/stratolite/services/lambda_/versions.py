"""Versions and aliases: what is published stays; an alias points at one, or at two by weight."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import configurations, names
from .errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from .names import LATEST


def publish(call: Call, row: Row, description: str | None, pending: bool = False) -> Row:
    """The version that now holds what $LATEST is: a new one, or the last if nothing has changed since."""
    which = names.Named(row["account"], row["region"], row["name"], None)
    last = call.tx.one(
        "SELECT version, generation FROM lambda_version WHERE function = ? AND version <> ? ORDER BY key DESC LIMIT 1",
        row["function"], LATEST,
    )  # fmt: skip
    if last is not None and last["generation"] == row["generation"]:
        return names.version(call, names.Named(which.account, which.region, which.name, last["version"]))
    number = call.tx.value("SELECT next_version FROM lambda_function WHERE key = ?", row["function"])
    config = json.loads(row["config"])
    if description is not None:
        config["Description"] = description
    key = call.tx.run(
        "INSERT INTO lambda_version (function, version, config, code, code_sha256, code_size, generation, revision,"
        " modified_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row["function"], str(number), json.dumps(config), row["code"], row["code_sha256"], row["code_size"],
        row["generation"], call.world.id(), row["modified_at"], "Pending" if pending else row["state"],
    ).lastrowid  # fmt: skip
    if pending or row["state"] == "Pending":
        call.later("lambda.activate", version=key)
    code = json.loads(row["code"])
    if "zip" in code:
        call.blobs.refer(call.tx, code["zip"])
    call.tx.run("UPDATE lambda_function SET next_version = next_version + 1 WHERE key = ?", row["function"])
    configurations.changed(call, row["key"])
    return names.version(call, names.Named(which.account, which.region, which.name, str(number)))


@operation
def publish_version(
    call: Call,
    function_name: str,
    code_sha256: str | None = None,
    description: str | None = None,
    revision_id: str | None = None,
) -> dict[str, Any]:
    which = names.named(call, function_name)
    row = names.version(call, which, None)
    if revision_id is not None and revision_id != row["revision"]:
        raise PreconditionFailedException(operation="GetFunction/GetAlias")
    if code_sha256 and code_sha256 != row["code_sha256"]:
        raise InvalidParameterValueException(
            f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST ({row['code_sha256']})."
            " Please try again with the CodeSHA256 in $LATEST."
        )
    return configurations.shown(publish(call, row, description))


@operation
def list_versions_by_function(
    call: Call, function_name: str, marker: str | None = None, max_items: int = 50
) -> dict[str, Any]:
    which = names.named(call, function_name)
    function = names.function(call, which)
    rows = call.tx.all(
        "SELECT v.*, f.account, f.region, f.name FROM lambda_version v JOIN lambda_function f ON f.key = v.function"
        " WHERE v.function = ? AND v.key > ? ORDER BY v.key LIMIT ?",
        function["key"], names.marker(marker, 0), min(max_items, 50) + 1,
    )  # fmt: skip
    page = rows[: min(max_items, 50)]
    found: dict[str, Any] = {
        "Versions": [configurations.listed(row, LATEST if row["version"] == LATEST else None) for row in page]
    }
    if len(rows) > len(page):
        found["NextMarker"] = str(page[-1]["key"])
    return found


# ---- aliases


def _alias(row: Row, which: names.Named) -> dict[str, Any]:
    found: dict[str, Any] = {
        "AliasArn": f"{which.arn}:{row['name']}",
        "Name": row["name"],
        "FunctionVersion": row["version"],
        "Description": row["description"],
        "RevisionId": row["revision"],
    }
    if weights := json.loads(row["weights"]):
        found["RoutingConfig"] = {"AdditionalVersionWeights": weights}
    return found


def _check_routing(call: Call, which: names.Named, version: str, weights: dict[str, float]) -> None:
    if len(weights) > 1:
        raise InvalidParameterValueException("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if weights and version == LATEST:
        raise InvalidParameterValueException(
            "$LATEST is not supported for an alias pointing to more than 1 version", Type=None
        )
    for other in weights:
        if other == version:
            raise InvalidParameterValueException(
                f"Invalid function version {version}. Function version {version} is already included in routing"
                " configuration."
            )
    for number in [version, *weights]:
        names.version(call, names.Named(which.account, which.region, which.name, number))


@operation
def create_alias(
    call: Call,
    function_name: str,
    name: str,
    function_version: str,
    description: str = "",
    routing_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    which = names.named(call, function_name)
    weights = (routing_config or {}).get("AdditionalVersionWeights") or {}
    if names.look(call, which) is None:
        raise names.missing(names.Named(which.account, which.region, which.name, function_version))
    function = names.function(call, which)
    _check_routing(call, which, function_version, weights)
    if _find(call, function["key"], name) is not None:
        raise ResourceConflictException(f"Alias already exists: {which.arn}:{name}")
    call.tx.run(
        "INSERT INTO lambda_alias (function, name, version, description, weights, revision) VALUES (?, ?, ?, ?, ?, ?)",
        function["key"], name, function_version, description, json.dumps(weights), call.world.id(),
    )  # fmt: skip
    return get_alias(call, function_name, name)


def _find(call: Call, function: int, name: str) -> Row | None:
    return call.tx.one("SELECT * FROM lambda_alias WHERE function = ? AND name = ?", function, name)


@operation
def get_alias(call: Call, function_name: str, name: str) -> dict[str, Any]:
    which = names.named(call, function_name)
    row = None if (function := names.look(call, which)) is None else _find(call, function["key"], name)
    if row is None:
        raise ResourceNotFoundException(f"Cannot find alias arn: {which.arn}:{name}")
    return _alias(row, which)


@operation
def update_alias(
    call: Call,
    function_name: str,
    name: str,
    function_version: str | None = None,
    description: str | None = None,
    routing_config: dict[str, Any] | None = None,
    revision_id: str | None = None,
) -> dict[str, Any]:
    which = names.named(call, function_name)
    function = names.look(call, which)
    row = None if function is None else _find(call, function["key"], name)
    if row is None:
        raise ResourceNotFoundException(f"Alias not found: {which.arn}:{name}")
    if revision_id is not None and revision_id != row["revision"]:
        raise PreconditionFailedException(operation="GetFunction/GetAlias")
    version = function_version or row["version"]
    weights = json.loads(row["weights"])
    if routing_config is not None:
        weights = routing_config.get("AdditionalVersionWeights") or {}
    _check_routing(call, which, version, weights)
    call.tx.run(
        "UPDATE lambda_alias SET version = ?, description = ?, weights = ?, revision = ? WHERE key = ?",
        version, row["description"] if description is None else description, json.dumps(weights), call.world.id(),
        row["key"],
    )  # fmt: skip
    return get_alias(call, function_name, name)


@operation
def delete_alias(call: Call, function_name: str, name: str) -> None:
    which = names.named(call, function_name)
    function = names.look(call, which)
    if function is not None:
        call.tx.run("DELETE FROM lambda_alias WHERE function = ? AND name = ?", function["key"], name)
        for table in ("lambda_policy", "lambda_event_invoke"):
            call.tx.run(f"DELETE FROM {table} WHERE function = ? AND qualifier = ?", function["key"], name)


@operation
def list_aliases(
    call: Call,
    function_name: str,
    function_version: str | None = None,
    marker: str | None = None,
    max_items: int = 50,
) -> dict[str, Any]:
    which = names.named(call, function_name)
    function = names.function(call, which)
    rows = call.tx.all(
        "SELECT * FROM lambda_alias WHERE function = ? AND name > ? AND (? IS NULL OR version = ?)"
        " ORDER BY name LIMIT ?",
        function["key"], marker or "", function_version, function_version, min(max_items, 50) + 1,
    )  # fmt: skip
    page = rows[: min(max_items, 50)]
    found: dict[str, Any] = {"Aliases": [_alias(row, which) for row in page]}
    if len(rows) > len(page):
        found["NextMarker"] = page[-1]["name"]
    return found


def routed(call: Call, which: names.Named) -> Row:
    """The version an invocation runs on: an alias with weights draws lots."""
    if which.qualifier not in (None, LATEST) and not which.qualifier.isdigit():
        alias = call.tx.one(
            "SELECT a.* FROM lambda_alias a JOIN lambda_function f ON f.key = a.function"
            " WHERE f.account = ? AND f.region = ? AND f.name = ? AND a.name = ?",
            which.account, which.region, which.name, which.qualifier,
        )  # fmt: skip
        if alias is not None:
            drawn = alias["version"]
            lot = call.world.random.random()
            for other, weight in json.loads(alias["weights"]).items():
                if lot < weight:
                    drawn = other
                    break
                lot -= weight
            return names.version(call, names.Named(which.account, which.region, which.name, drawn))
    return names.version(call, which)
