"""Time to live: items that end by themselves.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
"""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, job
from stratolite.languages.expressions.errors import Invalid, Malformed

from . import rows, table
from .errors import ResourceNotFoundException
from .requests import answers

Json = Any
Answer = dict[str, Any]
SLICE = 100
OLDEST_S = 5 * 365 * 86_400.0
"""What should have ended five years ago is taken for a mistake and stays."""


@answers
def update_time_to_live(call: Call, table_name: str, time_to_live_specification: Json) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html"""
    enabled, name = time_to_live_specification.get("Enabled"), time_to_live_specification.get("AttributeName")
    for member, value in (("attributeName", name), ("enabled", enabled)):
        if value is None:
            raise Invalid(
                f"1 validation error detected: Value null at 'timeToLiveSpecification.{member}' failed to satisfy "
                "constraint: Member must not be null"
            )
    if name.__class__ is not str or enabled.__class__ is not bool:
        raise Malformed("Unexpected value type in payload")
    if not 1 <= len(name) <= 255:
        how = "less than or equal to 255" if name else "greater than or equal to 1"
        raise Invalid(
            f"1 validation error detected: Value '{name}' at 'timeToLiveSpecification.attributeName' failed to satisfy "
            f"constraint: Member must have length {how}"
        )
    of = table.describe(call, table_name)
    if of.definition["TableStatus"] == "DELETING":
        raise ResourceNotFoundException(f"Requested resource not found: Table: {of.name} not found")
    if enabled and of.ttl is not None:
        if of.ttl == name:
            raise Invalid("TimeToLive is already enabled")
        raise Invalid(f"TimeToLive is active on a different AttributeName: current AttributeName is {of.ttl}")
    if not enabled:
        if of.ttl is None:
            raise Invalid("TimeToLive is already disabled")
        if of.ttl != name:
            raise Invalid(f"TimeToLive is active on a different AttributeName: current AttributeName is {of.ttl}")
    definition = json.loads(json.dumps(of.definition))
    if enabled:
        definition["TimeToLive"] = name
        call.later("dynamodb.find_lifetimes", None, None, None, key=of.key, attribute=name, after="")
    else:
        del definition["TimeToLive"]
        call.later("dynamodb.find_lifetimes", None, None, None, key=of.key, attribute="", after="")
    # AWS: ENABLING for up to an hour, and one change per hour. Here: at once, as often as asked.
    table.save(call, of.key, definition)
    return {"TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": name}}


@answers
def describe_time_to_live(call: Call, table_name: str) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTimeToLive.html"""
    of = table.describe(call, table_name)
    if of.ttl is None:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": of.ttl}}


@job
def find_lifetimes(call: Call, key: int, attribute: str, after: str) -> None:
    """Learn, a slice at a time, when the items a table already has end; with no attribute, that they do not."""
    of = table.load(call, key)
    if of is None or (of.ttl or "") != attribute:
        return
    found, rest = rows.slice_of(call, key, after, SLICE, "id, item")
    soonest: float | None = None
    for row in found:
        expires = rows.expires_at(of, json.loads(row["item"])) if attribute else None
        call.tx.run("UPDATE dynamodb_item SET expires = ? WHERE id = ?", expires, row["id"])
        if expires is not None and (soonest is None or expires < soonest):
            soonest = expires
    if soonest is not None:
        rows.expect_expiry(call, of, soonest)
    if rest:
        call.later("dynamodb.find_lifetimes", None, None, None, key=key, attribute=attribute, after=rest)


@job
def expire(call: Call, key: int) -> None:
    """Delete what has ended; come again for what ends next.

    AWS: within a few days of the end. Here: at once.
    """
    expected = call.tx.value('SELECT due FROM dynamodb_expiry WHERE "table" = ?', key)
    if expected is None or expected > call.now:
        return  # an earlier run has done this one's work and expects the next
    of = table.load(call, key)
    if of is None or of.ttl is None:
        call.tx.run('DELETE FROM dynamodb_expiry WHERE "table" = ?', key)
        return
    ended = call.tx.all(
        "SELECT id, hash, pk, sk, bytes, item FROM dynamodb_item"
        " WHERE t = ? AND expires IS NOT NULL AND expires <= ? AND expires > ? ORDER BY expires LIMIT ?",
        key,
        call.now,
        call.now - OLDEST_S,
        SLICE,
    )
    for row in ended:
        stored = rows.Stored(row["id"], row["bytes"], row["item"])
        rows.remove(call, of, (row["hash"], row["pk"], row["sk"]), stored, by_service=True)
    if len(ended) == SLICE:
        due: float | None = call.now
    else:
        due = call.tx.value(
            "SELECT min(expires) FROM dynamodb_item WHERE t = ? AND expires IS NOT NULL AND expires > ?",
            key,
            call.now,
        )
    call.tx.run('DELETE FROM dynamodb_expiry WHERE "table" = ?', key)
    if due is not None:
        call.tx.run('INSERT INTO dynamodb_expiry ("table", due) VALUES (?, ?)', key, due)
        call.later("dynamodb.expire", due, None, None, key=key)
