"""Tags of buses and rules."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation
from stratolite.languages import arns

from . import buses, rules, tagging
from .errors import ValidationException


def _check(call: Call, arn: str) -> None:
    """The resource must exist; only buses and rules have tags."""
    try:
        parsed = arns.parse(arn)
    except arns.ArnError:
        reason = "Provided Arn is not in correct format."
        raise ValidationException(f"Parameter {arn} is not valid. Reason: {reason}") from None
    if parsed.kind == "rule":
        bus, _, name = parsed.name.rpartition("/")
        rules.find(call, name, bus or None)
    else:
        buses.find(call, arn)


@operation
def tag_resource(call: Call, resource_arn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    _check(call, resource_arn)
    tagging.put(call, resource_arn, tags)
    return {}


@operation
def untag_resource(call: Call, resource_arn: str, tag_keys: list[str]) -> dict[str, Any]:
    _check(call, resource_arn)
    for key in tag_keys:
        call.tx.run("DELETE FROM events_tag WHERE arn = ? AND key = ?", resource_arn, key)
    return {}


@operation
def list_tags_for_resource(call: Call, resource_arn: str) -> dict[str, Any]:
    _check(call, resource_arn)
    rows = call.tx.all("SELECT key, value FROM events_tag WHERE arn = ? ORDER BY key", resource_arn)
    return {"Tags": [{"Key": row["key"], "Value": row["value"]} for row in rows]}
