"""Queues in a world with faults: nothing acknowledged is lost, a group keeps its order, dead letters are kept."""

from __future__ import annotations

import random
from typing import Any

from botocore.exceptions import ClientError

from stratolite.testing.cloud import TestCloud, simulate

SEEDS = 5


def insist(ask: Any, **params: Any) -> Any:
    """As an SDK does: once more after a throttle or a failure of ours."""
    while True:
        try:
            return ask(**params)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ThrottlingException", "InternalFailure"):
                raise


def test_every_acknowledged_message_is_received_in_its_groups_order_or_a_dead_letter() -> None:
    def scenario(cloud: TestCloud) -> None:
        chance = random.Random(cloud.world.seed)
        sqs = cloud.client("sqs")
        dead = insist(sqs.create_queue, QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        policy = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead.fifo", "maxReceiveCount": 3}'
        attributes = {"FifoQueue": "true", "VisibilityTimeout": "5", "RedrivePolicy": policy}
        url = insist(sqs.create_queue, QueueName="q.fifo", Attributes=attributes)["QueueUrl"]
        for n in range(24):
            params = {"QueueUrl": url, "MessageBody": str(n), "MessageDeduplicationId": str(n)}
            insist(sqs.send_message, **params, MessageGroupId=str(n % 3))
        received: dict[str, list[int]] = {}
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        while set(insist(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=names)["Attributes"].values()) != {"0"}:
            wanted = ["MessageGroupId"]
            got = insist(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=6, MessageSystemAttributeNames=wanted)
            for message in got.get("Messages", []):
                if chance.random() < 0.7:  # the consumer dies now and then
                    insist(sqs.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    received.setdefault(message["Attributes"]["MessageGroupId"], []).append(int(message["Body"]))
                else:
                    break
            cloud.clock.advance(chance.choice([0, 1, 6]))
        letters = []
        while got := insist(sqs.receive_message, QueueUrl=dead, MaxNumberOfMessages=10).get("Messages"):
            letters += [int(message["Body"]) for message in got]
            for message in got:
                insist(sqs.delete_message, QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        assert sorted([n for group in received.values() for n in group] + letters) == list(range(24))
        for group in received.values():
            assert group == sorted(group)

    assert simulate(scenario, SEEDS) == SEEDS
