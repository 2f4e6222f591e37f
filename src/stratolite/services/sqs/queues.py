"""Queues: made, found, changed, emptied, deleted."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.call import DEFAULT_REGION
from stratolite.kernel.store import Row
from stratolite.languages import arns

from . import attributes as rules
from . import depth
from .errors import (
    InvalidAddress,
    InvalidAttributeName,
    InvalidParameterValueException,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueNameExists,
    invalid,
    no_such_queue,
)

PAUSE_S = 60.0
"""Between a queue's deletion and the next of its name, and between two purges of one queue."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_FIFO_NAME = re.compile(r"(?=.{1,80}\Z)[A-Za-z0-9_-]+\.fifo")
_REGION_IN_HOST = re.compile(r"https?://(?:sqs\.([a-z]{2}-[a-z-]+-\d)\.|([a-z]{2}-[a-z-]+-\d)\.queue\.)")


@dataclass(frozen=True)
class Queue:
    key: int
    account: str
    region: str
    name: str
    attributes: Mapping[str, str]
    tags: Mapping[str, str]
    created_at: float
    modified_at: float
    purged_at: float
    dedup_scope: str
    """AWS: a change of DeduplicationScope is accepted and shown, and changes nothing (recorded)."""

    @cached_property
    def arn(self) -> str:
        return f"arn:aws:sqs:{self.region}:{self.account}:{self.name}"

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(".fifo")

    def number(self, attribute: str) -> int:
        return int(self.attributes[attribute])

    @cached_property
    def redrive(self) -> tuple[str, int] | None:
        """The dead-letter queue's ARN, and after how many receives a message goes there."""
        text = self.attributes.get("RedrivePolicy")
        if not text:
            return None
        policy = json.loads(text)
        return policy["deadLetterTargetArn"], int(policy["maxReceiveCount"])

    def url(self, call: Call) -> str:
        """With the host and port the client itself used, so that it can come back the same way."""
        return base(call, self.account, self.region) + self.name


def base(call: Call, account: str, region: str) -> str:
    """What the URLs of an account's queues begin with; a region that is not the default's is told in the path."""
    place = "" if region == DEFAULT_REGION else f"queue/{region}/"
    return f"{call.caller.scheme}://{call.caller.host}/{place}{account}/"


# finding


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Mapping[str, str]:
    return json.loads(text)  # type: ignore[no-any-return]


def _of(row: Row | None) -> Queue | None:
    if row is None:
        return None
    key, account, region, name, attributes, tags, created_at, modified_at, purged_at, _, scope = row
    return Queue(
        key, account, region, name, _parsed(attributes), _parsed(tags), created_at, modified_at, purged_at, scope
    )


# A queue is looked up for every message and seldom changes.
_QUEUES = ("sqs_queue",)


def named(call: Call, account: str, region: str, name: str) -> Queue | None:
    def read() -> Queue | None:
        return _of(
            call.tx.one("SELECT * FROM sqs_queue WHERE account = ? AND region = ? AND name = ?", account, region, name)
        )

    return call.tx.known(_QUEUES, (account, region, name), read)


def keyed(call: Call, key: int) -> Queue | None:
    return call.tx.known(_QUEUES, key, lambda: _of(call.tx.one("SELECT * FROM sqs_queue WHERE key = ?", key)))


def of_arn(call: Call, text: str) -> Queue | None:
    try:
        arn = arns.parse(text)
    except arns.ArnError:
        return None
    return named(call, arn.account, arn.region, arn.resource) if arn.service == "sqs" else None


def find(call: Call, url: str) -> Queue:
    """The queue of a URL (or of a bare name, which AWS takes too).

    Raises QueueDoesNotExist, InvalidAddress for what is no URL of a queue.
    """
    account, region, name = _place(url, call.account, call.region)
    queue = named(call, account, region, name)
    if queue is None:
        raise no_such_queue(call)
    return queue


@lru_cache(maxsize=4096)
def _place(url: str, account: str, region: str) -> tuple[str, str, str]:
    """Account, region and name; what the URL does not say is the caller's."""
    if "/" not in url:
        if not url:
            raise InvalidAddress(address=url)
        return account, region, url
    parts = url.rstrip("/").rsplit("/", 2)
    if (match := _REGION_IN_HOST.match(url)) is not None:
        region = match[1] or match[2]
    elif len(parts) == 3 and (match := re.search(r"/queue/([a-z0-9-]+)\Z", parts[0])):
        region = match[1]
    if len(parts) < 3 or not re.fullmatch(r"\d{12}", parts[1]):
        raise InvalidAddress(address=url)
    return parts[1], region, parts[2]


# operations


@operation
def create_queue(
    call: Call, queue_name: str, attributes: dict[str, str] | None = None, tags: dict[str, str] | None = None
) -> dict[str, Any]:
    wanted = dict(attributes or {})
    is_fifo = wanted.get("FifoQueue", "").lower() == "true"
    _check_name(queue_name, is_fifo, "FifoQueue" in wanted)
    changes = rules.read(wanted, is_fifo=is_fifo, creating=True)
    _tell(call, changes)
    found = named(call, call.account, call.region, queue_name)
    if found is not None:
        for name, value in changes.items():
            if not _same(name, found.attributes.get(name, ""), value):
                raise QueueNameExists(attribute=name)
        return {"QueueUrl": found.url(call)}
    deleted = call.tx.value(
        "SELECT deleted_at FROM sqs_deleted WHERE account = ? AND region = ? AND name = ?",
        call.account, call.region, queue_name,
    )  # fmt: skip
    if deleted is not None:
        if call.now - deleted < PAUSE_S:
            raise QueueDeletedRecently()
        call.tx.run(
            "DELETE FROM sqs_deleted WHERE account = ? AND region = ? AND name = ?",
            call.account, call.region, queue_name,
        )  # fmt: skip
    after = rules.merged({**rules.DEFAULTS, **(rules.FIFO_DEFAULTS if is_fifo else {})}, changes)
    _check_redrive(call, call.account, call.region, queue_name, after)
    cursor = call.tx.run(
        "INSERT INTO sqs_queue (account, region, name, attributes, tags, created_at, modified_at, dead_letter,"
        " dedup_scope) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        call.account, call.region, queue_name, json.dumps(after), json.dumps(tags or {}), call.now, call.now,
        _dead_letter(after), after.get("DeduplicationScope", "queue"),
    )  # fmt: skip
    assert cursor.lastrowid is not None
    depth.open_(call, cursor.lastrowid)
    return {"QueueUrl": base(call, call.account, call.region) + queue_name}


def _check_name(name: str, is_fifo: bool, is_told: bool) -> None:
    if is_fifo:
        if not _FIFO_NAME.fullmatch(name):
            raise InvalidParameterValueException(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end "
                "with .fifo suffix and be 1 to 80 in length."
            )
    elif not _NAME.fullmatch(name):
        raise InvalidParameterValueException(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def _tell(call: Call, changes: dict[str, str]) -> None:
    """What of a queue's attributes has no effect here. Raises NotEmulated under --strict."""
    if changes.get("KmsMasterKeyId"):
        call.not_emulated_here("sqs KmsMasterKeyId")
    if changes.get("Policy"):
        call.cloud.notice("sqs: the enforcement of queue policies")


def _same(name: str, one: str, other: str) -> bool:
    if one == other:
        return True
    if name in ("Policy", "RedrivePolicy", "RedriveAllowPolicy") and one and other:
        return bool(json.loads(one) == json.loads(other))
    return False


def _dead_letter(attributes: dict[str, str]) -> str | None:
    text = attributes.get("RedrivePolicy")
    return json.loads(text)["deadLetterTargetArn"] if text else None


def _check_redrive(call: Call, account: str, region: str, name: str, attributes: dict[str, str]) -> None:
    """A dead-letter queue must be there, of the same kind, and must allow it."""
    arn = _dead_letter(attributes)
    if arn is None:
        return
    text = attributes["RedrivePolicy"]
    target = of_arn(call, arn)
    if target is None:
        raise invalid("RedrivePolicy", text, "Dead letter target does not exist.")
    if target.is_fifo != name.endswith(".fifo"):
        raise invalid("RedrivePolicy", text, "Dead-letter queue must be same type of queue as the source.")
    allow = json.loads(target.attributes.get("RedriveAllowPolicy") or '{"redrivePermission": "allowAll"}')
    own = f"arn:aws:sqs:{region}:{account}:{name}"
    permission = allow["redrivePermission"]
    if permission == "denyAll" or (permission == "byQueue" and own not in allow["sourceQueueArns"]):
        raise invalid("RedrivePolicy", text, "Dead letter target owner does not allow this queue to use it.")


@operation
def get_queue_url(call: Call, queue_name: str, queue_owner_aws_account_id: str | None = None) -> dict[str, Any]:
    queue = named(call, queue_owner_aws_account_id or call.account, call.region, queue_name)
    if queue is None:
        raise no_such_queue(call)
    return {"QueueUrl": queue.url(call)}


@operation
def list_queues(
    call: Call, queue_name_prefix: str | None = None, next_token: str | None = None, max_results: int | None = None
) -> dict[str, Any]:
    limit = page_size(max_results)
    prefix = queue_name_prefix or ""
    after = page_start(next_token)
    rows = call.tx.all(
        "SELECT name FROM sqs_queue WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, ?) = ?"
        " ORDER BY name LIMIT ?",
        call.account, call.region, after, len(prefix), prefix, limit + 1,
    )  # fmt: skip
    names = [row["name"] for row in rows[:limit]]
    start = base(call, call.account, call.region)
    # A token is given only to those who asked for pages.
    more = max_results is not None and len(rows) > limit
    return {
        "QueueUrls": [start + name for name in names] or None,
        "NextToken": page_token(start + names[-1]) if more else None,
    }


def page_size(max_results: int | None) -> int:
    if max_results is None:
        return 1000
    if not 1 <= max_results <= 1000:
        raise invalid("MaxResults", max_results, "MaxResults must be an integer between 1 and 1000.")
    return max_results


def page_token(last: str) -> str:
    return base64.b64encode(last.encode()).decode()


def page_start(token: str | None) -> str:
    """The name of the last queue that was listed."""
    if not token:
        return ""
    try:
        return base64.b64decode(token, validate=True).decode().rpartition("/")[2]
    except ValueError:
        raise invalid("NextToken", token, "Invalid or expired next token.") from None


@operation
def get_queue_attributes(call: Call, queue_url: str, attribute_names: list[str] | None = None) -> dict[str, Any]:
    queue = find(call, queue_url)
    wanted = set(attribute_names or ())
    for name in wanted:
        if name != "All" and name not in rules.READERS and name not in rules.COUNTED:
            raise InvalidAttributeName(name=name)
    found = dict(queue.attributes)
    if "All" in wanted or wanted & set(rules.COUNTED):
        waiting, delayed, in_flight = depth.counts(call, queue)
        found |= {
            "ApproximateNumberOfMessages": str(waiting),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
            "ApproximateNumberOfMessagesNotVisible": str(in_flight),
            "CreatedTimestamp": str(int(queue.created_at)),
            "LastModifiedTimestamp": str(int(queue.modified_at)),
            "QueueArn": queue.arn,
        }
    if "All" not in wanted:
        found = {name: value for name, value in found.items() if name in wanted}
    return {"Attributes": found or None}


@operation
def set_queue_attributes(call: Call, queue_url: str, attributes: dict[str, str]) -> None:
    queue = find(call, queue_url)
    changes = rules.read(attributes, is_fifo=queue.is_fifo, creating=False)
    _tell(call, changes)
    after = rules.merged(queue.attributes, changes)
    if "RedrivePolicy" in changes:
        _check_redrive(call, queue.account, queue.region, queue.name, after)
    call.tx.run(
        "UPDATE sqs_queue SET attributes = ?, modified_at = ?, dead_letter = ? WHERE key = ?",
        json.dumps(after), call.now, _dead_letter(after), queue.key,
    )  # fmt: skip
    if "MessageRetentionPeriod" in changes:
        depth.retention_changed(call, queue.key)


@operation
def purge_queue(call: Call, queue_url: str) -> None:
    queue = find(call, queue_url)
    if call.now - queue.purged_at < PAUSE_S:
        raise PurgeQueueInProgress(queue=queue.name)
    # The messages stay under a key that no queue has any more and go in slices: a million at once would hold the loop.
    call.tx.run("UPDATE sqs_queue SET purged_at = ? WHERE key = ?", call.now, queue.key)
    _rekey(call, queue)


@operation
def delete_queue(call: Call, queue_url: str) -> None:
    queue = find(call, queue_url)
    call.tx.run("DELETE FROM sqs_queue WHERE key = ?", queue.key)
    call.tx.run("DELETE FROM sqs_deleted WHERE deleted_at <= ?", call.now - PAUSE_S)
    call.tx.run(
        "INSERT OR REPLACE INTO sqs_deleted (account, region, name, deleted_at) VALUES (?, ?, ?, ?)",
        queue.account, queue.region, queue.name, call.now,
    )  # fmt: skip
    depth.close(call, queue.key)
    call.later("sqs.sweep", queue=queue.key)
    call.signal("sqs", queue.key, n=None)


def _rekey(call: Call, queue: Queue) -> None:
    """Give a queue a fresh key; what was in it, and what it remembers of it, is swept later."""
    cursor = call.tx.run(
        "INSERT INTO sqs_queue (account, region, name, attributes, tags, created_at, modified_at, purged_at,"
        " dead_letter, dedup_scope) SELECT '', '', key, attributes, tags, created_at, modified_at, purged_at,"
        " dead_letter, dedup_scope FROM sqs_queue WHERE key = ?",
        queue.key,
    )  # fmt: skip
    fresh = cursor.lastrowid
    assert fresh is not None
    call.tx.run("DELETE FROM sqs_queue WHERE key = ?", queue.key)
    call.tx.run(
        "UPDATE sqs_queue SET account = ?, region = ?, name = ? WHERE key = ?",
        queue.account, queue.region, queue.name, fresh,
    )  # fmt: skip
    depth.close(call, queue.key)
    depth.open_(call, fresh)
    call.later("sqs.sweep", queue=queue.key)
    # Whoever waits at the old key looks again and finds the new one.
    call.signal("sqs", queue.key, n=None)
