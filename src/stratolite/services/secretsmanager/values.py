"""Values: the versions of a secret and the staging labels that move between them.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stratolite.kernel import AwsError, Call, operation

from . import names
from .errors import (
    DecryptionFailure,
    EncryptionFailure,
    InvalidParameterException,
    InvalidRequestException,
    LimitExceededException,
    ResourceExistsException,
    ResourceNotFoundException,
)
from .names import Secret
from .pages import paged

_DAY_S = 86400.0
_MAX_LABELS = 20
# AWS removes unlabelled versions when there are more than about 100, never those of the last 24 hours.
# Here: as soon as there are more than 100.
_MAX_DEPRECATED = 100


@dataclass(frozen=True)
class Value:
    """What a version protects: text or bytes, and the key it is encrypted under (None: aws/secretsmanager)."""

    string: str | None
    binary: bytes | None
    kms_key: str | None

    @classmethod
    def of(cls, string: str | None, binary: bytes | None, kms_key: str | None) -> Value | None:
        if string is not None and binary is not None:
            raise InvalidParameterException(
                "You can't specify both a binary secret value and a string secret value in the same secret."
            )
        return None if string is None and binary is None else cls(string, binary, kms_key or None)

    @property
    def members(self) -> dict[str, Any]:
        return {"SecretString": self.string, "SecretBinary": self.binary}


def token(given: str | None) -> str:
    """The version id to be. SDKs fill it in; a plain HTTP client must send it."""
    if given is None:
        raise InvalidRequestException("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    return given


@operation
def put_secret_value(
    call: Call,
    secret_id: str,
    client_request_token: str | None = None,
    secret_binary: bytes | None = None,
    secret_string: str | None = None,
    version_stages: list[str] | None = None,
    rotation_token: str | None = None,
) -> dict[str, Any]:
    """A new version. The token of a rotation proves whom another account's role works for; nobody asks for it here."""
    version = token(client_request_token)
    value = Value.of(secret_string, secret_binary, None)
    if value is None:
        raise InvalidRequestException("You must provide either SecretString or SecretBinary.")
    secret = names.get_primary(call, secret_id)
    _refuse_stranger(call, secret)
    if not is_repeated(call, secret, version, value):
        put(call, secret, version, value, version_stages)
        call.tx.run("UPDATE secretsmanager_secret SET changed_at = ? WHERE key = ?", call.now, secret.key)
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version,
        "VersionStages": stages_by_version(call, secret.key).get(version, []),
    }


@operation
def get_secret_value(
    call: Call, secret_id: str, version_id: str | None = None, version_stage: str | None = None
) -> dict[str, Any]:
    secret = names.get(call, secret_id)
    _refuse_stranger(call, secret)
    return read(call, secret, version_id, version_stage)


def read(call: Call, secret: Secret, version_id: str | None = None, stage: str | None = None) -> dict[str, Any]:
    """The value of a version, by default the current one; remembers the day it was read."""
    if version_id is None:
        stage = stage or "AWSCURRENT"
        version = call.tx.one(
            """SELECT v.* FROM secretsmanager_stage s
               JOIN secretsmanager_version v ON v.secret = s.secret AND v.id = s.version
               WHERE s.secret = ? AND s.label = ?""",
            secret.key,
            stage,
        )
    else:
        version = call.tx.one(
            "SELECT * FROM secretsmanager_version WHERE secret = ? AND id = ?", secret.key, version_id
        )
    stages = stages_by_version(call, secret.key)
    if version is not None and version_id is not None and stage and stage not in stages.get(version_id, []):
        raise InvalidRequestException("You provided a VersionStage that is not associated to the provided VersionId.")
    if version is None or (version["string"] is None and version["binary"] is None):
        which = f"VersionId: {version_id}" if version_id is not None else f"staging label: {stage}"
        raise ResourceNotFoundException(f"Secrets Manager can't find the specified secret value for {which}")
    check_key(call, version["kms_key"], DecryptionFailure)
    _accessed(call, secret, version)
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version["id"],
        "SecretString": version["string"],
        "SecretBinary": version["binary"],
        "VersionStages": stages.get(version["id"]),
        "CreatedDate": version["created_at"],
    }


@operation
def list_secret_version_ids(
    call: Call,
    secret_id: str,
    max_results: int | None = None,
    next_token: str | None = None,
    include_deprecated: bool = False,
) -> dict[str, Any]:
    secret = names.get(call, secret_id, deleted=True)
    stages = stages_by_version(call, secret.key)
    rows = call.tx.all("SELECT * FROM secretsmanager_version WHERE secret = ? ORDER BY seq", secret.key)
    wanted = [row for row in rows if include_deprecated or row["id"] in stages]
    page, more = paged(wanted, max_results or len(wanted), next_token, lambda row: [row["seq"]])
    versions = [
        {
            "VersionId": row["id"],
            "VersionStages": stages.get(row["id"]),
            "LastAccessedDate": row["accessed_on"],
            "CreatedDate": row["created_at"],
            "KmsKeyIds": [row["kms_key"] or "DefaultEncryptionKey"],
        }
        for row in page
    ]
    return {"ARN": secret.arn, "Name": secret.name, "Versions": versions, "NextToken": more}


@operation
def update_secret_version_stage(
    call: Call,
    secret_id: str,
    version_stage: str,
    remove_from_version_id: str | None = None,
    move_to_version_id: str | None = None,
) -> dict[str, Any]:
    secret = names.get_primary(call, secret_id)
    for version in (remove_from_version_id, move_to_version_id):
        if version is not None and not _exists(call, secret.key, version):
            raise ResourceNotFoundException(
                f"Secrets Manager can't find the specified secret value for VersionId: {version}"
            )
    holder = holder_of(call, secret.key, version_stage)
    if holder is not None and holder != move_to_version_id and remove_from_version_id is None:
        raise InvalidParameterException(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {version_stage} is currently attached to "
            f"version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
        )
    if remove_from_version_id is not None and holder != remove_from_version_id:
        raise InvalidParameterException(
            f"The version {remove_from_version_id} isn't attached to staging label {version_stage}."
        )
    if move_to_version_id is not None:
        attach(call, secret.key, move_to_version_id, version_stage)
    elif version_stage == "AWSCURRENT":
        raise InvalidParameterException(
            "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."
        )
    else:
        call.tx.run("DELETE FROM secretsmanager_stage WHERE secret = ? AND label = ?", secret.key, version_stage)
    call.tx.run("UPDATE secretsmanager_secret SET changed_at = ? WHERE key = ?", call.now, secret.key)
    return {"ARN": secret.arn, "Name": secret.name}


def is_repeated(call: Call, secret: Secret, version: str, value: Value) -> bool:
    """Whether the same request came before. The same token for another value is an error.

    A rotation makes its version before there is a value, and the function then gives it one under that token.
    """
    row = call.tx.one("SELECT * FROM secretsmanager_version WHERE secret = ? AND id = ?", secret.key, version)
    if row is None or (row["string"] is None and row["binary"] is None):
        return False
    if (row["string"], row["binary"]) == (value.string, value.binary):
        return True
    raise ResourceExistsException(
        f"You can't use ClientRequestToken {version} because that value is already in use for a version of secret "
        f"{secret.arn}."
    )


def put(call: Call, secret: Secret, version: str, value: Value, labels: list[str] | None) -> None:
    """Stores a value as a version and attaches its labels; the first value of a secret is always the current one."""
    attached = set(labels or ["AWSCURRENT"])
    if len(attached) > _MAX_LABELS:
        raise LimitExceededException
    if holder_of(call, secret.key, "AWSCURRENT") is None:
        attached.add("AWSCURRENT")
    call.tx.run(
        """INSERT INTO secretsmanager_version (secret, id, string, binary, kms_key, created_at)
           VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (secret, id) DO UPDATE SET string = excluded.string, binary = excluded.binary""",
        secret.key,
        version,
        value.string,
        value.binary,
        secret.row["kms_key"],
        call.now,
    )
    for label in sorted(attached):
        attach(call, secret.key, version, label)
    _forget_oldest(call, secret.key)


def attach(call: Call, secret: int, version: str, label: str) -> None:
    """Moves a label to a version; AWSCURRENT leaves AWSPREVIOUS behind it."""
    holder = holder_of(call, secret, label)
    if holder == version:
        return
    _label(call, secret, version, label)
    if label == "AWSCURRENT" and holder is not None:
        # The version that stops being current is not pending any more either, and there is one previous version.
        call.tx.run(
            "DELETE FROM secretsmanager_stage WHERE secret = ? AND label = 'AWSPENDING' AND version = ?", secret, holder
        )
        _label(call, secret, holder, "AWSPREVIOUS")


def holder_of(call: Call, secret: int, label: str) -> str | None:
    version: str | None = call.tx.value(
        "SELECT version FROM secretsmanager_stage WHERE secret = ? AND label = ?", secret, label
    )
    return version


def stages_by_version(call: Call, secret: int) -> dict[str, list[str]]:
    """The labels of every version that has any, sorted."""
    stages: dict[str, list[str]] = {}
    for row in call.tx.all("SELECT label, version FROM secretsmanager_stage WHERE secret = ? ORDER BY label", secret):
        stages.setdefault(row["version"], []).append(row["label"])
    return stages


def reencrypt(call: Call, secret: Secret, kms_key: str) -> None:
    """A new key of a secret is at once the key of its current, pending and previous versions."""
    call.tx.run(
        """UPDATE secretsmanager_version SET kms_key = ? WHERE secret = ? AND id IN
               (SELECT version FROM secretsmanager_stage
                WHERE secret = ? AND label IN ('AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'))""",
        kms_key,
        secret.key,
        secret.key,
    )


def check_key(call: Call, kms_key: str | None, failure: type[AwsError] = EncryptionFailure) -> None:
    """A customer's key must be there and enabled; the values themselves are kept in the state file as they are."""
    if not kms_key or kms_key == "alias/aws/secretsmanager":
        return
    region, account = _home(kms_key) or (call.region, call.account)
    try:
        key = call.api("kms", account=account, region=region).describe_key(KeyId=kms_key)["KeyMetadata"]
    except AwsError as error:
        raise failure from error
    if not key["Enabled"]:
        raise failure


def _home(kms_key: str) -> tuple[str, str] | None:
    parts = kms_key.split(":")
    return (parts[3], parts[4]) if kms_key.startswith("arn:") else None


def _refuse_stranger(call: Call, secret: Secret) -> None:
    if secret.row["account"] != call.account and not secret.row["kms_key"]:
        raise InvalidRequestException(
            "You can't access a secret from a different AWS account if you encrypt the secret "
            "with the default KMS service key."
        )


def _accessed(call: Call, secret: Secret, version: Any) -> None:
    today = call.now - call.now % _DAY_S
    if version["accessed_on"] != today or secret.row["accessed_on"] != today:
        call.tx.run("UPDATE secretsmanager_version SET accessed_on = ? WHERE seq = ?", today, version["seq"])
        call.tx.run("UPDATE secretsmanager_secret SET accessed_on = ? WHERE key = ?", today, secret.key)


def _exists(call: Call, secret: int, version: str) -> bool:
    return bool(call.tx.value("SELECT 1 FROM secretsmanager_version WHERE secret = ? AND id = ?", secret, version))


def _label(call: Call, secret: int, version: str, label: str) -> None:
    call.tx.run(
        """INSERT INTO secretsmanager_stage (secret, label, version) VALUES (?, ?, ?)
           ON CONFLICT (secret, label) DO UPDATE SET version = excluded.version""",
        secret,
        label,
        version,
    )


def _forget_oldest(call: Call, secret: int) -> None:
    call.tx.run(
        """DELETE FROM secretsmanager_version WHERE seq IN (
               SELECT seq FROM secretsmanager_version
               WHERE secret = ? AND id NOT IN (SELECT version FROM secretsmanager_stage WHERE secret = ?)
               ORDER BY seq DESC LIMIT -1 OFFSET ?)""",
        secret,
        secret,
        _MAX_DEPRECATED,
    )
