"""Topics: made, found, changed, deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row
from stratolite.languages import arns

from . import policies, retries
from .errors import InvalidParameterException, NotFoundException, invalid
from .pages import paged
from .tagging import checked

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FIFO_NAME = re.compile(r"(?=.{1,256}\Z)[A-Za-z0-9_-]+\.fifo")
_FEEDBACK = frozenset(
    f"{protocol}{what}"
    for protocol in ("Application", "Firehose", "HTTP", "Lambda", "SQS")
    for what in ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn")
)
_FIFO_ONLY = frozenset({"ArchivePolicy", "ContentBasedDeduplication", "FifoThroughputScope"})
_EVERYWHERE = frozenset(
    {"DeliveryPolicy", "DisplayName", "KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig"}
)
SETTABLE = _EVERYWHERE | _FIFO_ONLY | _FEEDBACK
"""https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html"""
_WITHOUT_EFFECT = frozenset({"ArchivePolicy", "KmsMasterKeyId", "TracingConfig"}) | _FEEDBACK


@dataclass(frozen=True)
class Topic:
    key: int
    account: str
    region: str
    name: str
    attributes: Mapping[str, str]
    tags: Mapping[str, str]

    @cached_property
    def arn(self) -> str:
        return f"arn:aws:sns:{self.region}:{self.account}:{self.name}"

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(".fifo")


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Mapping[str, str]:
    return json.loads(text)  # type: ignore[no-any-return]


def _of(row: Row | None) -> Topic | None:
    if row is None:
        return None
    return Topic(
        row["key"], row["account"], row["region"], row["name"], _parsed(row["attributes"]), _parsed(row["tags"])
    )


def named(call: Call, account: str, region: str, name: str) -> Topic | None:
    # A topic is looked up for every message and seldom changes.
    def read() -> Topic | None:
        return _of(
            call.tx.one("SELECT * FROM sns_topic WHERE account = ? AND region = ? AND name = ?", account, region, name)
        )

    return call.tx.known(("sns_topic",), (account, region, name), read)


def parse(text: str, parameter: str) -> arns.Arn:
    """An ARN of SNS. Raises InvalidParameter."""
    parts = text.split(":")
    if len(parts) < 6:
        raise invalid(parameter, f"An ARN must have at least 6 elements, not {len(parts)}")
    try:
        arn = arns.parse(text)
    except arns.ArnError:
        raise invalid(parameter) from None
    if arn.service != "sns":
        raise invalid(parameter)
    return arn


def look(call: Call, text: str) -> Topic | None:
    """The topic of an ARN wherever it is; None when there is none."""
    try:
        arn = arns.parse(text)
    except arns.ArnError:
        return None
    return named(call, arn.account, arn.region, arn.resource) if arn.service == "sns" else None


def find(call: Call, text: str, parameter: str = "TopicArn") -> Topic:
    """The topic of an ARN in this region. Raises InvalidParameter, NotFound."""
    arn = parse(text, parameter)
    if arn.region != call.region:
        raise invalid(parameter)
    topic = named(call, arn.account, arn.region, arn.resource)
    if topic is None:
        raise NotFoundException(kind="Topic")
    return topic


@operation
def create_topic(
    call: Call,
    name: str,
    attributes: dict[str, str] | None = None,
    tags: list[dict[str, str]] | None = None,
    data_protection_policy: str | None = None,
) -> dict[str, Any]:
    wanted = dict(attributes or {})
    is_fifo = wanted.get("FifoTopic", "").lower() == "true"
    if not (_FIFO_NAME if is_fifo else _NAME).fullmatch(name):
        raise invalid("Topic Name")
    wanted.pop("FifoTopic", None)
    for attribute, value in wanted.items():
        _check(attribute, value, is_fifo, f"Attributes Reason: {attribute}")
    own = checked({}, tags or [])
    found = named(call, call.account, call.region, name)
    if found is not None:
        shown = _shown(call, found)
        if any(shown.get(attribute, "") != value for attribute, value in wanted.items()):
            raise invalid("Attributes", "Topic already exists with different attributes")
        if any(found.tags.get(key) != value for key, value in own.items()):
            raise invalid("Tags", "Topic already exists with different tags")
        return {"TopicArn": found.arn}
    _tell(call, wanted)
    if data_protection_policy:
        call.not_emulated_here("sns DataProtectionPolicy")
    call.tx.run(
        "INSERT INTO sns_topic (account, region, name, attributes, tags, data_protection) VALUES (?, ?, ?, ?, ?, ?)",
        call.account, call.region, name, json.dumps(wanted), json.dumps(own), data_protection_policy,
    )  # fmt: skip
    return {"TopicArn": f"arn:aws:sns:{call.region}:{call.account}:{name}"}


def _check(name: str, value: str, is_fifo: bool, shown: str) -> None:
    if name not in SETTABLE or (name in _FIFO_ONLY and not is_fifo):
        raise invalid("Attributes" if shown != "AttributeName" else shown, _unknown(name, shown))
    if name == "ContentBasedDeduplication" and value.lower() not in ("true", "false"):
        raise InvalidParameterException(
            f"Invalid parameter: ContentBasedDeduplication: Invalid value [{value}]. Must be true or false."
        )
    if name == "SignatureVersion" and value not in ("1", "2"):
        raise invalid("SignatureVersion")
    if name in ("DeliveryPolicy", "Policy", "ArchivePolicy") and value:
        try:
            document = json.loads(value)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise InvalidParameterException(f"Invalid parameter: {name}: failed to parse JSON.")


def _unknown(name: str, shown: str) -> str | None:
    return None if shown == "AttributeName" else f"Unknown attribute {name}"


def _tell(call: Call, changes: Mapping[str, str]) -> None:
    """What of a topic's attributes has no effect here. Raises NotEmulated under --strict."""
    for name, value in changes.items():
        if value and name in _WITHOUT_EFFECT:
            call.not_emulated_here(f"sns {name}")
    if "defaultThrottlePolicy" in (changes.get("DeliveryPolicy") or ""):
        call.not_emulated_here("sns DeliveryPolicy.http.defaultThrottlePolicy")
    if changes.get("Policy"):
        call.cloud.notice("sns: the enforcement of topic policies")


@operation
def delete_topic(call: Call, topic_arn: str) -> None:
    try:
        topic = find(call, topic_arn)
    except NotFoundException:
        return
    for table in ("sns_subscription", "sns_lost", "sns_dedup", "sns_sequence"):
        call.tx.run(f"DELETE FROM {table} WHERE topic = ?", topic.key)
    call.tx.run("DELETE FROM sns_topic WHERE key = ?", topic.key)


@operation
def list_topics(call: Call, next_token: str | None = None) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT key, name FROM sns_topic WHERE account = ? AND region = ? ORDER BY name", call.account, call.region
    )
    page, token = paged(rows, next_token, "name")
    found = [{"TopicArn": f"arn:aws:sns:{call.region}:{call.account}:{row['name']}"} for row in page]
    return {"Topics": found, "NextToken": token}


def _shown(call: Call, topic: Topic) -> dict[str, str]:
    counts = {
        row["state"]: row["n"]
        for row in call.tx.all(
            "SELECT state, count(*) AS n FROM sns_subscription WHERE topic = ? GROUP BY state", topic.key
        )
    }
    lost = call.tx.value("SELECT count FROM sns_lost WHERE topic = ?", topic.key) or 0
    found = {
        "DisplayName": "",
        "Owner": topic.account,
        "Policy": policies.text(topic.arn, topic.account, topic.attributes),
        "SubscriptionsConfirmed": str(counts.get("confirmed", 0)),
        "SubscriptionsDeleted": str(lost),
        "SubscriptionsPending": str(counts.get("pending", 0)),
        "TopicArn": topic.arn,
        "EffectiveDeliveryPolicy": json.dumps(retries.of_topic(topic.attributes.get("DeliveryPolicy"))),
    }
    if topic.is_fifo:
        found |= {"FifoTopic": "true", "ContentBasedDeduplication": "false"}
    return found | {name: value for name, value in topic.attributes.items() if value}


@operation
def get_topic_attributes(call: Call, topic_arn: str) -> dict[str, Any]:
    return {"Attributes": _shown(call, find(call, topic_arn))}


@operation
def set_topic_attributes(call: Call, topic_arn: str, attribute_name: str, attribute_value: str | None = None) -> None:
    topic = find(call, topic_arn)
    value = attribute_value or ""
    _check(attribute_name, value, topic.is_fifo, "AttributeName")
    if attribute_name == "DeliveryPolicy" and value:
        value = retries.told(value)
    _tell(call, {attribute_name: value})
    write(call, topic, {**topic.attributes, attribute_name: value})


def write(call: Call, topic: Topic, attributes: Mapping[str, str]) -> None:
    call.tx.run("UPDATE sns_topic SET attributes = ? WHERE key = ?", json.dumps(dict(attributes)), topic.key)
