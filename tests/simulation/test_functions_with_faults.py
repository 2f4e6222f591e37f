"""Functions in a world with faults: every event, every message, every record is handled, or named as lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from stratolite.testing.cloud import TestCloud, simulate

SEEDS = 3
PATIENT = Config(retries={"max_attempts": 15})
MADE_ALREADY = ("Conflict", "InUse", "already")
HANDLERS = """
import boto3, json
from botocore.config import Config

def done(table, key):
    client = boto3.client("dynamodb", config=Config(retries={"max_attempts": 8}))
    client.put_item(TableName=table, Item={"id": {"S": key}})

def direct(event, context):
    done("events", event["id"])

def queue(event, context):
    failed = []
    for record in event["Records"]:
        try:
            done("queued", record["body"])
        except Exception:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}

def stream(event, context):
    for record in event["Records"]:
        done("streamed", record["dynamodb"]["Keys"]["id"]["S"])
"""


class Pipeline:
    """Events to a function; a queue to a function to a table to its stream to a function."""

    def __init__(self, cloud: TestCloud, folder: Path) -> None:
        self.cloud = cloud
        self.functions, self.queues, self.tables = (
            cloud.client(service, config=PATIENT) for service in ("lambda", "sqs", "dynamodb")
        )
        for name in ("events", "queued", "streamed"):
            self.insist(
                self.tables.create_table,
                TableName=name,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            )
        self.insist(self.queues.create_queue, QueueName="q")
        self.url = self.insist(self.queues.get_queue_url, QueueName="q")["QueueUrl"]
        for name in ("direct", "queue", "stream"):
            self.insist(
                self.functions.create_function,
                FunctionName=name,
                Role="arn:aws:iam::000000000000:role/role",
                Runtime="python3.12",
                Handler=f"app.{name}",
                Timeout=20,
                Code={"S3Bucket": "__local__", "S3Key": str(folder)},
            )
        cloud.clock.advance(3)
        queue = "arn:aws:sqs:us-east-1:000000000000:q"
        self.insist(
            self.functions.put_function_event_invoke_config,
            FunctionName="direct",
            DestinationConfig={"OnFailure": {"Destination": queue}},
        )
        self.insist(
            self.functions.create_event_source_mapping,
            FunctionName="queue",
            EventSourceArn=queue,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        stream = self.insist(self.tables.describe_table, TableName="queued")["Table"]["LatestStreamArn"]
        self.insist(
            self.functions.create_event_source_mapping,
            FunctionName="stream",
            EventSourceArn=stream,
            StartingPosition="TRIM_HORIZON",
        )

    def insist(self, ask: Any, **params: Any) -> Any:
        """Until it is done; that it is done already is as good."""
        while True:
            try:
                return ask(**params)
            except (ClientError, HTTPClientError) as error:
                if any(text in str(error) for text in MADE_ALREADY):
                    return None
                self.cloud.clock.advance(1)

    def keys(self, table: str) -> set[str]:
        return {item["id"]["S"] for item in self.insist(self.tables.scan, TableName=table)["Items"]}


def test_everything_accepted_is_handled_or_told_to_the_destination(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(HANDLERS)

    def scenario(cloud: TestCloud) -> None:
        pipeline = Pipeline(cloud, tmp_path)
        for n in range(10):
            event = json.dumps({"id": f"event {n}"}).encode()
            pipeline.insist(pipeline.functions.invoke, FunctionName="direct", InvocationType="Event", Payload=event)
            pipeline.insist(pipeline.queues.send_message, QueueUrl=pipeline.url, MessageBody=f"message {n}")
            cloud.clock.advance(1)
        cloud.world.faults = 0.0
        cloud.clock.advance(hours=1)
        events, queued = pipeline.keys("events"), pipeline.keys("queued")
        told = {json.loads(body)["requestPayload"]["id"] for body in queued if body.startswith("{")}
        assert events | told == {f"event {n}" for n in range(10)}
        assert {body for body in queued if not body.startswith("{")} == {f"message {n}" for n in range(10)}
        assert pipeline.keys("streamed") == queued

    assert simulate(scenario, SEEDS) == SEEDS
