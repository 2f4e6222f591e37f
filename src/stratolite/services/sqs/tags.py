"""Tags of queues."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import queues
from .errors import InvalidParameterValueException

MOST = 50
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html"""


@operation
def tag_queue(call: Call, queue_url: str, tags: dict[str, str]) -> None:
    queue = queues.find(call, queue_url)
    after = {**queue.tags, **tags}
    if len(after) > MOST:
        raise InvalidParameterValueException(f"Too many tags added for queue {queue.name}.")
    _write(call, queue, after)


@operation
def untag_queue(call: Call, queue_url: str, tag_keys: list[str]) -> None:
    queue = queues.find(call, queue_url)
    _write(call, queue, {key: value for key, value in queue.tags.items() if key not in tag_keys})


@operation
def list_queue_tags(call: Call, queue_url: str) -> dict[str, Any]:
    return {"Tags": queues.find(call, queue_url).tags or None}


def _write(call: Call, queue: queues.Queue, tags: dict[str, str]) -> None:
    call.tx.run("UPDATE sqs_queue SET tags = ? WHERE key = ?", json.dumps(tags), queue.key)
