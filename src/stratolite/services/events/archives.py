"""Archives: events kept, to be replayed."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, job, operation
from stratolite.languages import arns, transformers

from . import buses, syntax
from .errors import ResourceAlreadyExistsException, ResourceNotFoundException, ValidationException
from .pages import page

DAY_S = 86_400.0
# What an archive without a pattern keeps. AWS never archives what a replay brings.
EVERYTHING = '{"replay-name": [{"exists": false}]}'


def archive_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:events:{region}:{account}:archive/{name}"


def look(call: Call, name: str) -> Any:
    return call.tx.one(
        "SELECT * FROM events_archive WHERE account = ? AND region = ? AND name = ?", call.account, call.region, name
    )


def find(call: Call, name: str) -> Any:
    row = look(call, name)
    if row is None:
        raise ResourceNotFoundException(f"Archive {name} does not exist.")
    return row


def keep(call: Call, archive: int, event: dict[str, Any]) -> None:
    """Store an event, unless a replay brought it."""
    # AWS: archived some minutes later, in batches. Here: in the transaction that took the event.
    if "replay-name" in event:
        return
    text = transformers.text(event)
    call.tx.run("INSERT INTO events_archived (archive, at, event) VALUES (?, ?, ?)", archive, call.now, text)
    call.tx.run(
        "UPDATE events_archive SET event_count = event_count + 1, size_bytes = size_bytes + ? WHERE key = ?",
        _size(event), archive,
    )  # fmt: skip


_FIXED_BYTES = 14 + 12  # a time and an account


def _size(event: dict[str, Any]) -> int:
    """As AWS counts: what PutEvents counts of an entry, and what every event has. Recorded: 159 for a detail of 79."""
    texts = [event["source"], event["detail-type"], transformers.text(event["detail"]), *event["resources"]]
    return _FIXED_BYTES + sum(len(each.encode()) for each in texts)


def _summary(row: Any) -> dict[str, Any]:
    return {
        "ArchiveName": row["name"],
        "EventSourceArn": row["bus_arn"],
        "State": "ENABLED",
        "RetentionDays": row["retention_days"],
        "SizeBytes": row["size_bytes"],
        "EventCount": row["event_count"],
        "CreationTime": row["created_at"],
    }


def _pattern(text: str | None) -> str | None:
    # Some clients write a missing pattern as JSON's null.
    if text is None or text == "null":
        return None
    syntax.checked(text)
    return text


# ---------------------------------------------------------------------- operations


@operation(ignores=["KmsKeyIdentifier"])
def create_archive(
    call: Call,
    archive_name: str,
    event_source_arn: str,
    description: str | None = None,
    event_pattern: str | None = None,
    retention_days: int | None = None,
    kms_key_identifier: str | None = None,
) -> dict[str, Any]:
    if look(call, archive_name) is not None:
        raise ResourceAlreadyExistsException(kind="Archive", name=archive_name)
    bus = buses.find(call, event_source_arn)
    call.tx.run(
        """INSERT INTO events_archive (account, region, name, bus, bus_arn, description, pattern, retention_days,
                                       kms_key, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        call.account, call.region, archive_name, bus.key, bus.arn, description, _pattern(event_pattern),
        retention_days or 0, kms_key_identifier, call.now,
    )  # fmt: skip
    row = find(call, archive_name)
    buses.touch(call, bus.key, "archive", row["key"], row["pattern"])
    call.later("events.expire", call.now + DAY_S, None, None, archive=row["key"])
    return _changed(call, row)


def _changed(call: Call, row: Any) -> dict[str, Any]:
    return {
        "ArchiveArn": archive_arn(call.account, call.region, row["name"]),
        "State": "ENABLED",
        "CreationTime": row["created_at"],
    }


@operation
def describe_archive(call: Call, archive_name: str) -> dict[str, Any]:
    row = find(call, archive_name)
    return {
        "ArchiveArn": archive_arn(call.account, call.region, row["name"]),
        "Description": row["description"],
        "EventPattern": row["pattern"],
        "KmsKeyIdentifier": row["kms_key"],
        **_summary(row),
    }


@operation
def list_archives(
    call: Call,
    name_prefix: str | None = None,
    event_source_arn: str | None = None,
    state: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    source = buses.find(call, event_source_arn).arn if event_source_arn else ""
    rows, token = page(
        lambda after, count: call.tx.all(
            """SELECT * FROM events_archive
                WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, ?) = ? AND ? IN ('', bus_arn)
                  AND ? IN ('', 'ENABLED')
                ORDER BY name LIMIT ?""",
            call.account, call.region, after, len(name_prefix or ""), name_prefix or "", source, state or "", count,
        ),
        limit, next_token, lambda row: row["name"],
    )  # fmt: skip
    return {"Archives": [_summary(row) for row in rows], "NextToken": token}


@operation(ignores=["KmsKeyIdentifier"])
def update_archive(
    call: Call,
    archive_name: str,
    description: str | None = None,
    event_pattern: str | None = None,
    retention_days: int | None = None,
    kms_key_identifier: str | None = None,
) -> dict[str, Any]:
    if description is None and event_pattern is None and retention_days is None:
        raise ValidationException("At least one of EventPattern, RetentionDays or Description must be provided.")
    row = find(call, archive_name)
    call.tx.run(
        """UPDATE events_archive SET description = coalesce(?, description), pattern = coalesce(?, pattern),
                  retention_days = coalesce(?, retention_days), kms_key = coalesce(?, kms_key) WHERE key = ?""",
        description, _pattern(event_pattern), retention_days, kms_key_identifier, row["key"],
    )  # fmt: skip
    buses.touch(call, row["bus"], "archive", row["key"], event_pattern)
    return _changed(call, row)


@operation
def delete_archive(call: Call, archive_name: str) -> dict[str, Any]:
    row = find(call, archive_name)
    call.tx.run("DELETE FROM events_archive WHERE key = ?", row["key"])
    buses.touch(call, row["bus"], "no archive", row["key"])
    call.later("events.sweep", None, None, None, archive=row["key"])
    return {}


# ---------------------------------------------------------------------- jobs

SWEEP_ROWS = 500


def _delete_slice(call: Call, archive: int, before: float) -> int:
    return call.tx.run(
        """DELETE FROM events_archived WHERE seq IN
               (SELECT seq FROM events_archived WHERE archive = ? AND at < ? ORDER BY at LIMIT ?)""",
        archive, before, SWEEP_ROWS,
    ).rowcount  # fmt: skip


@job
def sweep(call: Call, archive: int) -> None:
    """The events of a deleted archive, a slice at a time."""
    if _delete_slice(call, archive, float("inf")) == SWEEP_ROWS:
        call.later("events.sweep", None, None, None, archive=archive)


@job
def expire(call: Call, archive: int) -> None:
    """Once a day: what is older than the archive keeps."""
    row = call.tx.one("SELECT * FROM events_archive WHERE key = ?", archive)
    if row is None:
        return
    days = row["retention_days"]
    more = days > 0 and _delete_slice(call, archive, call.now - days * DAY_S) == SWEEP_ROWS
    call.later("events.expire", call.now if more else call.now + DAY_S, None, None, archive=archive)


def by_arn(call: Call, arn: str) -> Any:
    """An archive by its ARN, or None."""
    return look(call, arns.parse(arn).name) if arns.is_arn(arn) else None
