"""Dead letters: what the messages in the failure queues say, whoever put them there.

connector   a letter that its destination refused, or that the queue brought back too often
persist     Lambda's record of a failed asynchronous invocation, or the event that EventBridge could not hand over
fan-out     Lambda's record of a failed batch of the stream: it names a range, the records are still in the stream
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from forms.letters import Letter
from forms.submissions import Submission

NOBODY = "?"  # no tenant can have this id
REASON_CHARACTERS = 512
TEXT_CHARACTERS = 50_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One thing that could not be processed: who could not, whose it was, why, and the thing itself."""

    source: str
    tenant: str
    identity: str  # unique within tenant and source, the same however often it is recorded
    reason: str
    correlation_id: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)

    def item(self, died_at: str, expires_at: int) -> dict[str, Any]:
        """The attributes of its record."""
        return {**asdict(self), "reason": self.reason[:REASON_CHARACTERS], "died_at": died_at, "expires_at": expires_at}


def read(message_id: str, body: str, reason: str | None, receives: str, streams: Any) -> Iterator[DeadLetter]:
    """Everything that one message speaks of. What cannot be understood is recorded as it is, under nobody."""
    try:
        document = json.loads(body)
        mark = next(mark for mark in READERS if mark in document)
    except (ValueError, TypeError, StopIteration):
        yield DeadLetter("unknown", NOBODY, message_id, "not understood", content={"text": body[:TEXT_CHARACTERS]})
        return
    yield from READERS[mark](document, reason or f"given up, received {receives} times", streams)


def _letter(document: dict[str, Any], reason: str, streams: Any) -> Iterator[DeadLetter]:
    letter = Letter(**document)
    identity = f"{letter.submission}#{letter.destination}"
    yield DeadLetter("connector", letter.tenant, identity, reason, letter.correlation_id, document)


def _failed_invocation(document: dict[str, Any], reason: str, streams: Any) -> Iterator[DeadLetter]:
    error = document.get("responsePayload") or {}
    why = f"{document['requestContext']['condition']}: {error.get('errorType', '')} {error.get('errorMessage', '')}"
    yield from _undelivered_event(document["requestPayload"], why, streams)


def _undelivered_event(event: dict[str, Any], reason: str, streams: Any) -> Iterator[DeadLetter]:
    submission = Submission.from_detail(event["detail"])
    correlation_id = event["detail"]["metadata"]["correlation_id"]
    yield DeadLetter("persist", submission.tenant, submission.id, reason, correlation_id, asdict(submission))


def _failed_batch(document: dict[str, Any], reason: str, streams: Any) -> Iterator[DeadLetter]:
    batch, why = document["DDBStreamBatchInfo"], str(document["requestContext"]["condition"])
    try:
        images = _images(batch, streams)
    except streams.exceptions.TrimmedDataAccessException:  # a stream remembers one day
        identity = f"{batch['shardId']}#{batch['startSequenceNumber']}"
        yield DeadLetter("fan-out", NOBODY, identity, f"{why}; the stream has it no longer", content=batch)
        return
    for image in images:
        if str(image["SK"]).startswith("SUB#"):
            yield DeadLetter("fan-out", image["tenant"], image["id"], why, image["correlation_id"])


def _images(batch: dict[str, Any], streams: Any) -> list[dict[str, Any]]:
    """The new items in a range of the stream."""
    deserialize = TypeDeserializer().deserialize
    images = []
    iterator = streams.get_shard_iterator(
        StreamArn=batch["streamArn"],
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=batch["startSequenceNumber"],
    )["ShardIterator"]
    last = int(batch["endSequenceNumber"])
    while iterator is not None:  # a page may be empty; the last record of the range is in one of them
        found = streams.get_records(ShardIterator=iterator)
        for record in found["Records"]:
            position = int(record["dynamodb"]["SequenceNumber"])
            if position <= last and record["eventName"] == "INSERT":
                image = record["dynamodb"]["NewImage"]
                images.append({name: deserialize(value) for name, value in image.items()})
            if position >= last:
                return images
        iterator = found.get("NextShardIterator")
    return images


# What a message is, by the member that gives it away; the order matters where one record contains another.
READERS: dict[str, Callable[[dict[str, Any], str, Any], Iterator[DeadLetter]]] = {
    "DDBStreamBatchInfo": _failed_batch,
    "requestPayload": _failed_invocation,
    "detail-type": _undelivered_event,
    "submission": _letter,
}
