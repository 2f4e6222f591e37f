"""Groups: made, listed, deleted, and how long their lines are kept."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, job, operation

from . import names
from .errors import InvalidParameterException, ResourceAlreadyExistsException
from .names import Group, ms
from .pages import paged

_DAY_S = 86400.0
_PAGE = 50
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_RETENTIONS = {
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}  # fmt: skip


@operation
def create_log_group(
    call: Call,
    log_group_name: str,
    kms_key_id: str | None = None,
    tags: dict[str, str] | None = None,
    log_group_class: str = names.STANDARD,
) -> None:
    if names.find(call, log_group_name) is not None:
        raise ResourceAlreadyExistsException(what="log group")
    names.insert(call, call.account, log_group_name, call.now, kms_key_id, log_group_class, json.dumps(tags or {}))


@operation
def delete_log_group(call: Call, log_group_name: str) -> None:
    group = names.get(call, log_group_name)
    call.tx.run("DELETE FROM logs_stream WHERE log_group = ?", group.key)
    call.tx.run("DELETE FROM logs_filter WHERE log_group = ?", group.key)
    call.tx.run("DELETE FROM logs_group WHERE key = ?", group.key)
    call.signal("logs", *group.place, n=None)  # whoever follows its filters finds them gone
    call.tx.after(lambda: call.cloud.telemetry.forget_lines(*group.place))


@operation
def describe_log_groups(
    call: Call,
    log_group_name_prefix: str | None = None,
    log_group_name_pattern: str | None = None,
    next_token: str | None = None,
    limit: int = _PAGE,
    log_group_class: str | None = None,
    log_group_identifiers: list[str] | None = None,
) -> dict[str, Any]:
    if log_group_name_prefix is not None and log_group_name_pattern is not None:
        raise InvalidParameterException(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
        )
    if log_group_identifiers:
        groups = [names.by_identifier(call, identifier) for identifier in log_group_identifiers]
    else:
        groups = _groups(call, log_group_name_pattern, log_group_class)
    groups = [group for group in groups if group.name.startswith(log_group_name_prefix or "")]
    page, more = paged(groups, limit, next_token, lambda group: group.name)
    described = [_described(call, group) for group in page]
    if log_group_name_pattern is not None:
        # The search index behind patterns does not know these two.
        described = [one | {"storedBytes": None, "deletionProtectionEnabled": None} for one in described]
    return {"logGroups": described, "nextToken": more}


@operation
def list_log_groups(
    call: Call,
    log_group_name_pattern: str | None = None,
    log_group_class: str | None = None,
    next_token: str | None = None,
    limit: int = _PAGE,
) -> dict[str, Any]:
    groups = _groups(call, log_group_name_pattern, log_group_class)
    page, more = paged(groups, limit, next_token, lambda group: group.name)
    return {
        "logGroups": [
            {"logGroupName": group.name, "logGroupArn": group.arn, "logGroupClass": group.row["class"]}
            for group in page
        ],
        "nextToken": more,
    }


@operation
def put_retention_policy(call: Call, log_group_name: str, retention_in_days: int) -> None:
    if retention_in_days not in _RETENTIONS:
        raise InvalidParameterException("Invalid retentionInDays value")
    group = names.get(call, log_group_name)
    at = call.now + _DAY_S
    call.tx.run(
        "UPDATE logs_group SET retention_days = ?, expire_at = ? WHERE key = ?", retention_in_days, at, group.key
    )
    call.later("logs.expire", at, log_group=group.key, at=at)


@operation
def delete_retention_policy(call: Call, log_group_name: str) -> None:
    group = names.get(call, log_group_name)
    call.tx.run("UPDATE logs_group SET retention_days = NULL, expire_at = NULL WHERE key = ?", group.key)


@job
def expire(call: Call, log_group: int, at: float) -> None:
    """Drops what is older than the group's retention, once a day; readers do not see it before that either."""
    row = call.tx.one("SELECT * FROM logs_group WHERE key = ?", log_group)
    if row is None or row["expire_at"] != at:
        return
    group = Group(row)
    before = oldest_kept(call, group)
    call.tx.after(lambda: call.cloud.telemetry.forget_lines(*group.place, before=before))
    again = call.now + _DAY_S
    call.tx.run("UPDATE logs_group SET expire_at = ? WHERE key = ?", again, log_group)
    call.later("logs.expire", again, log_group=log_group, at=again)


@operation
def associate_kms_key(
    call: Call, kms_key_id: str, log_group_name: str | None = None, resource_identifier: str | None = None
) -> None:
    group = names.choose(call, log_group_name, resource_identifier)
    call.tx.run("UPDATE logs_group SET kms_key = ? WHERE key = ?", kms_key_id, group.key)


@operation
def disassociate_kms_key(call: Call, log_group_name: str | None = None, resource_identifier: str | None = None) -> None:
    group = names.choose(call, log_group_name, resource_identifier)
    call.tx.run("UPDATE logs_group SET kms_key = NULL WHERE key = ?", group.key)


def oldest_kept(call: Call, group: Group) -> float:
    """Lines before this moment are gone, as far as readers are concerned."""
    days = group.row["retention_days"]
    return call.now - days * _DAY_S if days else 0.0


def _groups(call: Call, pattern: str | None, log_class: str | None) -> list[Group]:
    names.adopt(call)
    rows = call.tx.all(
        "SELECT * FROM logs_group WHERE account = ? AND region = ? ORDER BY name", call.account, call.region
    )
    wanted = (pattern or "").lower()
    return [Group(row) for row in rows if wanted in row["name"].lower() and log_class in (None, row["class"])]


def _described(call: Call, group: Group) -> dict[str, Any]:
    row = group.row
    return {
        "logGroupName": group.name,
        "creationTime": ms(row["created_at"]),
        "retentionInDays": row["retention_days"],
        "metricFilterCount": call.tx.value(
            "SELECT count(*) FROM logs_filter WHERE log_group = ? AND kind = 'metric'", group.key
        ),
        "arn": f"{group.arn}:*",
        "storedBytes": 0,  # AWS tells it hours later
        "kmsKeyId": row["kms_key"],
        "logGroupClass": row["class"],
        "logGroupArn": group.arn,
        "deletionProtectionEnabled": False,
    }
