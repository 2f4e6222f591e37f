"""Buses whose rules lead to a queue that is there, and to one that is not."""

from __future__ import annotations

import json
import random

from simulation.parts import client, drained, insist, queue
from stratolite.testing.checkers import nothing_lost, quiet
from stratolite.testing.cloud import TestCloud


def to_queue(cloud: TestCloud) -> None:
    """What matches arrives in the queue; what cannot be delivered ends in the dead-letter queue, with the reason."""
    chance = random.Random(cloud.world.seed)
    url, arn = queue(cloud, "arrivals")
    dead_url, dead = queue(cloud, "dead")
    gone_url, gone = queue(cloud, "gone")
    events = client(cloud, "events")
    insist(events.create_event_bus, Name="b")
    for rule, source, target in (("kept", "orders", arn), ("lost", "returns", gone)):
        insist(events.put_rule, Name=rule, EventBusName="b", EventPattern=json.dumps({"source": [source]}))
        insist(
            events.put_targets,
            Rule=rule,
            EventBusName="b",
            Targets=[{"Id": "t", "Arn": target, "DeadLetterConfig": {"Arn": dead}}],
        )
    insist(client(cloud, "sqs").delete_queue, QueueUrl=gone_url, _done="AWS.SimpleQueueService.NonExistentQueue")
    sent: dict[str, list[str]] = {"orders": [], "returns": [], "else": []}
    for n in range(30):
        source = chance.choice(sorted(sent))
        entry = {"Source": source, "DetailType": "d", "Detail": json.dumps({"id": f"e{n}"}), "EventBusName": "b"}
        answer = insist(events.put_events, Entries=[entry])
        assert answer["FailedEntryCount"] == 0
        sent[source].append(f"e{n}")
    cloud.clock.advance(2 * 86_400)
    arrived = [json.loads(m["Body"])["detail"]["id"] for m in drained(cloud, url)]
    nothing_lost(sent["orders"], arrived)
    assert set(arrived) <= set(sent["orders"])
    letters = drained(cloud, dead_url)
    nothing_lost(sent["returns"], [json.loads(m["Body"])["detail"]["id"] for m in letters])
    assert all(m["MessageAttributes"]["ERROR_CODE"]["StringValue"] for m in letters)
    quiet(cloud)
