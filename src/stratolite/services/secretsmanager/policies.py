"""Resource policies of secrets: put, read, removed, judged."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import MalformedPolicyDocumentException, PublicPolicyException

_TOO_BROAD = "This resource policy grants broad access to the secret."
_SYNTAX = "This resource policy contains a syntax error."


@operation
def put_resource_policy(
    call: Call, secret_id: str, resource_policy: str, block_public_policy: bool = False
) -> dict[str, Any]:
    secret = names.get_primary(call, secret_id)
    policy = _parsed(resource_policy)
    if policy is None:
        raise MalformedPolicyDocumentException(_SYNTAX)
    if block_public_policy and is_public(policy):
        raise PublicPolicyException
    call.cloud.notice("secretsmanager: the enforcement of resource policies")
    call.tx.run("UPDATE secretsmanager_secret SET policy = ? WHERE key = ?", resource_policy, secret.key)
    return {"ARN": secret.arn, "Name": secret.name}


@operation
def get_resource_policy(call: Call, secret_id: str) -> dict[str, Any]:
    secret = names.get(call, secret_id)
    return {"ARN": secret.arn, "Name": secret.name, "ResourcePolicy": secret.row["policy"]}


@operation
def delete_resource_policy(call: Call, secret_id: str) -> dict[str, Any]:
    secret = names.get_primary(call, secret_id)
    call.tx.run("UPDATE secretsmanager_secret SET policy = NULL WHERE key = ?", secret.key)
    return {"ARN": secret.arn, "Name": secret.name}


@operation
def validate_resource_policy(call: Call, resource_policy: str, secret_id: str | None = None) -> dict[str, Any]:
    if secret_id is not None:
        names.get(call, secret_id)
    policy = _parsed(resource_policy)
    if policy is None:
        raise MalformedPolicyDocumentException(_SYNTAX)
    errors = []
    if is_public(policy):
        errors.append({"CheckName": "BlockPublicAccess", "ErrorMessage": _TOO_BROAD})
    return {"PolicyValidationPassed": not errors, "ValidationErrors": errors}


def is_public(policy: dict[str, Any]) -> bool:
    """Whether a statement allows everybody, with no condition that narrows it."""
    return any(
        statement.get("Effect") == "Allow"
        and not statement.get("Condition")
        and _is_everyone(statement.get("Principal"))
        for statement in _statements(policy)
    )


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        policy = json.loads(text)
    except ValueError:
        return None
    if not isinstance(policy, dict) or not _statements(policy):
        return None
    return policy if all(isinstance(each, dict) and "Effect" in each for each in _statements(policy)) else None


def _statements(policy: dict[str, Any]) -> list[Any]:
    statements = policy.get("Statement")
    return statements if isinstance(statements, list) else [statements] if statements else []


def _is_everyone(principal: Any) -> bool:
    if isinstance(principal, dict):
        principal = principal.get("AWS")
    return "*" in (principal if isinstance(principal, list) else [principal])
