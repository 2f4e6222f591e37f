"""The event plane: buses, rules, deliveries."""

from __future__ import annotations

import asyncio
import json

from stratolite.testing.live import LiveCloud

from .client import json_request, load
from .report import Figure

Floors = dict[str, float]


def bus(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """bus to queue, with 1, 100 and 1,000 rules that do not match"""
    sqs, events = cloud.client("sqs"), cloud.client("events")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name="b")
    events.put_rule(Name="hit", EventBusName="b", EventPattern=json.dumps({"source": ["orders"]}))
    events.put_targets(Rule="hit", EventBusName="b", Targets=[{"Id": "q", "Arn": arn}])
    entry = {"Source": "orders", "DetailType": "made", "Detail": json.dumps({"n": 1}), "EventBusName": "b"}
    request = json_request(cloud.port, "events", "AWSEvents.PutEvents", {"Entries": [entry] * 10}, "1.1")
    figures, made = [], 0
    for rules in (1, 100, 1000):
        while made < rules:
            made += 1
            events.put_rule(Name=f"miss{made}", EventBusName="b", EventPattern=json.dumps({"source": [f"other{made}"]}))
        result = asyncio.run(load(cloud.port, cloud.pid, lambda _: request, 8, 2.0))
        assert not result.errors
        figures.append(
            Figure(f"bus to queue, {rules} rules that do not match", result.rate * 10, "/s", 15000, more_is_better=True)
        )
    return figures


WORK = (bus,)
