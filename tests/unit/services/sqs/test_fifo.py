"""FIFO queues: order within a group, once within five minutes.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html and the
answers recorded in LocalStack's suite (tests/aws/services/sqs/test_sqs.py, `test_fifo_*`).
"""

from __future__ import annotations

from typing import Any

import pytest

from stratolite.kernel import AwsError


def queue(aws: Any, **attributes: str) -> str:
    wanted = {"FifoQueue": "true", "ContentBasedDeduplication": "true", **attributes}
    url: str = aws.sqs.create_queue(QueueName="q.fifo", Attributes=wanted)["QueueUrl"]
    return url


def send(aws: Any, url: str, body: str, group: str | None = None, **more: Any) -> Any:
    return aws.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group or body[:2], **more)


def receive(aws: Any, url: str, n: int = 10, **more: Any) -> list[Any]:
    found: list[Any] = aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=n, **more).get("Messages", [])
    return found


def bodies(messages: list[Any]) -> list[str]:
    return [message["Body"] for message in messages]


def delete(aws: Any, url: str, message: Any) -> None:
    aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_group_waits_for_what_is_in_flight_and_the_others_do_not(aws: Any) -> None:
    url = queue(aws)
    for body in ("g1-1", "g1-2", "g2-1", "g1-3"):
        send(aws, url, body)
    (first,) = receive(aws, url, 1)
    assert first["Body"] == "g1-1"
    assert bodies(receive(aws, url)) == ["g2-1"]
    assert receive(aws, url) == []
    delete(aws, url, first)
    assert bodies(receive(aws, url)) == ["g1-2", "g1-3"]


def test_a_group_opens_with_its_head_as_far_as_it_is_visible(aws: Any) -> None:
    url = queue(aws)
    for body in ("g1-1", "g1-2", "g2-1"):
        send(aws, url, body)
    first, _ = receive(aws, url, 2)
    aws.pass_time(1)
    aws.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    assert bodies(receive(aws, url)) == ["g2-1", "g1-1"]


def test_what_was_not_deleted_comes_again_in_order(aws: Any) -> None:
    url = queue(aws, VisibilityTimeout="10")
    for n in range(3):
        send(aws, url, f"g1-{n}")
    assert bodies(receive(aws, url, 2)) == ["g1-0", "g1-1"]
    aws.pass_time(10)
    assert bodies(receive(aws, url)) == ["g1-0", "g1-1", "g1-2"]


def test_sequence_numbers_grow(aws: Any) -> None:
    url = queue(aws)
    sent = [send(aws, url, f"g1-{n}")["SequenceNumber"] for n in range(3)]
    got = receive(aws, url, MessageSystemAttributeNames=["All"])
    assert [message["Attributes"]["SequenceNumber"] for message in got] == sent == sorted(sent)
    assert {len(number) for number in sent} == {20}
    assert got[0]["Attributes"]["MessageGroupId"] == "g1"
    assert len(got[0]["Attributes"]["MessageDeduplicationId"]) == 64


def test_the_same_id_within_five_minutes_is_the_same_message(aws: Any) -> None:
    url = queue(aws)
    first = send(aws, url, "g1-1", MessageDeduplicationId="d")
    delete(aws, url, receive(aws, url)[0])
    aws.pass_time(299)
    again = send(aws, url, "g1-2", MessageDeduplicationId="d")
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert receive(aws, url) == []
    aws.pass_time(1)
    send(aws, url, "g1-3", MessageDeduplicationId="d")
    assert bodies(receive(aws, url)) == ["g1-3"]
    assert aws.cloud.store.reader().value("SELECT count(*) FROM sqs_dedup") == 1


def test_content_is_an_id(aws: Any) -> None:
    url = queue(aws)
    assert send(aws, url, "g1-1")["MessageId"] == send(aws, url, "g1-1", group="g2")["MessageId"]


def test_deduplication_by_group_lets_another_group_repeat(aws: Any) -> None:
    url = queue(aws, DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    send(aws, url, "same", group="g1"), send(aws, url, "same", group="g2"), send(aws, url, "same", group="g2")
    assert len(receive(aws, url)) == 2


def test_a_purge_forgets_what_was_sent(aws: Any) -> None:
    url = queue(aws)
    send(aws, url, "g1-1")
    aws.sqs.purge_queue(QueueUrl=url)
    send(aws, url, "g1-1")
    assert bodies(receive(aws, url)) == ["g1-1"]


def test_a_receipt_whose_time_is_over_deletes_nothing(aws: Any) -> None:
    url = queue(aws, VisibilityTimeout="1")
    send(aws, url, "g1-1")
    (got,) = receive(aws, url)
    aws.pass_time(2)
    with pytest.raises(AwsError, match=r"Reason: The receipt handle has expired\.") as error:
        delete(aws, url, got)
    assert error.value.code == "InvalidParameterValue"


def test_a_receive_is_repeated_by_its_attempt_id(aws: Any) -> None:
    url = queue(aws)
    send(aws, url, "g1-1")
    first = receive(aws, url, ReceiveRequestAttemptId="a")
    assert receive(aws, url, ReceiveRequestAttemptId="b") == []
    assert receive(aws, url, ReceiveRequestAttemptId="a") == first


def test_dead_letters_of_a_group_do_not_block_it(aws: Any) -> None:
    aws.sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})
    policy = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead.fifo", "maxReceiveCount": 1}'
    url = queue(aws, VisibilityTimeout="0", RedrivePolicy=policy)
    send(aws, url, "g1-1")
    receive(aws, url)
    send(aws, url, "g1-2")
    assert bodies(receive(aws, url)) == ["g1-2"]
    assert bodies(receive(aws, url.replace("/q.", "/dead."))) == ["g1-1"]


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({}, "MissingParameter", "The request must contain the parameter MessageGroupId."),
        (
            {"MessageGroupId": "g"},
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly",
        ),
        (
            {"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2},
            "InvalidParameterValue",
            "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid "
            "for this queue type.",
        ),
    ],
)
def test_what_a_fifo_queue_must_have_is_asked_for(aws: Any, params: dict[str, Any], code: str, text: str) -> None:
    url = queue(aws, ContentBasedDeduplication="false")
    with pytest.raises(AwsError) as error:
        aws.sqs.send_message(QueueUrl=url, MessageBody="b", **params)
    assert (error.value.code, error.value.message) == (code, text)
