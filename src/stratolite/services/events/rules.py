"""Rules: what a bus looks for, or when it acts by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.languages import schedules

from . import buses, documents, syntax, tagging, ticks
from .errors import ValidationException, invalid, rule_missing
from .pages import page

ENABLED, DISABLED = "ENABLED", "DISABLED"


@dataclass(frozen=True, slots=True)
class Rule:
    key: int
    bus: buses.Bus
    name: str
    pattern: str | None
    schedule: str | None
    state: str
    anchor: float

    @property
    def arn(self) -> str:
        return buses.rule_arn(self.bus, self.name)


def look(call: Call, bus: buses.Bus, name: str) -> Rule | None:
    row = call.tx.one("SELECT * FROM events_rule WHERE bus = ? AND name = ?", bus.key, name)
    if row is None:
        return None
    return Rule(row["key"], bus, name, row["pattern"], row["schedule"], row["state"], row["anchor"])


def find(call: Call, name: str, bus_name: str | None) -> Rule:
    bus = buses.find(call, bus_name)
    rule = look(call, bus, name)
    if rule is None:
        raise rule_missing(name, bus.name)
    return rule


def _described(bus: buses.Bus, row: Any) -> dict[str, Any]:
    return {
        "Name": row["name"],
        "Arn": buses.rule_arn(bus, row["name"]),
        "EventPattern": row["pattern"],
        "State": row["state"],
        "Description": row["description"],
        "ScheduleExpression": row["schedule"],
        "RoleArn": row["role"],
        "EventBusName": bus.name,
    }


# ---------------------------------------------------------------------- operations


@operation(ignores=["RoleArn"])
def put_rule(
    call: Call,
    name: str,
    schedule_expression: str | None = None,
    event_pattern: str | None = None,
    state: str | None = None,
    description: str | None = None,
    role_arn: str | None = None,
    tags: list[dict[str, str]] | None = None,
    event_bus_name: str | None = None,
) -> dict[str, Any]:
    bus = buses.find(call, event_bus_name)
    if not event_pattern and not schedule_expression:
        raise ValidationException("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if event_pattern:
        syntax.checked(event_pattern)
    if schedule_expression:
        if bus.name != buses.DEFAULT:
            raise ValidationException("ScheduleExpression is supported only on the default event bus.")
        try:
            schedules.parse_rule(schedule_expression)
        except schedules.ScheduleError:
            raise invalid("ScheduleExpression") from None
    was = look(call, bus, name)
    # A schedule counts from when it was set, changed or enabled; putting the same rule again leaves it running.
    state = state or ENABLED
    same = was is not None and was.schedule == schedule_expression and (was.state == DISABLED) == (state == DISABLED)
    anchor = was.anchor if was is not None and same else call.now
    call.tx.run(
        """INSERT INTO events_rule (bus, name, pattern, schedule, state, description, role, created_by, anchor)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (bus, name) DO UPDATE SET pattern = excluded.pattern, schedule = excluded.schedule,
                  state = excluded.state, description = excluded.description, role = excluded.role,
                  anchor = excluded.anchor""",
        bus.key, name, event_pattern or None, schedule_expression or None, state, description, role_arn,
        call.account, anchor,
    )  # fmt: skip
    rule = look(call, bus, name)
    assert rule is not None
    buses.touch(call, bus.key, "rule", rule.key, event_pattern, state)
    if not same:
        ticks.begin(call, rule)
    if was is None:
        tagging.put(call, rule.arn, tags or [])
    return {"RuleArn": rule.arn}


@operation
def describe_rule(call: Call, name: str, event_bus_name: str | None = None) -> dict[str, Any]:
    rule = find(call, name, event_bus_name)
    row = call.tx.one("SELECT * FROM events_rule WHERE key = ?", rule.key)
    assert row is not None
    return {**_described(rule.bus, row), "CreatedBy": row["created_by"]}


@operation
def list_rules(
    call: Call,
    name_prefix: str | None = None,
    event_bus_name: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    bus = buses.find(call, event_bus_name)
    rows, token = page(
        lambda after, count: call.tx.all(
            """SELECT * FROM events_rule WHERE bus = ? AND name > ? AND substr(name, 1, ?) = ?
               ORDER BY name LIMIT ?""",
            bus.key, after, len(name_prefix or ""), name_prefix or "", count,
        ),
        limit, next_token, lambda row: row["name"],
    )  # fmt: skip
    return {"Rules": [_described(bus, row) for row in rows], "NextToken": token}


@operation
def list_rule_names_by_target(
    call: Call,
    target_arn: str,
    event_bus_name: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    bus = buses.find(call, event_bus_name)
    rows, token = page(
        lambda after, count: call.tx.all(
            """SELECT DISTINCT events_rule.name FROM events_target JOIN events_rule ON events_rule.key = rule
                WHERE arn = ? AND bus = ? AND name > ? ORDER BY name LIMIT ?""",
            target_arn, bus.key, after, count,
        ),
        limit, next_token, lambda row: row["name"],
    )  # fmt: skip
    return {"RuleNames": [row["name"] for row in rows], "NextToken": token}


def _set_state(call: Call, name: str, bus_name: str | None, state: str) -> dict[str, Any]:
    rule = find(call, name, bus_name)
    if rule.state == state:
        return {}
    call.tx.run("UPDATE events_rule SET state = ?, anchor = ? WHERE key = ?", state, call.now, rule.key)
    buses.touch(call, rule.bus.key, "state", rule.key, state)
    renewed = look(call, rule.bus, name)
    assert renewed is not None
    ticks.begin(call, renewed)
    return {}


@operation
def enable_rule(call: Call, name: str, event_bus_name: str | None = None) -> dict[str, Any]:
    return _set_state(call, name, event_bus_name, ENABLED)


@operation
def disable_rule(call: Call, name: str, event_bus_name: str | None = None) -> dict[str, Any]:
    return _set_state(call, name, event_bus_name, DISABLED)


@operation
def delete_rule(call: Call, name: str, event_bus_name: str | None = None, force: bool | None = None) -> dict[str, Any]:
    bus = buses.find(call, event_bus_name)
    rule = look(call, bus, name)
    if rule is None:
        return {}
    if call.tx.value("SELECT count(*) FROM events_target WHERE rule = ?", rule.key):
        raise ValidationException("Rule can't be deleted since it has targets.")
    ticks.end(call, rule.key)
    call.tx.run("DELETE FROM events_rule WHERE key = ?", rule.key)
    tagging.forget(call, rule.arn)
    buses.touch(call, bus.key, "deleted", rule.key)
    return {}


@operation
def test_event_pattern(call: Call, event_pattern: str, event: str) -> dict[str, Any]:
    pattern = syntax.checked(event_pattern)
    try:
        document = documents.decoded(event)
    except ValueError:
        raise invalid("Event") from None
    if not isinstance(document, dict) or not document.keys() >= _MANDATORY:
        raise invalid("Event")
    return {"Result": pattern.matches(document)}


_MANDATORY = {"id", "account", "source", "time", "region", "detail-type"}
