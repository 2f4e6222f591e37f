"""Queues: made, found, changed, emptied, deleted, tagged, shared.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html and the answers recorded in
LocalStack's suite (tests/aws/services/sqs/test_sqs.snapshot.json).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from stratolite.kernel import AwsError

URL = "http://localhost:4566/000000000000/q"
ARN = "arn:aws:sqs:us-east-1:000000000000:q"


def attributes(aws: Any, url: str = URL, *names: str) -> dict[str, str]:
    found: dict[str, str] = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names or ("All",))).get(
        "Attributes", {}
    )
    return found


def refusal(ask: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(AwsError) as error:
        ask(**params)
    return error.value.code, error.value.message  # type: ignore[return-value]


def test_a_queue_has_awss_defaults(aws: Any) -> None:
    assert aws.sqs.create_queue(QueueName="q") == {"QueueUrl": URL}
    now = str(int(aws.now()))
    assert attributes(aws) == {
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "CreatedTimestamp": now,
        "DelaySeconds": "0",
        "LastModifiedTimestamp": now,
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": ARN,
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }
    assert attributes(aws, URL, "VisibilityTimeout", "QueueArn") == {"VisibilityTimeout": "30", "QueueArn": ARN}


def test_a_queue_made_twice_is_one_unless_it_should_differ(aws: Any) -> None:
    aws.sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "1"})
    assert aws.sqs.create_queue(QueueName="q") == {"QueueUrl": URL}
    assert refusal(aws.sqs.create_queue, QueueName="q", Attributes={"DelaySeconds": "2"}) == (
        "QueueNameExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )


@pytest.mark.parametrize(
    ("name", "wanted", "code", "text"),
    [
        ("a b", {}, "InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores."),
        ("x" * 81, {}, "InvalidParameterValue", "1 to 80 in length"),
        ("q.fifo", {}, "InvalidParameterValue", "Can only include alphanumeric characters"),
        ("q", {"FifoQueue": "true"}, "InvalidParameterValue", "must end with .fifo suffix and be 1 to 80 in length."),
        ("q", {"FifoQueue": "false"}, "InvalidAttributeName", "Unknown Attribute FifoQueue."),
        ("q", {"Colour": "red"}, "InvalidAttributeName", "Unknown Attribute Colour."),
        ("q", {"VisibilityTimeout": "43201"}, "InvalidAttributeValue", "value for the parameter VisibilityTimeout."),
        ("q", {"DelaySeconds": "soon"}, "InvalidAttributeValue", "Invalid value for the parameter DelaySeconds."),
        ("q", {"MaximumMessageSize": "1048577"}, "InvalidAttributeValue", "MaximumMessageSize"),
        ("q", {"Policy": "{"}, "InvalidAttributeValue", "Invalid value for the parameter Policy."),
        ("q", {"ContentBasedDeduplication": "true"}, "InvalidAttributeName", "Unknown Attribute ContentBased"),
        (
            "q",
            {"DeduplicationScope": "queue"},
            "InvalidAttributeName",
            "You can specify the DeduplicationScope only when FifoQueue is set to true.",
        ),
        (
            "q",
            {"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"},
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. "
            "You can either enable KMS SSE or SQS SSE.",
        ),
    ],
)  # fmt: skip
def test_a_queue_that_may_not_be_is_refused(aws: Any, name: str, wanted: dict[str, str], code: str, text: str) -> None:
    found = refusal(aws.sqs.create_queue, QueueName=name, Attributes=wanted)
    assert found[0] == code and text in found[1]


def test_a_fifo_queue_stays_one(aws: Any) -> None:
    url = aws.sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    assert attributes(aws, url, "FifoQueue", "DeduplicationScope", "FifoThroughputLimit") == {
        "FifoQueue": "true",
        "DeduplicationScope": "queue",
        "FifoThroughputLimit": "perQueue",
    }
    assert refusal(aws.sqs.set_queue_attributes, QueueUrl=url, Attributes={"FifoQueue": "false"}) == (
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    )


def test_one_kind_of_encryption_ends_the_other(aws: Any) -> None:
    aws.sqs.create_queue(QueueName="q")
    aws.sqs.set_queue_attributes(QueueUrl=URL, Attributes={"KmsMasterKeyId": "k"})
    names = ("KmsMasterKeyId", "SqsManagedSseEnabled", "KmsDataKeyReusePeriodSeconds")
    assert attributes(aws, URL, *names) == {
        "KmsMasterKeyId": "k",
        "SqsManagedSseEnabled": "false",
        "KmsDataKeyReusePeriodSeconds": "300",
    }
    aws.sqs.set_queue_attributes(QueueUrl=URL, Attributes={"SqsManagedSseEnabled": "true"})
    assert attributes(aws, URL, *names) == {"SqsManagedSseEnabled": "true"}


def test_a_queue_that_is_not_there(aws: Any) -> None:
    assert refusal(aws.sqs.get_queue_url, QueueName="q") == (
        "QueueDoesNotExist",
        "The specified queue does not exist.",
    )
    assert refusal(aws.sqs.purge_queue, QueueUrl="http://localhost/") [0] == "InvalidAddress"  # fmt: skip


def test_a_deleted_queues_name_rests_for_a_minute(aws: Any) -> None:
    aws.sqs.create_queue(QueueName="q")
    aws.sqs.send_message(QueueUrl=URL, MessageBody="b")
    aws.sqs.delete_queue(QueueUrl=URL)
    aws.settle()
    assert aws.cloud.store.reader().value("SELECT count(*) FROM sqs_message") == 0
    aws.pass_time(59)
    assert refusal(aws.sqs.create_queue, QueueName="q") == (
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    )
    aws.pass_time(1)
    aws.sqs.create_queue(QueueName="q")
    assert aws.sqs.receive_message(QueueUrl=URL) == {}


def test_a_purge_empties_at_once_and_only_once_a_minute(aws: Any) -> None:
    aws.sqs.create_queue(QueueName="q")
    for _ in range(5):
        aws.sqs.send_message(QueueUrl=URL, MessageBody="b")
    aws.sqs.purge_queue(QueueUrl=URL)
    assert attributes(aws)["ApproximateNumberOfMessages"] == "0"
    assert refusal(aws.sqs.purge_queue, QueueUrl=URL) == (
        "PurgeQueueInProgress",
        "Only one PurgeQueue operation on q is allowed every 60 seconds.",
    )
    aws.sqs.send_message(QueueUrl=URL, MessageBody="after")
    aws.settle()
    assert [m["Body"] for m in aws.sqs.receive_message(QueueUrl=URL, MaxNumberOfMessages=10)["Messages"]] == ["after"]
    aws.pass_time(60)
    aws.sqs.purge_queue(QueueUrl=URL)


def test_queues_are_listed_by_prefix_and_page(aws: Any) -> None:
    for name in ("a-1", "a-2", "a-3", "b_1", "B-1"):
        aws.sqs.create_queue(QueueName=name)

    def names(answer: Any) -> list[str]:
        return [url.rpartition("/")[2] for url in answer.get("QueueUrls", [])]

    assert names(aws.sqs.list_queues(QueueNamePrefix="a-")) == ["a-1", "a-2", "a-3"]
    assert aws.sqs.list_queues(QueueNamePrefix="none") == {}
    first = aws.sqs.list_queues(QueueNamePrefix="a-", MaxResults=2)
    assert names(first) == ["a-1", "a-2"]
    rest = aws.sqs.list_queues(QueueNamePrefix="a-", MaxResults=2, NextToken=first["NextToken"])
    assert names(rest) == ["a-3"] and "NextToken" not in rest


def test_accounts_and_regions_are_apart(aws: Any) -> None:
    aws.sqs.create_queue(QueueName="q")
    far = aws.of(region="eu-west-1").sqs
    url = far.create_queue(QueueName="q")["QueueUrl"]
    assert url == "http://localhost:4566/queue/eu-west-1/000000000000/q"
    aws.sqs.send_message(QueueUrl=url, MessageBody="far")  # a URL says which region it is of
    assert aws.sqs.receive_message(QueueUrl=URL) == {}
    assert far.receive_message(QueueUrl="q")["Messages"][0]["Body"] == "far"
    other = aws.of("111111111111")
    assert other.sqs.list_queues() == {}
    assert other.sqs.get_queue_url(QueueName="q", QueueOwnerAWSAccountId="000000000000") == {"QueueUrl": URL}


def test_tags_come_and_go(aws: Any) -> None:
    aws.sqs.create_queue(QueueName="q", tags={"a": "1"})
    aws.sqs.tag_queue(QueueUrl=URL, Tags={"b": "2", "a": "3"})
    assert aws.sqs.list_queue_tags(QueueUrl=URL) == {"Tags": {"a": "3", "b": "2"}}
    aws.sqs.untag_queue(QueueUrl=URL, TagKeys=["a", "b", "c"])
    assert aws.sqs.list_queue_tags(QueueUrl=URL) == {}


def test_permissions_are_statements_of_the_policy(aws: Any) -> None:
    aws.sqs.create_queue(QueueName="q")
    ask = {"QueueUrl": URL, "Label": "l", "AWSAccountIds": ["111111111111"], "Actions": ["ReceiveMessage"]}
    aws.sqs.add_permission(**ask)
    assert json.loads(attributes(aws, URL, "Policy")["Policy"]) == {
        "Version": "2008-10-17",
        "Id": f"{ARN}/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "l",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                "Action": "SQS:ReceiveMessage",
                "Resource": ARN,
            }
        ],
    }
    already = ("InvalidParameterValue", "Value l for parameter Label is invalid. Reason: Already exists.")
    assert refusal(aws.sqs.add_permission, **ask) == already
    aws.sqs.remove_permission(QueueUrl=URL, Label="l")
    assert attributes(aws, URL, "Policy") == {}
    assert refusal(aws.sqs.remove_permission, QueueUrl=URL, Label="l")[1].endswith("Reason: can't find label.")


def test_a_queue_that_is_known_is_looked_at_again_once_it_changed(aws: Any) -> None:
    """What is kept of a queue in memory goes with every change of it: of attributes, by a purge, by its end."""
    aws.sqs.create_queue(QueueName="q")
    aws.sqs.send_message(QueueUrl=URL, MessageBody="1")
    aws.sqs.set_queue_attributes(QueueUrl=URL, Attributes={"MaximumMessageSize": "1024"})
    assert "shorter than 1024" in refusal(aws.sqs.send_message, QueueUrl=URL, MessageBody="x" * 1025)[1]
    aws.sqs.purge_queue(QueueUrl=URL)
    assert aws.sqs.receive_message(QueueUrl=URL) == {}
    aws.sqs.send_message(QueueUrl=URL, MessageBody="2")
    assert attributes(aws)["ApproximateNumberOfMessages"] == "1"
    aws.sqs.delete_queue(QueueUrl=URL)
    assert refusal(aws.sqs.send_message, QueueUrl=URL, MessageBody="x")[0] == "QueueDoesNotExist"


def test_a_queue_that_was_not_there_is_found_once_it_is(aws: Any) -> None:
    assert refusal(aws.sqs.send_message, QueueUrl=URL, MessageBody="x")[0] == "QueueDoesNotExist"
    aws.sqs.create_queue(QueueName="q")
    aws.sqs.send_message(QueueUrl=URL, MessageBody="x")
    assert refusal(aws.sqs.send_message, QueueUrl=URL.replace("0/q", "1/q"), MessageBody="x")[0] == "QueueDoesNotExist"
