"""Stack policies: which resources an update may touch.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import AwsError, Call, operation
from stratolite.kernel.store import Row

from . import rows
from .errors import ValidationError

_ACTIONS = {"Update:Modify", "Update:Replace", "Update:Delete", "Update:*", "*"}
_KEYS = {"Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition", "Sid"}


def checked(body: str | None) -> str | None:
    """The policy as it was given. Raises ValidationError when it is none."""
    if body is None:
        return None
    try:
        policy = json.loads(body)
        statements = policy["Statement"]
        is_good = isinstance(statements, list) and all(_is_statement(each) for each in statements)
    except (ValueError, KeyError, TypeError):
        is_good = False
    if not is_good:
        raise ValidationError("Error validating stack policy: Invalid stack policy")
    return body


def _is_statement(statement: Any) -> bool:
    return (
        isinstance(statement, dict)
        and statement.keys() <= _KEYS
        and statement.get("Effect") in ("Allow", "Deny")
        and statement.get("Principal") == "*"
        and ("Action" in statement) != ("NotAction" in statement)
        and ("Resource" in statement) != ("NotResource" in statement)
        and set(_listed(statement.get("Action", statement.get("NotAction")))) <= _ACTIONS
    )


def check(stack: Row, action: str, logical_id: str, type_name: str) -> None:
    """Raises AwsError when the stack's policy does not let an update do this (`Update:Modify`...) to a resource."""
    body = stack["policy_now"] or stack["policy"]
    if body is None:
        return
    resource = f"LogicalResourceId/{logical_id}"
    allowed = False
    for number, statement in enumerate(json.loads(body)["Statement"], 1):
        if not _applies(statement, action, resource, type_name):
            continue
        if statement["Effect"] == "Deny":
            raise AwsError(
                f"Action denied by stack policy: Statement [#{number}] does not allow [{action}] for resource "
                f"[{resource}]",
                code="StackPolicy",
            )
        allowed = True
    if not allowed:
        # Whatever a policy does not allow is denied, once there is one.
        raise AwsError("Action not allowed by stack policy", code="StackPolicy")


def _applies(statement: dict[str, Any], action: str, resource: str, type_name: str) -> bool:
    return (
        _names(statement, "Action", action)
        and _names(statement, "Resource", resource)
        and all(
            any(_matches(pattern, type_name) for pattern in _listed(values))
            for operator in statement.get("Condition", {}).values()
            for values in operator.values()
        )
    )


def _names(statement: dict[str, Any], member: str, value: str) -> bool:
    if member in statement:
        return any(_matches(pattern, value) for pattern in _listed(statement[member]))
    return not any(_matches(pattern, value) for pattern in _listed(statement[f"Not{member}"]))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _matches(pattern: str, value: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value) is not None


@operation
def get_stack_policy(call: Call, stack_name: str) -> dict[str, Any]:
    return {"StackPolicyBody": rows.live_stack(call, stack_name)["policy"]}


@operation
def set_stack_policy(
    call: Call, stack_name: str, stack_policy_body: str | None = None, stack_policy_url: str | None = None
) -> None:
    if stack_policy_body is not None and stack_policy_url is not None:
        raise ValidationError("You cannot specify both StackPolicyURL and StackPolicyBody")
    if stack_policy_url is not None:
        raise AwsError("a stack policy at a URL is not implemented by Stratolite", code="NotImplemented", status=501)
    stack = rows.live_stack(call, stack_name)
    call.tx.run("UPDATE cloudformation_stack SET policy = ? WHERE key = ?", checked(stack_policy_body), stack["key"])
