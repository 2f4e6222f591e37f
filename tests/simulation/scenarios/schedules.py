"""Schedules: a rule that ticks, and what the scheduler was told to do once or again and again."""

from __future__ import annotations

import json
import random
from datetime import timedelta

from simulation.parts import ROLE, client, drained, insist, queue
from stratolite.testing.checkers import exactly_once, quiet
from stratolite.testing.cloud import TestCloud


def a_day(cloud: TestCloud) -> None:
    """No tick is lost and none comes twice, through a day of deaths."""
    url, arn = queue(cloud, "ticks", MessageRetentionPeriod="1209600")
    events = client(cloud, "events")
    insist(events.put_rule, Name="tick", ScheduleExpression="rate(5 minutes)")
    insist(events.put_targets, Rule="tick", Targets=[{"Id": "q", "Arn": arn}])
    cloud.clock.advance(86_400)
    insist(events.disable_rule, Name="tick")
    times = sorted(json.loads(m["Body"])["time"] for m in drained(cloud, url))
    exactly_once(times, times)
    assert 86_400 / 300 - 2 <= len(times) <= 86_400 / 300 + 2, len(times)
    quiet(cloud)


def planned(cloud: TestCloud) -> None:
    """Scheduler: what is planned for an instant comes once and its schedule goes; what repeats misses nothing."""
    chance = random.Random(cloud.world.seed)
    url, arn = queue(cloud, "planned", MessageRetentionPeriod="1209600")
    scheduler, start = client(cloud, "scheduler"), cloud.clock.now
    names = []
    for n in range(20):
        at = start + timedelta(seconds=120 + chance.randrange(86_400))
        names.append(f"once-{n}")
        insist(
            scheduler.create_schedule,
            Name=names[-1],
            ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={"Arn": arn, "RoleArn": ROLE, "Input": names[-1]},
        )
    insist(
        scheduler.create_schedule,
        Name="often",
        ScheduleExpression="rate(15 minutes)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": ROLE, "Input": "<aws.scheduler.scheduled-time>"},
    )
    cloud.clock.advance(90_000)
    insist(scheduler.delete_schedule, Name="often", _done="ResourceNotFoundException")
    bodies = [m["Body"] for m in drained(cloud, url)]
    times = sorted(body for body in bodies if not body.startswith("once-"))
    exactly_once([*names, *times], bodies)
    assert 90_000 / 900 - 1 <= len(times) <= 90_000 / 900 + 2, len(times)
    assert insist(scheduler.list_schedules)["Schedules"] == []
    quiet(cloud)
