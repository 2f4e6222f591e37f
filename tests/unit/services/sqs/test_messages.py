"""Messages of standard queues: sent, received, hidden, deleted, kept no longer than the queue keeps them.

Texts and rules: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ and the answers recorded in
LocalStack's suite (tests/aws/services/sqs/test_sqs.snapshot.json).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from stratolite.kernel import AwsError, Cloud

DAY_S = 86_400.0


def queue(aws: Any, name: str = "q", **attributes: str) -> str:
    url: str = aws.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def send(aws: Any, url: str, body: str = "body", **more: Any) -> Any:
    return aws.sqs.send_message(QueueUrl=url, MessageBody=body, **more)


def receive(aws: Any, url: str, **more: Any) -> list[Any]:
    found: list[Any] = aws.sqs.receive_message(QueueUrl=url, **{"MaxNumberOfMessages": 10, **more}).get("Messages", [])
    return found


def bodies(aws: Any, url: str, **more: Any) -> list[str]:
    return [message["Body"] for message in receive(aws, url, **more)]


def counts(aws: Any, url: str) -> tuple[int, int, int]:
    """Waiting, delayed, in flight."""
    names = ("", "Delayed", "NotVisible")
    found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    waiting, delayed, in_flight = (int(found[f"ApproximateNumberOfMessages{name}"]) for name in names)
    return waiting, delayed, in_flight


def test_a_message_arrives_with_the_digests_it_was_sent_with(aws: Any) -> None:
    url = queue(aws)
    attributes = {
        "text": {"DataType": "String", "StringValue": "v"},
        "number": {"DataType": "Number.int", "StringValue": "1"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\0\1"},
    }
    sent = send(aws, url, "hello", MessageAttributes=attributes)
    (got,) = receive(aws, url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
    assert (got["MessageId"], got["MD5OfBody"]) == (sent["MessageId"], "5d41402abc4b2a76b9719d911017c592")
    assert got["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert got["MessageAttributes"] == attributes
    now_ms = str(int(aws.now() * 1000))
    assert got["Attributes"] == {
        "SenderId": "000000000000",
        "SentTimestamp": now_ms,
        "ApproximateReceiveCount": "1",
        "ApproximateFirstReceiveTimestamp": now_ms,
    }


@pytest.mark.parametrize(
    ("attributes", "digest"),
    [
        ({"MyAttribute": {"DataType": "String", "StringValue": "foobar"}}, "adb59cd4678ea5a855436b949cd07ab6"),
        ({"timestamp": {"DataType": "Number", "StringValue": "1493147359900"}}, "235c5c510d26fb653d073faed50ae77c"),
    ],
)
def test_attributes_have_the_digest_aws_gives_them(aws: Any, attributes: dict[str, Any], digest: str) -> None:
    assert send(aws, queue(aws), MessageAttributes=attributes)["MD5OfMessageAttributes"] == digest


@pytest.mark.parametrize(
    ("asked", "given"),
    [(["a.*"], {"a.b", "a.c", "ab"}), ([".*"], {"a.b", "a.c", "ab", "z"}), (["*"], {"a.b", "a.c", "ab", "z"}),
     (["z", "none"], {"z"}), ([], set())],
)  # fmt: skip
def test_a_receiver_gets_the_attributes_it_asks_for(aws: Any, asked: list[str], given: set[str]) -> None:
    url = queue(aws)
    one = {"DataType": "String", "StringValue": "v"}
    send(aws, url, MessageAttributes=dict.fromkeys(("a.b", "a.c", "ab", "z"), one))
    (got,) = receive(aws, url, MessageAttributeNames=asked)
    assert set(got.get("MessageAttributes", {})) == given
    assert ("MD5OfMessageAttributes" in got) == bool(given)


def test_the_trace_header_a_sender_gives_reaches_the_receiver(aws: Any) -> None:
    url = queue(aws)
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    system = {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}
    assert send(aws, url, MessageSystemAttributes=system)["MD5OfMessageSystemAttributes"]
    (got,) = receive(aws, url, MessageSystemAttributeNames=["AWSTraceHeader"])
    assert got["Attributes"] == {"AWSTraceHeader": header}


def test_a_received_message_is_hidden_until_its_time_is_over_and_then_comes_first_again(aws: Any) -> None:
    url = queue(aws, VisibilityTimeout="10")
    send(aws, url, "old")
    assert bodies(aws, url) == ["old"]
    aws.pass_time(5)
    send(aws, url, "new")
    assert bodies(aws, url, VisibilityTimeout=0) == ["new"]
    aws.pass_time(5)
    assert bodies(aws, url) == ["old", "new"]
    assert counts(aws, url) == (0, 0, 2)


def test_visibility_is_changed_by_any_receipt_of_the_message(aws: Any) -> None:
    url = queue(aws)
    send(aws, url)
    (first,) = receive(aws, url, VisibilityTimeout=0)
    (second,) = receive(aws, url)
    assert first["ReceiptHandle"] != second["ReceiptHandle"]
    aws.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    assert len(receive(aws, url)) == 1
    aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])  # gone already: a success
    assert counts(aws, url) == (0, 0, 0)
    with pytest.raises(
        AwsError, match=r"Reason: Message does not exist or is not available for visibility timeout change"
    ):
        aws.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)


def test_a_handle_that_is_none_is_refused(aws: Any) -> None:
    url, other = queue(aws), queue(aws, "other")
    with pytest.raises(AwsError, match=r'The input receipt handle "garbage" is not a valid receipt handle\.') as error:
        aws.sqs.delete_message(QueueUrl=url, ReceiptHandle="garbage")
    assert error.value.code == "ReceiptHandleIsInvalid"
    send(aws, other)
    (got,) = receive(aws, other)
    with pytest.raises(AwsError, match="is not a valid receipt handle"):
        aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"])


def test_a_delayed_message_comes_when_its_time_has_come(aws: Any) -> None:
    url = queue(aws, DelaySeconds="60", VisibilityTimeout="900")
    send(aws, url, "by the queue")
    send(aws, url, "by itself", DelaySeconds=5)
    send(aws, url, "at once", DelaySeconds=0)
    assert counts(aws, url) == (1, 2, 0)
    assert bodies(aws, url) == ["at once"]
    aws.pass_time(5)
    assert bodies(aws, url) == ["by itself"]
    aws.pass_time(55)
    assert bodies(aws, url) == ["by the queue"]


def test_a_long_poll_ends_with_the_message_or_with_its_time(aws: Any) -> None:
    url = queue(aws)
    start = aws.now()
    assert receive(aws, url, WaitTimeSeconds=20) == []
    assert aws.now() == start + 20
    send(aws, url, DelaySeconds=3)
    assert bodies(aws, url, WaitTimeSeconds=20) == ["body"]
    assert aws.now() == start + 23


def test_a_message_wakes_one_who_waits(aws: Any) -> None:
    url = queue(aws)
    cloud: Cloud = aws.cloud

    async def poll() -> Any:
        operation = cloud.operation("sqs", "ReceiveMessage")
        return await cloud.request(operation, aws.caller, {"QueueUrl": url, "WaitTimeSeconds": 20}, "r")  # type: ignore[misc]

    async def both() -> tuple[float, Any]:
        waiting = asyncio.ensure_future(poll())
        await asyncio.sleep(7)
        operation = cloud.operation("sqs", "SendMessage")
        await cloud.request(operation, aws.caller, {"QueueUrl": url, "MessageBody": "wake"}, "r")  # type: ignore[misc]
        return aws.now(), await waiting

    sent_at, got = aws.world.run(both())
    assert [message["Body"] for message in got["Messages"]] == ["wake"]
    assert aws.now() == sent_at


def test_a_message_is_kept_as_long_as_its_queue_keeps_any_and_counted_no_longer(aws: Any) -> None:
    url = queue(aws, MessageRetentionPeriod="3600")
    send(aws, url, "first")
    aws.pass_time(1800)
    send(aws, url, "second")
    aws.pass_time(1801)
    assert counts(aws, url) == (1, 0, 0)
    assert bodies(aws, url, VisibilityTimeout=0) == ["second"]
    aws.pass_time(3600)
    assert counts(aws, url) == (0, 0, 0)
    assert aws.cloud.store.reader().value("SELECT count(*) FROM sqs_message") == 0


def test_a_large_body_is_kept_beside_its_message_and_goes_with_it(aws: Any) -> None:
    url = queue(aws, VisibilityTimeout="0", MessageRetentionPeriod="60")
    payloads = aws.cloud.store.reader()
    body = "ä" * 100_000
    for _ in range(3):
        send(aws, url, body)
    got = receive(aws, url)
    assert [message["Body"] for message in got] == [body] * 3
    assert payloads.value("SELECT count(*) FROM payload") == 3
    aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=got[0]["ReceiptHandle"])
    assert payloads.value("SELECT count(*) FROM payload") == 2
    aws.pass_time(61)
    assert payloads.value("SELECT count(*) FROM payload") == 0
    send(aws, url, body)
    aws.sqs.purge_queue(QueueUrl=url)
    aws.settle()
    assert payloads.value("SELECT count(*) FROM payload") == 0


def test_a_shorter_retention_takes_effect_on_what_is_there(aws: Any) -> None:
    url = queue(aws)
    send(aws, url)
    aws.pass_time(100)
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    aws.settle()
    assert counts(aws, url) == (0, 0, 0)


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"MessageBody": ""}, "MissingParameter", "The request must contain the parameter MessageBody."),
        ({"MessageBody": "a\0"}, "InvalidMessageContents", "Invalid characters found."),
        ({"DelaySeconds": 901}, "InvalidParameterValue", "Value 901 for parameter DelaySeconds is invalid."),
        (
            {"MessageBody": "x" * 1025},
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
        ),
        (
            {"MessageAttributes": {"ErrorDetails": {"DataType": "String", "StringValue": ""}}},
            "InvalidParameterValue",
            "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.",
        ),
        (
            {"MessageAttributes": {"AWS.x": {"DataType": "String", "StringValue": "v"}}},
            "InvalidParameterValue",
            "reserved",
        ),
        ({"MessageAttributes": {"a": {"DataType": "Map", "StringValue": "v"}}}, "InvalidParameterValue", "prefixes"),
        ({"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "v"}}}, "InvalidParameterValue", "number"),
        (
            {"MessageGroupId": "group 123"},
            "InvalidParameterValue",
            "Value group 123 for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "
            "alphanumeric and punctuation characters. 1 to 128 in length.",
        ),
    ],
)
def test_a_message_that_may_not_be_is_refused_in_awss_words(
    aws: Any, params: dict[str, Any], code: str, text: str
) -> None:
    url = queue(aws, MaximumMessageSize="1024")
    with pytest.raises(AwsError) as error:
        aws.sqs.send_message(**{"QueueUrl": url, "MessageBody": "body", **params})
    assert error.value.code == code and text in error.value.message
    assert counts(aws, url) == (0, 0, 0)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (
            {"MaxNumberOfMessages": 11},
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1",
        ),
        ({"WaitTimeSeconds": 21}, "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20"),
        ({"VisibilityTimeout": 43_201}, "Value 43201 for parameter VisibilityTimeout is invalid."),
    ],
)
def test_a_receive_has_its_limits(aws: Any, params: dict[str, Any], text: str) -> None:
    with pytest.raises(AwsError) as error:
        receive(aws, queue(aws), **params)
    assert error.value.code == "InvalidParameterValue" and text in error.value.message


class TestBatches:
    def test_each_entry_may_fail_by_itself(self, aws: Any) -> None:
        url = queue(aws, MaximumMessageSize="1024")
        entries = [{"Id": "good", "MessageBody": "b"}, {"Id": "bad", "MessageBody": "x" * 1025}]
        answer = aws.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
        assert answer["Failed"] == [
            {
                "Id": "bad",
                "SenderFault": True,
                "Code": "InvalidParameterValue",
                "Message": "One or more parameters cannot be validated. "
                "Reason: Message must be shorter than 1024 bytes.",
            }
        ]
        (got,) = receive(aws, url)
        entries = [{"Id": "0", "ReceiptHandle": got["ReceiptHandle"]}, {"Id": "1", "ReceiptHandle": "garbage"}]
        answer = aws.sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        assert [entry["Id"] for entry in answer["Successful"]] == ["0"]
        assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("1", "ReceiptHandleIsInvalid")]

    @pytest.mark.parametrize(
        ("entries", "code", "text"),
        [
            ([], "EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request."),
            (
                [{"Id": str(n), "MessageBody": "b"} for n in range(11)],
                "TooManyEntriesInBatchRequest",
                "Maximum number of entries per request are 10. You have sent 11.",
            ),
            ([{"Id": "a:b", "MessageBody": "b"}], "InvalidBatchEntryId", "A batch entry id can only contain"),
            ([{"Id": "a", "MessageBody": "b"}] * 2, "BatchEntryIdsNotDistinct", "Id a repeated."),
            (
                [{"Id": str(n), "MessageBody": "x" * 600_000} for n in range(2)],
                "BatchRequestTooLong",
                "Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
            ),
        ],
    )
    def test_what_is_wrong_with_the_batch_fails_it_whole(
        self, aws: Any, entries: list[Any], code: str, text: str
    ) -> None:
        with pytest.raises(AwsError) as error:
            aws.sqs.send_message_batch(QueueUrl=queue(aws), Entries=entries)
        assert error.value.code == code and text in error.value.message


class TestDeadLetters:
    def pair(self, aws: Any, times: int = 2, suffix: str = "", **attributes: str) -> tuple[str, str]:
        dead = queue(aws, f"dead{suffix}", **attributes)
        policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:000000000000:dead{suffix}", "maxReceiveCount": times}
        return queue(aws, f"q{suffix}", RedrivePolicy=json.dumps(policy), VisibilityTimeout="0", **attributes), dead

    def test_a_message_received_too_often_moves_with_its_count_and_its_origin(self, aws: Any) -> None:
        url, dead = self.pair(aws)
        sent = send(aws, url)
        assert [len(receive(aws, url)) for _ in range(3)] == [1, 1, 0]
        (got,) = receive(aws, dead, MessageSystemAttributeNames=["All"])
        assert got["MessageId"] == sent["MessageId"]
        assert got["Attributes"]["ApproximateReceiveCount"] == "3"
        assert got["Attributes"]["DeadLetterQueueSourceArn"] == "arn:aws:sqs:us-east-1:000000000000:q"
        assert counts(aws, url) == (0, 0, 0) and counts(aws, dead) == (0, 0, 1)

    def test_a_poll_that_only_moves_goes_on_to_what_can_be_received(self, aws: Any) -> None:
        url, dead = self.pair(aws, 1)
        for n in range(25):
            send(aws, url, f"dead {n}")
        for _ in range(25):
            receive(aws, url, MaxNumberOfMessages=10)
        send(aws, url, "alive")
        assert bodies(aws, url) == ["alive"]
        assert counts(aws, dead)[0] == 25

    def test_without_its_dead_letter_queue_a_message_goes_on_being_received(self, aws: Any) -> None:
        url, dead = self.pair(aws, 1)
        aws.sqs.delete_queue(QueueUrl=dead)
        send(aws, url)
        assert [len(receive(aws, url)) for _ in range(3)] == [1, 1, 1]

    def test_the_sources_of_a_dead_letter_queue_are_listed(self, aws: Any) -> None:
        url, dead = self.pair(aws)
        assert aws.sqs.list_dead_letter_source_queues(QueueUrl=dead) == {"queueUrls": [url]}

    @pytest.mark.parametrize(
        ("policy", "text"),
        [
            ({"maxReceiveCount": 1}, "deadLetterTargetArn"),
            ({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"}, "maxReceiveCount"),
            ({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 1001}, "1 to 1000"),
            (
                {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:none", "maxReceiveCount": 1},
                "does not exist",
            ),
            ({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:d.fifo", "maxReceiveCount": 1}, "same type"),
            ({"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:closed", "maxReceiveCount": 1}, "not allow"),
        ],
    )
    def test_a_policy_that_cannot_work_is_refused(self, aws: Any, policy: dict[str, Any], text: str) -> None:
        queue(aws, "dead")
        queue(aws, "d.fifo", FifoQueue="true")
        queue(aws, "closed", RedriveAllowPolicy='{"redrivePermission": "denyAll"}')
        with pytest.raises(AwsError, match=text):
            queue(aws, RedrivePolicy=json.dumps(policy))

    def test_a_move_takes_dead_letters_back_as_new_messages(self, aws: Any) -> None:
        url, _ = self.pair(aws, 1)
        old = send(aws, url)["MessageId"]
        receive(aws, url), receive(aws, url)
        arn = "arn:aws:sqs:us-east-1:000000000000:dead"
        aws.sqs.start_message_move_task(SourceArn=arn)
        aws.settle()
        (task,) = aws.sqs.list_message_move_tasks(SourceArn=arn)["Results"]
        assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
        (got,) = receive(aws, url, MessageSystemAttributeNames=["All"])
        assert got["MessageId"] != old and got["Attributes"]["ApproximateReceiveCount"] == "1"
        assert "DeadLetterQueueSourceArn" not in got["Attributes"]

    def test_a_move_keeps_its_rate_and_can_be_cancelled(self, aws: Any) -> None:
        url, dead = self.pair(aws, 1)
        for _ in range(10):
            send(aws, url)
        receive(aws, url), receive(aws, url)
        assert counts(aws, dead) == (10, 0, 0)
        arn = "arn:aws:sqs:us-east-1:000000000000:dead"
        handle = aws.sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
        with pytest.raises(AwsError, match="There is already a task running"):
            aws.sqs.start_message_move_task(SourceArn=arn)
        aws.pass_time(3.5)
        assert counts(aws, url)[0] == 4
        assert aws.sqs.cancel_message_move_task(TaskHandle=handle) == {"ApproximateNumberOfMessagesMoved": 4}
        aws.pass_time(60)
        assert counts(aws, dead) == (6, 0, 0)
        assert aws.sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]["Status"] == "CANCELLED"
