"""Time to live: items end on the clock, and the stream says who ended them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
"""

from typing import Any

import pytest

from stratolite.kernel import AwsError


@pytest.fixture
def table(aws: Any) -> Any:
    aws.dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"},
    )
    aws.settle()
    return aws.dynamodb


def enable(table: Any, name: str = "ttl") -> Any:
    return table.update_time_to_live(
        TableName="table", TimeToLiveSpecification={"Enabled": True, "AttributeName": name}
    )


def put(aws: Any, p: str, after_s: float) -> None:
    item = {"p": {"S": p}, "ttl": {"N": str(int(aws.now() + after_s))}}
    aws.dynamodb.put_item(TableName="table", Item=item)


def left(table: Any) -> list[str]:
    return sorted(each["p"]["S"] for each in table.scan(TableName="table")["Items"])


def test_items_end_when_their_time_has_come(aws: Any, table: Any) -> None:
    enable(table)
    put(aws, "later", 200)
    put(aws, "soon", 100)
    put(aws, "long ago", -6 * 365 * 86_400)
    table.put_item(TableName="table", Item={"p": {"S": "text"}, "ttl": {"S": "1"}})
    aws.pass_time(150)
    assert left(table) == ["later", "long ago", "text"]
    put(aws, "soon", 20)
    aws.pass_time(100)
    assert left(table) == ["long ago", "text"]


def test_what_was_there_before_ends_too_and_what_was_renewed_stays(aws: Any, table: Any) -> None:
    put(aws, "a", 100)
    put(aws, "b", 100)
    enable(table)
    aws.settle()
    put(aws, "b", 1000)
    aws.pass_time(150)
    assert left(table) == ["b"]


def test_the_service_is_named_in_the_stream(aws: Any, table: Any) -> None:
    enable(table)
    put(aws, "a", 10)
    aws.pass_time(20)
    stream = table.describe_table(TableName="table")["Table"]["LatestStreamArn"]
    shard = aws.dynamodbstreams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = aws.dynamodbstreams.get_shard_iterator(
        StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    removed = aws.dynamodbstreams.get_records(ShardIterator=iterator)["Records"][-1]
    assert removed["eventName"] == "REMOVE"
    assert removed["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


def test_time_to_live_is_turned_on_once_and_off_once(table: Any) -> None:
    enable(table)
    assert table.describe_time_to_live(TableName="table")["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "ttl",
    }
    with pytest.raises(AwsError, match="TimeToLive is already enabled"):
        enable(table)
    with pytest.raises(AwsError, match="a different AttributeName: current AttributeName is ttl"):
        enable(table, "other")
    off = {"Enabled": False, "AttributeName": "ttl"}
    table.update_time_to_live(TableName="table", TimeToLiveSpecification=off)
    with pytest.raises(AwsError, match="TimeToLive is already disabled"):
        table.update_time_to_live(TableName="table", TimeToLiveSpecification=off)
