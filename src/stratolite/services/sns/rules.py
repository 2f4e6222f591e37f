"""Rules: the attributes a subscription may have, and what they look like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stratolite.kernel import Call
from stratolite.languages import arns

from . import filters, retries
from .errors import InvalidParameterException
from .topics import Topic

NAMES = frozenset(
    {
        "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "ReplayPolicy",
        "SubscriptionRoleArn",
    }
)  # fmt: skip
"""https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html"""
DEFAULTS = {"RawMessageDelivery": "false", "FilterPolicyScope": filters.ATTRIBUTES}


def checked(attributes: Mapping[str, str], is_ordered: bool) -> dict[str, str]:
    """The attributes of a subscription to be made. Raises InvalidParameter."""
    for name, value in attributes.items():
        if name not in NAMES:
            raise InvalidParameterException("Invalid parameter: Attributes")
        _check(name, value, is_ordered, "Attributes Reason: ")
    if attributes.get("FilterPolicy"):
        scope = attributes.get("FilterPolicyScope") or filters.ATTRIBUTES
        filters.check(attributes["FilterPolicy"], scope, "Attributes Reason: ")
    return {name: _kept(name, value) for name, value in attributes.items() if value}


def _kept(name: str, value: str) -> str:
    return value.lower() if name == "RawMessageDelivery" else value


def changed(attributes: Mapping[str, str], name: str, value: str, is_ordered: bool) -> dict[str, str]:
    """The attributes after one is set; an empty text takes it away."""
    if name not in NAMES:
        raise InvalidParameterException("Invalid parameter: AttributeName")
    _check(name, value, is_ordered, "")
    after = {**attributes, name: _kept(name, value)}
    if name in ("FilterPolicy", "FilterPolicyScope") and after.get("FilterPolicy"):
        filters.check(after["FilterPolicy"], after.get("FilterPolicyScope") or filters.ATTRIBUTES, "")
    return {each: text for each, text in after.items() if text}


def _check(name: str, value: str, is_ordered: bool, where: str) -> None:
    def refuse(reason: str) -> InvalidParameterException:
        return InvalidParameterException(f"Invalid parameter: {where}{name}: {reason}")

    if name == "RawMessageDelivery" and value.lower() not in ("true", "false"):
        raise refuse(f"Invalid value [{value}]. Must be true or false.")
    if name == "FilterPolicyScope" and value not in (filters.BODY, filters.ATTRIBUTES):
        raise refuse(f"Invalid value [{value}]. Please use either MessageBody or MessageAttributes")
    if name in ("RedrivePolicy", "DeliveryPolicy", "ReplayPolicy") and value:
        try:
            policy = json.loads(value)
        except ValueError:
            raise refuse("failed to parse JSON.") from None
        if not isinstance(policy, dict):
            raise refuse("failed to parse JSON.")
        if name == "RedrivePolicy":
            queue = policy.get("deadLetterTargetArn") or ""
            if not arns.is_arn(queue):
                raise refuse("deadLetterTargetArn is an invalid arn")
            if is_ordered and not queue.endswith(".fifo"):
                raise refuse("must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")


def tell(call: Call, changes: Mapping[str, str]) -> None:
    """What of a subscription's attributes has no effect here. Raises NotEmulated under --strict."""
    for name in ("ReplayPolicy", "SubscriptionRoleArn"):
        if changes.get(name):
            call.not_emulated_here(f"sns {name}")
    if "throttlePolicy" in (changes.get("DeliveryPolicy") or ""):
        call.not_emulated_here("sns DeliveryPolicy.throttlePolicy")


def shown(attributes: Mapping[str, str], protocol: str, topic: Topic | None) -> dict[str, str]:
    found = {"RawMessageDelivery": "false", **attributes}
    if "FilterPolicy" in found:
        found.setdefault("FilterPolicyScope", filters.ATTRIBUTES)
    else:
        found.pop("FilterPolicyScope", None)  # it waits for its policy, unseen (recorded)
    if protocol in ("http", "https"):
        policy = retries.of_subscription(
            attributes.get("DeliveryPolicy"), topic.attributes.get("DeliveryPolicy") if topic else None
        )
        found["EffectiveDeliveryPolicy"] = json.dumps(policy)
    return found


def dead_letter(attributes: Mapping[str, str]) -> str | None:
    text = attributes.get("RedrivePolicy")
    found: dict[str, Any] = json.loads(text) if text else {}
    return found.get("deadLetterTargetArn")
