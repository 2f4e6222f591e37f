"""Target: how anything in the cloud delivers to a queue."""

from __future__ import annotations

import base64
from typing import Any

from stratolite.kernel import Call, Delivery, Undeliverable, target

from . import content, queues, sending


@target("sqs")
def deliver(call: Call, delivery: Delivery) -> None:
    """In the sender's transaction.

    Context: `message_group_id`, `message_deduplication_id`, `message_attributes` (as the API takes them, binaries also
    in base64: a delivery that waits is JSON), `trace_header`, `delay_s`.
    """
    queue = queues.of_arn(call, delivery.to)
    if queue is None:
        raise Undeliverable(
            "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", retry=False
        )
    about: dict[str, Any] = delivery.context
    group = about.get("message_group_id")
    dedup = about.get("message_deduplication_id")
    message = sending.Outgoing(
        delivery.text(),
        _attributes(about.get("message_attributes")) or None,
        about.get("trace_header"),
        about.get("delay_s"),
        group,
        dedup if queue.is_fifo else None,
    )
    content.check(message.body, message.attributes)
    sending.check(queue, message)
    limit = queue.number("MaximumMessageSize")
    if content.size(message.body, message.attributes) > limit:
        raise Undeliverable(
            "InvalidParameterValue",
            f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes.",
            retry=False,
        )
    sending.put(call, queue, message)


def _attributes(given: content.MessageAttributes | None) -> content.MessageAttributes:
    return {
        name: {**each, "BinaryValue": base64.b64decode(each["BinaryValue"])}
        if isinstance(each.get("BinaryValue"), str)
        else each
        for name, each in (given or {}).items()
    }
