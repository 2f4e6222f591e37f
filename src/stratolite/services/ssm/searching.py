"""Searching: parameters by path, and by what is known of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call, operation

from . import names
from .errors import InvalidFilterKey, InvalidFilterOption, InvalidFilterValue, ValidationException
from .history import metadata
from .pages import paged
from .reading import described

_PATH_PAGE = 10
_PAGE = 50
_PATH = re.compile(r"/|(/[A-Za-z0-9_.-]+)+/?")
_BY_PATH = {"Type", "KeyId", "Label"}
_OPTIONS = {"Name": ("Equals", "BeginsWith", "Contains"), "Path": ("OneLevel", "Recursive")}
_EQUALS = ("Equals", "BeginsWith")

_BAD_PATH = (
    "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "
    '"/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the '
    "following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if "
    'specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.'
)


@dataclass(frozen=True)
class Entry:
    """A parameter at its latest version, with all a filter may ask about."""

    parameter: Any
    version: Any
    labels: dict[int, list[str]]

    @property
    def name(self) -> str:
        return str(self.parameter["name"])

    @property
    def path(self) -> str:
        return self.name if self.name.startswith("/") else f"/{self.name}"


@operation
def get_parameters_by_path(
    call: Call,
    path: str,
    recursive: bool = False,
    parameter_filters: list[dict[str, Any]] | None = None,
    with_decryption: bool = False,
    max_results: int = _PATH_PAGE,
    next_token: str | None = None,
) -> dict[str, Any]:
    if not _PATH.fullmatch(path):
        raise ValidationException(_BAD_PATH)
    filters = parameter_filters or []
    for each in filters:
        if each["Key"] not in _BY_PATH:
            raise InvalidFilterKey(key=each["Key"], valid="Type, KeyId, Label")
    entries = [
        entry
        for entry in _entries(call)
        if _is_under(entry.path, path, recursive) and all(_passes(entry, each) for each in filters)
    ]
    page, more = paged(entries, max_results, next_token, lambda entry: entry.name)
    wanted = next((each["Values"][0] for each in filters if each["Key"] == "Label"), None)
    return {
        "Parameters": [described(call, _version(call, entry, wanted), with_decryption) for entry in page],
        "NextToken": more,
    }


@operation
def describe_parameters(
    call: Call,
    filters: list[dict[str, Any]] | None = None,
    parameter_filters: list[dict[str, Any]] | None = None,
    max_results: int = _PAGE,
    next_token: str | None = None,
) -> dict[str, Any]:
    if filters and parameter_filters:
        raise ValidationException("You can use either Filters or ParameterFilters in a single request.")
    wanted = [_checked(each) for each in parameter_filters or []]
    wanted += [{**each, "Option": "BeginsWith" if each["Key"] == "Name" else "Equals"} for each in filters or []]
    entries = [entry for entry in _entries(call) if all(_passes(entry, each) for each in wanted)]
    page, more = paged(entries, max_results, next_token, lambda entry: entry.name)
    return {
        "Parameters": [
            metadata(entry.parameter, entry.version) | {"ARN": names.arn(entry.parameter)} for entry in page
        ],
        "NextToken": more,
    }


def _entries(call: Call) -> list[Entry]:
    """Every parameter of this account and region, by name; three statements however many there are."""
    here = (call.account, call.region)
    parameters = call.tx.all("SELECT * FROM ssm_parameter WHERE account = ? AND region = ? ORDER BY name", *here)
    versions = call.tx.all(
        """SELECT v.* FROM ssm_parameter p JOIN ssm_version v ON v.parameter = p.key AND v.version = p.version
           WHERE p.account = ? AND p.region = ?""",
        *here,
    )
    labelled = call.tx.all(
        """SELECT l.* FROM ssm_parameter p JOIN ssm_label l ON l.parameter = p.key
           WHERE p.account = ? AND p.region = ? ORDER BY l.label""",
        *here,
    )
    labels: dict[int, dict[int, list[str]]] = {}
    for row in labelled:
        labels.setdefault(row["parameter"], {}).setdefault(row["version"], []).append(row["label"])
    latest = {row["parameter"]: row for row in versions}
    return [Entry(row, latest[row["key"]], labels.get(row["key"], {})) for row in parameters]


def _version(call: Call, entry: Entry, label: str | None) -> names.Found:
    """The latest version, or with a filter by label the one that carries it."""
    number = names.labelled(call, entry.parameter["key"], label) if label else None
    version = names.version_of(call, entry.parameter["key"], number) if number else entry.version
    return names.Found(entry.parameter, version, entry.name)


def _is_under(name: str, path: str, recursive: bool) -> bool:
    prefix = path if path.endswith("/") else f"{path}/"
    return name.startswith(prefix) and (recursive or "/" not in name[len(prefix) :])


def _checked(wanted: dict[str, Any]) -> dict[str, Any]:
    key = wanted["Key"]
    if not key.startswith("tag:") and key not in _FILTERS:
        raise InvalidFilterKey(key=key, valid="DataType, KeyId, Label, Name, Path, Tier, Type")
    valid = _OPTIONS.get(key, _EQUALS)
    option = wanted.get("Option", valid[0])
    if option not in valid:
        raise InvalidFilterOption(option=option, valid=", ".join(valid))
    if not wanted.get("Values") and not key.startswith("tag:"):
        raise InvalidFilterValue(f"The following filter values are missing : null for filter key {key}")
    return {**wanted, "Option": option}


def _passes(entry: Entry, wanted: dict[str, Any]) -> bool:
    key, values, option = wanted["Key"], wanted.get("Values") or [], wanted.get("Option", "Equals")
    if key.startswith("tag:"):
        tags = json.loads(entry.parameter["tags"])
        name = key.removeprefix("tag:")
        return name in tags and (not values or tags[name] in values)
    return any(_FILTERS[key](entry, value, option) for value in values)


def _compare(text: str | None, value: str, option: str) -> bool:
    text = text or ""
    return {"Equals": text == value, "BeginsWith": text.startswith(value), "Contains": value in text}[option]


def _by_name(entry: Entry, value: str, option: str) -> bool:
    return _compare(entry.name, value, option) or _compare(entry.path, value, option)


# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
_FILTERS: dict[str, Callable[[Entry, str, str], bool]] = {
    "Name": _by_name,
    "Type": lambda entry, value, option: _compare(entry.version["type"], value, option),
    "KeyId": lambda entry, value, option: _compare(entry.version["kms_key"], value, option),
    "Tier": lambda entry, value, option: _compare(entry.version["tier"], value, option),
    "DataType": lambda entry, value, option: _compare(entry.version["data_type"], value, option),
    "Path": lambda entry, value, option: _is_under(entry.path, value, option == "Recursive"),
    "Label": lambda entry, value, option: any(
        _compare(label, value, option) for labels in entry.labels.values() for label in labels
    ),
}
