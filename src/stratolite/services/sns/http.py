"""HTTP: messages to endpoints outside, by one POST each.

https://docs.aws.amazon.com/sns/latest/dg/http-header.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratolite.kernel import Call, Delivery, Retry, Undeliverable, target
from stratolite.languages import arns

from . import retries, rules, topics

if TYPE_CHECKING:
    from .subscriptions import Subscription

TIMEOUT_S = 15.0
AGENT = "Amazon Simple Notification Service Agent"


def send(call: Call, subscription: Subscription, body: str, kind: str, id_: str, is_raw: bool = False) -> None:
    topic = topics.look(call, subscription.topic_arn)
    policy = retries.of_subscription(
        subscription.attributes.get("DeliveryPolicy"), topic.attributes.get("DeliveryPolicy") if topic else None
    )
    healthy = policy["healthyRetryPolicy"]
    headers = {
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": id_,
        "x-amz-sns-topic-arn": subscription.topic_arn,
        "Content-Type": policy["requestPolicy"]["headerContentType"],
        "User-Agent": AGENT,
        "Connection": "Keep-Alive",
        "Accept-Encoding": "gzip,deflate",
    }
    if kind == "Notification":
        headers["x-amz-sns-subscription-arn"] = subscription.arn
    if is_raw:
        headers["x-amz-sns-rawdelivery"] = "true"
    arn = arns.parse(subscription.arn)
    call.deliver(
        # No topic's name has a dot in it: this way of an ARN is only ours.
        to=f"arn:aws:sns:{arn.region}:{arn.account}:.http/{subscription.arn.rpartition(':')[2]}",
        payload=body,
        source="sns",
        retry=Retry(healthy["numRetries"], retries.HTTP_AGE_S, "sns"),
        dead_letter=rules.dead_letter(subscription.attributes),
        context={"url": subscription.endpoint, "headers": headers, "healthy": healthy},
    )


@target("sns:.http")
async def post(call: Call, delivery: Delivery) -> None:
    context = delivery.context
    after_s = retries.delay_s(context["healthy"], delivery.attempts)
    try:
        answer = await call.world.fetch("POST", context["url"], context["headers"], delivery.payload, TIMEOUT_S)
    except (OSError, ValueError) as error:
        raise Undeliverable(
            "HTTPError", f"No answer from {context['url']}: {error}", retry=True, after_s=after_s
        ) from None
    if not 200 <= answer.status < 300:
        # What the endpoint says is the caller's fault stays so, but for "too many".
        retry = answer.status == 429 or answer.status >= 500
        raise Undeliverable(
            "HTTPError", f"{context['url']} answered with status {answer.status}", retry=retry, after_s=after_s
        )
