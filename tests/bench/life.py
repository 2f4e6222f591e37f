"""Lives: starting, being idle, coming back."""

from __future__ import annotations

import time

from stratolite.testing.live import LiveCloud

from .client import cpu_s, pss_mb
from .report import Figure

Floors = dict[str, float]


def start(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """process start to first answered call; idle memory and CPU"""
    sqs = cloud.client("sqs")
    sqs.list_queues()
    best = 1e9
    for _ in range(5):
        cloud.stop()
        begin = time.perf_counter()
        cloud.start()
        best = min(best, (time.perf_counter() - begin) * 1e3)
    cpu = cpu_s(cloud.pid)
    time.sleep(2)
    idle = (cpu_s(cloud.pid) - cpu) / 2 * 100
    return [
        Figure("start: exec to first answered call", best, "ms", 150, floors["botocore"]),
        Figure("idle memory (PSS)", pss_mb(cloud.pid), "MB", 45),
        Figure("idle CPU", idle, "%", 0.5),
    ]


def recover(cloud: LiveCloud, floors: Floors) -> list[Figure]:
    """kill -9 with 100,000 messages and 1,000 delays under way, to ready again"""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    for i in range(0, 20_000, 10):
        sqs.send_message_batch(
            QueueUrl=url,
            Entries=[{"Id": str(n), "MessageBody": f"m{i + n}", "DelaySeconds": 900 * (i < 1000)} for n in range(10)],
        )
    cloud.kill()
    begin = time.perf_counter()
    cloud.start()
    elapsed = (time.perf_counter() - begin) * 1e3
    seen = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    kept = int(seen["ApproximateNumberOfMessages"]) + int(seen["ApproximateNumberOfMessagesDelayed"])
    assert kept == 20_000, seen
    return [Figure("kill -9 to ready again, 20,000 messages", elapsed, "ms", 300, floors["botocore"])]
