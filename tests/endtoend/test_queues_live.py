"""Queues through sockets: boto3, the AWS CLI, old clients of the query protocol; and what a crash leaves."""

from __future__ import annotations

import json
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

CLI = Path(sys.executable).with_name("aws")


def receive_all(sqs: Any, url: str, wait_s: int = 0) -> list[str]:
    found: list[str] = []
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s).get("Messages"):
        found += [message["Body"] for message in got]
        entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(got)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return found


def test_boto3_sends_and_receives_and_a_long_poll_is_woken(live_cloud: Any) -> None:
    sqs = live_cloud.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    assert url == f"{live_cloud.endpoint}/000000000000/q"
    got: list[str] = []
    poller = threading.Thread(target=lambda: got.extend(receive_all(live_cloud.client("sqs"), url, 2)))
    poller.start()
    body = "ä" * 300_000  # beyond what the server keeps in memory once it is escaped
    sqs.send_message(QueueUrl=url, MessageBody=body)
    poller.join(30)
    assert got == [body]


def test_errors_are_boto3s_own_exceptions(live_cloud: Any) -> None:
    sqs = live_cloud.client("sqs")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as error:
        sqs.get_queue_url(QueueName="none")
    said = error.value.response["Error"]
    assert (said["Code"], said["QueryErrorCode"]) == ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


def test_what_was_acknowledged_survives_kill_9_and_a_delay_goes_on(live_cloud: Any) -> None:
    sqs = live_cloud.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    fifo = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})[
        "QueueUrl"
    ]
    for n in range(20):
        sqs.send_message(QueueUrl=url, MessageBody=str(n))
        sqs.send_message(QueueUrl=fifo, MessageBody=str(n), MessageGroupId="g")
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=2)
    (taken,) = sqs.receive_message(QueueUrl=url)["Messages"]
    live_cloud.kill()
    live_cloud.start()
    assert receive_all(sqs, url) == [str(n) for n in range(1, 20)]
    assert receive_all(sqs, fifo) == [str(n) for n in range(20)]
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"] == "later"
    sqs.send_message(QueueUrl=fifo, MessageBody="7", MessageGroupId="g")
    assert receive_all(sqs, fifo) == []  # still a duplicate
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=taken["ReceiptHandle"], VisibilityTimeout=0)
    assert receive_all(sqs, url) == ["0"]


@pytest.mark.skipif(not CLI.exists(), reason="the AWS CLI is not installed here")
def test_the_aws_cli(live_cloud: Any) -> None:
    def aws(*words: str) -> Any:
        done = live_cloud.run(str(CLI), "--endpoint-url", live_cloud.endpoint, "sqs", *words, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    url = aws("create-queue", "--queue-name", "q")["QueueUrl"]
    aws("send-message", "--queue-url", url, "--message-body", "hello")
    assert aws("receive-message", "--queue-url", url)["Messages"][0]["Body"] == "hello"


def test_old_clients_speak_query_to_the_queues_own_url(live_cloud: Any) -> None:
    url = live_cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    form = b"Action=SendMessage&Version=2012-11-05&MessageBody=hello"
    with urllib.request.urlopen(url, form) as answer:
        assert b"<MD5OfMessageBody>5d41402abc4b2a76b9719d911017c592</MD5OfMessageBody>" in answer.read()
    with urllib.request.urlopen(f"{url}?Action=ReceiveMessage") as answer:
        assert b"<Body>hello</Body>" in answer.read()
