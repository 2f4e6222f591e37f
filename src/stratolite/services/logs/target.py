"""How to deliver to a log group: a rule's event becomes a line of a stream."""

from __future__ import annotations

import hashlib

from stratolite.kernel import Call, Delivery, target
from stratolite.languages import arns


@target("logs")
def deliver(call: Call, delivery: Delivery) -> None:
    """In the sender's transaction. Each rule writes into a stream of its own, made at its first event.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
    """
    api = call.api("logs")
    group = arns.parse(delivery.to).name.removesuffix(":*")
    # AWS: streams come and go under random names. Here: one, named by who sends.
    stream = f"{delivery.source}-{_hash(delivery.context.get('rule_arn', ''))}"
    if not api.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)["logStreams"]:
        api.create_log_stream(logGroupName=group, logStreamName=stream)
    line = {"timestamp": int(call.now * 1000), "message": delivery.text()}
    api.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[line])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
