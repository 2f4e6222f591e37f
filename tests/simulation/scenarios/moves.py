"""Dead letters moved back by a task."""

from __future__ import annotations

import json
import random

from simulation.parts import client, drained, insist, queue
from stratolite.testing.checkers import exactly_once, quiet
from stratolite.testing.cloud import TestCloud


def back_again(cloud: TestCloud) -> None:
    """Every dead letter is moved once, in their order, and the task says how many."""
    chance = random.Random(cloud.world.seed)
    dead_url, dead = queue(cloud, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})
    url, arn = queue(cloud, "work", RedrivePolicy=redrive)
    sqs = client(cloud, "sqs")
    for n in range(40):
        insist(sqs.send_message, QueueUrl=dead_url, MessageBody=f"m{n}")
    names = ["ApproximateNumberOfMessages"]
    counted = insist(sqs.get_queue_attributes, QueueUrl=dead_url, AttributeNames=names)["Attributes"][names[0]]
    bodies = cloud.cloud.store.reader().all("SELECT body FROM sqs_message ORDER BY seq")
    rate = chance.choice([{}, {"MaxNumberOfMessagesPerSecond": chance.choice([1, 5, 30])}])
    insist(
        sqs.start_message_move_task,
        SourceArn=dead,
        DestinationArn=arn,
        **rate,
        _done="InvalidParameterValue",
    )
    cloud.clock.advance(600)
    task = insist(sqs.list_message_move_tasks, SourceArn=dead, MaxResults=10)["Results"]
    assert {one["Status"] for one in task} == {"COMPLETED"}
    assert sum(one["ApproximateNumberOfMessagesMoved"] for one in task) == int(counted)
    moved = cloud.cloud.store.reader().all("SELECT body FROM sqs_message ORDER BY seq")
    assert [row[0] for row in moved] == [row[0] for row in bodies], "moved in another order"
    messages = drained(cloud, url)
    exactly_once([f"m{n}" for n in range(40)], {m["Body"] for m in messages})
    assert len(messages) == int(counted)
    assert not drained(cloud, dead_url)
    quiet(cloud)
