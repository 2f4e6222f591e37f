"""Reading: parameters by name, and secrets by a parameter's name."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import AwsError, Call, operation

from . import names
from .errors import ParameterNotFound, ParameterVersionNotFound, ValidationException
from .parameters import opened

_SECRETS = "/aws/reference/secretsmanager/"
_VERSION_ID_LENGTH = 32  # at least; a staging label may be longer, a version id is never shorter


@operation
def get_parameter(call: Call, name: str, with_decryption: bool = False) -> dict[str, Any]:
    return {"Parameter": read(call, name, with_decryption)}


@operation
def get_parameters(call: Call, names: list[str], with_decryption: bool = False) -> dict[str, Any]:
    found, invalid = [], []
    for name in dict.fromkeys(names):
        try:
            found.append(read(call, name, with_decryption))
        except (ParameterNotFound, ParameterVersionNotFound):
            invalid.append(name)
    return {"Parameters": found, "InvalidParameters": invalid}


def read(call: Call, name: str, decrypt: bool) -> dict[str, Any]:
    if name.startswith(_SECRETS):
        return _secret(call, name, decrypt)
    if name.startswith("/aws/"):
        raise ParameterNotFound  # AWS's public parameters are AWS's
    return described(call, names.get(call, name), decrypt)


def described(call: Call, found: names.Found, decrypt: bool) -> dict[str, Any]:
    version = found.version
    return {
        "Name": found.name,
        "Type": version["type"],
        "Value": opened(call, found.parameter, version) if decrypt else version["value"],
        "Version": version["version"],
        "Selector": found.selector,
        "LastModifiedDate": version["modified_at"],
        "ARN": found.arn,
        "DataType": version["data_type"],
    }


def _secret(call: Call, name: str, decrypt: bool) -> dict[str, Any]:
    """A secret read through Parameter Store.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
    """
    if not decrypt:
        raise ValidationException("WithDecryption flag must be True for retrieving a Secret Manager secret.")
    secret_id, _, selector = name.removeprefix(_SECRETS).partition(":")
    which = {}
    if selector:
        which = {"VersionId": selector} if len(selector) >= _VERSION_ID_LENGTH else {"VersionStage": selector}
    try:
        secret = call.api("secretsmanager").get_secret_value(SecretId=secret_id, **which)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        raise ParameterNotFound(f"Secret {name.lstrip('/')} not found.") from error
    source = {
        "ARN": secret["ARN"],
        "name": secret["Name"],
        "versionId": secret["VersionId"],
        "secretString": secret.get("SecretString"),
        "versionStages": secret.get("VersionStages"),
        "createdDate": int(secret["CreatedDate"] * 1000),
    }
    return {
        "Name": name,
        "Type": "SecureString",
        "Value": secret.get("SecretString"),
        "Version": 0,
        "SourceResult": json.dumps({key: value for key, value in source.items() if value is not None}),
        "LastModifiedDate": secret["CreatedDate"],
        "ARN": secret["ARN"],
        "DataType": "text",
    }
