"""Subscriptions: who wants a topic's messages, where, and whether they said so themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call, job, operation
from stratolite.kernel.store import Row
from stratolite.languages import arns

from . import confirmations, rules, topics
from .errors import InvalidParameterException, NotFoundException, invalid
from .pages import paged
from .topics import Topic

PROTOCOLS = frozenset({"http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"})
ASKED = frozenset({"http", "https", "email", "email-json"})
"""Protocols whose endpoints have to confirm."""
PATIENCE_S = 48 * 3600.0
"""How long AWS keeps a subscription that nobody confirms, and one that was cancelled by a link."""
_PHONE = re.compile(r"\+?[0-9]([.-]?[0-9]){2,19}|[0-9]{1,20}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True)
class Subscription:
    key: int
    arn: str
    topic: int
    topic_arn: str
    owner: str
    principal: str
    protocol: str
    endpoint: str
    attributes: Mapping[str, str]
    state: str
    token: str | None
    authenticated: bool


def _of(row: Row) -> Subscription:
    values = dict(row)
    values["attributes"] = json.loads(row["attributes"])
    values["authenticated"] = bool(row["authenticated"])
    return Subscription(**values)


def confirmed(call: Call, topic: Topic) -> list[Subscription]:
    """Those a message goes to, in the order they came."""

    def read() -> list[Subscription]:
        return [
            _of(row)
            for row in call.tx.all(
                "SELECT * FROM sns_subscription WHERE topic = ? AND state = 'confirmed' ORDER BY key", topic.key
            )
        ]

    return call.tx.known(("sns_subscription",), ("of", topic.key), read)


def look(call: Call, arn: str) -> Subscription | None:
    row = call.tx.one("SELECT * FROM sns_subscription WHERE arn = ?", arn)
    return _of(row) if row else None


def _find(call: Call, text: str) -> Subscription:
    topics.parse(text, "SubscriptionArn")
    found = look(call, text)
    if found is None or found.state == "cancelled":
        raise NotFoundException(kind="Subscription")
    return found


# ---------------------------------------------------------------------- subscribing


@operation
def subscribe(
    call: Call,
    topic_arn: str,
    protocol: str,
    endpoint: str | None = None,
    attributes: dict[str, str] | None = None,
    return_subscription_arn: bool = False,
) -> dict[str, Any]:
    topics.parse(topic_arn, "TopicArn")
    if protocol not in PROTOCOLS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    endpoint = endpoint or ""
    _check_endpoint(call, protocol, endpoint, topic_arn)
    topic = topics.find(call, topic_arn)
    wanted = rules.checked(attributes or {}, _is_ordered(topic.arn, endpoint))
    for row in call.tx.all("SELECT * FROM sns_subscription WHERE endpoint = ? AND topic = ?", endpoint, topic.key):
        found = _of(row)
        if found.protocol != protocol or found.owner != call.account or found.state == "cancelled":
            continue
        there = {**rules.DEFAULTS, **found.attributes}
        if any(there.get(name) != value for name, value in wanted.items()):
            raise invalid("Attributes", "Subscription already exists with different attributes")
        if found.state == "pending":
            confirmations.ask(call, found)
        return {"SubscriptionArn": _told(found, return_subscription_arn)}
    rules.tell(call, wanted)
    pending = protocol in ASKED
    made = Subscription(
        0, f"{topic.arn}:{call.world.id()}", topic.key, topic.arn, call.account, call.principal.arn, protocol,
        endpoint, wanted, "pending" if pending else "confirmed", call.world.hex(256) if pending else None, not pending,
    )  # fmt: skip
    call.tx.run(
        "INSERT INTO sns_subscription (arn, topic, topic_arn, owner, principal, protocol, endpoint, attributes, state,"
        " token, authenticated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        made.arn, made.topic, made.topic_arn, made.owner, made.principal, protocol, endpoint, json.dumps(wanted),
        made.state, made.token, made.authenticated,
    )  # fmt: skip
    if pending:
        confirmations.ask(call, made)
        call.later("sns.forget", call.now + PATIENCE_S, arn=made.arn, token=made.token)
    return {"SubscriptionArn": _told(made, return_subscription_arn)}


def _is_ordered(topic_arn: str, endpoint: str) -> bool:
    """Whether order holds all the way: a FIFO topic may also have standard queues."""
    return topic_arn.endswith(".fifo") and endpoint.endswith(".fifo")


def _told(subscription: Subscription, anyhow: bool) -> str:
    return subscription.arn if anyhow or subscription.state == "confirmed" else "pending confirmation"


def _check_endpoint(call: Call, protocol: str, endpoint: str, topic_arn: str) -> None:
    match protocol:
        case "http" | "https":
            if not endpoint.startswith(f"{protocol}://"):
                raise invalid("Endpoint must match the specified protocol")
        case "sms":
            if not _PHONE.fullmatch(endpoint):
                raise InvalidParameterException(f"Invalid SMS endpoint: {endpoint}")
        case "email" | "email-json":
            if not _MAIL.fullmatch(endpoint):
                raise invalid("Email address")
        case "sqs":
            _check_queue(call, endpoint, topic_arn)
        case "lambda" | "firehose":
            if not endpoint.startswith(f"arn:aws:{protocol}:"):
                raise invalid(f"{protocol.capitalize()} endpoint ARN")
        case "application":
            if not endpoint.startswith("arn:aws:sns:") or ":endpoint/" not in endpoint:
                raise invalid("Application endpoint arn invalid:" + endpoint)


def _check_queue(call: Call, endpoint: str, topic_arn: str) -> None:
    try:
        arn = arns.parse(endpoint)
    except arns.ArnError:
        raise invalid("SQS endpoint ARN") from None
    if arn.service != "sqs" or arn.resource.count(":"):
        raise invalid("SQS endpoint ARN")
    if endpoint.endswith(".fifo") and not topic_arn.endswith(".fifo"):
        raise invalid("Invalid parameter: Endpoint", "FIFO SQS Queues can not be subscribed to standard SNS topics")


# ---------------------------------------------------------------------- confirming, ending


@operation
def confirm_subscription(
    call: Call, topic_arn: str, token: str, authenticate_on_unsubscribe: str | None = None
) -> dict[str, Any]:
    """Also by a plain GET of the link an endpoint got: the token alone says who is meant."""
    try:
        arn = arns.parse(topic_arn)
    except arns.ArnError:
        raise invalid("Topic") from None
    row = call.tx.one("SELECT * FROM sns_subscription WHERE token = ?", token)
    if row is None:
        raise invalid("Token")
    found = _of(row)
    # AWS looks at the region of the ARN and not at its name (recorded).
    if arn.region != arns.parse(found.arn).region:
        raise invalid("Topic")
    if (authenticate_on_unsubscribe or "").lower() == "true":
        call.not_emulated_here("sns AuthenticateOnUnsubscribe")
    call.tx.run(
        "UPDATE sns_subscription SET state = 'confirmed', authenticated = ? WHERE key = ?",
        int(bool(call.principal.access_key)), found.key,
    )  # fmt: skip
    return {"SubscriptionArn": found.arn}


@operation
def unsubscribe(call: Call, subscription_arn: str) -> None:
    """Whoever is not signed in comes by a link, and an HTTP endpoint is told how to take that back."""
    arn = topics.parse(subscription_arn, "SubscriptionArn")
    if not re.fullmatch(r"[^:]+:[0-9a-f-]{36}", arn.resource):
        raise invalid("SubscriptionId")
    found = look(call, subscription_arn)
    if found is None or found.state == "cancelled":
        return
    call.tx.run(
        "INSERT INTO sns_lost (topic, count) VALUES (?, 1) ON CONFLICT (topic) DO UPDATE SET count = count + 1",
        found.topic,
    )
    if found.protocol in ("http", "https") and not call.principal.access_key:
        token = call.world.hex(256)
        call.tx.run("UPDATE sns_subscription SET state = 'cancelled', token = ? WHERE key = ?", token, found.key)
        call.later("sns.forget", call.now + PATIENCE_S, arn=found.arn, token=token)
        confirmations.tell_end(call, found, token)
    else:
        call.tx.run("DELETE FROM sns_subscription WHERE key = ?", found.key)


@job
def forget(call: Call, arn: str, token: str) -> None:
    call.tx.run("DELETE FROM sns_subscription WHERE arn = ? AND token = ? AND state <> 'confirmed'", arn, token)


# ---------------------------------------------------------------------- attributes and lists


@operation
def get_subscription_attributes(call: Call, subscription_arn: str) -> dict[str, Any]:
    found = _find(call, subscription_arn)
    topic = topics.look(call, found.topic_arn)
    return {
        "Attributes": {
            "ConfirmationWasAuthenticated": str(found.authenticated).lower(),
            "Endpoint": found.endpoint,
            "Owner": found.owner,
            "PendingConfirmation": str(found.state == "pending").lower(),
            "Protocol": found.protocol,
            "SubscriptionArn": found.arn,
            "SubscriptionPrincipal": found.principal,
            "TopicArn": found.topic_arn,
            **rules.shown(found.attributes, found.protocol, topic),
        }
    }


@operation
def set_subscription_attributes(
    call: Call, subscription_arn: str, attribute_name: str, attribute_value: str | None = None
) -> None:
    found = _find(call, subscription_arn)
    value = attribute_value or ""
    after = rules.changed(found.attributes, attribute_name, value, _is_ordered(found.topic_arn, found.endpoint))
    rules.tell(call, {attribute_name: value})
    call.tx.run("UPDATE sns_subscription SET attributes = ? WHERE key = ?", json.dumps(after), found.key)


def _listed(row: Row) -> dict[str, str]:
    return {
        "SubscriptionArn": row["arn"] if row["state"] == "confirmed" else "PendingConfirmation",
        "Owner": row["owner"],
        "Protocol": row["protocol"],
        "Endpoint": row["endpoint"],
        "TopicArn": row["topic_arn"],
    }


@operation
def list_subscriptions(call: Call, next_token: str | None = None) -> dict[str, Any]:
    prefix = f"arn:aws:sns:{call.region}:"
    rows = call.tx.all(
        "SELECT * FROM sns_subscription WHERE owner = ? AND substr(arn, 1, ?) = ? AND state <> 'cancelled'"
        " ORDER BY arn",
        call.account, len(prefix), prefix,
    )  # fmt: skip
    page, token = paged(rows, next_token, "arn")
    return {"Subscriptions": [_listed(row) for row in page], "NextToken": token}


@operation
def list_subscriptions_by_topic(call: Call, topic_arn: str, next_token: str | None = None) -> dict[str, Any]:
    topic = topics.find(call, topic_arn)
    rows = call.tx.all(
        "SELECT * FROM sns_subscription WHERE topic = ? AND state <> 'cancelled' ORDER BY key", topic.key
    )
    page, token = paged(rows, next_token, "key")
    return {"Subscriptions": [_listed(row) for row in page], "NextToken": token}
