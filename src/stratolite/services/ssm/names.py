"""Names: what a parameter may be called, its ARN, and how a name, ARN, version or label finds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call

from .errors import (
    AccessDeniedException,
    HierarchyLevelLimitExceededException,
    ParameterNotFound,
    ParameterVersionNotFound,
    ValidationException,
)

_SEGMENT = r"[A-Za-z0-9_.-]+"
_NAME = re.compile(rf"{_SEGMENT}|(/{_SEGMENT})+")
_ARN = re.compile(r"arn:[^:]+:ssm:(?P<region>[^:]*):(?P<account>[^:]*):parameter(?P<path>/[^:]+)(?P<selector>:.+)?")
_MAX_LEVELS = 15


@dataclass(frozen=True)
class Found:
    """A version of a parameter, under the name it was asked for."""

    parameter: Any
    version: Any
    name: str
    selector: str | None = None

    @property
    def arn(self) -> str:
        return arn(self.parameter)


def arn(parameter: Any) -> str:
    name = parameter["name"]
    path = name if name.startswith("/") else f"/{name}"
    return f"arn:aws:ssm:{parameter['region']}:{parameter['account']}:parameter{path}"


def check_new(name: str) -> None:
    """The rules for making a parameter.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html#sysman-parameter-name-constraints
    """
    first = name.lstrip("/").split("/", 1)[0].lower()
    if first.startswith("aws"):
        raise AccessDeniedException(name=name)
    if "/" in name and not name.startswith("/"):
        raise ValidationException("Parameter name must be a fully qualified name.")
    check(name)
    if name.count("/") > _MAX_LEVELS:
        raise HierarchyLevelLimitExceededException


def check(name: str) -> None:
    if not _NAME.fullmatch(name) or name.lstrip("/").lower().startswith("ssm"):
        raise ValidationException


def find(call: Call, asked: str) -> Any | None:
    """A parameter's row by name or ARN."""
    if parts := _ARN.fullmatch(asked):
        path = parts["path"]
        # One level deep, /x and x share an ARN.
        candidates = [path, path[1:]] if path.count("/") == 1 else [path]
        owner, region = parts["account"], parts["region"]
    else:
        check(asked)
        # AWS answers for /x with the parameter x.
        candidates = [asked, asked[1:]] if asked.startswith("/") and asked.count("/") == 1 else [asked]
        owner, region = call.account, call.region
    for name in candidates:
        row = call.tx.one(
            "SELECT * FROM ssm_parameter WHERE account = ? AND region = ? AND name = ?", owner, region, name
        )
        if row is not None:
            return row
    return None


def get(call: Call, asked: str) -> Found:
    """The version that a name, ARN, `name:version` or `name:label` means; without a selector, the latest."""
    base, selector = _split(asked)
    parameter = find(call, base)
    if parameter is None:
        raise ParameterNotFound
    number: int | None = parameter["version"]
    if selector is not None:
        number = int(selector) if selector.isdecimal() else labelled(call, parameter["key"], selector)
    version = number and version_of(call, parameter["key"], number)
    if not version:
        raise ParameterVersionNotFound(version=selector, name=base)
    name = parameter["name"] if base.startswith("arn:") else base
    return Found(parameter, version, name, f":{selector}" if selector else None)


def version_of(call: Call, key: int, version: int) -> Any | None:
    return call.tx.one("SELECT * FROM ssm_version WHERE parameter = ? AND version = ?", key, version)


def labelled(call: Call, key: int, label: str) -> int | None:
    version: int | None = call.tx.value("SELECT version FROM ssm_label WHERE parameter = ? AND label = ?", key, label)
    return version


def _split(asked: str) -> tuple[str, str | None]:
    if parts := _ARN.fullmatch(asked):
        selector = parts["selector"]
        return (asked.removesuffix(selector), selector[1:]) if selector else (asked, None)
    base, colon, selector = asked.partition(":")
    return base, selector if colon else None
