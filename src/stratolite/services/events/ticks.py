"""Ticks: rules that act on a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratolite.kernel import Call, job
from stratolite.languages import schedules

from . import buses, routing

if TYPE_CHECKING:
    from .rules import Rule


def begin(call: Call, rule: Rule) -> None:
    """Tick from now on by the rule's schedule, instead of whatever it ticked by before."""
    end(call, rule.key)
    if rule.schedule and rule.state != "DISABLED":
        _next(call, rule.key, rule.schedule, rule.anchor, call.now)


def end(call: Call, rule: int) -> None:
    """No tick any more."""
    tick = call.tx.value("SELECT tick FROM events_rule WHERE key = ?", rule)
    if tick is not None:
        call.cancel(tick)
        call.tx.run("UPDATE events_rule SET tick = NULL WHERE key = ?", rule)


def _next(call: Call, rule: int, expression: str, anchor: float, after: float) -> None:
    schedule = schedules.parse_rule(expression)
    # A rate's first tick comes one period after the rule was made.
    at = schedule.next_after(max(after, anchor), anchor)
    tick = None if at is None else call.later("events.tick", at, None, None, rule=rule, at=at)
    call.tx.run("UPDATE events_rule SET tick = ? WHERE key = ?", tick, rule)


@job
def tick(call: Call, rule: int, at: float) -> None:
    row = call.tx.one(
        """SELECT events_rule.*, events_bus.name AS bus_name FROM events_rule
             JOIN events_bus ON events_bus.key = bus
            WHERE events_rule.key = ? AND tick = ?""",
        rule, call.job,
    )  # fmt: skip
    if row is None:
        return
    _next(call, rule, row["schedule"], row["anchor"], at)
    bus = buses.find(call, row["bus_name"])
    found = routing.route(call, bus, rule, row["name"])
    event = routing.envelope(
        id=call.world.id(),
        detail_type="Scheduled Event",
        source="aws.events",
        account=bus.account,
        at=at,
        region=bus.region,
        resources=[found.arn],
        detail={},
    )
    routing.send(call, found, event)
    routing.tell(call, [found])
