"""Resources: schedules and their groups, as templates ask for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource


def _quietly_gone(error: AwsError) -> None:
    if error.code != "ResourceNotFoundException":
        raise error


def _numbers(value: Any) -> Any:
    """Templates give numbers as texts at times."""
    if isinstance(value, dict):
        return {name: int(each) if name.startswith("Maximum") else _numbers(each) for name, each in value.items()}
    return value


@resource("AWS::Scheduler::ScheduleGroup", replaces={"Name"})
class ScheduleGroup:
    """`Ref` is the group's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        name = wanted.properties.get("Name") or wanted.physical_name(64)
        call.api("scheduler").create_schedule_group(Name=name, Tags=ScheduleGroup._tags(wanted))
        return ScheduleGroup._made(call, name)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        made = ScheduleGroup._made(call, made_id)
        tags = ScheduleGroup._tags(wanted)
        kept = {tag["Key"] for tag in tags}
        gone = [tag["Key"] for tag in was.get("Tags") or [] if tag["Key"] not in kept]
        api = call.api("scheduler")
        if gone:
            api.untag_resource(ResourceArn=made.attributes["Arn"], TagKeys=gone)
        if tags:
            api.tag_resource(ResourceArn=made.attributes["Arn"], Tags=tags)
        return made

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("scheduler").delete_schedule_group(Name=made_id)
        except AwsError as error:
            _quietly_gone(error)

    @staticmethod
    def _tags(wanted: Wanted) -> list[dict[str, str]]:
        own = {tag["Key"]: str(tag["Value"]) for tag in wanted.properties.get("Tags") or []}
        return [{"Key": key, "Value": value} for key, value in {**wanted.tags, **own}.items()]

    @staticmethod
    def _made(call: Call, name: str) -> Made:
        known = call.api("scheduler").get_schedule_group(Name=name)
        attributes = {name: known[name] for name in ("Arn", "State", "CreationDate", "LastModificationDate")}
        return Made(name, attributes)


@resource("AWS::Scheduler::Schedule", replaces={"Name", "GroupName"}, ignores={"KmsKeyArn"})
class Schedule:
    """`Ref` is the schedule's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        name = wanted.properties.get("Name") or wanted.physical_name(64)
        made = call.api("scheduler").create_schedule(Name=name, **Schedule._settings(wanted))
        return Made(name, {"Arn": made["ScheduleArn"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        made = call.api("scheduler").update_schedule(Name=made_id, **Schedule._settings(wanted))
        return Made(made_id, {"Arn": made["ScheduleArn"]})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("scheduler").delete_schedule(Name=made_id, GroupName=properties.get("GroupName"))
        except AwsError as error:
            _quietly_gone(error)

    @staticmethod
    def _settings(wanted: Wanted) -> dict[str, Any]:
        names = (
            "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "Description", "State", "Target",
            "FlexibleTimeWindow",
        )  # fmt: skip
        given = {name: _numbers(wanted.properties.get(name)) for name in names}
        for name in ("StartDate", "EndDate"):
            value = wanted.properties.get(name)
            given[name] = _instant(value) if value else None
        return {name: value for name, value in given.items() if value is not None}


def _instant(text: str) -> float:

    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
