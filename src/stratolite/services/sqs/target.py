"""Target: how anything in the cloud delivers to a queue."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, Delivery, Undeliverable, target

from . import content, queues, sending


@target("sqs")
def deliver(call: Call, delivery: Delivery) -> None:
    """In the sender's transaction.

    Context: `message_group_id`, `message_deduplication_id`, `message_attributes` (as the API takes them),
    `trace_header`, `delay_s`.
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
        about.get("message_attributes") or None,
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
