"""Data: queues and tables through the raw client."""

from __future__ import annotations

import asyncio
import json
import time

from stratolite.testing.live import LiveCloud

from .client import Connection, Load, cpu_s, json_request, load
from .report import Figure

Floors = dict[str, float]


def _rates(name: str, one: Load, many: Load, goal_one: float, goal_many: float, floors: Floors) -> list[Figure]:
    assert not one.errors and not many.errors, f"{name}: errors"
    floor = floors["http 16"] + floors["insert 10"]
    return [
        Figure(f"{name}, 1 client", one.rate, "/s", goal_one, more_is_better=True),
        Figure(f"{name}, 16 clients", many.rate, "/s", goal_many, more_is_better=True),
        Figure(f"{name}, 16 clients: server CPU", many.cpu_us, "us", None, floor),
    ]


def sqs_send(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """SQS send"""
    url = cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    request = json_request(cloud.port, "sqs", "AmazonSQS.SendMessage", {"QueueUrl": url, "MessageBody": "x" * 200})
    one = asyncio.run(load(cloud.port, cloud.pid, lambda _: request, 1))
    many = asyncio.run(load(cloud.port, cloud.pid, lambda _: request, 16))
    return _rates("SQS send", one, many, 8000, 15000, floors)


def sqs_receive(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """SQS receive and delete, at two depths"""
    sqs = cloud.client("sqs")
    figures = []

    async def drain(url: str, count: int) -> float:
        async def one() -> int:
            connection, done = await Connection.to(cloud.port), 0
            receive = json_request(cloud.port, "sqs", "AmazonSQS.ReceiveMessage", {"QueueUrl": url})
            while done < count // 8:
                _, body = await connection.ask(receive)
                for message in json.loads(body).get("Messages", []):
                    await connection.ask(
                        json_request(
                            cloud.port,
                            "sqs",
                            "AmazonSQS.DeleteMessage",
                            {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]},
                        )
                    )
                    done += 1
            return done

        begin = time.perf_counter()
        total = sum(await asyncio.gather(*(one() for _ in range(8))))
        return total / (time.perf_counter() - begin)

    for depth in (1000, 50_000):
        url = sqs.create_queue(QueueName=f"q{depth}")["QueueUrl"]
        send = [
            json_request(
                cloud.port,
                "sqs",
                "AmazonSQS.SendMessageBatch",
                {"QueueUrl": url, "Entries": [{"Id": str(i), "MessageBody": "x" * 200} for i in range(10)]},
            )
        ]
        asyncio.run(load(cloud.port, cloud.pid, lambda _, send=send: send[0], 4, 60, depth // 10))  # type: ignore[misc]
        rate = asyncio.run(drain(url, 900))
        figures.append(Figure(f"SQS receive and delete at depth {depth:,}", rate, "/s", 3500, more_is_better=True))
    return figures


def dynamodb(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """DynamoDB PutItem, GetItem, Query, UpdateItem"""
    client = cloud.client("dynamodb")
    client.create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName="items")

    def ask(name: str, body: dict[str, object]) -> bytes:
        return json_request(cloud.port, "dynamodb", f"DynamoDB_20120810.{name}", {"TableName": "items", **body})

    def key(i: int) -> dict[str, object]:
        return {"pk": {"S": f"p{i % 500}"}, "sk": {"S": f"s{i // 500 % 20:05}"}}

    puts = [ask("PutItem", {"Item": {**key(i), "data": {"S": "y" * 250}, "n": {"N": str(i)}}}) for i in range(10_000)]
    gets = [ask("GetItem", {"Key": key(i)}) for i in range(10_000)]
    updates = [
        ask(
            "UpdateItem",
            {"Key": key(i), "UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}},
        )
        for i in range(10_000)
    ]
    queries = [
        ask(
            "Query",
            {
                "KeyConditionExpression": "pk = :p",
                "ExpressionAttributeValues": {":p": {"S": f"p{i}"}},
                "Limit": 10,
            },
        )
        for i in range(500)
    ]
    figures = []
    for name, requests, goal_one, goal_many in (
        ("DynamoDB PutItem", puts, 8000, 16000),
        ("DynamoDB GetItem", gets, 10000, 24000),
        ("DynamoDB UpdateItem", updates, 6000, 10000),
        ("DynamoDB Query of 10", queries, 6000, 9000),
    ):
        if name.endswith("PutItem"):
            asyncio.run(load(cloud.port, cloud.pid, lambda i: puts[i % len(puts)], 8, 30, len(puts)))
        one = asyncio.run(load(cloud.port, cloud.pid, lambda i, r=requests: r[i % len(r)], 1))  # type: ignore[misc]
        many = asyncio.run(load(cloud.port, cloud.pid, lambda i, r=requests: r[i % len(r)], 16))  # type: ignore[misc]
        figures += _rates(name, one, many, goal_one, goal_many, floors)
    return figures


__all__ = ["WORK", "cpu_s"]
WORK = (sqs_send, sqs_receive, dynamodb)
