"""Fan-out: one message to everybody who wants it, in the publisher's transaction."""

from __future__ import annotations

import base64
from typing import Any

from stratolite.kernel import Call, Delivery, Failure, Message, dead_letter

from . import applications, envelopes, filters, http, outbox, retries, rules, sms, subscriptions
from .content import MessageAttributes
from .envelopes import Notice
from .subscriptions import Subscription
from .topics import Topic


def send(call: Call, topic: Topic, notice: Notice) -> None:
    for subscription in subscriptions.confirmed(call, topic):
        own = subscription.attributes
        scope = own.get("FilterPolicyScope", filters.ATTRIBUTES)
        if filters.wants(own.get("FilterPolicy"), scope, notice.text(subscription.protocol), notice.attributes):
            WAYS[subscription.protocol](call, subscription, notice)


def _is_raw(subscription: Subscription) -> bool:
    return subscription.attributes.get("RawMessageDelivery", "").lower() == "true"


def _plain(attributes: MessageAttributes) -> dict[str, dict[str, str]]:
    """Attributes as JSON: a delivery that has to wait is a row."""
    return {
        name: {key: base64.b64encode(text).decode() if isinstance(text, bytes) else text for key, text in each.items()}
        for name, each in attributes.items()
    }


def _managed(call: Call, subscription: Subscription, notice: Notice, payload: str, is_raw: bool) -> None:
    context: dict[str, Any] = {}
    if subscription.endpoint.endswith(".fifo") or notice.sequence is None:
        # A standard queue is not told of a FIFO topic's groups (recorded); a standard topic's are for its fairness.
        context |= {"message_group_id": notice.group, "message_deduplication_id": notice.dedup}
    if call.caller.trace is not None:
        context["trace_header"] = call.caller.trace.header
    if is_raw:
        context["message_attributes"] = _plain(notice.attributes)
    queue = rules.dead_letter(subscription.attributes)
    if queue and subscription.protocol == "lambda":
        # Its dead letter is what a queue would have got, not the event of a function (recorded).
        context["letter"] = envelopes.notification(call, notice, "lambda", subscription.arn)
    call.deliver(
        to=subscription.endpoint,
        payload=payload,
        source="sns",
        retry=retries.MANAGED,
        dead_letter=queue,
        context={name: value for name, value in context.items() if value},
    )


def _to_queue(call: Call, subscription: Subscription, notice: Notice) -> None:
    is_raw = _is_raw(subscription)
    text = notice.text("sqs") if is_raw else envelopes.notification(call, notice, "sqs", subscription.arn)
    _managed(call, subscription, notice, text, is_raw)


def _to_function(call: Call, subscription: Subscription, notice: Notice) -> None:
    _managed(call, subscription, notice, envelopes.record(call, notice, subscription.arn), False)


def _to_stream(call: Call, subscription: Subscription, notice: Notice) -> None:
    is_raw = _is_raw(subscription)
    text = notice.text("firehose") if is_raw else envelopes.notification(call, notice, "firehose", subscription.arn)
    _managed(call, subscription, notice, text, is_raw)


def _to_http(call: Call, subscription: Subscription, notice: Notice) -> None:
    is_raw, protocol = _is_raw(subscription), subscription.protocol
    text = notice.text(protocol) if is_raw else envelopes.notification(call, notice, protocol, subscription.arn)
    http.send(call, subscription, text, "Notification", notice.id, is_raw)


def _to_mail(call: Call, subscription: Subscription, notice: Notice) -> None:
    protocol = subscription.protocol
    if protocol == "email-json":
        text = envelopes.notification(call, notice, protocol, subscription.arn)
    else:
        text = f"{notice.text(protocol)}\n\n--\n{envelopes.unsubscribe_link(call, subscription.arn)}"
    letter = outbox.Letter(
        protocol, subscription.endpoint, notice.id, text, notice.subject or "AWS Notification Message", notice.topic_arn
    )
    outbox.put(call, letter)


def _to_phone(call: Call, subscription: Subscription, notice: Notice) -> None:
    sms.send(call, subscription.endpoint, notice)


def _to_application(call: Call, subscription: Subscription, notice: Notice) -> None:
    found = applications.look(call, subscription.endpoint)
    if found is not None and applications.is_enabled(found):
        applications.send(call, subscription.endpoint, notice)


WAYS = {
    "sqs": _to_queue,
    "lambda": _to_function,
    "firehose": _to_stream,
    "http": _to_http,
    "https": _to_http,
    "email": _to_mail,
    "email-json": _to_mail,
    "sms": _to_phone,
    "application": _to_application,
}


@dead_letter("sns")
def letter(call: Call, delivery: Delivery, failure: Failure) -> Message:
    """The message as it was sent, with its attributes when it was sent raw.

    https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
    """
    context = delivery.context
    body = context.get("letter", "").encode() or delivery.payload
    order: dict[str, Any] = {
        name: context[name] for name in ("message_group_id", "message_deduplication_id") if name in context
    }
    return Message(body, context.get("message_attributes") or {}, order)
