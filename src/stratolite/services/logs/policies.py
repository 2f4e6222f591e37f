"""Resource policies: who else may write here; kept and told, and nobody is denied by them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from .errors import InvalidParameterException, LimitExceededException, ResourceNotFoundException
from .names import ms
from .pages import paged

_MAX_POLICIES = 10
_PAGE = 50
_ORDER = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")


@operation
def put_resource_policy(
    call: Call, policy_name: str | None = None, policy_document: str | None = None
) -> dict[str, Any]:
    if policy_name is None:
        raise InvalidParameterException("Policy name is required.")
    _check(policy_document or "")
    others = call.tx.value(
        "SELECT count(*) FROM logs_resource_policy WHERE account = ? AND region = ? AND name <> ?",
        call.account,
        call.region,
        policy_name,
    )
    if others >= _MAX_POLICIES:
        raise LimitExceededException
    call.tx.run(
        """INSERT INTO logs_resource_policy (account, region, name, document, updated_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (account, region, name)
           DO UPDATE SET document = excluded.document, updated_at = excluded.updated_at""",
        call.account,
        call.region,
        policy_name,
        policy_document,
        call.now,
    )
    return {
        "resourcePolicy": {
            "policyName": policy_name,
            "policyDocument": policy_document,
            "lastUpdatedTime": ms(call.now),
            "policyScope": "ACCOUNT",
        }
    }


@operation
def describe_resource_policies(
    call: Call, next_token: str | None = None, limit: int = _PAGE, policy_scope: str = "ACCOUNT"
) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT * FROM logs_resource_policy WHERE account = ? AND region = ? AND ? = 'ACCOUNT' ORDER BY name",
        call.account,
        call.region,
        policy_scope,
    )
    page, more = paged(rows, limit, next_token, lambda row: str(row["name"]))
    return {
        "resourcePolicies": [
            {
                "policyName": row["name"],
                "policyDocument": _normal(row["document"]),
                "lastUpdatedTime": ms(row["updated_at"]),
                "policyScope": "ACCOUNT",
            }
            for row in page
        ],
        "nextToken": more,
    }


@operation
def delete_resource_policy(call: Call, policy_name: str | None = None) -> None:
    gone = call.tx.run(
        "DELETE FROM logs_resource_policy WHERE account = ? AND region = ? AND name = ?",
        call.account,
        call.region,
        policy_name,
    )
    if not gone.rowcount:
        raise ResourceNotFoundException(f"Policy with name [{policy_name}] does not exist.")


def _check(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    statements = document.get("Statement") if isinstance(document, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    if not all(isinstance(statement, dict) for statement in listed):
        raise InvalidParameterException("Invalid PolicyDocument")


def _normal(text: str) -> str:
    """A policy as AWS gives it back: with a version, members in its order, lists of one as their element."""
    document = json.loads(text)
    statements = document.get("Statement", [])
    return json.dumps(
        {
            "Version": document.get("Version", "2008-10-17"),
            "Statement": [
                {name: _single(statement[name]) for name in _ORDER if name in statement}
                for statement in (statements if isinstance(statements, list) else [statements])
            ],
        }
    )


def _single(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _single(part) for name, part in value.items()}
    return value[0] if isinstance(value, list) and len(value) == 1 else value
