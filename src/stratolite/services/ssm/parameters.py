"""Parameters: put and deleted."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from stratolite.kernel import AwsError, Call, job, operation

from . import changes, names
from .errors import (
    HierarchyTypeMismatchException,
    InvalidAllowedPatternException,
    InvalidKeyId,
    ParameterAlreadyExists,
    ParameterMaxVersionLimitExceeded,
    ParameterNotFound,
    ParameterPatternMismatchException,
    ValidationException,
)
from .policies import Policies

_MAX_VERSIONS = 100
_MAX_CHARACTERS = {"Standard": 4096, "Advanced": 8192}
_DATA_TYPES = {"text", "aws:ec2:image", "aws:ssm:integration"}
_TOO_LONG = {
    "Standard": "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
    "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
    "Advanced": "Advanced tier parameters support a maximum parameter value of 8192 characters.",
}
_NO_DOWNGRADE = (
    "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier "
    "to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard "
    "parameter."
)
_TAGS_AND_OVERWRITE = (
    "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove "
    "overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource."
)


@operation
def put_parameter(
    call: Call,
    name: str,
    value: str,
    type: str | None = None,
    description: str | None = None,
    key_id: str | None = None,
    overwrite: bool = False,
    allowed_pattern: str | None = None,
    tags: list[dict[str, str]] | None = None,
    tier: str | None = None,
    policies: str | None = None,
    data_type: str | None = None,
) -> dict[str, Any]:
    names.check_new(name)
    existing = names.find(call, name)
    if existing is not None and not overwrite:
        raise ParameterAlreadyExists
    if tags and overwrite:
        raise ValidationException(_TAGS_AND_OVERWRITE)
    latest = names.version_of(call, existing["key"], existing["version"]) if existing is not None else None
    kind = type or (latest["type"] if latest is not None else None)
    if kind is None:
        raise ValidationException("A parameter type is required when you create a parameter.")
    if latest is not None and kind != latest["type"] and "SecureString" in (kind, latest["type"]):
        raise HierarchyTypeMismatchException
    if data_type is not None and data_type not in _DATA_TYPES:
        raise ValidationException(
            f"The following data type is not supported: {data_type} (Data type names are all lowercase.)"
        )
    if key_id and kind != "SecureString":
        raise ValidationException("KeyId is required for SecureString type parameter only.")
    _check_pattern(value, allowed_pattern)
    rules = Policies.parse(policies)
    chosen = _tier(tier, value, rules, latest)
    _check_length(value, chosen)
    version = existing["version"] + 1 if existing is not None else 1
    if existing is None:
        call.tx.run(
            "INSERT INTO ssm_parameter (account, region, name, version, tags) VALUES (?, ?, ?, ?, ?)",
            call.account,
            call.region,
            name,
            version,
            json.dumps({tag["Key"]: tag["Value"] for tag in tags or []}),
        )
    else:
        _make_room(call, existing, name)
    parameter = names.find(call, name)
    assert parameter is not None
    key = parameter["key"]
    kms_key = (key_id or "alias/aws/ssm") if kind == "SecureString" else None
    call.tx.run(
        """INSERT INTO ssm_version (parameter, version, type, value, kms_key, description, allowed_pattern, tier,
                                    data_type, policies, modified_at, modified_by)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        key,
        version,
        kind,
        _sealed(call, parameter, kms_key, value) if kms_key else value,
        kms_key,
        description if description is not None or latest is None else latest["description"],
        allowed_pattern,
        chosen,
        data_type or (latest["data_type"] if latest is not None else "text"),
        rules.stored if policies or latest is None else latest["policies"],
        call.now,
        call.principal.arn,
    )
    expire_at = rules.expire_at if policies else parameter["expire_at"]
    call.tx.run("UPDATE ssm_parameter SET version = ?, expire_at = ? WHERE key = ?", version, expire_at, key)
    if policies and expire_at is not None:
        call.later("ssm.expire", expire_at, parameter=key, at=expire_at)
    changes.tell(call, "Update" if existing is not None else "Create", parameter, names.version_of(call, key, version))
    return {"Version": version, "Tier": chosen}


@operation
def delete_parameter(call: Call, name: str) -> None:
    parameter = names.find(call, name)
    if parameter is None:
        raise ParameterNotFound
    _remove(call, parameter)


@operation
def delete_parameters(call: Call, names: list[str]) -> dict[str, Any]:
    deleted, invalid = [], []
    for name in dict.fromkeys(names):
        parameter = _find(call, name)
        if parameter is None:
            invalid.append(name)
        else:
            _remove(call, parameter)
            deleted.append(name)
    return {"DeletedParameters": deleted, "InvalidParameters": invalid}


@job
def expire(call: Call, parameter: int, at: float) -> None:
    """Deletes a parameter at the end its policy set, if that policy still holds."""
    row = call.tx.one("SELECT * FROM ssm_parameter WHERE key = ?", parameter)
    if row is not None and row["expire_at"] == at:
        _remove(call, row)


def opened(call: Call, parameter: Any, version: Any) -> str:
    """The plain value of a version; of a SecureString, through KMS."""
    if version["type"] != "SecureString":
        return str(version["value"])
    try:
        answer = call.api("kms", account=parameter["account"], region=parameter["region"]).decrypt(
            CiphertextBlob=base64.b64decode(version["value"]),
            EncryptionContext={"PARAMETER_ARN": names.arn(parameter)},
        )
    except AwsError as error:
        raise InvalidKeyId(error.message) from error
    return bytes(answer["Plaintext"]).decode()


def _sealed(call: Call, parameter: Any, kms_key: str, value: str) -> str:
    try:
        answer = call.api("kms").encrypt(
            KeyId=kms_key, Plaintext=value.encode(), EncryptionContext={"PARAMETER_ARN": names.arn(parameter)}
        )
    except AwsError as error:
        raise InvalidKeyId(error.message) from error
    return base64.b64encode(answer["CiphertextBlob"]).decode()


def _find(call: Call, name: str) -> Any | None:
    try:
        return names.find(call, name)
    except ValidationException:
        return None


def _check_pattern(value: str, pattern: str | None) -> None:
    if not pattern:
        return
    try:
        matches = re.fullmatch(pattern, value)
    except re.error:
        raise InvalidAllowedPatternException from None
    if not matches:
        raise ParameterPatternMismatchException(pattern=pattern)


def _tier(asked: str | None, value: str, rules: Policies, latest: Any) -> str:
    """Standard unless asked for more, or unless Intelligent-Tiering finds that it takes more."""
    was = latest["tier"] if latest is not None else None
    needs_more = len(value) > _MAX_CHARACTERS["Standard"] or bool(rules.wanted)
    if asked == "Intelligent-Tiering":
        return "Advanced" if needs_more or was == "Advanced" else "Standard"
    if asked == "Standard" and was == "Advanced":
        raise ValidationException(_NO_DOWNGRADE)
    tier = asked or was or "Standard"
    if rules.wanted and tier != "Advanced":
        raise ValidationException(
            "The specified parameter is a standard-tier parameter. "
            "Only advanced-tier parameters support parameter policies."
        )
    return tier


def _check_length(value: str, tier: str) -> None:
    if not value:
        raise ValidationException(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1."
        )
    if len(value) > _MAX_CHARACTERS[tier]:
        raise ValidationException(_TOO_LONG[tier])


def _make_room(call: Call, parameter: Any, name: str) -> None:
    """Forgets the oldest of 100 versions, unless a label holds it."""
    key = parameter["key"]
    if call.tx.value("SELECT count(*) FROM ssm_version WHERE parameter = ?", key) < _MAX_VERSIONS:
        return
    oldest = call.tx.value("SELECT min(version) FROM ssm_version WHERE parameter = ?", key)
    if call.tx.value("SELECT 1 FROM ssm_label WHERE parameter = ? AND version = ?", key, oldest):
        raise ParameterMaxVersionLimitExceeded(name=name, version=oldest)
    call.tx.run("DELETE FROM ssm_version WHERE parameter = ? AND version = ?", key, oldest)


def _remove(call: Call, parameter: Any) -> None:
    key = parameter["key"]
    changes.tell(call, "Delete", parameter, names.version_of(call, key, parameter["version"]))
    call.tx.run("DELETE FROM ssm_label WHERE parameter = ?", key)
    call.tx.run("DELETE FROM ssm_version WHERE parameter = ?", key)
    call.tx.run("DELETE FROM ssm_parameter WHERE key = ?", key)
