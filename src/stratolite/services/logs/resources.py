"""Resources: groups, streams, filters and policies, as templates ask for them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource


@resource("AWS::Logs::LogGroup", replaces={"LogGroupName"})
class LogGroup:
    """`Ref` is the group's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        name = properties.get("LogGroupName") or wanted.physical_name(512)
        call.api("logs").create_log_group(
            logGroupName=name,
            kmsKeyId=properties.get("KmsKeyId"),
            logGroupClass=properties.get("LogGroupClass"),
            tags=_all_tags(wanted) or None,
        )
        return _keep(call, name, properties, {})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties, api = wanted.properties, call.api("logs")
        tags, old = _all_tags(wanted), _tags(was)
        if gone := [key for key in old if key not in tags]:
            api.untag_log_group(logGroupName=made_id, tags=gone)
        if tags:
            api.tag_log_group(logGroupName=made_id, tags=tags)
        if properties.get("KmsKeyId") != was.get("KmsKeyId"):
            if properties.get("KmsKeyId"):
                api.associate_kms_key(logGroupName=made_id, kmsKeyId=properties["KmsKeyId"])
            else:
                api.disassociate_kms_key(logGroupName=made_id)
        return _keep(call, made_id, properties, was)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_log_group", logGroupName=made_id)


@resource("AWS::Logs::LogStream", replaces={"LogGroupName", "LogStreamName"})
class LogStream:
    """`Ref` is the stream's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        name = properties.get("LogStreamName") or wanted.physical_name(512)
        call.api("logs").create_log_stream(logGroupName=properties["LogGroupName"], logStreamName=name)
        return Made(ref=name)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_log_stream", logGroupName=properties["LogGroupName"], logStreamName=made_id)


@resource("AWS::Logs::SubscriptionFilter", replaces={"LogGroupName", "FilterName"})
class SubscriptionFilter:
    """`Ref` is the filter's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return _subscribe(call, wanted.properties.get("FilterName") or wanted.physical_name(512), wanted)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return _subscribe(call, made_id, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_subscription_filter", logGroupName=properties["LogGroupName"], filterName=made_id)


@resource("AWS::Logs::MetricFilter", replaces={"LogGroupName", "FilterName"})
class MetricFilter:
    """`Ref` is the filter's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return _measure(call, wanted.properties.get("FilterName") or wanted.physical_name(512), wanted)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return _measure(call, made_id, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_metric_filter", logGroupName=properties["LogGroupName"], filterName=made_id)


@resource("AWS::Logs::ResourcePolicy", replaces={"PolicyName"})
class ResourcePolicy:
    """`Ref` is the policy's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        document = wanted.properties["PolicyDocument"]
        name = wanted.properties["PolicyName"]
        call.api("logs").put_resource_policy(
            policyName=name, policyDocument=document if isinstance(document, str) else json.dumps(document)
        )
        return Made(ref=name)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return ResourcePolicy.create(call, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_resource_policy", policyName=made_id)


def _keep(call: Call, name: str, properties: dict[str, Any], was: dict[str, Any]) -> Made:
    """The group with its retention set, and what a template may know of it."""
    api = call.api("logs")
    days = properties.get("RetentionInDays")
    if days:
        api.put_retention_policy(logGroupName=name, retentionInDays=int(days))
    elif was.get("RetentionInDays"):
        api.delete_retention_policy(logGroupName=name)
    groups = api.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return Made(ref=name, attributes={"Arn": next(g["arn"] for g in groups if g["logGroupName"] == name)})


def _subscribe(call: Call, name: str, wanted: Wanted) -> Made:
    properties = wanted.properties
    call.api("logs").put_subscription_filter(
        logGroupName=properties["LogGroupName"],
        filterName=name,
        filterPattern=properties["FilterPattern"],
        destinationArn=properties["DestinationArn"],
        roleArn=properties.get("RoleArn"),
        distribution=properties.get("Distribution"),
    )
    return Made(ref=name)


def _measure(call: Call, name: str, wanted: Wanted) -> Made:
    properties = wanted.properties
    call.api("logs").put_metric_filter(
        logGroupName=properties["LogGroupName"],
        filterName=name,
        filterPattern=properties["FilterPattern"],
        metricTransformations=[_rule(rule) for rule in properties["MetricTransformations"]],
    )
    return Made(ref=name)


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A template's transformation as the API has it: other letters, dimensions as a map, numbers as numbers."""
    made: dict[str, Any] = {name[0].lower() + name[1:]: value for name, value in rule.items() if name != "Dimensions"}
    made["metricValue"] = str(made["metricValue"])
    if "defaultValue" in made:
        made["defaultValue"] = float(made["defaultValue"])
    if "Dimensions" in rule:
        made["dimensions"] = {each["Key"]: each["Value"] for each in rule["Dimensions"]}
    return made


def _all_tags(wanted: Wanted) -> dict[str, str]:
    """The stack's tags, and over them the group's own."""
    return {key: value for key, value in wanted.tags.items() if not key.startswith("aws:")} | _tags(wanted.properties)


def _tags(properties: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags") or []}


def _unless_gone(call: Call, verb: str, **which: str) -> None:
    try:
        getattr(call.api("logs"), verb)(**which)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
