"""Functions: created, shown, changed, deleted."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, job, operation
from stratolite.kernel.store import Row

from . import configurations, layers, limits, names, packages, running, versions
from .errors import (
    AccessDeniedException,
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
)
from .names import LATEST

UPDATING = "The function is being created."


@operation(ignores=["Code.SourceKMSKeyArn"])
async def create_function(
    call: Call,
    function_name: str,
    role: str,
    code: dict[str, Any],
    runtime: str | None = None,
    handler: str | None = None,
    description: str | None = None,
    timeout: int | None = None,
    memory_size: int | None = None,
    publish: bool = False,
    package_type: str | None = None,
    dead_letter_config: dict[str, Any] | None = None,
    environment: dict[str, Any] | None = None,
    tracing_config: dict[str, Any] | None = None,
    tags: dict[str, str] | None = None,
    layers_: list[str] | None = None,
    architectures: list[str] | None = None,
    ephemeral_storage: dict[str, Any] | None = None,
    snap_start: dict[str, Any] | None = None,
    logging_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    which = names.named(call, function_name)
    if which.account != call.account:
        raise AccessDeniedException
    packages.check_request(code, environment)
    if len(which.name) > 64:
        raise InvalidParameterValueException(
            f"1 validation error detected: Value '{which.name}' at 'functionName' failed to satisfy constraint: "
            "Member must have length less than or equal to 64"
        )
    if len(tags or {}) > limits.TAGS:
        raise InvalidParameterValueException("Number of tags exceeds resource tag limit.")
    if package_type == "Image":
        raise InvalidParameterValueException("Stratolite has no engine for container images.")
    config = configurations.defaults(
        which.name,
        {
            "Role": role,
            "Runtime": runtime,
            "Handler": handler,
            "Description": description,
            "Timeout": timeout,
            "MemorySize": memory_size,
            "DeadLetterConfig": dead_letter_config or None,
            "Environment": _environment(call, environment),
            "TracingConfig": tracing_config,
            "Architectures": architectures,
            "EphemeralStorage": ephemeral_storage,
            "SnapStart": snap_start,
            "LoggingConfig": logging_config,
        },
    )
    configurations.check(config)
    if layers_:
        config["Layers"] = layers.resolve(call, layers_)
    package = await packages.take(call, code)
    with call.write() as c:
        if names.look(c, which) is not None:
            raise ResourceConflictException(f"Function already exist: {which.name}")
        function = c.tx.run(
            "INSERT INTO lambda_function (account, region, name, tags) VALUES (?, ?, ?, ?)",
            which.account, which.region, which.name, json.dumps(tags or {}),
        ).lastrowid  # fmt: skip
        key = c.tx.run(
            "INSERT INTO lambda_version (function, version, config, code, code_sha256, code_size, generation, revision,"
            " modified_at, state) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, 'Pending')",
            function, LATEST, json.dumps(config), json.dumps(package.where), package.sha256, package.size,
            c.world.id(), c.now,
        ).lastrowid  # fmt: skip
        if "zip" in package.where:
            c.blobs.refer(c.tx, package.where["zip"])
        c.later("lambda.activate", version=key)
        row = names.version(c, which)
        made = configurations.shown(versions.publish(c, row, None) if publish else row)
        if publish:
            made["FunctionArn"] = configurations.bare_arn(row)
    running.of(call).prepare(config.get("Runtime") or "")
    return made


def _environment(call: Call, environment: dict[str, Any] | None) -> dict[str, Any] | None:
    if "AWS_LAMBDA_EXEC_WRAPPER" in ((environment or {}).get("Variables") or {}):
        call.not_emulated_here("lambda AWS_LAMBDA_EXEC_WRAPPER")
    return None if environment is None else {"Variables": environment.get("Variables") or {}}


@job
def activate(call: Call, version: int) -> None:
    """A function that was created becomes Active, an update Successful."""
    call.tx.run(
        "UPDATE lambda_version SET state = 'Active', updating = NULL, revision = ? WHERE key = ?",
        call.world.id(),
        version,
    )


@operation
def get_function(call: Call, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    which = names.named(call, function_name, qualifier)
    row = names.version(call, which, None)
    code = json.loads(row["code"])
    location = (
        f"{call.caller.scheme}://{call.caller.host}/_aws/lambda/code/{code['zip']}"
        if "zip" in code
        else "file://" + code["folders"][0]
    )
    found = {
        "Configuration": configurations.shown(row, which.qualifier),
        "Code": {"RepositoryType": "S3", "Location": location},
    }
    if row["version"] == LATEST and (tags := json.loads(row["tags"])):  # what is published has none
        found["Tags"] = tags
    if row["reserved"] is not None:
        found["Concurrency"] = {"ReservedConcurrentExecutions": row["reserved"]}
    return found


@operation
def get_function_configuration(call: Call, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    which = names.named(call, function_name, qualifier)
    return configurations.shown(names.version(call, which, None), which.qualifier)


@operation
def list_functions(
    call: Call, function_version: str | None = None, marker: str | None = None, max_items: int = 50
) -> dict[str, Any]:
    latest = "" if function_version == "ALL" else "AND v.version = '$LATEST'"
    rows = call.tx.all(
        "SELECT v.*, f.account, f.region, f.name FROM lambda_function f JOIN lambda_version v ON v.function = f.key"
        f" WHERE f.account = ? AND f.region = ? {latest} AND f.name || ':' || v.version > ?"
        " ORDER BY f.name || ':' || v.version LIMIT ?",
        call.account, call.region, marker or "", min(max_items, 50) + 1,
    )  # fmt: skip
    page = rows[: min(max_items, 50)]
    qualifier = LATEST if function_version == "ALL" else None
    found: dict[str, Any] = {
        "Functions": [configurations.listed(row, qualifier if row["version"] == LATEST else None) for row in page]
    }
    if len(rows) > len(page):
        found["NextMarker"] = f"{page[-1]['name']}:{page[-1]['version']}"
    return found


@operation
def update_function_configuration(
    call: Call,
    function_name: str,
    role: str | None = None,
    handler: str | None = None,
    description: str | None = None,
    timeout: int | None = None,
    memory_size: int | None = None,
    environment: dict[str, Any] | None = None,
    runtime: str | None = None,
    dead_letter_config: dict[str, Any] | None = None,
    tracing_config: dict[str, Any] | None = None,
    revision_id: str | None = None,
    layers_: list[str] | None = None,
    ephemeral_storage: dict[str, Any] | None = None,
    snap_start: dict[str, Any] | None = None,
    logging_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    which = names.named(call, function_name)
    row = _to_update(call, which, revision_id)
    config = json.loads(row["config"])
    wanted = {
        "Role": role,
        "Handler": handler,
        "Description": description,
        "Timeout": timeout,
        "MemorySize": memory_size,
        "Environment": _environment(call, environment),
        "Runtime": runtime,
        "DeadLetterConfig": dead_letter_config,
        "TracingConfig": tracing_config,
        "EphemeralStorage": ephemeral_storage,
        "SnapStart": snap_start,
    }
    config |= {name: value for name, value in wanted.items() if value is not None}
    if dead_letter_config is not None and not dead_letter_config.get("TargetArn"):
        config.pop("DeadLetterConfig")
    if logging_config is not None:
        if logging_config.get("LogFormat") == "Text":
            config["LoggingConfig"] = {"LogGroup": config["LoggingConfig"]["LogGroup"]}
        config["LoggingConfig"] = {**config["LoggingConfig"], **logging_config}
        config = configurations.defaults(which.name, config)
    if layers_ is not None:
        config["Layers"] = layers.resolve(call, layers_)
    configurations.check(config)
    call.tx.run("UPDATE lambda_version SET config = ? WHERE key = ?", json.dumps(config), row["key"])
    running.of(call).prepare(config.get("Runtime") or "")
    return _updated(call, which)


@operation
async def update_function_code(
    call: Call,
    function_name: str,
    zip_file: bytes | None = None,
    s3_bucket: str | None = None,
    s3_key: str | None = None,
    s3_object_version: str | None = None,
    publish: bool = False,
    dry_run: bool = False,
    revision_id: str | None = None,
    architectures: list[str] | None = None,
) -> dict[str, Any]:
    which = names.named(call, function_name)
    _to_update(call, which, revision_id)
    code = {"ZipFile": zip_file, "S3Bucket": s3_bucket, "S3Key": s3_key, "S3ObjectVersion": s3_object_version}
    package = await packages.take(
        call, {name: value for name, value in code.items() if value is not None}, "UpdateFunctionCode"
    )
    with call.write() as c:
        row = _to_update(c, which, revision_id)
        if dry_run:
            return configurations.shown(row) | {"CodeSha256": package.sha256, "CodeSize": package.size}
        config = json.loads(row["config"])
        if architectures:
            config["Architectures"] = architectures
        if "zip" in package.where:
            c.blobs.refer(c.tx, package.where["zip"])
        _drop_code(c, row)
        c.tx.run(
            "UPDATE lambda_version SET code = ?, code_sha256 = ?, code_size = ?, config = ? WHERE key = ?",
            json.dumps(package.where), package.sha256, package.size, json.dumps(config), row["key"],
        )  # fmt: skip
        updated = _updated(c, which)
        if publish:
            return configurations.shown(versions.publish(c, names.version(c, which), None, pending=True))
        return updated


def _to_update(call: Call, which: names.Named, revision_id: str | None) -> Row:
    if which.qualifier not in (None, LATEST):
        raise InvalidParameterValueException(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation."
            " Please specify either a function name or an unqualified function ARN."
        )
    names.function(call, which)
    row = names.version(call, which, None)
    if revision_id is not None and revision_id != row["revision"]:
        raise PreconditionFailedException(operation="GetFunction/GetAlias")
    if row["state"] == "Pending":
        raise ResourceConflictException(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        )
    if row["updating"]:
        raise ResourceConflictException(
            "The operation cannot be performed at this time. An update is in progress for resource: "
            + configurations.bare_arn(row)
        )
    return row


def _updated(call: Call, which: names.Named) -> dict[str, Any]:
    key = names.version(call, which)["key"]
    call.tx.run(
        "UPDATE lambda_version SET generation = generation + 1, revision = ?, modified_at = ?, updating = ?"
        " WHERE key = ?",
        call.world.id(), call.now, UPDATING, key,
    )  # fmt: skip
    call.later("lambda.activate", version=key)
    row = names.version(call, which)
    running.of(call).changed(call, row)
    return configurations.shown(row)


def _drop_code(call: Call, row: Row) -> None:
    code = json.loads(row["code"])
    if "zip" in code:
        call.blobs.drop(call.tx, code["zip"])


@operation
def delete_function(call: Call, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    which = names.named(call, function_name, qualifier)
    if which.qualifier == LATEST:
        raise InvalidParameterValueException("$LATEST version cannot be deleted without deleting the function.")
    function = names.function(call, names.Named(which.account, which.region, which.name, None))
    if which.qualifier is not None:
        if not which.qualifier.isdigit():
            raise InvalidParameterValueException(
                "Deletion of aliases is not currently supported.",
            )
        used = call.tx.all(
            "SELECT name FROM lambda_alias WHERE function = ? AND (version = ? OR weights LIKE ?)",
            function["key"], which.qualifier, f'%"{which.qualifier}":%',
        )  # fmt: skip
        if used:
            aliases = ", ".join(alias["name"] for alias in used)
            raise ResourceConflictException(
                f"Version {which.qualifier} is currently referenced by one or more aliases: {aliases}"
            )
    where = "" if which.qualifier is None else "AND version = ?"
    rows = call.tx.all(
        f"SELECT v.*, f.account, f.region, f.name FROM lambda_version v JOIN lambda_function f ON f.key = v.function"
        f" WHERE function = ? {where}",
        *([function["key"]] if which.qualifier is None else [function["key"], which.qualifier]),
    )
    for row in rows:
        _drop_code(call, row)
        call.tx.run("DELETE FROM lambda_version WHERE key = ?", row["key"])
        running.of(call).deleted(call, row)
    if which.qualifier is None:
        for table in ("lambda_alias", "lambda_policy", "lambda_event_invoke"):
            call.tx.run(f"DELETE FROM {table} WHERE function = ?", function["key"])
        call.tx.run("DELETE FROM lambda_function WHERE key = ?", function["key"])
    return {"StatusCode": 204}


@operation
def put_function_concurrency(call: Call, function_name: str, reserved_concurrent_executions: int) -> dict[str, Any]:
    which = _unqualified(call, function_name)
    function = names.function(call, which, LATEST)
    others = call.tx.value(
        "SELECT coalesce(sum(reserved), 0) FROM lambda_function WHERE account = ? AND region = ? AND key <> ?",
        which.account, which.region, function["key"],
    )  # fmt: skip
    if limits.ACCOUNT_CONCURRENCY - others - reserved_concurrent_executions < limits.UNRESERVED_MINIMUM:
        raise InvalidParameterValueException(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
            " below"
            f" its minimum value of [{limits.UNRESERVED_MINIMUM}].",
            Type=None,
        )
    call.tx.run(
        "UPDATE lambda_function SET reserved = ? WHERE key = ?", reserved_concurrent_executions, function["key"]
    )
    return {"ReservedConcurrentExecutions": reserved_concurrent_executions}


@operation
def get_function_concurrency(call: Call, function_name: str) -> dict[str, Any]:
    function = names.function(call, _unqualified(call, function_name))
    return {} if function["reserved"] is None else {"ReservedConcurrentExecutions": function["reserved"]}


@operation
def delete_function_concurrency(call: Call, function_name: str) -> dict[str, Any]:
    function = names.function(call, _unqualified(call, function_name), LATEST)
    call.tx.run("UPDATE lambda_function SET reserved = NULL WHERE key = ?", function["key"])
    return {}


def _unqualified(call: Call, function_name: str) -> names.Named:
    which = names.named(call, function_name)
    if which.qualifier is not None:
        raise InvalidParameterValueException(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation."
            " Please specify either a function name or an unqualified function ARN."
        )
    return which


@operation
def get_account_settings(call: Call) -> dict[str, Any]:
    reserved, count, size = call.tx.all(
        "SELECT (SELECT coalesce(sum(reserved), 0) FROM lambda_function WHERE account = ?1 AND region = ?2),"
        " count(DISTINCT f.key), coalesce(sum(v.code_size), 0) + (SELECT coalesce(sum(code_size), 0)"
        "  FROM lambda_layer l JOIN lambda_layer_version ON layer = l.key WHERE l.account = ?1 AND l.region = ?2)"
        " FROM lambda_function f JOIN lambda_version v ON v.function = f.key WHERE f.account = ?1 AND f.region = ?2",
        call.account, call.region,
    )[0]  # fmt: skip
    return {
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": limits.UNZIPPED_BYTES,
            "CodeSizeZipped": limits.ZIPPED_BYTES,
            "ConcurrentExecutions": limits.ACCOUNT_CONCURRENCY,
            "UnreservedConcurrentExecutions": limits.ACCOUNT_CONCURRENCY - reserved,
        },
        "AccountUsage": {"TotalCodeSize": size, "FunctionCount": count},
    }


@operation
def get_function_recursion_config(call: Call, function_name: str) -> dict[str, Any]:
    return {"RecursiveLoop": names.function(call, names.named(call, function_name))["recursion"]}


@operation
def put_function_recursion_config(call: Call, function_name: str, recursive_loop: str) -> dict[str, Any]:
    function = names.function(call, names.named(call, function_name))
    call.tx.run("UPDATE lambda_function SET recursion = ? WHERE key = ?", recursive_loop, function["key"])
    return {"RecursiveLoop": recursive_loop}
