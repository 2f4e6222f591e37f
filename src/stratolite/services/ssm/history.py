"""History: the versions of a parameter, and the labels on them."""

from __future__ import annotations

import re
from typing import Any

from stratolite.kernel import Call, operation

from . import changes, names
from .errors import ParameterNotFound, ParameterVersionLabelLimitExceeded, ParameterVersionNotFound
from .pages import paged
from .parameters import opened
from .policies import inline

_PAGE = 50
_MAX_LABELS = 10
_LABEL = re.compile(r"(?!aws|ssm)[A-Za-z_.-][A-Za-z0-9_.-]{0,99}", re.IGNORECASE)


@operation
def get_parameter_history(
    call: Call, name: str, with_decryption: bool = False, max_results: int = _PAGE, next_token: str | None = None
) -> dict[str, Any]:
    parameter = _get(call, name)
    rows = call.tx.all("SELECT * FROM ssm_version WHERE parameter = ? ORDER BY version", parameter["key"])
    page, more = paged(rows, max_results, next_token, lambda row: f"{row['version']:012d}")
    labels = labels_by_version(call, parameter["key"])
    return {
        "Parameters": [
            metadata(parameter, row)
            | {
                "Value": opened(call, parameter, row) if with_decryption else row["value"],
                "Labels": labels.get(row["version"], []),
            }
            for row in page
        ],
        "NextToken": more,
    }


@operation
def label_parameter_version(
    call: Call, name: str, labels: list[str], parameter_version: int | None = None
) -> dict[str, Any]:
    """Puts labels on a version, by default the latest; a label on another version moves."""
    parameter = _get(call, name)
    version = parameter_version or parameter["version"]
    if names.version_of(call, parameter["key"], version) is None:
        raise ParameterVersionNotFound(version=version, name=name)
    invalid = [label for label in labels if not _LABEL.fullmatch(label)]
    wanted = {label for label in labels if label not in invalid}
    held = set(labels_by_version(call, parameter["key"]).get(version, []))
    if len(held | wanted) > _MAX_LABELS:
        raise ParameterVersionLabelLimitExceeded
    for label in sorted(wanted):
        call.tx.run(
            """INSERT INTO ssm_label (parameter, label, version) VALUES (?, ?, ?)
               ON CONFLICT (parameter, label) DO UPDATE SET version = excluded.version""",
            parameter["key"],
            label,
            version,
        )
    if wanted:
        changes.tell(call, "LabelParameterVersion", parameter, names.version_of(call, parameter["key"], version))
    return {"InvalidLabels": invalid, "ParameterVersion": version}


@operation
def unlabel_parameter_version(call: Call, name: str, parameter_version: int, labels: list[str]) -> dict[str, Any]:
    parameter = _get(call, name)
    if names.version_of(call, parameter["key"], parameter_version) is None:
        raise ParameterVersionNotFound(version=parameter_version, name=name)
    held = labels_by_version(call, parameter["key"]).get(parameter_version, [])
    removed = [label for label in labels if label in held]
    for label in removed:
        call.tx.run("DELETE FROM ssm_label WHERE parameter = ? AND label = ?", parameter["key"], label)
    return {"RemovedLabels": removed, "InvalidLabels": [label for label in labels if label not in held]}


def metadata(parameter: Any, version: Any) -> dict[str, Any]:
    """What the history and a description have in common."""
    return {
        "Name": parameter["name"],
        "Type": version["type"],
        "KeyId": version["kms_key"],
        "LastModifiedDate": version["modified_at"],
        "LastModifiedUser": version["modified_by"],
        "Description": version["description"],
        "AllowedPattern": version["allowed_pattern"],
        "Version": version["version"],
        "Tier": version["tier"],
        "Policies": inline(version["policies"]),
        "DataType": version["data_type"],
    }


def labels_by_version(call: Call, key: int) -> dict[int, list[str]]:
    labels: dict[int, list[str]] = {}
    for row in call.tx.all("SELECT label, version FROM ssm_label WHERE parameter = ? ORDER BY label", key):
        labels.setdefault(row["version"], []).append(row["label"])
    return labels


def _get(call: Call, name: str) -> Any:
    parameter = names.find(call, name)
    if parameter is None:
        raise ParameterNotFound
    return parameter
