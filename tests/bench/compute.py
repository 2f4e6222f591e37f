"""Compute: cold starts, warm invokes, asynchronous ones, and the whole way from a queue to a table."""

from __future__ import annotations

import asyncio
import io
import json
import statistics
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

from stratolite.testing.live import LiveCloud

from .client import Connection, http_request, load
from .report import Figure

Floors = dict[str, float]

HELLO = "def handler(event, context):\n    return {'ok': True}\n"
BOTO3 = (
    "import boto3\n"
    "table = boto3.resource('dynamodb').Table('items')\n"
    "s3 = boto3.client('s3')\n"
    "def handler(event, context):\n    return {'ok': True}\n"
)
WRITER = (
    "import boto3\n"
    "client = boto3.client('dynamodb')\n"
    "def handler(event, context):\n"
    "    client.batch_write_item(RequestItems={'items': [\n"
    "        {'PutRequest': {'Item': {'pk': {'S': r['messageId']}, 'body': {'S': r['body']}}}}\n"
    "        for r in event['Records']]})\n"
)
ROLE = "arn:aws:iam::000000000000:role/r"


def create(cloud: LiveCloud, name: str, source: str, **options: Any) -> None:
    """A Python function from source text, active."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", source)
    client = cloud.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="app.handler",
        Role=ROLE,
        Code={"ZipFile": code.getvalue()},
        Timeout=30,
        MemorySize=1769,
        **options,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600})


def invoke_request(cloud: LiveCloud, name: str, kind: str = "RequestResponse") -> bytes:
    scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
    path = f"/2015-03-31/functions/{name}/invocations"
    return http_request(cloud.port, "POST", path, b"{}", {"Authorization": scope, "X-Amz-Invocation-Type": kind})


def cold(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """cold start of a Python function, plain and with boto3 clients in INIT"""

    async def first(name: str) -> float:
        connection = await Connection.to(cloud.port)
        request = invoke_request(cloud, name)
        begin = time.perf_counter()
        status, body = await connection.ask(request)
        elapsed = (time.perf_counter() - begin) * 1e3
        connection.close()
        assert status == 200 and b"ok" in body, body
        return elapsed

    figures = []
    create(cloud, "first", BOTO3)
    time.sleep(3)  # while boto3 is read ahead, a start waits for the piece being read
    for name, source, goal in (("hello", HELLO, 6), ("boto3 clients in INIT", BOTO3, 40)):
        times = []
        for i in range(8):
            function = f"{name.split()[0]}{i}"
            create(cloud, function, source)
            time.sleep(0.3)
            times.append(asyncio.run(first(function)))
        figures.append(
            Figure(
                f"cold start Python, {name}: p50 of 8 functions", statistics.median(times), "ms", goal, floors["fork"]
            )
        )
    return figures


def warm(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """warm invoke: raw and through boto3"""
    create(cloud, "f", HELLO)
    request = invoke_request(cloud, "f")
    one = asyncio.run(load(cloud.port, cloud.pid, lambda _: request, 1))
    many = asyncio.run(load(cloud.port, cloud.pid, lambda _: request, 8))
    assert not one.errors and not many.errors
    client = cloud.client("lambda")
    times = []
    for _ in range(300):
        begin = time.perf_counter()
        client.invoke(FunctionName="f", Payload=b"{}")["Payload"].read()
        times.append((time.perf_counter() - begin) * 1e3)
    return [
        Figure("warm invoke, raw, 1 client: p50", one.p50_us / 1e3, "ms", 0.15),
        Figure("warm invoke, raw, 1 client: p99", one.p99_us / 1e3, "ms"),
        Figure("warm invoke, raw, 1 client: server CPU", one.cpu_us, "us", 100, floors["http 1"]),
        Figure("warm invoke, raw, 8 clients", many.rate, "/s", 8000, more_is_better=True),
        Figure("warm invoke through boto3: p50", statistics.median(times), "ms", 1.6),
    ]


def asynchronous(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """asynchronous invokes drained, durable"""
    create(cloud, "f", "import time\ndef handler(event, context):\n    print('done')\n")
    client = cloud.client("lambda")
    client.invoke(FunctionName="f", Payload=b"{}")
    request = invoke_request(cloud, "f", "Event")
    count = 5000
    begin = time.perf_counter()
    sent = asyncio.run(load(cloud.port, cloud.pid, lambda _: request, 8, 30, count))
    assert not sent.errors
    while cloud.control("GET", "status").get("next_due") is not None or _running(cloud):
        time.sleep(0.02)
    return [
        Figure(
            "asynchronous invokes, sent and drained",
            count / (time.perf_counter() - begin),
            "/s",
            3000,
            more_is_better=True,
        )
    ]


def _running(cloud: LiveCloud) -> int:
    return int(cloud.control("GET", "status").get("running", 0))


def pipeline(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """queue to function (batch 10) to table, through the function's own boto3"""
    sqs, dynamodb, lambda_ = cloud.client("sqs"), cloud.client("dynamodb"), cloud.client("lambda")
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "180"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    dynamodb.create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    create(cloud, "f", WRITER)
    count = 2000
    mapping = lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName="f", BatchSize=10, Enabled=False)
    for i in range(0, count, 10):
        sqs.send_message_batch(
            QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": json.dumps({"n": i + n})} for n in range(10)]
        )
    begin = time.perf_counter()
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    stored = 0
    while stored < count:
        stored = dynamodb.scan(TableName="items", Select="COUNT")["Count"]
        assert time.perf_counter() - begin < 60, f"{stored} of {count} after 60 s"
        time.sleep(0.01)
    rate = count / (time.perf_counter() - begin)
    times = []
    for _ in range(15):
        time.sleep(0.3)
        begin = time.perf_counter()
        # Its own key, asked for by that key: a scan of what is there already would be most of what is measured.
        message = sqs.send_message(QueueUrl=url, MessageBody="one")["MessageId"]
        while "Item" not in dynamodb.get_item(TableName="items", Key={"pk": {"S": message}}):
            assert time.perf_counter() - begin < 30
        times.append((time.perf_counter() - begin) * 1e3)
    return [
        Figure("queue to function (batch 10) to table", rate, "msg/s", 1200, more_is_better=True),
        Figure("queue to function to table, one message: p50 of 15", statistics.median(times), "ms", 4),
    ]


def deploy(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """deploy of ten resources"""
    client = cloud.client("cloudformation")
    template = {"Resources": {f"Q{i}": {"Type": "AWS::SQS::Queue"} for i in range(10)}}
    times = []
    for i in range(5):
        begin = time.perf_counter()
        client.create_stack(StackName=f"s{i}", TemplateBody=json.dumps(template))
        while client.describe_stacks(StackName=f"s{i}")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS":
            pass
        times.append((time.perf_counter() - begin) * 1e3)
    return [Figure("deploy 10 resources, best of 5", min(times), "ms", 12)]


def deploy_sam(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """deploy of ten resources from SAM: a stack made by CreateChangeSet and its transform"""
    client = cloud.client("cloudformation")
    template = json.dumps(
        {
            "Transform": "AWS::Serverless-2016-10-31",
            "Resources": {f"T{i}": {"Type": "AWS::Serverless::SimpleTable"} for i in range(10)},
        }
    )
    times = []
    for i in range(5):
        begin = time.perf_counter()
        client.create_stack(StackName=f"s{i}", TemplateBody=template, Capabilities=["CAPABILITY_AUTO_EXPAND"])
        while (status := client.describe_stacks(StackName=f"s{i}")["Stacks"][0]["StackStatus"]).endswith("PROGRESS"):
            pass
        assert status == "CREATE_COMPLETE", status
        times.append((time.perf_counter() - begin) * 1e3)
    return [
        Figure("deploy 10 resources from SAM, the first", times[0], "ms"),
        Figure("deploy 10 resources from SAM, best of the next 4", min(times[1:]), "ms", 45),
    ]


def deploy_project(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """`strato deploy` of the form-processing example, as a command, its packages installed"""
    example = Path(__file__).parents[2] / "examples" / "form-processing"
    times = []
    for i in range(3):
        begin = time.perf_counter()
        words = ("deploy", str(example), "--stack", f"forms{i}", "--state", str(cloud.state))
        done = cloud.run(sys.executable, "-m", "stratolite", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        times.append((time.perf_counter() - begin) * 1e3)
    return [
        Figure("strato deploy of the form-processing example, the first", times[0], "ms"),
        Figure("strato deploy of the form-processing example, once more", min(times[1:]), "ms"),
    ]


WORK = (cold, warm, asynchronous, pipeline, deploy, deploy_sam, deploy_project)
