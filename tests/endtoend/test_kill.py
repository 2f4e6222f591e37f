"""kill -9 under load: nothing acknowledged is lost, work under way goes on, nothing of the dead server stays."""

from __future__ import annotations

import io
import itertools
import json
import os
import random
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from stratolite.testing.live import LiveCloud

KILLS = 3
LOAD_S = (0.3, 1.3)
"""How long a life lasts under load."""
SETTLED_S = 40.0
ROLE = "arn:aws:iam::000000000000:role/r"
SOURCE = """
import json, os, time, boto3
dynamodb = boto3.client("dynamodb")

def done(name):
    dynamodb.put_item(TableName="done", Item={"pk": {"S": name}})

def queued(event, context):
    for record in event["Records"]:
        body = json.loads(record["body"])
        done(body["detail"]["id"] if "detail" in body else body["id"])

def invoked(event, context):
    time.sleep(0.02)
    done(event["id"])

def streamed(event, context):
    for record in event["Records"]:
        done(record["dynamodb"]["Keys"]["pk"]["S"])
"""


class Pipeline:
    """A queue, a bus, asynchronous invocations and a stream: all of them end in the table `done`."""

    def __init__(self, cloud: LiveCloud) -> None:
        once = Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=5, read_timeout=15)
        services = ("sqs", "events", "lambda", "dynamodb")
        self.sqs, self.events, self.lambda_, self.dynamodb = (cloud.client(s, config=once) for s in services)
        for name, stream in (("done", False), ("source", True)):
            self.dynamodb.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
                if stream
                else {"StreamEnabled": False},
            )
            self.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        self.url = self.sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "3"})["QueueUrl"]
        arn = "arn:aws:sqs:us-east-1:000000000000:work"
        self.events.create_event_bus(Name="b")
        self.events.put_rule(Name="r", EventBusName="b", EventPattern=json.dumps({"source": ["load"]}))
        self.events.put_targets(Rule="r", EventBusName="b", Targets=[{"Id": "q", "Arn": arn}])
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            bundle.writestr("app.py", SOURCE)
        for name in ("queued", "invoked", "streamed"):
            self.lambda_.create_function(
                FunctionName=name, Runtime="python3.12", Handler=f"app.{name}", Role=ROLE, Timeout=3,
                Code={"ZipFile": archive.getvalue()},
            )  # fmt: skip
            self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        stream = self.dynamodb.describe_table(TableName="source")["Table"]["LatestStreamArn"]
        self.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName="queued", BatchSize=5)
        self.lambda_.create_event_source_mapping(
            EventSourceArn=stream, FunctionName="streamed", StartingPosition="TRIM_HORIZON", BatchSize=5
        )

    @property
    def ways(self) -> dict[str, Callable[[str], Any]]:
        """The ways in, each asked with an id and answered when the cloud has it."""
        return {
            "queue": lambda name: self.sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps({"id": name})),
            "bus": lambda name: self.events.put_events(
                Entries=[{"Source": "load", "DetailType": "d", "Detail": json.dumps({"id": name}), "EventBusName": "b"}]
            ),
            "event": lambda name: self.lambda_.invoke(
                FunctionName="invoked", InvocationType="Event", Payload=json.dumps({"id": name}).encode()
            ),
            "stream": lambda name: self.dynamodb.put_item(TableName="source", Item={"pk": {"S": name}}),
        }

    def done(self) -> set[str]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName="done", ConsistentRead=True)
        return {item["pk"]["S"] for page in pages for item in page["Items"]}


def load(way: str, ask: Callable[[str], Any], over: threading.Event, acknowledged: list[str]) -> None:
    """Ask until told to stop; what got no answer is given up, and counts for nothing."""
    for n in itertools.count():
        if over.wait(0.03):
            return
        try:
            answer = ask(f"{way}-{n}")
        except (BotoCoreError, ClientError):
            continue
        if not answer.get("FailedEntryCount"):
            acknowledged.append(f"{way}-{n}")


def below(pid: int) -> Iterator[int]:
    """Every process that descends from this one."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield int(child)
            yield from below(int(child))


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
@pytest.mark.timeout(120)
def test_whatever_was_acknowledged_ends_though_the_server_is_killed_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, chance = tmp_path / "tmp", random.Random()
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", os.fspath(temporary))
    seed = chance.randrange(1 << 30)
    print(f"the moments of the kills: seed {seed}")
    chance.seed(seed)
    acknowledged: list[str] = []
    with LiveCloud(tmp_path / "state") as cloud:
        pipeline, over = Pipeline(cloud), threading.Event()
        senders = [
            threading.Thread(target=load, args=(way, ask, over, acknowledged)) for way, ask in pipeline.ways.items()
        ]
        for sender in senders:
            sender.start()
        try:
            for _ in range(KILLS):
                time.sleep(chance.uniform(*LOAD_S))
                family = list(below(cloud.pid))
                cloud.kill()
                assert until(lambda family=family: not any(map(lives, family)), 5), "a sandbox outlived its server"
                cloud.start()
            time.sleep(chance.uniform(*LOAD_S))
        finally:
            over.set()
            for sender in senders:
                sender.join()
        assert {name.partition("-")[0] for name in acknowledged} == set(pipeline.ways)
        until(lambda: set(acknowledged) <= pipeline.done(), SETTLED_S)
        print(f"{len(acknowledged)} acknowledged")
        lost = set(acknowledged) - pipeline.done()
        assert not lost, f"of {len(acknowledged)} acknowledged, {len(lost)} are lost: {sorted(lost)[:10]}"
        family = list(below(cloud.pid))
        cloud.stop()
        assert not any(map(lives, family)), "a sandbox outlived its server"
    assert list((tmp_path / "state").glob("sandboxes/*")) == []
    assert list(temporary.iterdir()) == []
    sockets = [line for line in Path("/proc/net/unix").read_text().splitlines() if os.fspath(tmp_path) in line]
    assert sockets == []
