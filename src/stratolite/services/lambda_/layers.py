"""Layers: archives that are unpacked below a function's own code, in their order, at /opt."""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import configurations, limits, names, packages
from .errors import InvalidParameterValueException, ResourceNotFoundException

_ARN = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[^:]+):(?P<account>\d{12}):layer:(?P<name>[^:]+)(?::(?P<version>\d+))?"
)


def _arn(row: Row) -> str:
    return f"arn:aws:lambda:{row['region']}:{row['account']}:layer:{row['name']}"


def resolve(call: Call, arns: list[str]) -> list[dict[str, Any]]:
    """The layers of a function, as its configuration shows them. Raises InvalidParameterValueException."""
    if len(arns) > limits.LAYERS:
        raise InvalidParameterValueException(f"Cannot reference more than {limits.LAYERS} layers.")
    found: list[dict[str, Any]] = []
    seen = set()
    for arn in arns:
        match = _ARN.fullmatch(arn)
        if match is None or match["version"] is None:
            raise InvalidParameterValueException(f"Layer version {arn} does not exist.")
        if match["region"] != call.region:
            raise InvalidParameterValueException(
                f"Layers are not in the same region as the function. Layers are expected to be in region {call.region}."
            )
        row = version(call, match["account"], match["region"], match["name"], int(match["version"]))
        if row is None:
            raise InvalidParameterValueException(f"Layer version {arn} does not exist.")
        bare = arn.rpartition(":")[0]
        if bare in seen:
            first = next(layer["Arn"] for layer in found if layer["Arn"].startswith(bare + ":"))
            raise InvalidParameterValueException(
                "Two different versions of the same layer are not allowed to be referenced in the same function."
                f" {first} and {arn} are versions of the same layer."
            )
        seen.add(bare)
        found.append({"Arn": arn, "CodeSize": row["code_size"]})
    return found


def code(call: Call, arn: str) -> dict[str, Any] | None:
    """Where the contents of a layer version are; None if it is gone (functions keep what they had)."""
    match = _ARN.fullmatch(arn)
    assert match is not None
    row = version(call, match["account"], match["region"], match["name"], int(match["version"]))
    return None if row is None else json.loads(row["code"])


def version(call: Call, account: str, region: str, name: str, number: int) -> Row | None:
    """The row of a layer version, with its layer's `account`, `region` and `name`."""
    return call.tx.one(
        "SELECT v.*, l.account, l.region, l.name FROM lambda_layer l JOIN lambda_layer_version v ON v.layer = l.key"
        " WHERE l.account = ? AND l.region = ? AND l.name = ? AND v.version = ?",
        account, region, name, number,
    )  # fmt: skip


def named(call: Call, layer_name: str) -> tuple[str, str, str]:
    """Account, region and name that a layer's name or ARN means."""
    match = _ARN.fullmatch(layer_name)
    return (match["account"], match["region"], match["name"]) if match else (call.account, call.region, layer_name)


def _shown(row: Row) -> dict[str, Any]:
    return {
        **json.loads(row["config"]),
        "LayerVersionArn": f"{_arn(row)}:{row['version']}",
        "Version": row["version"],
        "CreatedDate": configurations.timestamp(row["created_at"]),
    }


def _content(call: Call, row: Row) -> dict[str, Any]:
    where = json.loads(row["code"])
    place = f"{call.caller.scheme}://{call.caller.host}/_aws/lambda/code/{where['zip']}" if "zip" in where else ""
    content = {"Location": place, "CodeSha256": row["code_sha256"], "CodeSize": row["code_size"]}
    return {**_shown(row), "LayerArn": _arn(row), "Content": content}


@operation
async def publish_layer_version(
    call: Call,
    layer_name: str,
    content: dict[str, Any],
    description: str = "",
    compatible_runtimes: list[str] | None = None,
    license_info: str | None = None,
    compatible_architectures: list[str] | None = None,
) -> dict[str, Any]:
    package = await packages.take(call, content, "PublishLayerVersion")
    account, region, name = named(call, layer_name)
    config = {
        "Description": description,
        "CompatibleRuntimes": compatible_runtimes,
        "LicenseInfo": license_info,
        "CompatibleArchitectures": compatible_architectures,
    }
    with call.write() as c:
        c.tx.run(
            "INSERT INTO lambda_layer (account, region, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            account, region, name,
        )  # fmt: skip
        layer = c.tx.one(
            "UPDATE lambda_layer SET next_version = next_version + 1 WHERE account = ? AND region = ? AND name = ?"
            " RETURNING key, next_version - 1 AS version",
            account, region, name,
        )  # fmt: skip
        assert layer is not None
        c.tx.run(
            "INSERT INTO lambda_layer_version (layer, version, config, code, code_sha256, code_size, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            layer["key"], layer["version"], json.dumps({k: v for k, v in config.items() if v is not None}),
            json.dumps(package.where), package.sha256, package.size, c.now,
        )  # fmt: skip
        if "zip" in package.where:
            c.blobs.refer(c.tx, package.where["zip"])
        row = version(c, account, region, name, layer["version"])
        assert row is not None
        return _content(c, row)


def _check(number: int) -> None:
    if number < 1:
        raise InvalidParameterValueException("Layer Version Cannot be less than 1")


def _found(call: Call, layer_name: str, number: int) -> Row:
    _check(number)
    row = version(call, *named(call, layer_name), number)
    if row is None:
        raise ResourceNotFoundException("The resource you requested does not exist.")
    return row


@operation
def get_layer_version(call: Call, layer_name: str, version_number: int) -> dict[str, Any]:
    return _content(call, _found(call, layer_name, version_number))


@operation
def get_layer_version_by_arn(call: Call, arn: str) -> dict[str, Any]:
    name, _, number = arn.rpartition(":")
    return _content(call, _found(call, name, int(number)))


@operation
def delete_layer_version(call: Call, layer_name: str, version_number: int) -> None:
    _check(version_number)
    row = version(call, *named(call, layer_name), version_number)
    if row is not None:
        where = json.loads(row["code"])
        if "zip" in where:
            call.blobs.drop(call.tx, where["zip"])
        call.tx.run("DELETE FROM lambda_layer_version WHERE layer = ? AND version = ?", row["layer"], row["version"])


@operation
def list_layers(
    call: Call,
    compatible_runtime: str | None = None,
    marker: str | None = None,
    max_items: int = 50,
    compatible_architecture: str | None = None,
) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT v.*, l.account, l.region, l.name FROM lambda_layer l JOIN lambda_layer_version v ON v.layer = l.key"
        " WHERE l.account = ? AND l.region = ? AND l.name > ?"
        " AND v.version = (SELECT max(version) FROM lambda_layer_version WHERE layer = l.key) ORDER BY l.name",
        call.account, call.region, marker or "",
    )  # fmt: skip
    shown = [
        {"LayerName": row["name"], "LayerArn": _arn(row), "LatestMatchingVersion": _shown(row)}
        for row in rows
        if _suits(row, compatible_runtime, compatible_architecture)
    ]
    page = shown[: min(max_items, 50)]
    return {"Layers": page, **({"NextMarker": page[-1]["LayerName"]} if len(shown) > len(page) else {})}


@operation
def list_layer_versions(
    call: Call,
    layer_name: str,
    compatible_runtime: str | None = None,
    marker: str | None = None,
    max_items: int = 50,
    compatible_architecture: str | None = None,
) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT v.*, l.account, l.region, l.name FROM lambda_layer l JOIN lambda_layer_version v ON v.layer = l.key"
        " WHERE l.account = ? AND l.region = ? AND l.name = ? AND v.version < ? ORDER BY v.version DESC",
        *named(call, layer_name), names.marker(marker, 1 << 62),
    )  # fmt: skip
    shown = [_shown(row) for row in rows if _suits(row, compatible_runtime, compatible_architecture)]
    page = shown[: min(max_items, 50)]
    return {"LayerVersions": page, **({"NextMarker": str(page[-1]["Version"])} if len(shown) > len(page) else {})}


def _suits(row: Row, runtime: str | None, architecture: str | None) -> bool:
    config = json.loads(row["config"])
    return (runtime is None or runtime in config.get("CompatibleRuntimes", ())) and (
        architecture is None or architecture in config.get("CompatibleArchitectures", ())
    )
