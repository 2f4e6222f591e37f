"""Queues that a function empties into a table."""

from __future__ import annotations

import json
import random

from simulation.parts import client, drained, function, insist, items, queue, table
from stratolite.testing.checkers import in_order, nothing_lost, quiet
from stratolite.testing.cloud import TestCloud

WRITER = """
import json, boto3
table = boto3.client("dynamodb")
def handler(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        if body.get("poison"):
            failed.append(record["messageId"])
        elif body.get("flaky") and int(record["attributes"]["ApproximateReceiveCount"]) < 2:
            failed.append(record["messageId"])
        else:
            table.put_item(TableName="seen", Item={"pk": {"S": body["id"]}})
    return {"batchItemFailures": [{"itemIdentifier": i} for i in failed]}
"""

ORDERED = """
import json, boto3
table = boto3.client("dynamodb")
def handler(event, context):
    for record in event["Records"]:
        body = json.loads(record["body"])
        group = record["attributes"]["MessageGroupId"]
        if body.get("flaky") and int(record["attributes"]["ApproximateReceiveCount"]) < 2:
            at = event["Records"].index(record)
            return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"][at:]]}
        table.update_item(
            TableName="seen", Key={"pk": {"S": group}},
            UpdateExpression="SET bodies = list_append(if_not_exists(bodies, :none), :one)",
            ExpressionAttributeValues={":none": {"L": []}, ":one": {"L": [{"S": body["id"]}]}})
"""


def to_table(cloud: TestCloud) -> None:
    """Standard queue: what was acknowledged is stored; what can never be is in the dead-letter queue, once each."""
    chance = random.Random(cloud.world.seed)
    dead_url, dead = queue(cloud, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})
    url, arn = queue(cloud, "work", VisibilityTimeout="30", RedrivePolicy=redrive)
    table(cloud, "seen")
    function(cloud, "writer", WRITER)
    insist(
        client(cloud, "lambda").create_event_source_mapping,
        EventSourceArn=arn,
        FunctionName="writer",
        BatchSize=chance.choice([1, 5, 10]),
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    sqs, good, poison = client(cloud, "sqs"), [], []
    for n in range(40):
        body = {"id": f"m{n}", "poison": chance.random() < 0.1, "flaky": chance.random() < 0.2}
        insist(sqs.send_message, QueueUrl=url, MessageBody=json.dumps(body), DelaySeconds=chance.choice([0, 0, 5]))
        (poison if body["poison"] else good).append(body["id"])
        if chance.random() < 0.2:
            cloud.clock.advance(chance.random() * 10)
    cloud.clock.advance(1800)
    stored = [i["pk"]["S"] for i in items(cloud, "seen")]
    letters = [json.loads(m["Body"])["id"] for m in drained(cloud, dead_url)]
    # A message whose every receive met a fault has had its three: it is a dead letter by right.
    nothing_lost(good, stored + letters if cloud.world.faults else stored)
    nothing_lost(poison, letters)
    assert not drained(cloud, url)
    quiet(cloud)


def fifo_to_table(cloud: TestCloud) -> None:
    """FIFO queue: every group's messages take effect in their order, each after the one before it."""
    chance = random.Random(cloud.world.seed)
    url, arn = queue(cloud, "work.fifo", FifoQueue="true", VisibilityTimeout="30")
    table(cloud, "seen")
    function(cloud, "writer", ORDERED)
    insist(
        client(cloud, "lambda").create_event_source_mapping,
        EventSourceArn=arn,
        FunctionName="writer",
        BatchSize=chance.choice([1, 3, 10]),
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    sqs, sent = client(cloud, "sqs"), {g: [] for g in "abc"}
    for n in range(30):
        group = chance.choice("abc")
        body = {"id": f"m{n}", "flaky": chance.random() < 0.1}
        insist(
            sqs.send_message,
            QueueUrl=url,
            MessageBody=json.dumps(body),
            MessageGroupId=group,
            MessageDeduplicationId=body["id"],
        )
        sent[group].append(body["id"])
    cloud.clock.advance(3600)
    seen = {i["pk"]["S"]: [b["S"] for b in i["bodies"]["L"]] for i in items(cloud, "seen")}
    for group, bodies in sent.items():
        nothing_lost(bodies, seen.get(group, []))
        in_order(seen.get(group, []), bodies)
    assert not drained(cloud, url)
    quiet(cloud)
