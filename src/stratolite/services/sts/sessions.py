"""Sessions: temporary credentials that stand for a role, a federated user, or who asks."""

from __future__ import annotations

import json
import re
import string
from typing import Any

from stratolite.kernel import AwsError, Call, Principal, operation

from .errors import AccessDenied, InvalidParameterValue, ValidationError

_HOUR_S = 3600
_DAY_S = 43_200
_ARN = re.compile(r"arn:(?P<partition>[^:]+):(?P<service>[^:]+):[^:]*:(?P<account>[^:]*):(?P<resource>.+)")
_ID = string.ascii_uppercase + string.digits
_SECRET = string.ascii_letters + string.digits + "+/"
_TOKEN_CHARACTERS = 356

Tags = list[dict[str, str]]


@operation
def assume_role(
    call: Call,
    role_arn: str,
    role_session_name: str,
    duration_seconds: int = _HOUR_S,
    tags: Tags | None = None,
    transitive_tag_keys: list[str] | None = None,
    source_identity: str | None = None,
) -> dict[str, Any]:
    """Credentials of a role. Who may assume it is not asked yet, nor is what its session policies take away."""
    account, name = _role(role_arn)
    session = _tags(call, tags or [], transitive_tag_keys or [])
    try:
        role = call.api("iam", account=account).get_role(RoleName=name)["Role"]
    except AwsError:
        raise AccessDenied(who=call.principal.arn, role=role_arn) from None
    arn = f"arn:aws:sts::{account}:assumed-role/{role['RoleName']}/{role_session_name}"
    user_id = f"{role['RoleId']}:{role_session_name}"
    return {
        "Credentials": _credentials(call, account, arn, user_id, duration_seconds, *session),
        "AssumedRoleUser": {"AssumedRoleId": user_id, "Arn": arn},
        "SourceIdentity": source_identity,
    }


@operation
def get_session_token(call: Call, duration_seconds: int = _DAY_S) -> dict[str, Any]:
    principal = call.principal
    user_id = principal.user_id or call.account
    return {"Credentials": _credentials(call, call.account, principal.arn, user_id, duration_seconds)}


@operation
def get_federation_token(
    call: Call, name: str, duration_seconds: int = _DAY_S, tags: Tags | None = None
) -> dict[str, Any]:
    arn = f"arn:aws:sts::{call.account}:federated-user/{name}"
    user_id = f"{call.account}:{name}"
    session = _tags(call, tags or [], [])
    return {
        "Credentials": _credentials(call, call.account, arn, user_id, duration_seconds, *session),
        "FederatedUser": {"FederatedUserId": user_id, "Arn": arn},
        "PackedPolicySize": 0,
    }


def _role(arn: str) -> tuple[str, str]:
    """The account and name of a role's ARN."""
    parts = _ARN.fullmatch(arn)
    if parts is None:
        raise ValidationError(value=arn)
    return parts["account"], parts["resource"].rsplit("/", 1)[-1]


def _tags(call: Call, tags: Tags, transitive: list[str]) -> tuple[dict[str, str], list[str]]:
    """The tags of a session to be, with those that the calling session hands on, and the keys handed on in turn.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_role-chaining
    """
    asked = {tag["Key"]: tag["Value"] for tag in tags}
    lower = {key.lower() for key in asked}
    if len(lower) < len(tags):
        raise InvalidParameterValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.lower() not in lower for key in transitive):
        raise InvalidParameterValue
    caller = call.tx.one("SELECT * FROM sts_session WHERE access_key = ?", call.principal.access_key)
    inherited: dict[str, str] = {}
    if caller is not None:
        handed_on = {key.lower() for key in json.loads(caller["transitive_tags"])}
        if handed_on & lower:
            raise InvalidParameterValue(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key "
                "from the calling session."
            )
        inherited = {key: value for key, value in json.loads(caller["tags"]).items() if key.lower() in handed_on}
    return inherited | asked, [*inherited, *transitive]


def _credentials(
    call: Call,
    account: str,
    arn: str,
    user_id: str,
    duration_s: int,
    tags: dict[str, str] | None = None,
    transitive: list[str] | None = None,
) -> dict[str, Any]:
    """AWS refuses credentials once they have expired. Here: not yet."""
    chance = call.world.random
    access_key = "ASIA" + "".join(chance.choice(_ID) for _ in range(16))
    expire_at = call.now + duration_s
    call.cloud.hand_out(call.tx, Principal(account, arn, access_key, user_id))
    call.tx.run(
        "INSERT INTO sts_session (access_key, tags, transitive_tags, expire_at) VALUES (?, ?, ?, ?)",
        access_key,
        json.dumps(tags or {}),
        json.dumps(transitive or []),
        expire_at,
    )
    return {
        "AccessKeyId": access_key,
        "SecretAccessKey": "".join(chance.choice(_SECRET) for _ in range(40)),
        "SessionToken": "".join(chance.choice(_SECRET) for _ in range(_TOKEN_CHARACTERS)),
        "Expiration": expire_at,
    }
