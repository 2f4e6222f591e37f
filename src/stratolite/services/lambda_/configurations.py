"""Configurations: what a function is set up to be, checked, and as the API shows it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from stratolite.kernel import Call
from stratolite.kernel.store import Row

from . import limits
from .errors import InvalidParameterValueException
from .names import LATEST

CREATING = "The function is being created."


def check(config: dict[str, Any]) -> None:
    """The rules that the model does not know."""
    runtime = config.get("Runtime")
    if runtime in limits.RETIRED:
        raise InvalidParameterValueException(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )
    if runtime is not None and runtime not in limits.RUNTIMES:
        known = ", ".join(limits.RUNTIMES)
        raise InvalidParameterValueException(
            f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{known}] "
            "or be a valid ARN"
        )
    if config.get("PackageType", "Zip") == "Zip":
        if not runtime:
            raise InvalidParameterValueException("Runtime is mandatory when creating functions with zip packages.")
        if not config.get("Handler"):
            raise InvalidParameterValueException("Handler is mandatory when creating functions with zip packages.")
    variables = config.get("Environment", {}).get("Variables", {})
    reserved = [name for name in variables if name in limits.RESERVED_VARIABLES]
    if reserved:
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables"
            " because the environment variables you have provided"
            " contains reserved keys that are currently not supported for modification."
            " Reserved keys used in this request:"
            f" {', '.join(reserved)}"
        )
    measured = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > limits.ENVIRONMENT_BYTES:
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables"
            " because the environment variables you have provided"
            f" exceeded the 4KB limit. String measured: {measured}"
        )
    logging = config.get("LoggingConfig", {})
    if logging.get("LogFormat", "Text") == "Text" and ("ApplicationLogLevel" in logging or "SystemLogLevel" in logging):
        raise InvalidParameterValueException(
            "LogLevel configurations are not supported with LogFormat as Text."
            " Set LogFormat to JSON to use this setting."
        )


def defaults(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """A configuration with what AWS fills in."""
    logging = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}", **(config.get("LoggingConfig") or {})}
    if logging["LogFormat"] == "JSON":
        logging = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **logging}
    return {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
        **{name: value for name, value in config.items() if value is not None},
        "LoggingConfig": logging,
    }


def timestamp(at: float) -> str:
    """2026-11-21T03:33:37.000+0000"""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def bare_arn(row: Row) -> str:
    return f"arn:aws:lambda:{row['region']}:{row['account']}:function:{row['name']}"


def shown(row: Row, qualifier: str | None = None) -> dict[str, Any]:
    """A version as FunctionConfiguration. `qualifier`: what the caller named it by."""
    config: dict[str, Any] = json.loads(row["config"])
    qualifier = qualifier or (None if row["version"] == LATEST else row["version"])
    arn = bare_arn(row)
    snap_start = config.pop("SnapStart", {}).get("ApplyOn", "None")
    on = snap_start == "PublishedVersions" and row["version"] != LATEST
    found = {
        **{name: value for name, value in config.items() if name != "Layers"},
        "FunctionName": row["name"],
        "FunctionArn": f"{arn}:{qualifier}" if qualifier else arn,
        "CodeSha256": row["code_sha256"],
        "CodeSize": row["code_size"],
        "LastModified": timestamp(row["modified_at"]),
        "Version": row["version"],
        "RevisionId": row["revision"],
        "State": row["state"],
        "SnapStart": {"ApplyOn": snap_start, "OptimizationStatus": "On" if on else "Off"},
    }
    if layers := config.get("Layers"):
        found["Layers"] = layers
    if runtime := config.get("Runtime"):
        digest = hashlib.sha256(runtime.encode()).hexdigest()
        found["RuntimeVersionConfig"] = {"RuntimeVersionArn": f"arn:aws:lambda:{row['region']}::runtime:{digest}"}
    if row["state"] == "Pending":
        found |= {"StateReason": CREATING, "StateReasonCode": "Creating"}
    elif row["updating"]:
        found |= {
            "LastUpdateStatus": "InProgress",
            "LastUpdateStatusReason": row["updating"],
            "LastUpdateStatusReasonCode": "Creating",
        }
    else:
        found["LastUpdateStatus"] = "Successful"
    return found


LISTED_WITHOUT = frozenset(
    [
        "State",
        "StateReason",
        "StateReasonCode",
        "RuntimeVersionConfig",
        "LastUpdateStatus",
        "LastUpdateStatusReason",
        "LastUpdateStatusReasonCode",
    ]
)


def listed(row: Row, qualifier: str | None = None) -> dict[str, Any]:
    """A version as the lists show it."""
    return {name: value for name, value in shown(row, qualifier).items() if name not in LISTED_WITHOUT}


def changed(call: Call, key: int) -> None:
    """A new revision of a version."""
    call.tx.run("UPDATE lambda_version SET revision = ? WHERE key = ?", call.world.id(), key)
