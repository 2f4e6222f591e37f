"""Confirmations: what an endpoint is sent before it gets a topic's messages, and when it no longer does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratolite.kernel import Call

from . import envelopes, http, outbox

if TYPE_CHECKING:
    from .subscriptions import Subscription


def ask(call: Call, subscription: Subscription) -> None:
    """The link that confirms, to a pending subscription's endpoint."""
    text = (
        f"You have chosen to subscribe to the topic {subscription.topic_arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    _send(call, subscription, "SubscriptionConfirmation", text, subscription.token or "")


def tell_end(call: Call, subscription: Subscription, token: str) -> None:
    text = (
        f"You have chosen to deactivate subscription {subscription.arn}.\n"
        "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
    )
    _send(call, subscription, "UnsubscribeConfirmation", text, token)


def _send(call: Call, subscription: Subscription, kind: str, text: str, token: str) -> None:
    id_ = call.world.id()
    link = f"{envelopes.base(call)}/?Action=ConfirmSubscription&TopicArn={subscription.topic_arn}&Token={token}"
    body = envelopes.printed(
        {
            "Type": kind,
            "MessageId": id_,
            "Token": token,
            "TopicArn": subscription.topic_arn,
            "Message": text,
            "SubscribeURL": link,
            "Timestamp": envelopes.instant(call.now),
            **envelopes.unsigned(call),
        }
    )
    if subscription.protocol in ("http", "https"):
        http.send(call, subscription, body, kind, id_)
        return
    mail = body if subscription.protocol == "email-json" else f"{text}\n\n{link}"
    outbox.put(
        call,
        outbox.Letter(
            subscription.protocol, subscription.endpoint, id_, mail, "AWS Notification - Subscription Confirmation",
            subscription.topic_arn,
        ),
    )  # fmt: skip
