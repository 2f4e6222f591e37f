"""Resources: buses, rules, policies, archives, connections and API destinations, as templates ask for them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource
from stratolite.kernel.resources import Properties

Tags = list[dict[str, str]]


def _text(value: Any) -> str | None:
    """A document of a template as the API takes it."""
    return None if value is None else value if isinstance(value, str) else json.dumps(value)


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _tags(wanted: Wanted) -> Tags:
    own = {tag["Key"]: str(tag["Value"]) for tag in wanted.properties.get("Tags") or []}
    return [{"Key": key, "Value": value} for key, value in {**wanted.tags, **own}.items()]


def _retag(call: Call, arn: str, wanted: Wanted, was: dict[str, Any]) -> None:
    tags = _tags(wanted)
    kept = {tag["Key"] for tag in tags}
    gone = [tag["Key"] for tag in was.get("Tags") or [] if tag["Key"] not in kept]
    if gone:
        call.api("events").untag_resource(ResourceARN=arn, TagKeys=gone)
    if tags:
        call.api("events").tag_resource(ResourceARN=arn, Tags=tags)


def _quietly_gone(error: AwsError) -> None:
    if error.code != "ResourceNotFoundException":
        raise error


# ---------------------------------------------------------------------- buses


@resource(
    "AWS::Events::EventBus",
    replaces={"Name", "EventSourceName"},
    ignores={"EventSourceName", "KmsKeyIdentifier", "LogConfig", "DeadLetterConfig"},
)
class EventBus:
    """`Ref` is the bus's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        name = wanted.properties["Name"]
        made = call.api("events").create_event_bus(
            Name=name, Description=wanted.properties.get("Description"), Tags=_tags(wanted)
        )
        EventBus._policy(call, name, wanted)
        return Made(name, {"Arn": made["EventBusArn"], "Name": name})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        made = call.api("events").update_event_bus(Name=made_id, Description=wanted.properties.get("Description") or "")
        _retag(call, made["Arn"], wanted, was)
        EventBus._policy(call, made_id, wanted)
        return Made(made_id, {"Arn": made["Arn"], "Name": made_id})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        call.api("events").delete_event_bus(Name=made_id)

    @staticmethod
    def _policy(call: Call, name: str, wanted: Wanted) -> None:
        policy = wanted.properties.get("Policy")
        if policy:
            call.api("events").put_permission(EventBusName=name, Policy=_text(policy))


@resource("AWS::Events::EventBusPolicy", replaces={"EventBusName", "StatementId"})
class EventBusPolicy:
    """One statement of a bus's policy."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        EventBusPolicy._put(call, wanted.properties)
        return Made(wanted.physical_name(128))

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        EventBusPolicy._put(call, wanted.properties)
        return Made(made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("events").remove_permission(
                EventBusName=properties.get("EventBusName"), StatementId=properties["StatementId"]
            )
        except AwsError as error:
            _quietly_gone(error)

    @staticmethod
    def _put(call: Call, properties: Properties) -> None:
        bus, sid, statement = properties.get("EventBusName"), properties["StatementId"], properties.get("Statement")
        if statement is None:
            call.api("events").put_permission(
                EventBusName=bus,
                StatementId=sid,
                Action=properties.get("Action"),
                Principal=properties.get("Principal"),
                Condition=properties.get("Condition"),
            )
            return
        policy = json.loads(call.api("events").describe_event_bus(Name=bus).get("Policy") or '{"Statement": []}')
        others = [other for other in policy["Statement"] if other.get("Sid") != sid]
        whole = {"Version": "2012-10-17", "Statement": [*others, {"Sid": sid, **statement}]}
        call.api("events").put_permission(EventBusName=bus, Policy=json.dumps(whole))


# ---------------------------------------------------------------------- rules

_NUMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")


def _target(given: dict[str, Any]) -> dict[str, Any]:
    """Templates give numbers as texts at times, and inputs as documents."""
    out = dict(given)
    if "RetryPolicy" in out:
        out["RetryPolicy"] = {name: int(out["RetryPolicy"][name]) for name in _NUMBERS if name in out["RetryPolicy"]}
    if "Input" in out:
        out["Input"] = _text(out["Input"])
    return out


@resource("AWS::Events::Rule", replaces={"Name", "EventBusName"})
class Rule:
    """`Ref` is the rule's name, behind the bus's name and a bar when that is not the default bus."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        name = wanted.properties.get("Name") or wanted.physical_name(64)
        bus = wanted.properties.get("EventBusName") or "default"
        made = Rule._put(call, name, bus, wanted)
        short = bus.rpartition("/")[2]
        return Made(name if short == "default" else f"{short}|{name}", {"Arn": made})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        bus, name = Rule._named(made_id)
        bus = wanted.properties.get("EventBusName") or bus
        arn = Rule._put(call, name, bus, wanted)
        kept = {target["Id"] for target in wanted.properties.get("Targets") or []}
        gone = [target["Id"] for target in was.get("Targets") or [] if target["Id"] not in kept]
        if gone:
            call.api("events").remove_targets(Rule=name, EventBusName=bus, Ids=gone)
        _retag(call, arn, wanted, was)
        return Made(made_id, {"Arn": arn})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        bus, name = Rule._named(made_id)
        bus = properties.get("EventBusName") or bus
        api = call.api("events")
        try:
            targets = api.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
            if targets:
                api.remove_targets(Rule=name, EventBusName=bus, Ids=[target["Id"] for target in targets])
            api.delete_rule(Name=name, EventBusName=bus)
        except AwsError as error:
            _quietly_gone(error)

    @staticmethod
    def _named(made_id: str) -> tuple[str, str]:
        bus, _, name = made_id.rpartition("|")
        return bus or "default", name

    @staticmethod
    def _put(call: Call, name: str, bus: str, wanted: Wanted) -> str:
        properties = wanted.properties
        arn: str = call.api("events").put_rule(
            Name=name,
            EventBusName=bus,
            EventPattern=_text(properties.get("EventPattern")),
            ScheduleExpression=properties.get("ScheduleExpression"),
            State=properties.get("State"),
            Description=properties.get("Description"),
            RoleArn=properties.get("RoleArn"),
            Tags=_tags(wanted),
        )["RuleArn"]
        targets = [_target(target) for target in properties.get("Targets") or []]
        if targets:
            call.api("events").put_targets(Rule=name, EventBusName=bus, Targets=targets)
        return arn


# ---------------------------------------------------------------------- archives


@resource("AWS::Events::Archive", replaces={"ArchiveName", "SourceArn"}, ignores={"KmsKeyIdentifier"})
class Archive:
    """`Ref` is the archive's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        name = wanted.properties.get("ArchiveName") or wanted.physical_name(48)
        made = call.api("events").create_archive(
            ArchiveName=name, EventSourceArn=wanted.properties["SourceArn"], **Archive._settings(wanted)
        )
        return Made(name, {"Arn": made["ArchiveArn"], "ArchiveName": name})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        settings = Archive._settings(wanted)
        settings["RetentionDays"] = settings["RetentionDays"] or 0
        made = call.api("events").update_archive(ArchiveName=made_id, **settings)
        return Made(made_id, {"Arn": made["ArchiveArn"], "ArchiveName": made_id})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("events").delete_archive(ArchiveName=made_id)
        except AwsError as error:
            _quietly_gone(error)

    @staticmethod
    def _settings(wanted: Wanted) -> dict[str, Any]:
        return {
            "Description": wanted.properties.get("Description"),
            "EventPattern": _text(wanted.properties.get("EventPattern")),
            "RetentionDays": _number(wanted.properties.get("RetentionDays")),
        }


# ---------------------------------------------------------------------- connections and API destinations

_AUTHORIZATION = ("OAuthParameters", "ApiKeyAuthParameters", "BasicAuthParameters", "InvocationHttpParameters")


def _authorization(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in _AUTHORIZATION if name in given}


@resource(
    "AWS::Events::Connection", replaces={"Name"}, ignores={"KmsKeyIdentifier", "InvocationConnectivityParameters"}
)
class Connection:
    """`Ref` is the connection's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        name = wanted.properties.get("Name") or wanted.physical_name(64)
        call.api("events").create_connection(Name=name, **Connection._settings(wanted))
        return Connection._made(call, name)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        call.api("events").update_connection(Name=made_id, **Connection._settings(wanted))
        return Connection._made(call, made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("events").delete_connection(Name=made_id)
        except AwsError as error:
            _quietly_gone(error)

    @staticmethod
    def _settings(wanted: Wanted) -> dict[str, Any]:
        given = {
            "Description": wanted.properties.get("Description"),
            "AuthorizationType": wanted.properties.get("AuthorizationType"),
            "AuthParameters": _authorization(wanted.properties.get("AuthParameters") or {}),
        }
        return {name: value for name, value in given.items() if value is not None}

    @staticmethod
    def _made(call: Call, name: str) -> Made:
        known = call.api("events").describe_connection(Name=name)
        arn = known["ConnectionArn"]
        return Made(name, {"Arn": arn, "ArnForPolicy": arn.rpartition("/")[0], "SecretArn": known["SecretArn"]})


@resource("AWS::Events::ApiDestination", replaces={"Name"}, ignores={"InvocationRateLimitPerSecond"})
class ApiDestination:
    """`Ref` is the destination's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        name = wanted.properties.get("Name") or wanted.physical_name(64)
        made = call.api("events").create_api_destination(Name=name, **ApiDestination._settings(wanted))
        return ApiDestination._made(name, made)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        made = call.api("events").update_api_destination(Name=made_id, **ApiDestination._settings(wanted))
        return ApiDestination._made(made_id, made)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("events").delete_api_destination(Name=made_id)
        except AwsError as error:
            _quietly_gone(error)

    @staticmethod
    def _settings(wanted: Wanted) -> dict[str, Any]:
        properties = wanted.properties
        return {
            "ConnectionArn": properties["ConnectionArn"],
            "InvocationEndpoint": properties["InvocationEndpoint"],
            "HttpMethod": properties["HttpMethod"],
            "Description": properties.get("Description"),
            "InvocationRateLimitPerSecond": _number(properties.get("InvocationRateLimitPerSecond")),
        }

    @staticmethod
    def _made(name: str, made: dict[str, Any]) -> Made:
        arn = made["ApiDestinationArn"]
        return Made(name, {"Arn": arn, "ArnForPolicy": arn.rpartition("/")[0]})
