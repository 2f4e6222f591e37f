"""Filters: which messages a subscription wants, by their attributes or by their body.

https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.languages.patterns import FILTER_POLICY, PatternError, compile_pattern

from .content import MessageAttributes
from .errors import InvalidParameterException

MOST_KEYS = 5
MOST_COMBINATIONS = 150
BODY = "MessageBody"
_SOURCE = re.compile(r"\[Source: \(String\).*; line", re.S)
_REDACTED = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line"
ATTRIBUTES = "MessageAttributes"


def check(text: str, scope: str, where: str) -> None:
    """Whether a text is a filter policy. Raises InvalidParameter with AWS's reason, after `where`."""
    try:
        policy, problem = json.loads(text), ""
    except ValueError:
        policy, problem = None, "failed to parse JSON. "
    try:
        compile_pattern(text, FILTER_POLICY)
    except PatternError as error:
        reason = _SOURCE.sub(_REDACTED, str(error)) if problem else error
        raise InvalidParameterException(f"Invalid parameter: {where}FilterPolicy: {problem}{reason}") from None
    if problem:
        raise InvalidParameterException(f"Invalid parameter: {where}FilterPolicy: {problem.strip()}")
    if scope == ATTRIBUTES and _is_nested(policy):
        raise InvalidParameterException(
            "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy"
        )
    if _keys(policy) > MOST_KEYS:
        raise InvalidParameterException(
            f"Invalid parameter: {where}FilterPolicy: Filter policy can not have more than {MOST_KEYS} keys"
        )
    if sum(_combinations(policy, 1)) > MOST_COMBINATIONS:
        raise InvalidParameterException(f"Invalid parameter: {where}FilterPolicy: Filter policy is too complex")


def _is_nested(policy: dict[str, Any]) -> bool:
    return any(
        any(_is_nested(each) for each in value) if name == "$or" else isinstance(value, dict)
        for name, value in policy.items()
    )


def _keys(policy: dict[str, Any]) -> int:
    count = 0
    for name, value in policy.items():
        if name == "$or":
            count += sum(_keys(each) for each in value)
        else:
            count += _keys(value) if isinstance(value, dict) else 1
    return count


def _combinations(policy: dict[str, Any], depth: int) -> list[int]:
    """The combinations of each alternative: the product of its keys' values, each times how deep its key lies."""
    out = [1]
    for name, value in policy.items():
        if name == "$or":
            ways = [n for each in value for n in _combinations(each, depth)]
        elif isinstance(value, dict):
            ways = _combinations(value, depth + 1)
        else:
            ways = [len(value) * depth]
        out = [a * b for a in out for b in ways]
    return out


def wants(policy: str | None, scope: str, body: str, attributes: MessageAttributes) -> bool:
    """Whether a message with this body and these attributes passes."""
    if not policy:
        return True
    event = _document(body) if scope == BODY else _flat(attributes)
    return event is not None and compile_pattern(policy, FILTER_POLICY).matches(event)


def _document(body: str) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _flat(attributes: MessageAttributes) -> dict[str, Any]:
    """Attributes as an event: numbers are numbers, a String.Array is its elements, binaries cannot be asked for."""
    event: dict[str, Any] = {}
    for name, attribute in attributes.items():
        kind, value = attribute["DataType"], attribute.get("StringValue", "")
        if kind == "String.Array" or kind.startswith("Number"):
            event[name] = _json_or(value)
        elif kind.startswith("String"):
            event[name] = value
    return event


def _json_or(text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(found, dict) else found
