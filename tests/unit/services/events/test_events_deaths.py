"""A schedule through injected deaths: no tick is lost, none comes twice."""

import json

import pytest

from stratolite.testing import TestCloud


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_every_tick_comes_once(seed):
    with TestCloud(seed, faults=0.05, durable=True) as cloud:
        cloud.world.faults, faults = 0.0, cloud.world.faults
        events, sqs = cloud.client("events"), cloud.client("sqs")
        sqs.create_queue(QueueName="q")
        events.put_rule(Name="r", ScheduleExpression="rate(1 minute)")
        events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"}])
        cloud.world.faults = faults
        start = cloud.world.now()
        cloud.clock.advance(hours=4)
        cloud.world.faults = 0.0
        cloud.clock.settle()
        ticks = int((cloud.world.now() - start) // 60)
        rows = cloud.cloud.store.reader().all("SELECT body FROM sqs_message")
        times = [json.loads(row["body"])["time"] for row in rows]
        assert cloud.deaths > 0
        # The last tick may wait for its next try.
        assert len(set(times)) == len(times) >= ticks - 1
