"""Permissions: the resource policies of functions, versions and aliases."""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import limits, names
from .errors import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from .names import LATEST

_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")


def _principal(text: str) -> Any:
    if text == "*":
        return text
    if re.fullmatch(r"\d{12}", text):
        return {"AWS": f"arn:aws:iam::{text}:root"}
    if text.startswith("arn:"):
        return {"AWS": text}
    if _SERVICE.fullmatch(text) or text == "apigateway.amazonaws.com":
        return {"Service": text}
    raise InvalidParameterValueException(
        "The provided principal was invalid. Please check the principal and try again."
    )


def _policy(call: Call, function: Row, qualifier: str | None) -> Row | None:
    return call.tx.one(
        "SELECT * FROM lambda_policy WHERE function = ? AND qualifier = ?", function["key"], qualifier or ""
    )


def _alias(call: Call, function: Row, qualifier: str | None) -> Row | None:
    """An alias: its own revision stands for that of its policy until there is one."""
    return call.tx.one("SELECT * FROM lambda_alias WHERE function = ? AND name = ?", function["key"], qualifier)


def _existing(call: Call, which: names.Named) -> Row:
    function = names.function(call, names.Named(which.account, which.region, which.name, None))
    if which.qualifier is not None and which.qualifier != LATEST:
        try:
            names.version(call, which)
        except ResourceNotFoundException:
            if which.qualifier.replace("-", "").replace("_", "").isalnum() and not which.qualifier.isdigit():
                raise ResourceNotFoundException(f"Cannot find alias arn: {which.qualified()}") from None
            raise
    return function


@operation
def add_permission(
    call: Call,
    function_name: str,
    statement_id: str,
    action: str,
    principal: str,
    source_arn: str | None = None,
    source_account: str | None = None,
    event_source_token: str | None = None,
    qualifier: str | None = None,
    revision_id: str | None = None,
    principal_org_id: str | None = None,
    function_url_auth_type: str | None = None,
) -> dict[str, Any]:
    which = names.named(call, function_name, qualifier)
    if which.qualifier == LATEST:
        raise InvalidParameterValueException("We currently do not support adding policies for $LATEST.")
    who = _principal(principal)
    function = _existing(call, which)
    policy = _policy(call, function, which.qualifier)
    _check_revision(policy or _alias(call, function, which.qualifier), revision_id)
    statements = json.loads(policy["statements"]) if policy else []
    if any(statement["Sid"] == statement_id for statement in statements):
        raise ResourceConflictException(
            f"The statement id ({statement_id}) provided already exists. Please provide a new statement id,"
            f" or remove the"
            " existing statement."
        )
    statement = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": who,
        "Action": action,
        "Resource": which.qualified(),
    }
    conditions: dict[str, dict[str, str]] = {}
    equal = {
        "AWS:SourceAccount": source_account,
        "aws:PrincipalOrgID": principal_org_id,
        "lambda:EventSourceToken": event_source_token,
        "lambda:FunctionUrlAuthType": function_url_auth_type,
    }
    if values := {name: value for name, value in equal.items() if value is not None}:
        conditions["StringEquals"] = values
    if source_arn is not None:
        conditions["ArnLike"] = {"AWS:SourceArn": source_arn}
    if conditions:
        statement["Condition"] = conditions
    _write(call, function, which.qualifier, [*statements, statement])
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


def _check_revision(policy: Row | None, revision_id: str | None) -> None:
    if revision_id is not None and (policy is None or policy["revision"] != revision_id):
        raise PreconditionFailedException(operation="GetPolicy")


def _write(call: Call, function: Row, qualifier: str | None, statements: list[dict[str, Any]]) -> None:
    text = json.dumps(statements, separators=(",", ":"))
    if len(text) > limits.POLICY_BYTES:
        raise PolicyLengthExceededException(size=len(text), limit=limits.POLICY_BYTES)
    call.tx.run(
        "INSERT OR REPLACE INTO lambda_policy (function, qualifier, statements, revision) VALUES (?, ?, ?, ?)",
        function["key"], qualifier or "", text, call.world.id(),
    )  # fmt: skip


@operation
def remove_permission(
    call: Call, function_name: str, statement_id: str, qualifier: str | None = None, revision_id: str | None = None
) -> None:
    which = names.named(call, function_name, qualifier)
    function = names.look(call, which)
    if function is None:
        raise ResourceNotFoundException(f"No policy found for: {which.qualified()}")
    _existing(call, which)
    policy = _policy(call, function, which.qualifier)
    if policy is None:
        raise ResourceNotFoundException("No policy is associated with the given resource.")
    _check_revision(policy, revision_id)
    statements = json.loads(policy["statements"])
    left = [statement for statement in statements if statement["Sid"] != statement_id]
    if len(left) == len(statements):
        raise ResourceNotFoundException(f"Statement {statement_id} is not found in resource policy.")
    if left:
        _write(call, function, which.qualifier, left)
    else:
        call.tx.run(
            "DELETE FROM lambda_policy WHERE function = ? AND qualifier = ?", function["key"], which.qualifier or ""
        )


@operation
def get_policy(call: Call, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    which = names.named(call, function_name, qualifier)
    function = names.look(call, which)
    policy = None if function is None else _policy(call, function, which.qualifier)
    if policy is None:
        raise ResourceNotFoundException("The resource you requested does not exist.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": json.loads(policy["statements"])}
    return {"Policy": json.dumps(document, separators=(",", ":")), "RevisionId": policy["revision"]}
