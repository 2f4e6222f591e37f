"""Contributor insights: said to be on or off; the rules behind them are CloudWatch's and not here."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call

from . import table
from .errors import ResourceNotFoundException
from .requests import answers
from .table import Table

Answer = dict[str, Any]


def _find(call: Call, name: str, index: str | None) -> Table:
    found = table.describe(call, name)
    if index is not None and all(each.name != index for each in found.indexes):
        raise ResourceNotFoundException(f"Requested resource not found: Index: {index} not found")
    return found


def _status(of: Table, index: str | None) -> Answer:
    said: Answer = {"TableName": of.name, "ContributorInsightsStatus": "DISABLED"}
    if index is not None:
        said["IndexName"] = index
    if (index or "") in of.definition.get("ContributorInsights", ()):
        said["ContributorInsightsStatus"] = "ENABLED"
    return said


@answers
def describe_contributor_insights(call: Call, table_name: str, index_name: str | None = None) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContributorInsights.html"""
    return _status(_find(call, table_name, index_name), index_name)


@answers
def update_contributor_insights(
    call: Call, table_name: str, contributor_insights_action: str, index_name: str | None = None
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContributorInsights.html

    AWS: ENABLING and DISABLING first. Here: at once.
    """
    found = _find(call, table_name, index_name)
    definition = json.loads(json.dumps(found.definition))
    enabled = set(definition.get("ContributorInsights", ()))
    if contributor_insights_action == "ENABLE":
        enabled.add(index_name or "")
    else:
        enabled.discard(index_name or "")
    definition["ContributorInsights"] = sorted(enabled)
    return _status(table.save(call, found.key, definition), index_name)
