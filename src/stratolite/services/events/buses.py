"""Event buses: made, described, listed, changed, deleted."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.languages import arns

from . import tagging
from .errors import ResourceAlreadyExistsException, ValidationException, bus_missing
from .pages import page

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Bus:
    key: int
    account: str
    region: str
    name: str
    rules: str

    @property
    def arn(self) -> str:
        return bus_arn(self.account, self.region, self.name)


def bus_arn(account: str, region: str, name: str) -> str:
    return f"arn:aws:events:{region}:{account}:event-bus/{name}"


def rule_arn(bus: Bus, name: str) -> str:
    path = name if bus.name == DEFAULT else f"{bus.name}/{name}"
    return f"arn:aws:events:{bus.region}:{bus.account}:rule/{path}"


def named(call: Call, name_or_arn: str | None) -> tuple[str, str, str]:
    """Account, region and name of a bus given by name, by ARN, or not at all."""
    given = name_or_arn or DEFAULT
    if not arns.is_arn(given):
        return call.account, call.region, given
    arn = arns.parse(given)
    return arn.account, arn.region, arn.name


def look(call: Call, name_or_arn: str | None) -> Bus | None:
    """The bus, or None. The default bus of an account and region is there from the start."""
    account, region, name = named(call, name_or_arn)
    row = _row(call, account, region, name)
    if row is None and name == DEFAULT:
        _insert(call, account, region, DEFAULT)
        row = _row(call, account, region, name)
    return Bus(row["key"], account, region, name, row["rules"]) if row is not None else None


def find(call: Call, name_or_arn: str | None) -> Bus:
    bus = look(call, name_or_arn)
    if bus is None:
        raise bus_missing(named(call, name_or_arn)[2])
    return bus


def touch(call: Call, bus: int, *change: Any) -> None:
    """Say that rules, targets or archives of the bus changed: the digest of all changes names the compiled index."""
    was = call.tx.value("SELECT rules FROM events_bus WHERE key = ?", bus)
    now = hashlib.sha256(f"{was}{change!r}".encode()).hexdigest()
    call.tx.run("UPDATE events_bus SET rules = ? WHERE key = ?", now, bus)


def _row(call: Call, account: str, region: str, name: str) -> Any:
    return call.tx.one("SELECT * FROM events_bus WHERE account = ? AND region = ? AND name = ?", account, region, name)


def _insert(call: Call, account: str, region: str, name: str, **columns: Any) -> None:
    call.tx.run(
        """INSERT INTO events_bus (account, region, name, description, kms_key, dead_letter, log_config, rules,
                                   created_at, modified_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        account, region, name, columns.get("description"), columns.get("kms_key"), columns.get("dead_letter"),
        columns.get("log_config"), f"{account}:{region}:{name}:{call.now}", call.now, call.now,
    )  # fmt: skip


def _text(document: Any) -> str | None:
    return None if document is None else json.dumps(document)


def _described(row: Any) -> dict[str, Any]:
    return {
        "Name": row["name"],
        "Arn": bus_arn(row["account"], row["region"], row["name"]),
        "Description": row["description"],
        "Policy": row["policy"],
        "CreationTime": row["created_at"],
        "LastModifiedTime": row["modified_at"],
    }


def _settings(row: Any) -> dict[str, Any]:
    return {
        "Description": row["description"],
        "KmsKeyIdentifier": row["kms_key"],
        "DeadLetterConfig": json.loads(row["dead_letter"]) if row["dead_letter"] else None,
        "LogConfig": json.loads(row["log_config"]) if row["log_config"] else None,
    }


# ---------------------------------------------------------------------- operations


@operation(ignores=["LogConfig", "KmsKeyIdentifier", "DeadLetterConfig"])
def create_event_bus(
    call: Call,
    name: str,
    description: str | None = None,
    kms_key_identifier: str | None = None,
    dead_letter_config: dict[str, Any] | None = None,
    log_config: dict[str, Any] | None = None,
    tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    if not re.fullmatch(r"[.\-_A-Za-z0-9]+", name):
        raise ValidationException(f"Event bus name {name} is not valid.")
    if name == DEFAULT or _row(call, call.account, call.region, name) is not None:
        raise ResourceAlreadyExistsException(kind="Event bus", name=name)
    _insert(
        call, call.account, call.region, name, description=description, kms_key=kms_key_identifier,
        dead_letter=_text(dead_letter_config), log_config=_text(log_config),
    )  # fmt: skip
    arn = bus_arn(call.account, call.region, name)
    tagging.put(call, arn, tags or [])
    return {
        "EventBusArn": arn,
        "Description": description,
        "KmsKeyIdentifier": kms_key_identifier,
        "DeadLetterConfig": dead_letter_config,
        "LogConfig": log_config,
    }


@operation
def describe_event_bus(call: Call, name: str | None = None) -> dict[str, Any]:
    bus = find(call, name)
    row = _row(call, bus.account, bus.region, bus.name)
    return {**_described(row), **_settings(row)}


@operation
def list_event_buses(
    call: Call, name_prefix: str | None = None, next_token: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    look(call, DEFAULT)
    rows, token = page(
        lambda after, count: call.tx.all(
            """SELECT * FROM events_bus WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, ?) = ?
               ORDER BY name LIMIT ?""",
            call.account, call.region, after, len(name_prefix or ""), name_prefix or "", count,
        ),
        limit, next_token, lambda row: row["name"],
    )  # fmt: skip
    return {"EventBuses": [_described(row) for row in rows], "NextToken": token}


@operation(ignores=["LogConfig", "KmsKeyIdentifier", "DeadLetterConfig"])
def update_event_bus(
    call: Call,
    name: str | None = None,
    kms_key_identifier: str | None = None,
    description: str | None = None,
    dead_letter_config: dict[str, Any] | None = None,
    log_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    bus = find(call, name)
    call.tx.run(
        """UPDATE events_bus SET description = coalesce(?, description), kms_key = coalesce(?, kms_key),
                  dead_letter = coalesce(?, dead_letter), log_config = coalesce(?, log_config), modified_at = ?
            WHERE key = ?""",
        description, kms_key_identifier, _text(dead_letter_config), _text(log_config), call.now, bus.key,
    )  # fmt: skip
    row = _row(call, bus.account, bus.region, bus.name)
    return {"Name": bus.name, "Arn": bus.arn, **_settings(row)}


@operation
def delete_event_bus(call: Call, name: str) -> dict[str, Any]:
    account, region, bus_name = named(call, name)
    if bus_name == DEFAULT:
        raise ValidationException("Cannot delete event bus default.")
    row = _row(call, account, region, bus_name)
    if row is None:
        return {}
    # AWS deletes the rules with their bus.
    prefix = f"arn:aws:events:{region}:{account}:rule/{bus_name}/"
    call.tx.run("DELETE FROM events_target WHERE rule IN (SELECT key FROM events_rule WHERE bus = ?)", row["key"])
    call.tx.run("DELETE FROM events_rule WHERE bus = ?", row["key"])
    call.tx.run("DELETE FROM events_tag WHERE arn = ? OR substr(arn, 1, ?) = ?",
                bus_arn(account, region, bus_name), len(prefix), prefix)  # fmt: skip
    call.tx.run("DELETE FROM events_bus WHERE key = ?", row["key"])
    return {}
