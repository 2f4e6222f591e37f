"""Queries and scans: in order, page by page, of tables and indexes."""

import itertools
from typing import Any

import pytest

from stratolite.kernel import AwsError


@pytest.fixture
def table(aws: Any) -> Any:
    aws.dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "c", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (("p", "S"), ("c", "N"), ("x", "S"), ("y", "N"), ("l", "S"))
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "local",
                "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-x",
                "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}, {"AttributeName": "y", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v"]},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    aws.settle()
    return aws.dynamodb


def item(p: str, c: int, **more: Any) -> Any:
    return {"p": {"S": p}, "c": {"N": str(c)}, **more}


def query(table: Any, condition: str = "p = :p", p: str = "a", **more: Any) -> Any:
    values = {":p": {"S": p}, **more.pop("values", {})}
    return table.query(TableName="table", KeyConditionExpression=condition, ExpressionAttributeValues=values, **more)


def numbers(answer: Any) -> list[int]:
    return [int(each["c"]["N"]) for each in answer["Items"]]


ORDER = [-100, -12, -3, 0, 2, 10, 100]


@pytest.fixture
def filled(table: Any) -> Any:
    for number in (10, -3, 100, 0, -100, 2, -12):
        table.put_item(TableName="table", Item=item("a", number, v={"N": str(number % 3)}))
    table.put_item(TableName="table", Item=item("b", 1))
    return table


def test_a_partition_is_read_in_the_order_of_its_sort_key(filled: Any) -> None:
    assert numbers(query(filled)) == ORDER
    assert numbers(query(filled, ScanIndexForward=False)) == ORDER[::-1]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("c = :v", lambda n: n == 2),
        ("c < :v", lambda n: n < 2),
        ("c <= :v", lambda n: n <= 2),
        (":v < c", lambda n: n > 2),
        ("c >= :v", lambda n: n >= 2),
        ("c BETWEEN :low AND :v", lambda n: -12 <= n <= 2),
    ],
)
def test_a_condition_on_the_sort_key_is_a_range(filled: Any, condition: str, holds: Any) -> None:
    values = {":v": {"N": "2"}, **({":low": {"N": "-12"}} if ":low" in condition else {})}
    assert numbers(query(filled, f"p = :p AND {condition}", values=values)) == [n for n in ORDER if holds(n)]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_follow_one_another_without_gap_or_repeat(filled: Any, forward: bool, limit: int) -> None:
    found: list[int] = []
    start: Any = {}
    while True:
        answer = query(filled, Limit=limit, ScanIndexForward=forward, **start)
        found += numbers(answer)
        assert answer["ScannedCount"] <= limit
        if "LastEvaluatedKey" not in answer:
            break
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    assert found == (ORDER if forward else ORDER[::-1])


def test_a_limit_counts_what_is_read_not_what_the_filter_leaves(filled: Any) -> None:
    answer = query(filled, Limit=3, FilterExpression="v = :v", values={":v": {"N": "0"}})
    assert answer["ScannedCount"] == 3
    assert numbers(answer) == [-12, -3]
    assert answer["LastEvaluatedKey"] == item("a", -3)


def test_a_page_ends_when_it_has_a_megabyte(table: Any) -> None:
    for number in range(5):
        table.put_item(TableName="table", Item=item("a", number, b={"S": "x" * 300 * 1024}))
    answer = query(table)
    assert numbers(answer) == [0, 1, 2, 3]
    assert answer["LastEvaluatedKey"] == item("a", 3)
    assert numbers(query(table, ExclusiveStartKey=answer["LastEvaluatedKey"])) == [4]


def test_segments_share_a_scan(table: Any) -> None:
    for number in range(100):
        table.put_item(TableName="table", Item=item(f"p{number}", number))
    parts = [numbers(table.scan(TableName="table", Segment=segment, TotalSegments=4)) for segment in range(4)]
    assert all(parts)
    assert sorted(itertools.chain(*parts)) == list(range(100))
    assert numbers(table.scan(TableName="table")) == list(itertools.chain(*parts))


def test_an_index_shows_what_has_its_key_and_only_what_it_projects(table: Any) -> None:
    more = {"x": {"S": "x"}, "v": {"S": "seen"}, "w": {"S": "not"}}
    table.put_item(TableName="table", Item=item("a", 1, y={"N": "2"}, **more))
    table.put_item(TableName="table", Item=item("a", 2, y={"N": "1"}, **more))
    table.put_item(TableName="table", Item=item("a", 3, **more))
    answer = table.query(
        TableName="table",
        IndexName="by-x",
        KeyConditionExpression="x = :x",
        ExpressionAttributeValues={":x": {"S": "x"}},
    )
    assert numbers(answer) == [2, 1]
    assert answer["Items"][0] == item("a", 2, y={"N": "1"}, x={"S": "x"}, v={"S": "seen"})
    table.update_item(TableName="table", Key=item("a", 2), UpdateExpression="REMOVE y")
    table.delete_item(TableName="table", Key=item("a", 1))
    assert table.scan(TableName="table", IndexName="by-x")["Items"] == []


def test_equal_index_keys_are_paged_without_loss_even_when_the_last_item_is_gone(table: Any) -> None:
    for number in range(6):
        table.put_item(TableName="table", Item=item("a", number, x={"S": "x"}, y={"N": "1"}))
    found: list[int] = []
    start: Any = {}
    while True:
        answer = table.scan(TableName="table", IndexName="by-x", Limit=2, **start)
        found += numbers(answer)
        if "LastEvaluatedKey" not in answer:
            break
        key = answer["LastEvaluatedKey"]
        table.delete_item(TableName="table", Key={name: key[name] for name in ("p", "c")})
        start = {"ExclusiveStartKey": key}
    assert sorted(found) == list(range(6))


def test_a_local_index_fetches_what_it_does_not_show_a_global_one_refuses(table: Any) -> None:
    table.put_item(TableName="table", Item=item("a", 1, l={"S": "l"}, w={"S": "w"}, x={"S": "x"}, y={"N": "1"}))
    assert query(table, IndexName="local")["Items"] == [item("a", 1, l={"S": "l"})]
    whole = query(table, IndexName="local", Select="ALL_ATTRIBUTES", ReturnConsumedCapacity="INDEXES")
    assert whole["Items"][0]["w"] == {"S": "w"}
    assert whole["ConsumedCapacity"]["Table"] == {"CapacityUnits": 0.5}
    with pytest.raises(AwsError, match=r"index by-x does not project \[w\]"):
        table.scan(TableName="table", IndexName="by-x", ProjectionExpression="w")
    with pytest.raises(AwsError, match="Consistent reads are not supported on global secondary indexes"):
        table.scan(TableName="table", IndexName="by-x", ConsistentRead=True)


@pytest.mark.parametrize(
    ("condition", "values", "message"),
    [
        ("c = :c", {":c": {"N": "1"}}, "Query condition missed key schema element: p"),
        ("p < :p", {":p": {"S": "a"}}, "Query key condition not supported"),
        ("p = :p AND z = :p", {":p": {"S": "a"}}, "Query condition missed key schema element: c"),
        ("p = :p AND c = :p", {":p": {"S": "a"}}, "Condition parameter type does not match schema type"),
        ("p = :p AND begins_with(c, :p)", {":p": {"S": "a"}}, "Condition parameter type does not match schema type"),
    ],
)
def test_what_is_no_query(table: Any, condition: str, values: Any, message: str) -> None:
    with pytest.raises(AwsError, match=message):
        table.query(TableName="table", KeyConditionExpression=condition, ExpressionAttributeValues=values)


def test_a_filter_does_not_look_at_the_key_of_a_query(filled: Any) -> None:
    with pytest.raises(AwsError, match="can only contain non-primary key attributes: Primary key attribute: c"):
        query(filled, FilterExpression="c = :c", values={":c": {"N": "1"}})


def test_a_multi_attribute_index_key_sorts_by_each_attribute_in_turn(aws: Any) -> None:
    aws.dynamodb.create_table(
        TableName="many",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind} for name, kind in zip("pabyz", "SSSNS", strict=True)
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "index",
                "KeySchema": [
                    {"AttributeName": name, "KeyType": kind}
                    for name, kind in (("a", "HASH"), ("b", "HASH"), ("y", "RANGE"), ("z", "RANGE"))
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    aws.settle()
    for number, (y, z) in enumerate([(10, "a"), (2, "b"), (2, "a"), (-1, "c")]):
        aws.dynamodb.put_item(
            TableName="many",
            Item={"p": {"S": str(number)}, "a": {"S": "a"}, "b": {"S": "b"}, "y": {"N": str(y)}, "z": {"S": z}},
        )

    def ask(condition: str, **values: Any) -> list[str]:
        answer = aws.dynamodb.query(
            TableName="many",
            IndexName="index",
            KeyConditionExpression=f"a = :a AND b = :b{condition}",
            ExpressionAttributeValues={
                ":a": {"S": "a"}, ":b": {"S": "b"}, **{f":{name}": value for name, value in values.items()},
            },
        )  # fmt: skip
        return [each["p"]["S"] for each in answer["Items"]]

    assert ask("") == ["3", "2", "1", "0"]
    assert ask(" AND y = :y", y={"N": "2"}) == ["2", "1"]
    assert ask(" AND y = :y AND begins_with(z, :z)", y={"N": "2"}, z={"S": "b"}) == ["1"]
    with pytest.raises(AwsError, match="all HASH key attributes must have an equality condition"):
        aws.dynamodb.query(
            TableName="many", IndexName="index", KeyConditionExpression="a = :a",
            ExpressionAttributeValues={":a": {"S": "a"}},
        )  # fmt: skip
