"""How to deliver to a bus, and what a dead letter of a rule tells."""

from __future__ import annotations

from stratolite.kernel import Call, Delivery, Failure, Message, Undeliverable, dead_letter, target
from stratolite.languages import arns

from . import buses, documents, routing

# AWS forbids long chains without saying where it cuts them. Here a circle of buses ends after so many.
HOPS = 10
_FIELDS = frozenset({"id", "source", "account", "time", "region", "detail-type", "detail"})


@target("events")
def deliver(call: Call, delivery: Delivery) -> None:
    """An event (with its envelope) onto a bus: from a rule of another bus, or from an AWS service."""
    bus = buses.look(call, delivery.to)
    if bus is None:
        name = buses.named(call, delivery.to)[2]
        raise Undeliverable("NO_RESOURCE", f"Event bus {name} does not exist.", retry=False)
    try:
        event = documents.decoded(delivery.text())
    except ValueError:
        event = None
    if not isinstance(event, dict) or not event.keys() >= _FIELDS or not isinstance(event["detail"], dict):
        raise Undeliverable("INVALID_JSON", "The event is not valid.", retry=False)
    sender = delivery.context.get("rule_arn")
    if sender and arns.parse(sender).region != bus.region:
        # An event that crosses regions is a new one there; it keeps the time, account and region it came from.
        event["id"] = call.world.id()
    hops = delivery.context.get("hops", 0)
    if hops > HOPS:
        raise Undeliverable("TOO_MANY_HOPS", f"The event came through {HOPS} event buses.", retry=False)
    routing.tell(call, routing.accept(call, bus, event, hops=hops))


def _text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


@dead_letter("events")
def letter(call: Call, delivery: Delivery, failure: Failure) -> Message:
    """The event as it was sent, and why it did not arrive.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html#eb-dlq-message-attributes
    """
    attributes = {
        "RULE_ARN": delivery.context.get("rule_arn", ""),
        "TARGET_ARN": delivery.to,
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": failure.message,
        "EXHAUSTED_RETRY_CONDITION": failure.exhausted,
        "RETRY_ATTEMPTS": str(failure.attempts - 1),
    }
    return Message(delivery.payload, {name: _text(value) for name, value in attributes.items() if value})
