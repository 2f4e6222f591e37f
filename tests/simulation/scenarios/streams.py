"""A table's stream that a function reads."""

from __future__ import annotations

import json
import random

from simulation.parts import client, drained, function, insist, queue, table
from stratolite.testing.checkers import in_order, nothing_lost, quiet
from stratolite.testing.cloud import TestCloud

SOURCE = """
import json, boto3
sqs = boto3.client("sqs")
def handler(event, context):
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        if image.get("poison", {}).get("BOOL"):
            raise ValueError("poison " + image["pk"]["S"])
        # The queue drops what it has seen: what stays are first sights, numbered in their order.
        name = image["pk"]["S"]
        url = "http://localhost:4566/000000000000/seen.fifo"
        sqs.send_message(QueueUrl=url, MessageBody=name, MessageGroupId="g", MessageDeduplicationId=name)
"""


def to_queue(cloud: TestCloud) -> None:
    """Every change is seen, first sights in order; what can never be is bisected out and told to the failure queue."""
    chance = random.Random(cloud.world.seed)
    seen_url, _ = queue(cloud, "seen.fifo", FifoQueue="true")
    failed_url, failed = queue(cloud, "failed")
    made = table(cloud, "t-items", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    function(cloud, "reader", SOURCE)
    insist(
        client(cloud, "lambda").create_event_source_mapping,
        EventSourceArn=made["LatestStreamArn"],
        FunctionName="reader",
        StartingPosition="TRIM_HORIZON",
        BatchSize=chance.choice([1, 5, 20]),
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=4,
        DestinationConfig={"OnFailure": {"Destination": failed}},
    )
    dynamodb, good, poison = client(cloud, "dynamodb"), [], []
    for n in range(30):
        is_poison = chance.random() < 0.07
        insist(dynamodb.put_item, TableName="t-items", Item={"pk": {"S": f"i{n}"}, "poison": {"BOOL": is_poison}})
        (poison if is_poison else good).append(f"i{n}")
    cloud.clock.advance(7200)
    seen = sorted(drained(cloud, seen_url), key=lambda m: int(m["Attributes"]["SequenceNumber"]))
    bodies = [m["Body"] for m in seen]
    records = [json.loads(m["Body"]) for m in drained(cloud, failed_url)]
    given_up = sum(r["DDBStreamBatchInfo"]["batchSize"] for r in records)
    if not cloud.world.faults:
        nothing_lost(good, bodies)
        assert given_up == len(poison)
    assert len(set(bodies)) + given_up >= len(good) + len(poison), "a change was neither seen nor given up"
    in_order(bodies, [*good])
    quiet(cloud)
