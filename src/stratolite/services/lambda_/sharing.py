"""Sharing: which accounts may use a layer version; recorded on AWS (LocalStack's `test_layer_policy_*`)."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import layers
from .errors import PreconditionFailedException, ResourceConflictException, ResourceNotFoundException


def _version(call: Call, layer_name: str, number: int) -> tuple[Row, str]:
    """The row of a layer version and its ARN."""
    account, region, name = layers.named(call, layer_name)
    arn = f"arn:aws:lambda:{region}:{account}:layer:{name}:{number}"
    row = layers.version(call, account, region, name, number)
    if row is None:
        raise ResourceNotFoundException(f"Layer version {arn} does not exist.")
    return row, arn


def _write(call: Call, row: Row, statements: list[dict[str, Any]]) -> str:
    revision = call.world.id()
    call.tx.run(
        "UPDATE lambda_layer_version SET policy = ?, policy_revision = ? WHERE layer = ? AND version = ?",
        json.dumps(statements) if statements else None, revision, row["layer"], row["version"],
    )  # fmt: skip
    return revision


def _check(row: Row, revision_id: str | None) -> None:
    if revision_id is not None and revision_id != row["policy_revision"]:
        raise PreconditionFailedException(operation="GetLayerPolicy")


@operation
def add_layer_version_permission(
    call: Call,
    layer_name: str,
    version_number: int,
    statement_id: str,
    action: str,
    principal: str,
    organization_id: str | None = None,
    revision_id: str | None = None,
) -> dict[str, Any]:
    row, arn = _version(call, layer_name, version_number)
    statements = json.loads(row["policy"] or "[]")
    if any(statement["Sid"] == statement_id for statement in statements):
        raise ResourceConflictException(
            f"The statement id ({statement_id}) provided already exists. Please provide a new statement id,"
            " or remove the existing statement."
        )
    _check(row, revision_id)
    who: Any = principal if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"}
    statement = {"Sid": statement_id, "Effect": "Allow", "Principal": who, "Action": action, "Resource": arn}
    if organization_id is not None:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization_id}}
    revision = _write(call, row, [*statements, statement])
    return {"Statement": json.dumps(statement, separators=(",", ":")), "RevisionId": revision}


@operation
def get_layer_version_policy(call: Call, layer_name: str, version_number: int) -> dict[str, Any]:
    row, _ = _version(call, layer_name, version_number)
    if row["policy"] is None:
        raise ResourceNotFoundException("No policy is associated with the given resource.")
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": json.loads(row["policy"])}
    return {"Policy": json.dumps(policy, separators=(",", ":")), "RevisionId": row["policy_revision"]}


@operation
def remove_layer_version_permission(
    call: Call, layer_name: str, version_number: int, statement_id: str, revision_id: str | None = None
) -> None:
    row, _ = _version(call, layer_name, version_number)
    statements = json.loads(row["policy"] or "[]")
    left = [statement for statement in statements if statement["Sid"] != statement_id]
    if len(left) == len(statements):
        raise ResourceNotFoundException(f"Statement {statement_id} is not found in resource policy.")
    _check(row, revision_id)
    _write(call, row, left)
