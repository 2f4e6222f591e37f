"""How the rest of the cloud sees queues: as targets, as sources, as resources of templates."""

from __future__ import annotations

from typing import Any

import pytest

from stratolite.kernel import Batch, Call, Delivery, Undeliverable
from stratolite.kernel.resources import Properties, Wanted
from stratolite.services.sqs.resources import Queue as QueueResource
from stratolite.services.sqs.resources import QueuePolicy
from stratolite.services.sqs.source import Queue
from stratolite.services.sqs.target import deliver

ARN = "arn:aws:sqs:us-east-1:000000000000:q"


def inside(aws: Any, do: Any) -> Any:
    """Do something in one transaction of the cloud's own."""

    async def transaction() -> Any:
        call: Call = aws.cloud.new_call(
            account="000000000000", region="us-east-1", trace=None, kind="test", name="test"
        )
        with call.write() as c:
            return do(c)

    return aws.world.run(transaction())


def receive(aws: Any, name: str = "q") -> list[Any]:
    found: list[Any] = aws.sqs.receive_message(
        QueueUrl=name, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
    ).get("Messages", [])
    return found


class TestTarget:
    def test_a_delivery_becomes_a_message(self, aws: Any) -> None:
        aws.sqs.create_queue(QueueName="q")
        attributes = {"ERROR_CODE": {"DataType": "String", "StringValue": "x"}}
        delivery = Delivery(ARN, b'{"a": 1}', "events", {"message_attributes": attributes})
        inside(aws, lambda call: deliver(call, delivery))
        (got,) = receive(aws)
        assert got["Body"] == '{"a": 1}' and got["MessageAttributes"] == attributes

    def test_a_fifo_queue_gets_its_group(self, aws: Any) -> None:
        aws.sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
        inside(aws, lambda c: deliver(c, Delivery(f"{ARN}.fifo", b"m", "events", {"message_group_id": "g"})))
        assert receive(aws, "q.fifo")[0]["Attributes"]["MessageGroupId"] == "g"

    def test_what_cannot_be_delivered_says_so(self, aws: Any) -> None:
        with pytest.raises(Undeliverable) as failure:
            inside(aws, lambda call: deliver(call, Delivery(ARN, b"m", "events")))
        assert (failure.value.code, failure.value.retry) == ("AWS.SimpleQueueService.NonExistentQueue", False)


class TestSource:
    def test_records_are_as_lambda_shows_them(self, aws: Any) -> None:
        aws.sqs.create_queue(QueueName="q")
        attributes = {
            "s": {"DataType": "String", "StringValue": "v"},
            "b": {"DataType": "Binary", "BinaryValue": b"\1"},
        }
        sent = aws.sqs.send_message(QueueUrl="q", MessageBody="hello", MessageAttributes=attributes)
        batch: Batch = inside(aws, lambda call: Queue.batch(call, ARN, None, 10, {}))
        (record,) = batch.records
        now_ms = str(int(aws.now() * 1000))
        assert record == {
            "messageId": sent["MessageId"],
            "receiptHandle": batch.handles[0]["receipt"],
            "body": "hello",
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": now_ms,
                "SenderId": "000000000000",
                "ApproximateFirstReceiveTimestamp": now_ms,
            },
            "messageAttributes": {
                "s": {"stringValue": "v", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
                "b": {"binaryValue": "AQ==", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
            },
            "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
            "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
            "eventSource": "aws:sqs",
            "eventSourceARN": ARN,
            "awsRegion": "us-east-1",
        }
        assert batch.ids == [sent["MessageId"]]
        assert (batch.more, batch.due) == (False, aws.now() + 30)

    def test_what_failed_comes_again_and_the_rest_is_deleted(self, aws: Any) -> None:
        aws.sqs.create_queue(QueueName="q")
        for body in ("good", "bad"):
            aws.sqs.send_message(QueueUrl="q", MessageBody=body)
        batch: Batch = inside(aws, lambda call: Queue.batch(call, ARN, None, 10, {"visibility_s": 5}))
        inside(aws, lambda call: Queue.settle(call, ARN, batch, {batch.ids[1]}))
        assert receive(aws) == []
        aws.pass_time(5)
        assert [message["Body"] for message in receive(aws)] == ["bad"]

    def test_a_batch_that_was_taken_over_by_another_is_not_deleted(self, aws: Any) -> None:
        aws.sqs.create_queue(QueueName="q")
        aws.sqs.send_message(QueueUrl="q", MessageBody="slow")
        batch: Batch = inside(aws, lambda call: Queue.batch(call, ARN, None, 10, {"visibility_s": 1}))
        aws.pass_time(2)
        assert len(receive(aws)) == 1
        inside(aws, lambda call: Queue.settle(call, ARN, batch, set()))
        aws.pass_time(30)
        assert len(receive(aws)) == 1


class TestResources:
    def wanted(self, type: str, logical: str, **properties: Any) -> Wanted:
        return Wanted(f"AWS::SQS::{type}", logical, Properties(properties), "stack", "id", "token")

    def test_a_queue_is_made_changed_and_deleted(self, aws: Any) -> None:
        tags = [{"Key": "a", "Value": "1"}]
        first = self.wanted("Queue", "Q", QueueName="q", DelaySeconds=5, FifoQueue=False, Tags=tags)
        made = inside(aws, lambda call: QueueResource.create(call, first))
        assert made.ref == "http://localhost:4566/000000000000/q"
        assert made.attributes == {"Arn": ARN, "QueueName": "q", "QueueUrl": made.ref}
        second = self.wanted("Queue", "Q", QueueName="q", VisibilityTimeout=60)
        inside(aws, lambda call: QueueResource.update(call, made.ref, second, dict(first.properties)))
        found = aws.sqs.get_queue_attributes(QueueUrl="q", AttributeNames=["All"])["Attributes"]
        assert (found["DelaySeconds"], found["VisibilityTimeout"]) == ("0", "60")
        assert aws.sqs.list_queue_tags(QueueUrl="q") == {}
        for _ in range(2):
            inside(aws, lambda call: QueueResource.delete(call, made.ref, {}))
        assert aws.sqs.list_queues() == {}
        inside(aws, lambda call: QueueResource.create(call, first))  # a deployment does not wait out the minute

    def test_a_nameless_fifo_queue_gets_a_name_that_says_so(self, aws: Any) -> None:
        made = inside(aws, lambda call: QueueResource.create(call, self.wanted("Queue", "Q", FifoQueue=True)))
        assert made.attributes["QueueName"].startswith("stack-Q-")
        assert made.attributes["QueueName"].endswith(".fifo")

    def test_a_policy_is_put_on_its_queues_and_taken_off(self, aws: Any) -> None:
        url = aws.sqs.create_queue(QueueName="q")["QueueUrl"]
        wanted = self.wanted("QueuePolicy", "P", Queues=[url], PolicyDocument={"Statement": []})
        made = inside(aws, lambda call: QueuePolicy.create(call, wanted))
        ask = {"QueueUrl": url, "AttributeNames": ["Policy"]}
        assert aws.sqs.get_queue_attributes(**ask) == {"Attributes": {"Policy": '{"Statement": []}'}}
        inside(aws, lambda call: QueuePolicy.delete(call, made.ref, dict(wanted.properties)))
        assert aws.sqs.get_queue_attributes(**ask) == {}
