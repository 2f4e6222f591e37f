"""Identity: who asks."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation


@operation
def get_caller_identity(call: Call) -> dict[str, Any]:
    principal = call.principal
    if principal.account != call.account or not principal.user_id:
        # A key that names an account is its root user.
        return {
            "UserId": principal.user_id or call.account,
            "Account": call.account,
            "Arn": principal.arn if principal.account == call.account else f"arn:aws:iam::{call.account}:root",
        }
    return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}


@operation
def get_access_key_info(call: Call, access_key_id: str) -> dict[str, Any]:
    return {"Account": call.cloud.principal(access_key_id).account}
