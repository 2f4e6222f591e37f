"""Replays: archived events, put on their bus once more."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, job, operation
from stratolite.languages import arns

from . import archives, buses, routing
from .errors import (
    IllegalStatusException,
    LimitExceededException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    invalid,
)
from .pages import page

ACTIVE = 10  # replays at once; https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
SLICE = 50  # events a transaction
STARTING, RUNNING, COMPLETED, CANCELLING, CANCELLED = "STARTING", "RUNNING", "COMPLETED", "CANCELLING", "CANCELLED"


def replay_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:events:{region}:{account}:replay/{name}"


def _find(call: Call, name: str) -> Any:
    row = call.tx.one(
        "SELECT * FROM events_replay WHERE account = ? AND region = ? AND name = ?", call.account, call.region, name
    )
    if row is None:
        raise ResourceNotFoundException(f"Replay {name} does not exist.")
    return row


def _summary(row: Any) -> dict[str, Any]:
    return {
        "ReplayName": row["name"],
        "EventSourceArn": row["archive_arn"],
        "State": row["state"],
        "EventStartTime": row["first_at"],
        "EventEndTime": row["last_at"],
        "EventLastReplayedTime": row["replayed_at"],
        "ReplayStartTime": row["started_at"],
        "ReplayEndTime": row["ended_at"],
    }


@operation
def start_replay(
    call: Call,
    replay_name: str,
    event_source_arn: str,
    event_start_time: float,
    event_end_time: float,
    destination: dict[str, Any],
    description: str | None = None,
) -> dict[str, Any]:
    buses.find(call, destination["Arn"])
    archive = archives.by_arn(call, event_source_arn)
    if archive is None:
        raise invalid("EventSourceArn", f"Archive {arns.parse(event_source_arn).name} does not exist.")
    known = call.tx.value(
        "SELECT 1 FROM events_replay WHERE account = ? AND region = ? AND name = ?",
        call.account, call.region, replay_name,
    )  # fmt: skip
    if known:
        raise ResourceAlreadyExistsException(kind="Replay", name=replay_name)
    if event_start_time >= event_end_time:
        raise invalid("EventEndTime", "EventStartTime must be before EventEndTime.")
    if archive["bus_arn"] != destination["Arn"]:
        raise invalid("Destination.Arn", "Cross event bus replay is not permitted.")
    active = call.tx.value(
        "SELECT count(*) FROM events_replay WHERE account = ? AND region = ? AND state IN ('STARTING', 'RUNNING')",
        call.account, call.region,
    )  # fmt: skip
    if active >= ACTIVE:
        raise LimitExceededException()
    call.tx.run(
        """INSERT INTO events_replay (account, region, name, archive, archive_arn, description, destination, state,
                                      first_at, last_at, started_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        call.account, call.region, replay_name, archive["key"], event_source_arn, description,
        json.dumps(destination), STARTING, event_start_time, event_end_time, call.now,
    )  # fmt: skip
    call.later("events.replay", None, None, None, replay=_find(call, replay_name)["key"])
    return {
        "ReplayArn": replay_arn(call.account, call.region, replay_name),
        "State": STARTING,
        "ReplayStartTime": call.now,
    }


@operation
def describe_replay(call: Call, replay_name: str) -> dict[str, Any]:
    row = _find(call, replay_name)
    return {
        "ReplayArn": replay_arn(call.account, call.region, replay_name),
        "Description": row["description"],
        "Destination": json.loads(row["destination"]),
        **_summary(row),
    }


@operation
def list_replays(
    call: Call,
    name_prefix: str | None = None,
    state: str | None = None,
    event_source_arn: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    rows, token = page(
        lambda after, count: call.tx.all(
            """SELECT * FROM events_replay
                WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, ?) = ? AND ? IN ('', state)
                  AND ? IN ('', archive_arn)
                ORDER BY name LIMIT ?""",
            call.account, call.region, after, len(name_prefix or ""), name_prefix or "", state or "",
            event_source_arn or "", count,
        ),
        limit, next_token, lambda row: row["name"],
    )  # fmt: skip
    return {"Replays": [_summary(row) for row in rows], "NextToken": token}


@operation
def cancel_replay(call: Call, replay_name: str) -> dict[str, Any]:
    row = _find(call, replay_name)
    if row["state"] not in (STARTING, RUNNING):
        raise IllegalStatusException(f"Replay {replay_name} is not in a valid state for this operation.")
    call.tx.run("UPDATE events_replay SET state = ? WHERE key = ?", CANCELLING, row["key"])
    return {"ReplayArn": replay_arn(call.account, call.region, replay_name), "State": CANCELLING}


@job
def replay(call: Call, replay: int) -> None:
    """The next events of a replay: a slice, and how far it came, in one commit."""
    row = call.tx.one("SELECT * FROM events_replay WHERE key = ?", replay)
    if row is None:
        return
    if row["state"] == CANCELLING:
        _end(call, replay, CANCELLED)
        return
    destination = json.loads(row["destination"])
    bus = buses.look(call, destination["Arn"])
    kept = call.tx.all(
        """SELECT * FROM events_archived WHERE archive = ? AND at >= ? AND at < ? AND seq > ? ORDER BY seq LIMIT ?""",
        row["archive"], row["first_at"], row["last_at"], row["replayed_seq"], SLICE,
    )  # fmt: skip
    for each in kept:
        event = json.loads(each["event"])
        resources = event.pop("resources", [])
        detail = event.pop("detail", {})
        event |= {"replay-name": row["name"], "resources": resources, "detail": detail}
        if bus is not None:
            routing.tell(call, routing.accept(call, bus, event, only=destination.get("FilterArns") or ()))
    if kept:
        call.tx.run(
            "UPDATE events_replay SET state = ?, replayed_at = ?, replayed_seq = ? WHERE key = ?",
            RUNNING, kept[-1]["at"], kept[-1]["seq"], replay,
        )  # fmt: skip
    if len(kept) == SLICE:
        call.later("events.replay", None, None, None, replay=replay)
    else:
        _end(call, replay, COMPLETED)


def _end(call: Call, replay: int, state: str) -> None:
    call.tx.run("UPDATE events_replay SET state = ?, ended_at = ? WHERE key = ?", state, call.now, replay)
