"""Policies of parameters: when one expires.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import (
    IncompatiblePolicyException,
    InvalidPolicyAttributeException,
    InvalidPolicyTypeException,
    ValidationException,
)

_TYPES = {"Expiration", "ExpirationNotification", "NoChangeNotification"}


@dataclass(frozen=True)
class Policies:
    wanted: tuple[dict[str, Any], ...] = ()
    expire_at: float | None = None

    @classmethod
    def parse(cls, text: str | None) -> Policies:
        """From PutParameter's JSON list. The two notifications are refused: nothing here would send them."""
        if not text or not text.strip():
            return cls()
        try:
            wanted = json.loads(text)
        except ValueError:
            raise ValidationException(f"Invalid policies input: {text}.") from None
        if not isinstance(wanted, list) or not all(isinstance(policy, dict) for policy in wanted):
            raise ValidationException(f"Invalid policies input: {text}.")
        types = [policy.get("Type") for policy in wanted]
        if any(kind not in _TYPES for kind in types):
            raise InvalidPolicyTypeException
        if any(kind != "Expiration" for kind in types):
            raise InvalidPolicyTypeException("Notification policies are not emulated here; Expiration is.")
        if len(types) > 1:
            raise IncompatiblePolicyException
        return cls(tuple(wanted), _time(wanted[0]) if wanted else None)

    @property
    def stored(self) -> str:
        return json.dumps(self.wanted)


def inline(stored: str) -> list[dict[str, Any]]:
    """As DescribeParameters and the history show them."""
    return [
        {"PolicyText": json.dumps(policy), "PolicyType": policy["Type"], "PolicyStatus": "Pending"}
        for policy in json.loads(stored)
    ]


def _time(policy: dict[str, Any]) -> float:
    try:
        at = datetime.fromisoformat(policy["Attributes"]["Timestamp"])
    except (KeyError, TypeError, ValueError):
        raise InvalidPolicyAttributeException from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
