"""A day of a one-minute schedule."""

from __future__ import annotations

import json

from simulation.parts import client, drained, insist, queue
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
