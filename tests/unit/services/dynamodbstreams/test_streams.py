"""Streams: what changed, in order, for a day; to readers of shards and to event source mappings.

Records as recorded in LocalStack's suite (tests/aws/services/dynamodb, test_transact_write_items_streaming).
"""

from typing import Any

import pytest

from stratolite.kernel import AwsError, Caller

DAY_S = 86_400.0


def create(aws: Any, view: str = "NEW_AND_OLD_IMAGES") -> str:
    aws.dynamodb.create_table(
        TableName="table",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
    )
    aws.settle()
    return str(aws.dynamodb.describe_table(TableName="table")["Table"]["LatestStreamArn"])


def put(aws: Any, p: str, **more: Any) -> None:
    aws.dynamodb.put_item(TableName="table", Item={"p": {"S": p}, **more})


def iterator(aws: Any, arn: str, kind: str = "TRIM_HORIZON", **more: Any) -> str:
    shard = aws.dynamodbstreams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    answer = aws.dynamodbstreams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **more)
    return str(answer["ShardIterator"])


def records(aws: Any, arn: str, kind: str = "TRIM_HORIZON", **more: Any) -> Any:
    return aws.dynamodbstreams.get_records(ShardIterator=iterator(aws, arn, kind, **more))["Records"]


def test_a_record_says_what_was_and_what_is(aws: Any) -> None:
    arn = create(aws)
    put(aws, "Fred")
    put(aws, "Fred")  # changes nothing: no record
    put(aws, "Fred", name={"S": "Fred"})
    aws.dynamodb.delete_item(TableName="table", Key={"p": {"S": "Fred"}})
    inserted, modified, removed = records(aws, arn)
    assert inserted == {
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": int(aws.now()),
            "Keys": {"p": {"S": "Fred"}},
            "NewImage": {"p": {"S": "Fred"}},
            "SequenceNumber": inserted["dynamodb"]["SequenceNumber"],
            "SizeBytes": 10,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventID": inserted["eventID"],
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventVersion": "1.1",
    }
    assert modified["dynamodb"]["OldImage"] == {"p": {"S": "Fred"}}
    assert modified["dynamodb"]["NewImage"] == {"p": {"S": "Fred"}, "name": {"S": "Fred"}}
    assert (removed["eventName"], "NewImage" in removed["dynamodb"]) == ("REMOVE", False)
    numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in (inserted, modified, removed)]
    assert numbers == sorted(set(numbers))
    assert len(str(numbers[0])) >= 21


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", set()),
        ("NEW_IMAGE", {"NewImage"}),
        ("OLD_IMAGE", {"OldImage"}),
        ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"}),
    ],
)
def test_a_stream_shows_the_images_it_was_made_for(aws: Any, view: str, images: set[str]) -> None:
    arn = create(aws, view)
    put(aws, "a")
    put(aws, "a", n={"N": "1"})
    assert {name for name in records(aws, arn)[1]["dynamodb"] if name.endswith("Image")} == images


def test_an_iterator_begins_where_it_is_told(aws: Any) -> None:
    arn = create(aws)
    put(aws, "a")
    latest = iterator(aws, arn, "LATEST")
    aws.pass_time(10)
    then = aws.now()
    put(aws, "b")
    put(aws, "c")

    def names(found: Any) -> list[str]:
        return [each["dynamodb"]["Keys"]["p"]["S"] for each in found]

    everything = records(aws, arn)
    second = everything[1]["dynamodb"]["SequenceNumber"]
    assert names(everything) == ["a", "b", "c"]
    assert names(records(aws, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=second)) == ["b", "c"]
    assert names(records(aws, arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=second)) == ["c"]
    assert names(records(aws, arn, "AT_TIMESTAMP", Timestamp=then)) == ["b", "c"]
    first = aws.dynamodbstreams.get_records(ShardIterator=latest, Limit=1)
    rest = aws.dynamodbstreams.get_records(ShardIterator=first["NextShardIterator"])
    assert names(first["Records"]) + names(rest["Records"]) == ["b", "c"]
    with pytest.raises(AwsError) as error:
        aws.pass_time(901)
        aws.dynamodbstreams.get_records(ShardIterator=rest["NextShardIterator"])
    assert error.value.code == "ExpiredIteratorException"


def test_records_are_kept_for_a_day(aws: Any) -> None:
    arn = create(aws)
    put(aws, "a")
    aws.pass_time(DAY_S / 2)
    put(aws, "b")
    aws.pass_time(DAY_S / 2 + 60)
    assert [each["dynamodb"]["Keys"]["p"]["S"] for each in records(aws, arn)] == ["b"]
    aws.pass_time(DAY_S)
    assert records(aws, arn) == []
    assert aws.cloud.store.reader().value("SELECT count(*) FROM job") == 0


def test_a_disabled_stream_ends_and_a_new_one_has_another_arn(aws: Any) -> None:
    arn = create(aws)
    put(aws, "a")
    aws.dynamodb.update_table(TableName="table", StreamSpecification={"StreamEnabled": False})
    aws.settle()
    answer = aws.dynamodbstreams.get_records(ShardIterator=iterator(aws, arn))
    assert len(answer["Records"]) == 1
    assert "NextShardIterator" not in answer
    assert aws.dynamodbstreams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLED"
    aws.dynamodb.update_table(
        TableName="table", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    )
    aws.settle()
    assert len(aws.dynamodbstreams.list_streams(TableName="table")["Streams"]) == 2
    aws.pass_time(DAY_S + 1)
    with pytest.raises(AwsError, match=r"Requested resource not found: Stream: arn:.* not found"):
        aws.dynamodbstreams.describe_stream(StreamArn=arn)


def test_streams_are_listed_page_by_page(aws: Any) -> None:
    for number in range(3):
        aws.dynamodb.create_table(
            TableName=f"table{number}",
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )
    first = aws.dynamodbstreams.list_streams(Limit=2)
    rest = aws.dynamodbstreams.list_streams(ExclusiveStartStreamArn=first["LastEvaluatedStreamArn"])
    assert [each["TableName"] for each in first["Streams"] + rest["Streams"]] == ["table0", "table1", "table2"]


class Reader:
    """An event source mapping's eyes."""

    def __init__(self, aws: Any, arn: str, position: str) -> None:
        self.aws, self.arn, self.cursor, self.position = aws, arn, None, position
        self.call = aws.cloud.call_for(Caller(), None, "job", "read")

    def look(self, limit: int = 10) -> Any:
        source = self.aws.cloud.source(self.arn)
        batch = source.batch(self.call, self.arn, self.cursor, limit, {"position": self.position})
        self.cursor = batch.cursor
        return batch


def test_a_mapping_reads_from_its_cursor_and_sleeps_until_a_signal(aws: Any) -> None:
    arn = create(aws)
    reader, late = Reader(aws, arn, "TRIM_HORIZON"), Reader(aws, arn, "LATEST")
    put(aws, "a")
    put(aws, "b")
    assert late.look().records == []
    first = reader.look(limit=1)
    assert first.records[0]["eventSourceARN"] == arn
    assert first.ids == [first.records[0]["dynamodb"]["SequenceNumber"]]
    assert first.more
    second = reader.look()
    assert [each["dynamodb"]["Keys"]["p"]["S"] for each in second.records] == ["b"]
    assert not second.more
    woken: list[bool] = []
    aws.cloud.signals.park(second.wake, 1, lambda: woken.append(True))
    put(aws, "c")
    assert woken == [True]
    assert len(late.look().records) == 1
