"""Key policies: there is one to a key, and it is called default."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import MalformedPolicyDocumentException, NotFoundException

_NAME = "default"


@operation
def get_key_policy(call: Call, key_id: str, policy_name: str = _NAME) -> dict[str, Any]:
    key = names.get(call, key_id)
    _check_name(policy_name)
    return {"Policy": key.row["policy"], "PolicyName": _NAME}


@operation
def put_key_policy(
    call: Call, key_id: str, policy: str, policy_name: str = _NAME, bypass_policy_lockout_safety_check: bool = False
) -> None:
    """Policies are kept and told; nothing is denied by them here, so nobody can lock himself out either."""
    key = names.get(call, key_id)
    _check_name(policy_name)
    try:
        json.loads(policy)
    except ValueError:
        raise MalformedPolicyDocumentException from None
    call.tx.run("UPDATE kms_key SET policy = ? WHERE key = ?", policy, key.key)


@operation
def list_key_policies(call: Call, key_id: str) -> dict[str, Any]:
    names.get(call, key_id)
    return {"PolicyNames": [_NAME], "Truncated": False}


def _check_name(name: str) -> None:
    if name != _NAME:
        raise NotFoundException("No such policy exists")
