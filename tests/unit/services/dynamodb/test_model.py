"""A table agrees with a dictionary and the documented rules, whatever is done to it, through deaths of the process."""

import random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stratolite.testing import TestCloud

STEPS = 120


class Model:
    """What a table with one index ought to hold."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, int], dict[str, Any]] = {}

    def partition(self, p: str, forward: bool) -> list[dict[str, Any]]:
        found = sorted((key, item) for key, item in self.items.items() if key[0] == p)
        return [item for _, item in (found if forward else found[::-1])]

    def indexed(self, x: str) -> list[tuple[str, int]]:
        return sorted(key for key, item in self.items.items() if item.get("x") == {"S": x})


def _key(p: str, c: int) -> dict[str, Any]:
    return {"p": {"S": p}, "c": {"N": str(c)}}


def _pages(ask: Any, **request: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = ask(**request)
        found += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return found
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


class Run:
    def __init__(self, cloud: TestCloud, seed: int) -> None:
        self.cloud, self.chance, self.model = cloud, random.Random(seed), Model()
        self.table = cloud.client("dynamodb")
        cloud.world.faults, faults = 0.0, cloud.world.faults
        self.table.create_table(
            TableName="table",
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "c", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind} for name, kind in (("p", "S"), ("c", "N"), ("x", "S"))
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-x",
                    "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        cloud.clock.settle()
        cloud.world.faults = faults

    def key(self) -> tuple[str, int]:
        return self.chance.choice("abc"), self.chance.randrange(-3, 4)

    def item(self, p: str, c: int) -> dict[str, Any]:
        item = {**_key(p, c), "v": {"N": str(self.chance.randrange(9))}}
        if self.chance.random() < 0.6:
            item["x"] = {"S": self.chance.choice("xy")}
        return item

    def certainly(self, ask: Any, **request: Any) -> Any:
        """Ask until there is an answer: the requests here may be repeated without harm."""
        for _ in range(50):
            try:
                return ask(TableName="table", **request)
            except ConnectionError:
                continue
            except ClientError as error:
                if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                    return None
                if error.response["Error"]["Code"] not in ("ThrottlingException", "InternalFailure"):
                    raise
        raise AssertionError("no answer after fifty attempts")

    def put(self) -> None:
        key = self.key()
        item = self.item(*key)
        self.certainly(self.table.put_item, Item=item)
        self.model.items[key] = item

    def delete(self) -> None:
        key = self.key()
        self.certainly(self.table.delete_item, Key=_key(*key))
        self.model.items.pop(key, None)

    def update(self) -> None:
        key = self.key()
        value = {"N": str(self.chance.randrange(9))}
        holds = key in self.model.items and self.model.items[key].get("v") != value
        self.certainly(
            self.table.update_item,
            Key=_key(*key),
            UpdateExpression="SET v = :v REMOVE x",
            ConditionExpression="attribute_exists(p) AND v <> :v",
            ExpressionAttributeValues={":v": value},
        )
        if holds:
            self.model.items[key] = {**_key(*key), "v": value}

    def query(self) -> None:
        p, forward = self.chance.choice("abc"), self.chance.random() < 0.5
        found = _pages(
            lambda **request: self.certainly(self.table.query, **request),
            KeyConditionExpression="p = :p",
            ExpressionAttributeValues={":p": {"S": p}},
            ScanIndexForward=forward,
            Limit=self.chance.randrange(1, 6),
        )
        assert found == self.model.partition(p, forward)

    def indexed(self) -> None:
        x = self.chance.choice("xy")
        found = _pages(
            lambda **request: self.certainly(self.table.query, **request),
            IndexName="by-x",
            KeyConditionExpression="x = :x",
            ExpressionAttributeValues={":x": {"S": x}},
            Limit=self.chance.randrange(1, 6),
        )
        assert sorted((each["p"]["S"], int(each["c"]["N"])) for each in found) == self.model.indexed(x)

    def scan(self) -> None:
        found = _pages(lambda **request: self.certainly(self.table.scan, **request), Limit=self.chance.randrange(1, 9))
        assert {(each["p"]["S"], int(each["c"]["N"])): each for each in found} == self.model.items
        assert len(found) == len(self.model.items)

    def go(self) -> None:
        steps = [self.put, self.put, self.put, self.delete, self.update, self.query, self.indexed, self.scan]
        for _ in range(STEPS):
            self.chance.choice(steps)()


@pytest.mark.parametrize("seed", range(3))
def test_a_table_agrees_with_its_model(seed: int) -> None:
    with TestCloud(seed) as cloud:
        Run(cloud, seed).go()


@pytest.mark.parametrize("seed", range(2))
def test_a_table_agrees_with_its_model_through_deaths(seed: int) -> None:
    with TestCloud(seed, faults=0.03, durable=True) as cloud:
        run = Run(cloud, seed)
        run.go()
        cloud.world.faults = 0.0
        run.scan()
