"""Routing: an event on a bus, the rules that match it, what their targets get."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from stratolite.kernel import Call, Retry
from stratolite.languages import transformers
from stratolite.languages.patterns import PatternIndex, compile_pattern

from . import archives
from .buses import Bus, rule_arn

Event = dict[str, Any]
INDEXES_KEPT = 256


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A target of a rule, read once: what it gets, and how often it is tried."""

    arn: str
    document: dict[str, Any]
    retry: Retry
    dead_letter: str | None
    is_plain: bool
    """Whether it gets the event as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A rule as routing needs it."""

    key: int
    name: str
    arn: str
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Archiving:
    """An archive as routing needs it."""

    key: int


Index = PatternIndex[Route | Archiving]

# Derived from rows and named by their digest: two clouds in one process may share it, a roll-back cannot spoil it.
_indexes: OrderedDict[str, Index] = OrderedDict()


def index(call: Call, bus: Bus) -> Index:
    """The compiled rules and archives of a bus."""
    found = _indexes.get(bus.rules)
    if found is None:
        found = _indexes[bus.rules] = _compiled(call, bus)
        if len(_indexes) > INDEXES_KEPT:
            _indexes.popitem(last=False)
    return found


def _compiled(call: Call, bus: Bus) -> Index:
    rows = call.tx.all(
        """SELECT key, name, pattern FROM events_rule
            WHERE bus = ? AND pattern IS NOT NULL AND state <> 'DISABLED' ORDER BY key""",
        bus.key,
    )
    entries: list[tuple[Route | Archiving, Any]] = [
        (route(call, bus, row["key"], row["name"]), compile_pattern(row["pattern"]).branches) for row in rows
    ]
    for row in call.tx.all("SELECT key, pattern FROM events_archive WHERE bus = ? ORDER BY key", bus.key):
        entries.append((Archiving(row["key"]), compile_pattern(row["pattern"] or archives.EVERYTHING).branches))
    return PatternIndex(entries)


def route(call: Call, bus: Bus, key: int, name: str) -> Route:
    rows = call.tx.all("SELECT document FROM events_target WHERE rule = ? ORDER BY id", key)
    return Route(key, name, rule_arn(bus, name), tuple(_target(row["document"]) for row in rows))


@lru_cache(maxsize=4096)
def _target(text: str) -> Target:
    document = json.loads(text)
    policy = document.get("RetryPolicy") or {}
    # Defaults: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
    retry = Retry(
        policy.get("MaximumRetryAttempts", 185), float(policy.get("MaximumEventAgeInSeconds", 86_400)), "events"
    )
    dead_letter = (document.get("DeadLetterConfig") or {}).get("Arn")
    is_plain = not document.keys() & {"Input", "InputPath", "InputTransformer"}
    return Target(document["Arn"], document, retry, dead_letter, is_plain)


# ---------------------------------------------------------------------- events


def instant(at: float) -> str:
    """ISO 8601 to the second, in UTC."""
    return _instant(int(at))


@lru_cache(maxsize=64)
def _instant(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(
    *,
    id: str,
    detail_type: str,
    source: str,
    account: str,
    at: float,
    region: str,
    resources: list[str],
    detail: Any,
) -> Event:
    """An event in AWS's order of fields."""
    return {
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": instant(at),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def accept(call: Call, bus: Bus, event: Event, only: Collection[str] = (), hops: int = 0) -> list[Route]:
    """Route an event: archive it, and deliver it to the targets of every rule that matches; those rules.

    Args:
        only: the ARNs of the rules a replay is limited to; none means all.
        hops: how many buses it came through.
    """
    triggered = []
    for owner in index(call, bus).matches(event):
        if isinstance(owner, Archiving):
            archives.keep(call, owner.key, event)
        elif not only or owner.arn in only:
            send(call, owner, event, hops)
            triggered.append(owner)
    return triggered


def tell(call: Call, triggered: Iterable[Route]) -> None:
    """The metrics of what was set off. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html"""
    for owner, count in Counter(triggered).items():
        for name in ("MatchedEvents", "TriggeredRules"):
            call.metric("AWS/Events", name, count, RuleName=owner.name)
        if owner.targets:
            call.metric("AWS/Events", "Invocations", count * len(owner.targets), RuleName=owner.name)


def send(call: Call, owner: Route, event: Event, hops: int = 0) -> None:
    """To every target of the rule, in this transaction."""
    whole: str | None = None
    for target in owner.targets:
        if target.is_plain:
            payload = whole = whole or transformers.text(event)
        else:
            try:
                payload = _payload(call, owner, target.document, event)
            except transformers.TransformError:
                # AWS delivers nothing when the transformed input is not JSON.
                call.metric("AWS/Events", "FailedInvocations", RuleName=owner.name)
                call.annotate(not_json=target.arn)
                continue
        call.deliver(
            to=target.arn,
            payload=payload,
            source="events",
            retry=target.retry,
            dead_letter=target.dead_letter,
            context=_context(owner, target.document, event, hops),
        )


def _payload(call: Call, owner: Route, document: Mapping[str, Any], event: Event) -> str:
    if "Input" in document:
        return str(document["Input"])
    if "InputPath" in document:
        return transformers.text(transformers.find(event, document["InputPath"]))
    transformer = document["InputTransformer"]
    context = transformers.Context(owner.arn, owner.name, instant(call.now))
    return transformers.transform(event, transformer.get("InputPathsMap") or {}, transformer["InputTemplate"], context)


def _context(owner: Route, document: Mapping[str, Any], event: Event, hops: int) -> dict[str, Any]:
    """What targets of each kind may want to know."""
    context: dict[str, Any] = {"rule_arn": owner.arn}
    if ":event-bus/" in document["Arn"]:
        context["hops"] = hops + 1
    if "SqsParameters" in document:
        context["message_group_id"] = document["SqsParameters"].get("MessageGroupId")
    if "KinesisParameters" in document:
        context["partition_key"] = str(transformers.find(event, document["KinesisParameters"]["PartitionKeyPath"], ""))
    if "HttpParameters" in document:
        context["http"] = document["HttpParameters"]
    return context
