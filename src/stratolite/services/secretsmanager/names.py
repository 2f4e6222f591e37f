"""Names: what a secret may be called, its ARN, and how a SecretId finds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call

from .errors import InvalidRequestException, ResourceNotFoundException, ValidationException

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_ARN = re.compile(r"arn:[^:]+:secretsmanager:(?P<region>[^:]*):(?P<account>[^:]*):secret:(?P<rest>.+)")
_COMPLETE = re.compile(r"(?P<name>.+)-(?P<suffix>[A-Za-z0-9]{6})")

_MARKED = "You can't perform this operation on the secret because it was marked for deletion."


@dataclass(frozen=True)
class Secret:
    """A secret's row, as seen from the region it was asked for in."""

    row: Any
    region: str

    @property
    def key(self) -> int:
        return int(self.row["key"])

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def arn(self) -> str:
        return arn(self.row, self.region)

    @property
    def is_replica(self) -> bool:
        return self.region != str(self.row["region"])


def arn(row: Any, region: str | None = None) -> str:
    where = region or row["region"]
    return f"arn:aws:secretsmanager:{where}:{row['account']}:secret:{row['name']}-{row['suffix']}"


def check(secret_id: str) -> None:
    """Refuses a name with other characters than AWS allows. An ARN is looked up, not checked."""
    if not secret_id.startswith("arn:") and not _NAME.fullmatch(secret_id):
        raise ValidationException


def find(call: Call, secret_id: str) -> Secret | None:
    """The secret by name, ARN, or ARN without its suffix.

    A partial ARN whose name ends in a hyphen and six characters is taken for a complete one, as AWS warns:
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
    """
    check(secret_id)
    if not (parts := _ARN.fullmatch(secret_id)):
        return _named(call, call.account, call.region, secret_id)
    if parts["region"] != call.region:
        return None
    complete = _COMPLETE.fullmatch(parts["rest"])
    name = complete["name"] if complete else parts["rest"]
    secret = _named(call, parts["account"], call.region, name)
    if secret is None or (complete and secret.row["suffix"] != complete["suffix"]):
        return None
    return secret


def get(call: Call, secret_id: str, deleted: bool = False) -> Secret:
    """The secret, or AWS's error; one in its recovery window counts only when `deleted` says so."""
    secret = find(call, secret_id)
    if secret is None:
        raise ResourceNotFoundException
    if secret.row["delete_at"] is not None and not deleted:
        raise InvalidRequestException(_MARKED)
    return secret


def get_primary(call: Call, secret_id: str, deleted: bool = False) -> Secret:
    """As `get`, for what a replica must not do."""
    secret = get(call, secret_id, deleted)
    if secret.is_replica:
        raise InvalidRequestException(
            "Operation not permitted on a replica secret. Call must be made in primary secret's region."
        )
    return secret


def _named(call: Call, account: str, region: str, name: str) -> Secret | None:
    row = call.tx.one(
        "SELECT * FROM secretsmanager_secret WHERE account = ? AND region = ? AND name = ?", account, region, name
    )
    if row is None:
        # A replica is its primary, read from another region: a row that names the region, not a copy to keep in step.
        row = call.tx.one(
            """SELECT s.* FROM secretsmanager_secret s JOIN secretsmanager_replica r ON r.secret = s.key
               WHERE s.account = ? AND s.name = ? AND r.region = ?""",
            account,
            name,
            region,
        )
    return Secret(row, region) if row is not None else None
