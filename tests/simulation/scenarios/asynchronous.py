"""Functions invoked asynchronously, with destinations."""

from __future__ import annotations

import json
import random

from simulation.parts import client, drained, function, insist, queue
from stratolite.testing.checkers import nothing_lost, quiet
from stratolite.testing.cloud import TestCloud

SOURCE = """
def handler(event, context):
    if event.get("fails"):
        raise ValueError(event["id"])
    return {"id": event["id"]}
"""


def with_destinations(cloud: TestCloud) -> None:
    """Every accepted event ends: its result in the one queue, or its failure in the other after all its attempts."""
    chance = random.Random(cloud.world.seed)
    ok_url, ok = queue(cloud, "ok")
    bad_url, bad = queue(cloud, "bad")
    function(cloud, "f", SOURCE)
    lambda_ = client(cloud, "lambda")
    insist(
        lambda_.put_function_event_invoke_config,
        FunctionName="f",
        MaximumRetryAttempts=chance.choice([0, 1, 2]),
        DestinationConfig={"OnSuccess": {"Destination": ok}, "OnFailure": {"Destination": bad}},
    )
    good, failing = [], []
    for n in range(25):
        event = {"id": f"e{n}", "fails": chance.random() < 0.3}
        insist(lambda_.invoke, FunctionName="f", InvocationType="Event", Payload=json.dumps(event).encode())
        (failing if event["fails"] else good).append(event["id"])
    cloud.clock.advance(6 * 3600)
    results = [json.loads(m["Body"]) for m in drained(cloud, ok_url)]
    failures = [json.loads(m["Body"]) for m in drained(cloud, bad_url)]
    ended = [r["requestPayload"]["id"] for r in results]
    gave_up = [f["requestPayload"]["id"] for f in failures]
    nothing_lost(good, ended + gave_up)
    nothing_lost(failing, gave_up)
    assert not set(failing) & set(ended)
    assert all(f["responseContext"]["functionError"] for f in failures if f["requestPayload"]["fails"])
    quiet(cloud)
