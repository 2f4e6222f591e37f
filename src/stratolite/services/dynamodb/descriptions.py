"""Tables as DescribeTable shows them."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, job

from . import rows
from .table import Table

Description = dict[str, Any]
ON_DEMAND_READS = 12_000
ON_DEMAND_WRITES = 4_000
MOST_COUNTED = 1000
"""Items that are counted while the caller waits."""
SLICE = 1000
RECOUNT_S = 6 * 3600.0


def read_stats(call: Call, of: Table) -> tuple[int, int]:
    """Number of items and their bytes.

    AWS: counted about every six hours. Here: a small table at once; a large one as it was last counted, begun by
    the first who asks.
    """
    seen, size = call.tx.all(
        "SELECT count(*), coalesce(sum(bytes), 0) FROM (SELECT bytes FROM dynamodb_item WHERE t = ? LIMIT ?)",
        of.key,
        MOST_COUNTED,
    )[0]
    if seen < MOST_COUNTED:
        return seen, size
    known = call.tx.one('SELECT items, bytes, counted_at FROM dynamodb_count WHERE "table" = ?', of.key)
    if known is None or known["counted_at"] + RECOUNT_S <= call.now:
        call.tx.run(
            'INSERT INTO dynamodb_count ("table", items, bytes, counted_at) VALUES (?, ?, ?, ?)'
            ' ON CONFLICT ("table") DO UPDATE SET counted_at = excluded.counted_at',
            of.key,
            seen,
            size,
            call.now,
        )
        call.later("dynamodb.count", None, None, None, key=of.key, after="", items=0, size=0)
    return (seen, size) if known is None else (known["items"], known["bytes"])


@job
def count(call: Call, key: int, after: str, items: int, size: int) -> None:
    """Count a large table, a slice at a time."""
    found, rest = rows.slice_of(call, key, after, SLICE, "bytes")
    items += len(found)
    size += sum(row["bytes"] for row in found)
    if rest:
        call.later("dynamodb.count", None, None, None, key=key, after=rest, items=items, size=size)
    else:
        call.tx.run('UPDATE dynamodb_count SET items = ?, bytes = ? WHERE "table" = ?', items, size, key)


def _throughput(definition: Description, given: Description) -> Description:
    shown = {"NumberOfDecreasesToday": 0, **given}
    for member in ("LastIncreaseDateTime", "LastDecreaseDateTime"):
        if member in definition:
            shown[member] = definition[member]
    return shown


def _warm(definition: Description, given: Description | None, throughput: Description, active: bool) -> Description:
    on_demand = definition["BillingMode"] == "PAY_PER_REQUEST"
    return {
        "ReadUnitsPerSecond": (given or {}).get(
            "ReadUnitsPerSecond", ON_DEMAND_READS if on_demand else throughput["ReadCapacityUnits"]
        ),
        "WriteUnitsPerSecond": (given or {}).get(
            "WriteUnitsPerSecond", ON_DEMAND_WRITES if on_demand else throughput["WriteCapacityUnits"]
        ),
        "Status": "ACTIVE" if active else "UPDATING",
    }


def _index(of: Table, index: Description, stats: tuple[int, int], is_local: bool, fresh: bool) -> Description:
    shown: Description = {
        "IndexName": index["IndexName"],
        "KeySchema": index["KeySchema"],
        "Projection": index["Projection"],
    }
    if not is_local:
        shown["IndexStatus"] = index["IndexStatus"]
        if index["IndexStatus"] == "CREATING" and index.get("Backfilling") is not None:
            shown["Backfilling"] = index["Backfilling"]
        shown["ProvisionedThroughput"] = _throughput(
            {}, index.get("ProvisionedThroughput", {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0})
        )
        if not fresh or "WarmThroughput" in index:
            shown["WarmThroughput"] = _warm(
                of.definition, index.get("WarmThroughput"), shown["ProvisionedThroughput"], not fresh
            )
        if "OnDemandThroughput" in index:
            shown["OnDemandThroughput"] = index["OnDemandThroughput"]
    shown["IndexSizeBytes"] = stats[1]
    shown["ItemCount"] = stats[0]
    shown["IndexArn"] = f"{of.arn}/index/{index['IndexName']}"
    return shown


def describe_table_as(of: Table, stats: tuple[int, int], fresh: bool = False) -> Description:
    """A TableDescription.

    stats: number of items and their bytes; fresh: as CreateTable and DeleteTable answer, without what is not settled
    yet.
    """
    definition = of.definition
    shown: Description = {
        "AttributeDefinitions": definition["AttributeDefinitions"],
        "TableName": of.name,
        "KeySchema": definition["KeySchema"],
        "TableStatus": definition["TableStatus"],
        "CreationDateTime": definition["CreationDateTime"],
        "ProvisionedThroughput": _throughput(definition, definition["ProvisionedThroughput"]),
        "TableSizeBytes": stats[1],
        "ItemCount": stats[0],
        "TableArn": of.arn,
        "TableId": definition["TableId"],
        "DeletionProtectionEnabled": definition["DeletionProtectionEnabled"],
    }
    if definition["BillingMode"] == "PAY_PER_REQUEST" or "LastUpdateToPayPerRequestDateTime" in definition:
        summary = shown["BillingModeSummary"] = {"BillingMode": definition["BillingMode"]}
        if "LastUpdateToPayPerRequestDateTime" in definition:
            summary["LastUpdateToPayPerRequestDateTime"] = definition["LastUpdateToPayPerRequestDateTime"]
    if "TableClass" in definition:
        shown["TableClassSummary"] = {"TableClass": definition["TableClass"]}
    if not fresh or "WarmThroughput" in definition:
        shown["WarmThroughput"] = _warm(
            definition,
            definition.get("WarmThroughput"),
            definition["ProvisionedThroughput"],
            definition["TableStatus"] != "CREATING",
        )
    for member in (
        "StreamSpecification",
        "LatestStreamLabel",
        "LatestStreamArn",
        "SSEDescription",
        "OnDemandThroughput",
        "RestoreSummary",
    ):
        if member in definition:
            shown[member] = definition[member]
    for member, is_local in (("LocalSecondaryIndexes", True), ("GlobalSecondaryIndexes", False)):
        if definition.get(member):
            shown[member] = [_index(of, index, stats, is_local, fresh) for index in definition[member]]
    return shown
