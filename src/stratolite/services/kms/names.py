"""Names: a key by id, ARN, alias or the alias's ARN; what its state allows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call

from .errors import DisabledException, InvalidKeyUsageException, KMSInvalidStateException, NotFoundException
from .specs import ENCRYPT, SPECS, SYMMETRIC

_HEX = "[0-9a-f]"
_ID = re.compile(rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}|mrk-{_HEX}{{32}}")
_ARN = re.compile(r"arn:[^:]+:kms:(?P<region>[^:]*):(?P<account>[^:]*):(?P<kind>key|alias)/(?P<name>.+)")
_STATES = {"PendingDeletion": "pending deletion", "PendingImport": "pending import"}


@dataclass(frozen=True)
class Key:
    row: Any

    @property
    def key(self) -> int:
        return int(self.row["key"])

    @property
    def id(self) -> str:
        return str(self.row["id"])

    @property
    def arn(self) -> str:
        return arn(self.row["account"], self.row["region"], self.row["id"])

    @property
    def spec(self) -> str:
        return str(self.row["spec"])

    @property
    def usage(self) -> str:
        return str(self.row["usage"])


def arn(account: str, region: str, key_id: str) -> str:
    return f"arn:aws:kms:{region}:{account}:key/{key_id}"


def alias_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:kms:{region}:{account}:{name}"


def get(call: Call, asked: str) -> Key:
    """The key that an id, ARN, alias or alias ARN means, or AWS's error."""
    account, region, name = call.account, call.region, asked
    if asked.startswith("arn:"):
        parts = _ARN.fullmatch(asked)
        if parts is None:
            raise NotFoundException(f"Invalid arn {asked}")
        account, region, name = parts["account"], parts["region"], parts["name"]
        if region != call.region:
            raise NotFoundException(f"Invalid arn {region}")
        if parts["kind"] == "alias":
            name = f"alias/{name}"
    if name.startswith("alias/"):
        return _by_alias(call, account, region, name)
    if not _ID.fullmatch(name):
        raise NotFoundException(f"Invalid keyId '{name}'")
    return _by_id(call, account, region, name)


def usable(call: Call, asked: str, operation: str, usage: str) -> Key:
    """The key, enabled and of this usage."""
    key = get(call, asked)
    check_state(key)
    if key.usage != usage:
        raise InvalidKeyUsageException(arn=key.arn, usage=key.usage, operation=operation)
    return key


def check_state(key: Key, disabled_ok: bool = False) -> None:
    state = key.row["state"]
    if state == "Disabled" and not disabled_ok:
        raise DisabledException(arn=key.arn)
    if state in _STATES:
        raise KMSInvalidStateException(arn=key.arn, state=_STATES[state])


def find_id(call: Call, account: str, region: str, key_id: str) -> Key | None:
    row = call.tx.one("SELECT * FROM kms_key WHERE account = ? AND region = ? AND id = ?", account, region, key_id)
    return Key(row) if row is not None else None


def _by_id(call: Call, account: str, region: str, key_id: str) -> Key:
    key = find_id(call, account, region, key_id)
    if key is None:
        raise NotFoundException(arn=arn(account, region, key_id))
    return key


def _by_alias(call: Call, account: str, region: str, name: str) -> Key:
    key_id = call.tx.value(
        "SELECT key_id FROM kms_alias WHERE account = ? AND region = ? AND name = ?", account, region, name
    )
    if key_id is None and name.startswith("alias/aws/"):
        return _managed(call, account, region, name)
    if key_id is None:
        raise NotFoundException(f"Alias {alias_arn(account, region, name)} is not found.")
    return _by_id(call, account, region, key_id)


# What a service's own key says it protects, as recorded; the rest by the pattern of the documentation.
PROTECTED = {"dynamodb": "DynamoDB data"}


def _managed(call: Call, account: str, region: str, alias: str) -> Key:
    """The key AWS keeps for a service, made when it is first used."""
    service = alias.removeprefix("alias/aws/")
    key_id = call.world.id()
    call.tx.run(
        """INSERT INTO kms_key (account, region, id, description, usage, spec, state, manager, origin, policy,
                                created_at, rotation_days)
           VALUES (?, ?, ?, ?, ?, ?, 'Enabled', 'AWS', 'AWS_KMS', ?, ?, 365)""",
        account,
        region,
        key_id,
        f"Default key that protects my {PROTECTED.get(service, f'{service} resources')} when no other key is defined",
        ENCRYPT,
        SYMMETRIC,
        default_policy(account),
        call.now,
    )
    call.tx.run(
        "INSERT INTO kms_alias (account, region, name, key_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
        account,
        region,
        alias,
        key_id,
        call.now,
        call.now,
    )
    add_material(call, key_id, SYMMETRIC, None)
    return _by_id(call, account, region, key_id)


def add_material(call: Call, key_id: str, spec: str, cause: str | None) -> None:
    """What a key locks with from now on; what it locked before stays readable with what it was locked with."""
    length = SPECS[spec].material_bytes
    assert length is not None
    keep_material(call, key_id, call.world.random.randbytes(length), cause)


def keep_material(
    call: Call, key_id: str, secret: bytes, cause: str | None, material_id: str | None = None, is_pending: bool = False
) -> None:
    call.tx.run(
        "INSERT INTO kms_material (key_id, id, secret, created_at, cause, is_pending) VALUES (?, ?, ?, ?, ?, ?)",
        key_id,
        material_id or call.world.hex(64),
        secret,
        call.now,
        cause,
        is_pending,
    )


def material(call: Call, key_id: str, seq: int | None = None) -> Any:
    """A key's newest material, or the one of that number."""
    return call.tx.one(
        """SELECT * FROM kms_material WHERE key_id = ? AND NOT is_pending AND (? IS NULL OR seq = ?)
           ORDER BY seq DESC LIMIT 1""",
        key_id,
        seq,
        seq,
    )


def default_policy(account: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Id": "key-default-1",
            "Statement": [
                {
                    "Sid": "Enable IAM User Permissions",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        },
        indent=2,
    )
