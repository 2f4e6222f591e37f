"""Input transformers: paths into an event, and a template that is filled from them.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

RESERVED = frozenset(
    {
        "aws.events.rule-arn",
        "aws.events.rule-name",
        "aws.events.event.ingestion-time",
        "aws.events.event",
        "aws.events.event.json",
    }
)

_STEP = re.compile(r"""\.([^.\[\]\s'"*?()]+)|\[(\d+|\*)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
_MISSING = object()


class TransformError(ValueError):
    """What AWS says of a path or template it refuses, or a result that is no JSON."""


# ---------------------------------------------------------------------- paths


@lru_cache(maxsize=4096)
def path_steps(path: str) -> tuple[str | int, ...]:
    """`$.detail.items[0].id` as steps; TransformError when it is not such a path."""
    if not path.startswith("$"):
        raise TransformError(path)
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise TransformError(path)
        name = match[1] if match[1] is not None else match[3] if match[3] is not None else match[4]
        steps.append(name if match[2] is None else match[2] if match[2] == "*" else int(match[2]))
        at = match.end()
    return tuple(steps)


def find(document: Any, path: str, default: Any = None) -> Any:
    """What a path points at, or the default."""
    nodes, many = [document], False
    for step in path_steps(path):
        if step == "*":
            nodes, many = [item for node in nodes if isinstance(node, list) for item in node], True
        else:
            nodes = [found for node in nodes if (found := _child(node, step)) is not _MISSING]
    if many:
        return nodes
    return nodes[0] if nodes else default


def _child(node: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return node[step] if isinstance(node, list) and step < len(node) else _MISSING
    return node.get(step, _MISSING) if isinstance(node, dict) else _MISSING


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def text(value: Any) -> str:
    """JSON as EventBridge writes it: without spaces, characters as they are."""
    return _encode(value)


# ---------------------------------------------------------------------- templates


def placeholders(template: str) -> list[str]:
    return _PLACEHOLDER.findall(template)


def unknown_placeholder(template: str, paths: Mapping[str, str]) -> str | None:
    """The first placeholder that neither the map nor AWS defines."""
    return next((name for name in placeholders(template) if name not in paths and name not in RESERVED), None)


@dataclass(frozen=True, slots=True)
class Context:
    """What the reserved variables tell."""

    rule_arn: str
    rule_name: str
    ingested_at: str  # ISO 8601, UTC


def transform(event: Mapping[str, Any], paths: Mapping[str, str], template: str, context: Context) -> str:
    """The target's input. TransformError when the filled template is not JSON: AWS then delivers nothing.

    A template is JSON with placeholders, or lines of quoted text. Outside quotation marks a placeholder becomes JSON;
    within them it becomes the value's text: a string bare, an object or a list without its inner quotation marks.
    """
    values = {name: find(event, path, _MISSING) for name, path in paths.items()}
    # AWS: the event without its detail, and `detail-type` as `detailType`.
    values["aws.events.event"] = {
        "detailType" if name == "detail-type" else name: value for name, value in event.items() if name != "detail"
    }
    values["aws.events.event.json"] = dict(event)
    values["aws.events.rule-arn"] = context.rule_arn
    values["aws.events.rule-name"] = context.rule_name
    values["aws.events.event.ingestion-time"] = context.ingested_at
    whole = template.lstrip()[:1] in ("{", "[")
    filled = _fill(template, values, within_json=whole)
    try:
        if whole:
            return text(json.loads(filled))
        for line in filled.splitlines():
            if line.strip():
                json.loads(line)
    except ValueError:
        raise TransformError(filled) from None
    return filled


def _fill(template: str, values: Mapping[str, Any], within_json: bool) -> str:
    out: list[str] = []
    quoted, at = False, 0
    while at < len(template):
        character = template[at]
        if character == "\\" and quoted:
            out.append(template[at : at + 2])
            at += 2
            continue
        if character == '"':
            quoted = not quoted
        elif character == "<":
            match = _PLACEHOLDER.match(template, at)
            if match and match[1] in values:
                out.append(_written(values[match[1]], quoted, within_json))
                at = match.end()
                continue
        out.append(character)
        at += 1
    return "".join(out)


def _written(value: Any, quoted: bool, within_json: bool) -> str:
    if value is _MISSING:
        return "" if quoted else '""'
    if not quoted:
        return text(value)
    if isinstance(value, str):
        return text(value)[1:-1]
    # Within a JSON document the inner quotation marks stay, and break it: AWS delivers nothing then.
    return text(value) if within_json else text(value).replace('"', "")
