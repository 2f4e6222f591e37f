"""Lives: starting, being idle, coming back."""

from __future__ import annotations

import socket
import statistics
import time

from stratolite.testing.live import LiveCloud

from .client import cpu_s, json_request, pss_mb
from .report import Figure

Floors = dict[str, float]


def start(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """process start to first answered call of AWS's API; idle memory and CPU"""
    times, used = [], []
    for _ in range(9):
        cloud.stop()
        times.append(_first_answer_ms(cloud))
        used.append(cpu_s(cloud.pid) * 1e3)
    cpu = cpu_s(cloud.pid)
    time.sleep(2)
    idle = (cpu_s(cloud.pid) - cpu) / 2 * 100
    return [
        Figure("start: exec to first answered call, p50 of 9", statistics.median(times), "ms", 150, floors["python"]),
        Figure("start: exec to first answered call, best of 9", min(times), "ms", 150, floors["python"]),
        Figure("start: CPU until then", statistics.median(used), "ms", None, floors["python"]),
        Figure("idle memory (PSS)", pss_mb(cloud.pid), "MB", 45),
        Figure("idle CPU", idle, "%", 0.5),
    ]


def _first_answer_ms(cloud: LiveCloud) -> float:
    """From exec to the answer of ListQueues, asked as soon as somebody listens."""
    request = json_request(cloud.port, "sqs", "AmazonSQS.ListQueues", {})
    begin = time.perf_counter()
    cloud.spawn()
    while True:
        try:
            with socket.create_connection(("127.0.0.1", cloud.port), 10) as connection:
                connection.sendall(request)
                assert b" 200 " in connection.recv(4096)[:20]
                return (time.perf_counter() - begin) * 1e3
        except ConnectionRefusedError:
            assert time.perf_counter() - begin < 30
            time.sleep(0.001)


def recover(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """kill -9 with 20,000 messages, 1,000 of them delayed, to the first answered call"""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for i in range(0, 20_000, 10):
        sqs.send_message_batch(
            QueueUrl=url,
            Entries=[{"Id": str(n), "MessageBody": f"m{i + n}", "DelaySeconds": 900 * (i < 1000)} for n in range(10)],
        )
    cloud.kill()
    elapsed = _first_answer_ms(cloud)
    seen = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    kept = int(seen["ApproximateNumberOfMessages"]) + int(seen["ApproximateNumberOfMessagesDelayed"])
    assert kept == 20_000, seen
    return [Figure("kill -9 to ready again, 20,000 messages", elapsed, "ms", 300, floors["botocore"])]
