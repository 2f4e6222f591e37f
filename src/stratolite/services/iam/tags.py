"""Tags of roles, users, instance profiles and policies."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import names, policies
from .errors import LimitExceededException
from .names import PROFILE, ROLE, USER
from .pages import PAGE, paged

_MAX_TAGS = 50
Tags = list[dict[str, str]]


@operation
def tag_role(call: Call, role_name: str, tags: Tags) -> None:
    _tag(call, "iam_entity", names.get(call, ROLE, role_name).row, tags)


@operation
def untag_role(call: Call, role_name: str, tag_keys: list[str]) -> None:
    _untag(call, "iam_entity", names.get(call, ROLE, role_name).row, tag_keys)


@operation
def list_role_tags(call: Call, role_name: str, marker: str | None = None, max_items: int = PAGE) -> dict[str, Any]:
    return _list(names.get(call, ROLE, role_name).row, marker, max_items)


@operation
def tag_user(call: Call, user_name: str, tags: Tags) -> None:
    _tag(call, "iam_entity", names.get(call, USER, user_name).row, tags)


@operation
def untag_user(call: Call, user_name: str, tag_keys: list[str]) -> None:
    _untag(call, "iam_entity", names.get(call, USER, user_name).row, tag_keys)


@operation
def list_user_tags(call: Call, user_name: str, marker: str | None = None, max_items: int = PAGE) -> dict[str, Any]:
    return _list(names.get(call, USER, user_name).row, marker, max_items)


@operation
def tag_instance_profile(call: Call, instance_profile_name: str, tags: Tags) -> None:
    _tag(call, "iam_entity", names.get(call, PROFILE, instance_profile_name).row, tags)


@operation
def untag_instance_profile(call: Call, instance_profile_name: str, tag_keys: list[str]) -> None:
    _untag(call, "iam_entity", names.get(call, PROFILE, instance_profile_name).row, tag_keys)


@operation
def list_instance_profile_tags(
    call: Call, instance_profile_name: str, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    return _list(names.get(call, PROFILE, instance_profile_name).row, marker, max_items)


@operation
def tag_policy(call: Call, policy_arn: str, tags: Tags) -> None:
    _tag(call, "iam_policy", policies.get(call, policy_arn), tags)


@operation
def untag_policy(call: Call, policy_arn: str, tag_keys: list[str]) -> None:
    _untag(call, "iam_policy", policies.get(call, policy_arn), tag_keys)


@operation
def list_policy_tags(call: Call, policy_arn: str, marker: str | None = None, max_items: int = PAGE) -> dict[str, Any]:
    return _list(policies.get(call, policy_arn), marker, max_items)


def _tag(call: Call, table: str, row: Any, tags: Tags) -> None:
    merged = json.loads(row["tags"]) | {tag["Key"]: tag["Value"] for tag in tags}
    if len(merged) > _MAX_TAGS:
        raise LimitExceededException(what="TagsPerResource", limit=_MAX_TAGS)
    call.tx.run(f"UPDATE {table} SET tags = ? WHERE key = ?", json.dumps(merged), row["key"])


def _untag(call: Call, table: str, row: Any, keys: list[str]) -> None:
    left = {key: value for key, value in json.loads(row["tags"]).items() if key not in keys}
    call.tx.run(f"UPDATE {table} SET tags = ? WHERE key = ?", json.dumps(left), row["key"])


def _list(row: Any, marker: str | None, limit: int) -> dict[str, Any]:
    tags = json.loads(row["tags"])
    page, rest = paged(sorted(tags), limit, marker, str)
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in page], **rest}
