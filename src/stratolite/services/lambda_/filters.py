"""Filters: which records of a source a mapping hands to its function.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html: a record is kept when one of the patterns
holds. A queue's body is compared as JSON where the pattern expects an object, as text otherwise.
"""

from __future__ import annotations

import json
from typing import Any

from stratolite.languages.patterns import MAPPING, PatternError, compile_pattern

from .errors import InvalidParameterValueException

MOST = 10
TEXT_FIELDS = {"aws:sqs": "body"}


def check(criteria: dict[str, Any] | None) -> None:
    filters = (criteria or {}).get("Filters") or []
    if len(filters) > MOST:
        raise InvalidParameterValueException(f"Number of filters cannot be greater than {MOST}.")
    for each in filters:
        pattern = each.get("Pattern")
        try:
            if not isinstance(json.loads(pattern or ""), dict):
                raise ValueError
            compile_pattern(pattern, MAPPING)
        except (ValueError, PatternError):
            raise InvalidParameterValueException("Invalid filter pattern definition.") from None


def patterns(criteria: dict[str, Any] | None) -> list[str]:
    return [each["Pattern"] for each in (criteria or {}).get("Filters") or [] if each.get("Pattern")]


def keeps(wanted: list[str], record: dict[str, Any]) -> bool:
    """Whether one of the patterns holds for a record; everything is kept where there are none."""
    return not wanted or any(_holds(pattern, record) for pattern in wanted)


def _holds(pattern: str, record: dict[str, Any]) -> bool:
    field = TEXT_FIELDS.get(record.get("eventSource", ""), "")
    if isinstance(json.loads(pattern).get(field), dict):
        try:
            parsed = json.loads(record[field])
        except (ValueError, KeyError):
            return False
        if not isinstance(parsed, dict):
            return False
        record = {**record, field: parsed}
    return compile_pattern(pattern, MAPPING).matches(record)
