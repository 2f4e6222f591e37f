"""Point-in-time recovery: said to be on or off.

Restoring is not emulated: RestoreTableToPointInTime and the backups are not here, and are refused by name.
"""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions.errors import Invalid

from . import table
from .errors import TableNotFoundException
from .requests import answers
from .table import Table

Json = Any
Answer = dict[str, Any]
MOST_DAYS = 35


def _find(call: Call, name: str) -> Table:
    found = table.find(call, name)
    if found is None:
        raise TableNotFoundException(table=table.located(call, name)[2])
    return found


def _description(call: Call, of: Table) -> Answer:
    recovery = of.definition.get("PointInTimeRecovery")
    if recovery is None:
        return {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
        }
    earliest = max(recovery["Since"], call.now - recovery["Days"] * 86_400.0)
    return {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": recovery["Days"],
            "EarliestRestorableDateTime": round(earliest, 3),
            "LatestRestorableDateTime": round(call.now, 3),
        },
    }


@answers
def describe_continuous_backups(call: Call, table_name: str) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html"""
    return {"ContinuousBackupsDescription": _description(call, _find(call, table_name))}


@answers
def update_continuous_backups(call: Call, table_name: str, point_in_time_recovery_specification: Json) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html"""
    enabled = point_in_time_recovery_specification.get("PointInTimeRecoveryEnabled")
    days = point_in_time_recovery_specification.get("RecoveryPeriodInDays")
    if days is not None and not enabled:
        raise Invalid("RecoveryPeriodInDays can only be specified when PointInTimeRecoveryEnabled is true")
    of = _find(call, table_name)
    definition = json.loads(json.dumps(of.definition))
    if enabled:
        since = definition.get("PointInTimeRecovery", {}).get("Since", call.now)
        definition["PointInTimeRecovery"] = {"Since": since, "Days": days or MOST_DAYS}
    else:
        definition.pop("PointInTimeRecovery", None)
    return {"ContinuousBackupsDescription": _description(call, table.save(call, of.key, definition))}
