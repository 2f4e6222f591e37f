"""Layer permissions: which accounts may take a version of a layer.

https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html#permissions-resource-xaccountlayer
"""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import layers, limits
from .errors import PolicyLengthExceededException, PreconditionFailedException, ResourceNotFoundException
from .permissions import already_there


def _statements(row: Row, revision_id: str | None) -> list[dict[str, Any]]:
    if revision_id is not None and revision_id != row["policy_revision"]:
        raise PreconditionFailedException(operation="GetLayerPolicy")
    statements: list[dict[str, Any]] = json.loads(row["policy"] or "[]")
    return statements


def _write(call: Call, row: Row, statements: list[dict[str, Any]]) -> str | None:
    text = json.dumps(statements, separators=(",", ":"))
    if len(text) > limits.POLICY_BYTES:
        raise PolicyLengthExceededException(size=len(text), limit=limits.POLICY_BYTES)
    revision = call.world.id() if statements else None
    call.tx.run(
        "UPDATE lambda_layer_version SET policy = ?, policy_revision = ? WHERE layer = ? AND version = ?",
        text if statements else None, revision, row["layer"], row["version"],
    )  # fmt: skip
    return revision


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
    row = layers.existing(call, layer_name, version_number)
    statements = _statements(row, revision_id)
    if any(statement["Sid"] == statement_id for statement in statements):
        raise already_there(statement_id)
    account = f"arn:aws:iam::{principal}:root" if re.fullmatch(r"\d{12}", principal) else principal
    statement: dict[str, Any] = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": account},
        "Action": action,
        "Resource": layers.version_arn(row),
    }
    if organization_id is not None:
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": organization_id}}
    revision = _write(call, row, [*statements, statement])
    return {"Statement": json.dumps(statement, separators=(",", ":")), "RevisionId": revision}


@operation
def remove_layer_version_permission(
    call: Call, layer_name: str, version_number: int, statement_id: str, revision_id: str | None = None
) -> None:
    row = layers.existing(call, layer_name, version_number)
    statements = _statements(row, revision_id)
    left = [statement for statement in statements if statement["Sid"] != statement_id]
    if len(left) == len(statements):
        raise ResourceNotFoundException(f"Statement {statement_id} is not found in resource policy.")
    _write(call, row, left)


@operation
def get_layer_version_policy(call: Call, layer_name: str, version_number: int) -> dict[str, Any]:
    row = layers.existing(call, layer_name, version_number)
    if row["policy"] is None:
        raise ResourceNotFoundException("No policy is associated with the given resource.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": json.loads(row["policy"])}
    return {"Policy": json.dumps(document, separators=(",", ":")), "RevisionId": row["policy_revision"]}
