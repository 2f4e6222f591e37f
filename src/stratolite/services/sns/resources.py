"""Resources: topics, their subscriptions and policies, as templates ask for them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, Made, Wanted, resource

from . import policies, topics
from .errors import InvalidParameterException, NotFoundException

ATTRIBUTES = (
    "ArchivePolicy", "ContentBasedDeduplication", "DisplayName", "FifoThroughputScope", "KmsMasterKeyId",
    "SignatureVersion", "TracingConfig",
)  # fmt: skip
"""Properties of topics that are attributes of the same name."""
WITHOUT = {"ContentBasedDeduplication": "false", "SignatureVersion": "1"}
"""What an attribute becomes when its property leaves the template; the others become empty."""
OF_SUBSCRIPTIONS = (
    "DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "ReplayPolicy",
    "SubscriptionRoleArn",
)  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _chosen(properties: Any, names: tuple[str, ...]) -> dict[str, str]:
    found = {name: properties.get(name) for name in names}
    return {name: _text(value) for name, value in found.items() if value is not None}


@resource("AWS::SNS::Topic", replaces={"TopicName", "FifoTopic"})
class Topic:
    """`Ref` is the topic's ARN."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        is_fifo = _text(properties.get("FifoTopic") or "false") == "true"
        name = properties.get("TopicName") or wanted.physical_name(256, ".fifo" if is_fifo else "")
        attributes = _attributes(properties) | ({"FifoTopic": "true"} if is_fifo else {})
        protection = properties.get("DataProtectionPolicy")
        if topics.named(call, call.account, call.region, name) is not None:
            # The API would hand out the topic of somebody else, and the stack would delete it with itself.
            raise InvalidParameterException(f"Topic {name} already exists")
        sns = call.api("sns")
        arn = sns.create_topic(
            Name=name,
            Attributes=attributes,
            Tags=_tags(wanted),
            **({} if protection is None else {"DataProtectionPolicy": _text(protection)}),
        )["TopicArn"]
        for each in properties.get("Subscription") or ():
            sns.subscribe(TopicArn=arn, Protocol=each["Protocol"], Endpoint=each["Endpoint"])
        return _made(arn, properties)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        sns, properties = call.api("sns"), wanted.properties
        properties.get("FifoTopic"), properties.get("TopicName")  # what they were: a change of them replaces
        after, before = _attributes(properties), _attributes(was)
        for name in before.keys() - after.keys():
            after[name] = WITHOUT.get(name, "")
        for name, value in after.items():
            if before.get(name) != value:
                sns.set_topic_attributes(TopicArn=made_id, AttributeName=name, AttributeValue=value)
        protection = properties.get("DataProtectionPolicy")
        if protection != was.get("DataProtectionPolicy"):
            sns.put_data_protection_policy(
                ResourceArn=made_id, DataProtectionPolicy="" if protection is None else _text(protection)
            )
        _update_tags(call, made_id, wanted)
        _update_subscriptions(call, made_id, properties.get("Subscription") or (), was.get("Subscription") or ())
        return _made(made_id, properties)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        call.api("sns").delete_topic(TopicArn=made_id)


def _made(arn: str, properties: Any) -> Made:
    # DisplayName is no attribute by the schema, but AWS gives it (LocalStack's recorded test_change_set_fn_get_attr).
    shown = {"DisplayName": _text(properties.get("DisplayName") or "")}
    return Made(ref=arn, attributes={"TopicArn": arn, "TopicName": arn.rpartition(":")[2], **shown})


def _attributes(properties: Any) -> dict[str, str]:
    found = _chosen(properties, ATTRIBUTES)
    for each in properties.get("DeliveryStatusLogging") or ():
        protocol = {"http/s": "HTTP", "sqs": "SQS", "lambda": "Lambda", "firehose": "Firehose"}.get(
            each["Protocol"].lower(), "Application"
        )
        for name in ("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"):
            if each.get(name) is not None:
                found[f"{protocol}{name}"] = str(each[name])
    return found


def _tags(wanted: Wanted) -> list[dict[str, str]]:
    own = {tag["Key"]: str(tag["Value"]) for tag in wanted.properties.get("Tags") or ()}
    return [{"Key": key, "Value": value} for key, value in {**wanted.tags, **own}.items()]


def _update_tags(call: Call, arn: str, wanted: Wanted) -> None:
    sns, tags = call.api("sns"), _tags(wanted)
    there = {tag["Key"] for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    if gone := sorted(there - {tag["Key"] for tag in tags}):
        sns.untag_resource(ResourceArn=arn, TagKeys=gone)
    if tags:
        sns.tag_resource(ResourceArn=arn, Tags=tags)


def _update_subscriptions(call: Call, arn: str, after: Any, before: Any) -> None:
    pairs = [(each["Protocol"], each["Endpoint"]) for each in after]
    gone = {(each["Protocol"], each["Endpoint"]) for each in before} - set(pairs)
    sns = call.api("sns")
    for row in call.tx.all("SELECT arn, protocol, endpoint FROM sns_subscription WHERE topic_arn = ?", arn):
        if (row["protocol"], row["endpoint"]) in gone:
            sns.unsubscribe(SubscriptionArn=row["arn"])
    for protocol, endpoint in pairs:
        sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)


@resource("AWS::SNS::Subscription", replaces={"TopicArn", "Protocol", "Endpoint"})
class Subscription:
    """`Ref` is the subscription's ARN."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        attributes = _chosen(properties, OF_SUBSCRIPTIONS)
        arn = _api(call, properties).subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint") or "",
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return Made(ref=arn, attributes={"Arn": arn})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties = wanted.properties
        for name in ("TopicArn", "Protocol", "Endpoint"):
            properties.get(name)  # a change of them replaces
        sns = _api(call, properties)
        after, before = _chosen(properties, OF_SUBSCRIPTIONS), _chosen(was, OF_SUBSCRIPTIONS)
        # The scope says what the policy may look like: it goes first.
        for name in sorted(after.keys() | before.keys(), key=lambda each: each != "FilterPolicyScope"):
            value = after.get(
                name, {"RawMessageDelivery": "false", "FilterPolicyScope": "MessageAttributes"}.get(name, "")
            )
            if value != before.get(name):
                sns.set_subscription_attributes(SubscriptionArn=made_id, AttributeName=name, AttributeValue=value)
        return Made(ref=made_id, attributes={"Arn": made_id})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _api(call, properties).unsubscribe(SubscriptionArn=made_id)


def _api(call: Call, properties: Any) -> Any:
    """In the region of the topic, which may be another than the stack's."""
    return call.api("sns", region=properties.get("Region") or None)


@resource("AWS::SNS::TopicPolicy")
class TopicPolicy:
    """`Ref` is a name of its own; the policy replaces whatever the topics had."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        _set_policies(call, wanted.properties["Topics"], wanted.properties["PolicyDocument"])
        name = wanted.physical_name()
        return Made(ref=name, attributes={"Id": name})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        there = wanted.properties["Topics"]
        _set_policies(call, [arn for arn in was.get("Topics", ()) if arn not in there], None)
        _set_policies(call, there, wanted.properties["PolicyDocument"])
        return Made(ref=made_id, attributes={"Id": made_id})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _set_policies(call, properties.get("Topics", ()), None)


@resource("AWS::SNS::TopicInlinePolicy", replaces={"TopicArn"})
class TopicInlinePolicy:
    """`Ref` is the topic's ARN."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return _inline(call, wanted)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return _inline(call, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _set_policies(call, [made_id], None)


def _inline(call: Call, wanted: Wanted) -> Made:
    arn = wanted.properties["TopicArn"]
    _set_policies(call, [arn], wanted.properties["PolicyDocument"])
    return Made(ref=arn)


def _set_policies(call: Call, arns: Any, policy: Any) -> None:
    """None gives a topic the policy back it was made with."""
    for arn in arns:
        try:
            text = policies.text(arn, arn.split(":")[4], {}) if policy is None else _text(policy)
            call.api("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)
        except NotFoundException:
            if policy is not None:
                raise
