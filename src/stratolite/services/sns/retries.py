"""Retries: how often a topic's messages are tried, and how far apart, by protocol.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Retry

Policy = dict[str, Any]

HEALTHY: Policy = {
    "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numMaxDelayRetries": 0, "numNoDelayRetries": 0,
    "numMinDelayRetries": 0, "backoffFunction": "linear",
}  # fmt: skip
CONTENT_TYPE = "text/plain; charset=UTF-8"

MANAGED = Retry(attempts=100_015, max_age_s=23 * 86_400.0, backoff="sns")
"""Queues, functions, delivery streams: what AWS runs itself."""
HTTP_AGE_S = 3600.0
"""The longest a delivery policy may go on."""


def told(text: str) -> str:
    """A delivery policy as AWS gives it back: without what was null, with what it always says."""
    http = {name: value for name, value in (json.loads(text).get("http") or {}).items() if value is not None}
    return json.dumps({"http": {"disableSubscriptionOverrides": False, **http}})


def of_topic(text: str | None) -> Policy:
    http = (json.loads(text).get("http") if text else None) or {}
    return {
        "http": {
            "defaultHealthyRetryPolicy": {**HEALTHY, **(http.get("defaultHealthyRetryPolicy") or {})},
            "disableSubscriptionOverrides": http.get("disableSubscriptionOverrides", False),
            "defaultRequestPolicy": {"headerContentType": CONTENT_TYPE, **(http.get("defaultRequestPolicy") or {})},
        }
    }


def of_subscription(own: str | None, topic: str | None) -> Policy:
    """The policy an HTTP subscription goes by: its own over its topic's, unless the topic forbids that."""
    http = of_topic(topic)["http"]
    mine = json.loads(own) if own and not http["disableSubscriptionOverrides"] else {}
    return {
        "healthyRetryPolicy": {**http["defaultHealthyRetryPolicy"], **(mine.get("healthyRetryPolicy") or {})},
        "sicklyRetryPolicy": None,
        "throttlePolicy": mine.get("throttlePolicy"),
        "requestPolicy": {**http["defaultRequestPolicy"], **(mine.get("requestPolicy") or {})},
        "guaranteed": False,
    }


def delay_s(policy: Policy, attempt: int) -> float:
    """Seconds after a failed attempt: first none, then the least, then growing, then the most.

    AWS draws the curves of its back-off functions without formulas: here `linear` is a line, the others are geometric.
    """
    least, most = float(policy["minDelayTarget"]), float(policy["maxDelayTarget"])
    none, short, long_ = policy["numNoDelayRetries"], policy["numMinDelayRetries"], policy["numMaxDelayRetries"]
    if attempt <= none:
        return 0.0
    if attempt <= none + short:
        return least
    growing = policy["numRetries"] - none - short - long_
    step = attempt - none - short
    if step > growing:
        return most
    part = step / growing if growing > 1 else 1.0
    if policy["backoffFunction"] == "linear" or least <= 0:
        return least + (most - least) * part
    return float(least * (most / least) ** part)
