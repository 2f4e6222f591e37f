"""Dynamic references: `{{resolve:service:...}}`, replaced when a resource is made and never shown.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import TemplateError

_PATTERN = re.compile(r"\{\{resolve:([a-z0-9-]+):([^{}]+)\}\}")
_SERVICES = ("ssm", "ssm-secure", "secretsmanager")
_ARN_PARTS = 7


@dataclass(frozen=True)
class DynamicReference:
    """What to look up: a parameter (`name`, `version`) or a secret (`name`: id or ARN; `key`, `stage`, `version`)."""

    text: str
    service: str
    name: str
    version: str | None = None
    key: str | None = None
    stage: str | None = None


def found_in(value: Any) -> Iterator[DynamicReference]:
    """Every dynamic reference in a value. Raises TemplateError for a malformed one."""
    if isinstance(value, str):
        for match in _PATTERN.finditer(value):
            yield _read(match)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from found_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from found_in(each)


def substitute(value: Any, answers: Mapping[str, str]) -> Any:
    """The value with each reference (by its text) replaced by its answer; a reference without an answer stays."""
    if isinstance(value, str):
        return _PATTERN.sub(lambda match: answers.get(match[0], match[0]), value) if "{{" in value else value
    if isinstance(value, Mapping):
        return {key: substitute(each, answers) for key, each in value.items()}
    if isinstance(value, list):
        return [substitute(each, answers) for each in value]
    return value


def _read(match: re.Match[str]) -> DynamicReference:
    text, service, rest = match[0], match[1], match[2]
    if service not in _SERVICES:
        raise TemplateError(f"Template error: unsupported dynamic reference service {service}")
    parts = rest.split(":")
    if service != "secretsmanager":
        if len(parts) > 2 or not parts[0]:
            raise TemplateError(f"Incorrect format is used in the following SSM reference: [{text}]")
        return DynamicReference(text, service, parts[0], version=parts[1] if len(parts) == 2 else None)
    id_parts = _ARN_PARTS if parts[0] == "arn" else 1
    name, options = ":".join(parts[:id_parts]), parts[id_parts:]
    kind, key, stage, version = (*options, *[""] * 4)[:4]
    if not name or kind not in ("", "SecretString") or len(options) > 4 or (stage and version):
        raise TemplateError(f"Incorrect format is used in the following Secrets Manager reference: [{text}]")
    return DynamicReference(text, service, name, version=version or None, key=key or None, stage=stage or None)
