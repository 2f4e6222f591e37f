"""Metric filters: a group's lines counted and measured as they come."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import following, names
from .errors import InvalidParameterException, LimitExceededException, ResourceNotFoundException
from .events import compiled
from .names import ms
from .pages import paged

_MAX_FILTERS = 100
_PAGE = 50


@operation(ignores=["metricTransformations.defaultValue"])
def put_metric_filter(
    call: Call,
    log_group_name: str,
    filter_name: str,
    filter_pattern: str,
    metric_transformations: list[dict[str, Any]],
) -> None:
    group = names.get(call, log_group_name)
    compiled(filter_pattern)
    others = call.tx.value(
        "SELECT count(*) FROM logs_filter WHERE log_group = ? AND kind = 'metric' AND name <> ?", group.key, filter_name
    )
    if others >= _MAX_FILTERS:
        raise LimitExceededException
    following.put(
        call, group, "metric", filter_name, filter_pattern, transformations=json.dumps(metric_transformations)
    )


@operation
def describe_metric_filters(
    call: Call,
    log_group_name: str | None = None,
    filter_name_prefix: str = "",
    next_token: str | None = None,
    limit: int = _PAGE,
    metric_name: str | None = None,
    metric_namespace: str | None = None,
) -> dict[str, Any]:
    if (metric_name is None) != (metric_namespace is None):
        raise InvalidParameterException("metricName and metricNamespace must be specified together.")
    group = names.get(call, log_group_name).key if log_group_name is not None else None
    rows = call.tx.all(
        """SELECT f.*, g.name AS group_name FROM logs_filter f JOIN logs_group g ON g.key = f.log_group
           WHERE f.kind = 'metric' AND g.account = ? AND g.region = ? AND (? IS NULL OR g.key = ?)
           ORDER BY f.name, g.name""",
        call.account,
        call.region,
        group,
        group,
    )
    wanted = [
        row
        for row in rows
        if row["name"].startswith(filter_name_prefix)
        and (metric_name is None or _feeds(row, metric_name, metric_namespace or ""))
    ]
    page, more = paged(wanted, limit, next_token, lambda row: f"{row['name']} {row['group_name']}")
    return {
        "metricFilters": [
            {
                "filterName": row["name"],
                "filterPattern": row["pattern"],
                "metricTransformations": [_described(rule) for rule in json.loads(row["transformations"])],
                "creationTime": ms(row["created_at"]),
                "logGroupName": row["group_name"],
                "applyOnTransformedLogs": False,
            }
            for row in page
        ],
        "nextToken": more,
    }


@operation
def delete_metric_filter(call: Call, log_group_name: str, filter_name: str) -> None:
    group = names.get(call, log_group_name)
    if not following.remove(call, group, "metric", filter_name):
        raise ResourceNotFoundException(what="metric filter")


@operation
def test_metric_filter(call: Call, filter_pattern: str, log_event_messages: list[str]) -> dict[str, Any]:
    pattern = compiled(filter_pattern)
    return {
        "matches": [
            {"eventNumber": number, "eventMessage": message, "extractedValues": pattern.extract(message)}
            for number, message in enumerate(log_event_messages, 1)
            if pattern.matches(message)
        ]
    }


def _described(rule: dict[str, Any]) -> dict[str, Any]:
    return rule | {"defaultValue": float(rule["defaultValue"])} if "defaultValue" in rule else rule


def _feeds(row: Any, name: str, namespace: str) -> bool:
    return any(
        one["metricName"] == name and one["metricNamespace"] == namespace for one in json.loads(row["transformations"])
    )
