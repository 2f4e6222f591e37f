"""Schedules: what is kept, when targets are invoked, and with what."""

import json

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/r"
BUS = "arn:aws:events:us-east-1:000000000000:event-bus/default"
ARN = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/s"


@pytest.fixture
def scheduler(cloud):
    return cloud.client("scheduler")


@pytest.fixture
def seen(cloud):
    """The events that schedules put on the default bus, oldest first."""
    events = cloud.client("events")
    events.create_archive(ArchiveName="a", EventSourceArn=BUS)
    return lambda: [
        json.loads(row["event"])
        for row in cloud.cloud.store.reader().all("SELECT event FROM events_archived ORDER BY seq")
    ]


def create(scheduler, expression, **members):
    target = {
        "Arn": BUS,
        "RoleArn": ROLE,
        "EventBridgeParameters": {"DetailType": "t", "Source": "s"},
        "Input": '{"at": "<aws.scheduler.scheduled-time>"}',
        **members.pop("Target", {}),
    }
    wanted = {"Name": "s", "FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": expression, **members}
    return scheduler.create_schedule(Target=target, **wanted)


def times(events):
    return [event["detail"]["at"] for event in events]


def test_a_schedule_is_described_with_aws_s_defaults(scheduler):
    assert create(scheduler, "rate(1 hour)")["ScheduleArn"] == ARN
    got = scheduler.get_schedule(Name="s")
    assert (got["Arn"], got["GroupName"], got["State"]) == (ARN, "default", "ENABLED")
    assert (got["ScheduleExpressionTimezone"], got["ActionAfterCompletion"]) == ("UTC", "NONE")
    assert got["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert [listed["Name"] for listed in scheduler.list_schedules(GroupName="default")["Schedules"]] == ["s"]


def test_a_name_is_taken_once_per_group(scheduler):
    create(scheduler, "rate(1 hour)", ClientToken="x")
    create(scheduler, "rate(1 hour)", ClientToken="x")  # the same request again
    with pytest.raises(ClientError, match=r"ConflictException.*Schedule s already exists"):
        create(scheduler, "rate(1 hour)")
    scheduler.create_schedule_group(Name="g")
    create(scheduler, "rate(1 hour)", GroupName="g")
    scheduler.delete_schedule_group(Name="g")
    assert len(scheduler.list_schedules()["Schedules"]) == 1
    with pytest.raises(ClientError, match="Schedule group g does not exist"):
        scheduler.get_schedule(Name="s", GroupName="g")
    with pytest.raises(ClientError, match="Schedule other does not exist"):
        scheduler.get_schedule(Name="other")


# Recorded from CreateSchedule.
@pytest.mark.parametrize(
    "expression", ["cron(71 8 1 * ? *)", "rate(10 seconds)", "at(2021-12-31)", " rate(10 minutes)"]
)
def test_an_expression_is_refused(scheduler, expression):
    with pytest.raises(ClientError) as error:
        create(scheduler, expression)
    assert error.value.response["Error"]["Message"] == f"Invalid Schedule Expression {expression}."


def test_a_rate_begins_at_once(cloud, scheduler, seen):
    create(scheduler, "rate(10 minutes)")
    cloud.clock.advance(minutes=25)
    assert times(seen()) == ["2025-06-15T15:06:40Z", "2025-06-15T15:16:40Z", "2025-06-15T15:26:40Z"]
    assert {(event["source"], event["detail-type"]) for event in seen()} == {("s", "t")}


def test_start_and_end_bound_it(cloud, scheduler, seen):
    create(scheduler, "rate(10 minutes)", StartDate="2025-06-15T16:00:00Z", EndDate="2025-06-15T16:15:00Z")
    cloud.clock.advance(hours=3)
    assert times(seen()) == ["2025-06-15T16:00:00Z", "2025-06-15T16:10:00Z"]


def test_a_cron_runs_in_its_time_zone(cloud, scheduler, seen):
    create(scheduler, "cron(30 9 * * ? *)", ScheduleExpressionTimezone="Asia/Tokyo")
    cloud.clock.advance(days=2)
    assert times(seen()) == ["2025-06-16T00:30:00Z", "2025-06-17T00:30:00Z"]


def test_a_one_time_schedule_may_go_when_it_is_done(cloud, scheduler, seen):
    create(scheduler, "at(2025-06-15T18:00:00)", ActionAfterCompletion="DELETE")
    cloud.clock.advance(hours=4)
    assert times(seen()) == ["2025-06-15T18:00:00Z"]
    assert scheduler.list_schedules()["Schedules"] == []


def test_a_flexible_window_delays_within_its_minutes(cloud, scheduler, seen):
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 30}
    create(scheduler, "at(2025-06-15T18:00:00)", FlexibleTimeWindow=window)
    cloud.clock.advance(hours=2, minutes=53, seconds=19)
    assert seen() == []
    cloud.clock.advance(minutes=31)
    assert times(seen()) == ["2025-06-15T18:00:00Z"]


def test_disabling_and_updating_replace_what_was_planned(cloud, scheduler, seen):
    create(scheduler, "at(2025-06-15T18:00:00)")
    wanted = {"Name": "s", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": scheduler.get_schedule(Name="s")["Target"]}
    scheduler.update_schedule(ScheduleExpression="at(2025-06-15T17:00:00)", State="DISABLED", **wanted)
    cloud.clock.advance(hours=4)
    assert seen() == []
    scheduler.update_schedule(ScheduleExpression="at(2025-06-15T20:00:00)", **wanted)
    cloud.clock.advance(hours=2)
    assert times(seen()) == ["2025-06-15T20:00:00Z"]


def test_a_universal_target_calls_an_operation(cloud, scheduler, seen):
    entry = {"Source": "u", "DetailType": "t", "Detail": '{"at": "<aws.scheduler.schedule-arn>"}'}
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:eventbridge:putEvents", "RoleArn": ROLE,
              "Input": json.dumps({"Entries": [entry]})}  # fmt: skip
    scheduler.create_schedule(
        Name="s", FlexibleTimeWindow={"Mode": "OFF"}, ScheduleExpression="at(2025-06-15T18:00:00)", Target=target
    )
    cloud.clock.advance(hours=4)
    assert [(event["source"], event["detail"]["at"]) for event in seen()] == [("u", ARN)]


def test_groups_have_tags(scheduler):
    arn = scheduler.create_schedule_group(Name="g", Tags=[{"Key": "a", "Value": "1"}])["ScheduleGroupArn"]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    scheduler.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert [group["Name"] for group in scheduler.list_schedule_groups()["ScheduleGroups"]] == ["default", "g"]
