"""Names: a group by its name or ARN, a stream of it, and their ARNs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call

from .errors import ResourceNotFoundException, ValidationException

_ARN = re.compile(r"arn:[^:]+:logs:(?P<region>[^:]*):(?P<account>[^:]*):log-group:(?P<name>[^:]+)(:\*)?")
STANDARD = "STANDARD"


@dataclass(frozen=True)
class Group:
    row: Any

    @property
    def key(self) -> int:
        return int(self.row["key"])

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def place(self) -> tuple[str, str, str]:
        """Account, region, name: where its lines are."""
        return str(self.row["account"]), str(self.row["region"]), self.name

    @property
    def arn(self) -> str:
        return group_arn(*self.place)


def group_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:logs:{region}:{account}:log-group:{name}"


def find(call: Call, name: str, account: str | None = None) -> Group | None:
    """The group of a name.

    Functions write without asking: a group that has lines and was never created exists since its first line.
    """
    account = account or call.account
    group = _row(call, account, name)
    if group is None:
        streams = call.cloud.telemetry.streams(account, call.region, name)
        if not streams:
            return None
        insert(call, account, name, min(first for first, _, _ in streams.values()))
        group = _row(call, account, name)
    return Group(group)


def get(call: Call, name: str) -> Group:
    group = find(call, name)
    if group is None:
        raise ResourceNotFoundException(what="log group")
    return group


def choose(call: Call, name: str | None, identifier: str | None) -> Group:
    """The group that a request names one way or the other."""
    if name is not None and identifier is not None:
        raise ValidationException
    if name is not None:
        return get(call, name)
    if identifier is None:
        raise ValidationException("Either the LogGroup name or the LogGroup ARN must be specified.")
    return by_identifier(call, identifier)


def by_identifier(call: Call, identifier: str) -> Group:
    if not (parts := _ARN.fullmatch(identifier)):
        return get(call, identifier)
    group = find(call, parts["name"], parts["account"]) if parts["region"] == call.region else None
    if group is None:
        raise ResourceNotFoundException(what="log group")
    return group


def insert(
    call: Call,
    account: str,
    name: str,
    created_at: float,
    kms_key: str | None = None,
    log_class: str = STANDARD,
    tags: str = "{}",
) -> None:
    call.tx.run(
        """INSERT INTO logs_group (account, region, name, created_at, kms_key, class, tags)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        account,
        call.region,
        name,
        created_at,
        kms_key,
        log_class,
        tags,
    )


def adopt(call: Call) -> None:
    """Makes rows of this account's groups that only have lines yet."""
    known = {
        row["name"]
        for row in call.tx.all(
            "SELECT name FROM logs_group WHERE account = ? AND region = ?", call.account, call.region
        )
    }
    for account, region, name in call.cloud.telemetry.groups():
        if (account, region) == (call.account, call.region) and name not in known:
            find(call, name)


def ms(seconds: float) -> int:
    return round(seconds * 1000)


def _row(call: Call, account: str, name: str) -> Any | None:
    return call.tx.one(
        "SELECT * FROM logs_group WHERE account = ? AND region = ? AND name = ?", account, call.region, name
    )
