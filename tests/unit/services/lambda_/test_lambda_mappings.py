"""Event source mappings: what a function is handed, what happens when it fails.

Scenarios and figures as recorded on AWS (LocalStack's `event_source_mapping` suite).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_world import QUEUE, Lambda

SHOW = "print(json.dumps([r['body'] for r in event['Records']]))\n"
KEYS = "keys = [r['dynamodb']['Keys']['id']['S'] for r in event['Records']]\nprint(json.dumps(keys))\n"
REPORT = (
    "bad = [r['messageId'] for r in event['Records'] if 'bad' in r['body']]\n"
    "return {'batchItemFailures': [{'itemIdentifier': each} for each in bad]}"
)


class Source:
    """A queue and its mapping."""

    def __init__(self, functions: Lambda, body: str, queue: dict[str, str] | None = None, **mapping: Any) -> None:
        self.functions = functions
        self.sqs = functions.cloud.client("sqs")
        self.url = self.sqs.create_queue(QueueName="q", Attributes=queue or {})["QueueUrl"]
        functions.make("f", body)
        self.mapping = functions.api.create_event_source_mapping(
            FunctionName="f", EventSourceArn=QUEUE + "q", **mapping
        )
        functions.cloud.clock.settle()

    def send(self, *bodies: str) -> None:
        for start in range(0, len(bodies), 10):
            entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies[start : start + 10])]
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
        self.functions.cloud.clock.settle()

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in attributes.values())


def test_a_batch_is_handed_over_and_deleted(functions: Lambda) -> None:
    source = Source(functions, SHOW)
    assert source.mapping["State"] == "Creating" and source.mapping["BatchSize"] == 10
    assert functions.api.get_event_source_mapping(UUID=source.mapping["UUID"])["State"] == "Enabled"
    source.send("a", "b", "c")
    assert functions.prints("f") == [["a", "b", "c"]] and source.left() == 0


def test_a_batch_is_no_larger_than_asked_for(functions: Lambda) -> None:
    source = Source(functions, SHOW, BatchSize=2)
    source.send("a", "b", "c")
    assert sorted(functions.prints("f")) == [["a", "b"], ["c"]]


def test_a_window_gathers_more_than_ten(functions: Lambda) -> None:
    source = Source(functions, SHOW, BatchSize=100, MaximumBatchingWindowInSeconds=5)
    source.send(*[str(i) for i in range(15)])
    functions.cloud.clock.advance(6)
    assert [len(batch) for batch in functions.prints("f")] == [15]


def test_what_fails_comes_back_when_its_visibility_ends(functions: Lambda) -> None:
    source = Source(functions, SHOW + "raise ValueError", {"VisibilityTimeout": "30"})
    source.send("a")
    functions.cloud.clock.advance(70)
    assert functions.times("f") == [0.0, 30.0, 60.0] and source.left() == 1


def test_only_what_is_reported_comes_back(functions: Lambda) -> None:
    source = Source(functions, SHOW + REPORT, FunctionResponseTypes=["ReportBatchItemFailures"])
    source.send("a", "bad", "c")
    functions.cloud.clock.advance(31)
    assert functions.prints("f") == [["a", "bad", "c"], ["bad"]]


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("None", 0),
        ("{}", 0),
        ("{'batchItemFailures': []}", 0),
        ("{'batchItemFailures': None}", 0),
        ("{'batchItemFailures': [{'itemIdentifier': ''}]}", 2),
        ("{'batchItemFailures': [{'itemIdentifier': None}]}", 2),
        ("{'batchItemFailures': [{'foo': 'bar'}]}", 2),
        ("{'batchItemFailures': [{'itemIdentifier': 'unknown'}]}", 2),
        ("'text'", 2),
    ],
)
def test_a_report_that_makes_no_sense_means_that_all_has_failed(functions: Lambda, answer: str, left: int) -> None:
    source = Source(functions, f"return {answer}", FunctionResponseTypes=["ReportBatchItemFailures"])
    source.send("a", "b")
    assert source.left() == left


def test_what_no_pattern_wants_is_deleted_unseen(functions: Lambda) -> None:
    patterns = [{"Pattern": json.dumps({"body": {"kind": ["a", {"prefix": "b"}]}})}]
    source = Source(functions, SHOW, FilterCriteria={"Filters": patterns})
    source.send('{"kind": "a"}', '{"kind": "c"}', "text", '{"kind": "bb"}')
    assert [json.loads(body)["kind"] for batch in functions.prints("f") for body in batch] == ["a", "bb"]
    assert source.left() == 0


def test_a_disabled_mapping_takes_nothing_and_goes_on_where_it_was(functions: Lambda) -> None:
    source = Source(functions, SHOW)
    uuid = source.mapping["UUID"]
    assert functions.api.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    functions.cloud.clock.settle()
    source.send("a")
    assert functions.prints("f") == []
    functions.api.update_event_source_mapping(UUID=uuid, Enabled=True)
    functions.cloud.clock.settle()
    assert functions.prints("f") == [["a"]]


def test_a_deleted_mapping_leaves_nothing_behind(functions: Lambda) -> None:
    source = Source(functions, SHOW)
    assert functions.api.delete_event_source_mapping(UUID=source.mapping["UUID"])["State"] == "Deleting"
    functions.cloud.clock.settle()
    assert functions.api.list_event_source_mappings()["EventSourceMappings"] == []
    source.send("a")
    assert functions.prints("f") == [] and source.left() == 1


def test_an_idle_mapping_costs_nothing(functions: Lambda) -> None:
    Source(functions, SHOW)
    jobs = functions.cloud.cloud.jobs
    assert jobs.next_due() is None and not jobs._tasks


def test_maximum_concurrency_bounds_what_is_under_way(functions: Lambda) -> None:
    source = Source(
        functions, SHOW + "import time\ntime.sleep(2)", BatchSize=1, ScalingConfig={"MaximumConcurrency": 2}
    )
    source.send("a", "b", "c", "d")
    functions.cloud.clock.advance(10)
    assert functions.times("f") == [0.0, 0.0, 2.0, 2.0]


def test_mappings_are_checked(functions: Lambda) -> None:
    source = Source(functions, SHOW)
    create = functions.api.create_event_source_mapping

    def refused(**arguments: Any) -> str:
        with pytest.raises(ClientError) as caught:
            create(**{"FunctionName": "f", "EventSourceArn": QUEUE + "q", **arguments})
        return str(caught.value.response["Error"]["Message"])

    assert refused() == (
        f'An event source mapping with SQS arn (" {QUEUE}q ") and function (" f ") already exists.'
        f" Please update or delete the existing mapping with UUID {source.mapping['UUID']}"
    )
    assert refused(EventSourceArn=QUEUE + "none") == (
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
        "SQS Error Message: The specified queue does not exist."
    )
    assert refused(FunctionName="none") == "Function does not exist"
    assert refused(FilterCriteria={"Filters": [{"Pattern": "no json"}]}) == "Invalid filter pattern definition."
    assert refused(BatchSize=11) == (
        "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
    )


class Stream:
    """A table with a stream, its mapping, and the queue that is told of what was given up."""

    def __init__(self, functions: Lambda, body: str, **mapping: Any) -> None:
        self.functions = functions
        self.tables = functions.cloud.client("dynamodb")
        self.sqs = functions.cloud.client("sqs")
        self.lost = self.sqs.create_queue(QueueName="lost")["QueueUrl"]
        self.tables.create_table(
            TableName="table",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        functions.cloud.clock.advance(1)
        functions.make("f", body)
        self.arn = self.tables.describe_table(TableName="table")["Table"]["LatestStreamArn"]
        self.mapping = functions.api.create_event_source_mapping(
            **{
                "FunctionName": "f",
                "EventSourceArn": self.arn,
                "StartingPosition": "TRIM_HORIZON",
                "MaximumBatchingWindowInSeconds": 1,
                "DestinationConfig": {"OnFailure": {"Destination": QUEUE + "lost"}},
                **mapping,
            }
        )
        functions.cloud.clock.settle()

    def put(self, *keys: str) -> None:
        for key in keys:
            self.tables.put_item(TableName="table", Item={"id": {"S": key}})

    def records(self) -> list[dict[str, Any]]:
        messages = self.sqs.receive_message(QueueUrl=self.lost, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]


def test_a_stream_is_read_in_order(functions: Lambda) -> None:
    stream = Stream(functions, KEYS, BatchSize=2)
    stream.put("a", "b", "c")
    functions.cloud.clock.advance(5)
    assert functions.prints("f") == [["a", "b"], ["c"]]
    assert stream.mapping["LastProcessingResult"] == "No records processed"
    assert functions.api.get_event_source_mapping(UUID=stream.mapping["UUID"])["LastProcessingResult"] == "OK"


def test_latest_means_from_now_on(functions: Lambda) -> None:
    stream = Stream(functions, KEYS)
    stream.put("before")
    functions.api.delete_event_source_mapping(UUID=stream.mapping["UUID"])
    functions.cloud.clock.advance(5)
    functions.make("g", KEYS)
    functions.api.create_event_source_mapping(FunctionName="g", EventSourceArn=stream.arn, StartingPosition="LATEST")
    functions.cloud.clock.settle()
    stream.put("after")
    functions.cloud.clock.settle()
    assert functions.prints("g") == [["after"]]


def test_a_failing_batch_holds_up_the_shard_and_is_given_up_after_its_retries(functions: Lambda) -> None:
    stream = Stream(functions, KEYS + "if 'bad' in keys: raise ValueError", BatchSize=1, MaximumRetryAttempts=1)
    stream.put("bad", "good")
    functions.cloud.clock.advance(30)
    assert functions.prints("f") == [["bad"], ["bad"], ["good"]]
    (record,) = stream.records()
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    info = record["DDBStreamBatchInfo"]
    assert info["batchSize"] == 1 and info["startSequenceNumber"] == info["endSequenceNumber"]
    assert info["streamArn"] == stream.arn and info["shardId"].startswith("shardId-")


def test_bisecting_finds_the_record_that_fails(functions: Lambda) -> None:
    stream = Stream(
        functions, KEYS + "if 'bad' in keys: raise ValueError", BisectBatchOnFunctionError=True, MaximumRetryAttempts=0
    )
    stream.put("a", "b", "c", "bad", "e", "f")
    functions.cloud.clock.advance(30)
    assert functions.prints("f") == [
        ["a", "b", "c", "bad", "e", "f"],
        ["a", "b", "c"],
        ["bad", "e", "f"],
        ["bad"],
        ["e", "f"],
    ]
    assert [record["DDBStreamBatchInfo"]["batchSize"] for record in stream.records()] == [1]


def test_what_comes_before_the_reported_failure_is_done(functions: Lambda) -> None:
    report = (
        "bad = [r['dynamodb']['SequenceNumber'] for r in event['Records']"
        " if r['dynamodb']['Keys']['id']['S'] == 'bad']\n"
        "return {'batchItemFailures': [{'itemIdentifier': each} for each in bad]}"
    )
    types = ["ReportBatchItemFailures"]
    stream = Stream(functions, KEYS + report, FunctionResponseTypes=types, MaximumRetryAttempts=3)
    stream.put("a", "b", "bad")
    functions.cloud.clock.advance(60)
    assert functions.prints("f") == [["a", "b", "bad"], ["bad"], ["bad"], ["bad"]]
    (record,) = stream.records()
    assert record["requestContext"]["approximateInvokeCount"] == 4
    assert record["responseContext"]["functionError"] is None


def test_records_that_are_too_old_are_given_up(functions: Lambda) -> None:
    stream = Stream(functions, KEYS + "raise ValueError", MaximumRecordAgeInSeconds=60)
    stream.put("a")
    functions.cloud.clock.advance(300)
    assert functions.times("f")[-1] <= 60.0
    assert [record["requestContext"]["condition"] for record in stream.records()] == ["RecordAgeExceeded"]


def test_patterns_choose_records(functions: Lambda) -> None:
    pattern = json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"id": {"S": [{"prefix": "a"}]}}}})
    stream = Stream(functions, KEYS, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    stream.put("b", "a1", "c", "a2")
    functions.cloud.clock.advance(5)
    assert functions.prints("f") == [["a1", "a2"]]


def test_parts_of_a_shard_run_beside_each_other_and_each_item_keeps_its_order(functions: Lambda) -> None:
    body = KEYS + "import time\ntime.sleep(1)"
    stream = Stream(functions, body, BatchSize=1, MaximumBatchingWindowInSeconds=0, ParallelizationFactor=4)
    assert stream.mapping["ParallelizationFactor"] == 4
    for n in range(2):
        for key in "abcdefgh":
            stream.tables.put_item(TableName="table", Item={"id": {"S": key}, "n": {"N": str(n)}})
    functions.cloud.clock.advance(60)
    seen = [key for batch in functions.prints("f") for key in batch]
    assert sorted(seen) == sorted("abcdefgh" * 2)
    assert functions.times("f")[-1] < 15, "one after the other they take sixteen seconds"


def test_another_number_of_parts_goes_on_where_the_slowest_stood(functions: Lambda) -> None:
    stream = Stream(functions, KEYS, BatchSize=10, MaximumBatchingWindowInSeconds=0)
    stream.put("a", "b")
    functions.cloud.clock.settle()
    functions.api.update_event_source_mapping(UUID=stream.mapping["UUID"], ParallelizationFactor=3)
    functions.cloud.clock.settle()
    stream.put("c", "d", "e")
    functions.cloud.clock.settle()
    assert sorted(key for batch in functions.prints("f") for key in batch) == ["a", "b", "c", "d", "e"]
