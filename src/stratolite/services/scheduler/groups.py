"""Schedule groups and their tags."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation
from stratolite.languages import arns

from .errors import ConflictException, ResourceNotFoundException, ValidationException
from .pages import page

DEFAULT = "default"
KIND = "Schedule group"


def group_arn(row: Any) -> str:
    return f"arn:aws:scheduler:{row['region']}:{row['account']}:schedule-group/{row['name']}"


def look(call: Call, name: str) -> Any:
    """The group, or None. The default group of an account and region is there from the start."""
    row = _row(call, name)
    if row is None and name == DEFAULT:
        _insert(call, name, None)
        row = _row(call, name)
    return row


def find(call: Call, name: str) -> Any:
    row = look(call, name)
    if row is None:
        raise ResourceNotFoundException(kind=KIND, name=name)
    return row


def _row(call: Call, name: str) -> Any:
    return call.tx.one(
        "SELECT * FROM scheduler_group WHERE account = ? AND region = ? AND name = ?", call.account, call.region, name
    )


def _insert(call: Call, name: str, token: str | None) -> None:
    call.tx.run(
        "INSERT INTO scheduler_group (account, region, name, token, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?)",
        call.account, call.region, name, token, call.now, call.now,
    )  # fmt: skip


def _described(row: Any) -> dict[str, Any]:
    return {
        "Arn": group_arn(row),
        "Name": row["name"],
        "State": "ACTIVE",
        "CreationDate": row["created_at"],
        "LastModificationDate": row["modified_at"],
    }


@operation
def create_schedule_group(
    call: Call, name: str, tags: list[dict[str, str]] | None = None, client_token: str | None = None
) -> dict[str, Any]:
    known = look(call, name)
    if known is not None and (client_token is None or known["token"] != client_token):
        raise ConflictException(kind=KIND, name=name)
    if known is None:
        _insert(call, name, client_token)
        known = find(call, name)
        _put_tags(call, known, tags or [])
    return {"ScheduleGroupArn": group_arn(known)}


@operation
def get_schedule_group(call: Call, name: str) -> dict[str, Any]:
    return _described(find(call, name))


@operation
def list_schedule_groups(
    call: Call, name_prefix: str | None = None, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    look(call, DEFAULT)
    rows, token = page(
        lambda after, count: call.tx.all(
            """SELECT * FROM scheduler_group
                WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, ?) = ? ORDER BY name LIMIT ?""",
            call.account, call.region, after, len(name_prefix or ""), name_prefix or "", count,
        ),
        max_results, next_token, lambda row: row["name"],
    )  # fmt: skip
    return {"ScheduleGroups": [_described(row) for row in rows], "NextToken": token}


@operation
def delete_schedule_group(call: Call, name: str, client_token: str | None = None) -> dict[str, Any]:
    """A group goes with its schedules."""
    if name == DEFAULT:
        raise ValidationException("The default schedule group cannot be deleted.")
    row = find(call, name)
    for schedule in call.tx.all("SELECT job FROM scheduler_schedule WHERE grp = ?", row["key"]):
        if schedule["job"] is not None:
            call.cancel(schedule["job"])
    call.tx.run("DELETE FROM scheduler_schedule WHERE grp = ?", row["key"])
    call.tx.run("DELETE FROM scheduler_tag WHERE grp = ?", row["key"])
    call.tx.run("DELETE FROM scheduler_group WHERE key = ?", row["key"])
    return {}


# ---------------------------------------------------------------------- tags


def _tagged(call: Call, arn: str) -> Any:
    try:
        parsed = arns.parse(arn)
    except arns.ArnError:
        raise ValidationException(f"Invalid ARN {arn}.") from None
    return find(call, parsed.name)


def _put_tags(call: Call, row: Any, tags: list[dict[str, str]]) -> None:
    for tag in tags:
        call.tx.run(
            """INSERT INTO scheduler_tag (grp, key, value) VALUES (?, ?, ?)
               ON CONFLICT (grp, key) DO UPDATE SET value = excluded.value""",
            row["key"], tag["Key"], tag["Value"],
        )  # fmt: skip


@operation
def tag_resource(call: Call, resource_arn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    _put_tags(call, _tagged(call, resource_arn), tags)
    return {}


@operation
def untag_resource(call: Call, resource_arn: str, tag_keys: list[str]) -> dict[str, Any]:
    row = _tagged(call, resource_arn)
    for key in tag_keys:
        call.tx.run("DELETE FROM scheduler_tag WHERE grp = ? AND key = ?", row["key"], key)
    return {}


@operation
def list_tags_for_resource(call: Call, resource_arn: str) -> dict[str, Any]:
    row = _tagged(call, resource_arn)
    tags = call.tx.all("SELECT key, value FROM scheduler_tag WHERE grp = ? ORDER BY key", row["key"])
    return {"Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in tags]}
