"""Target: how anything in the cloud publishes to a topic."""

from __future__ import annotations

from stratolite.kernel import Call, Delivery, Undeliverable, target

from . import content, publishing, topics
from .envelopes import Notice


@target("sns")
def deliver(call: Call, delivery: Delivery) -> None:
    """In the sender's transaction: from rules, schedules, destinations, buckets, alarms, dead letters.

    Context: `subject`, `message_attributes` (as the API takes them), `message_group_id`, `message_deduplication_id`.
    """
    topic = topics.look(call, delivery.to)
    if topic is None:
        raise Undeliverable("NotFound", "Topic does not exist", retry=False)
    about, text = delivery.context, delivery.text()
    notice = Notice(
        call.world.id(), topic.arn, {"default": text}, about.get("subject"), about.get("message_attributes") or {},
        call.now, about.get("message_group_id"), about.get("message_deduplication_id") if topic.is_fifo else None,
    )  # fmt: skip
    content.check_message(text, notice.subject)
    content.check_attributes(notice.attributes)
    content.check_size(text, notice.attributes)
    publishing.check_order(topic, notice)
    publishing.accept(call, topic, notice)
