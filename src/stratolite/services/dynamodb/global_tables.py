"""Global tables as templates ask for them, AWS::DynamoDB::GlobalTable: with one replica they are tables.

AWS copies to other replicas within a second. That is not here: a template that asks for it fails by name.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stratolite.kernel import Call, Made, Wanted, resource
from stratolite.kernel.resources import Properties

from .errors import ValidationException
from .resources import Table, index_of, numbers

_OWN = ("PointInTimeRecoverySpecification", "TableClass", "DeletionProtectionEnabled", "Tags")
_READ = ("Region", "GlobalSecondaryIndexes", "ReadProvisionedThroughputSettings")
_SHARED = (
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "LocalSecondaryIndexes",
    "StreamSpecification",
    "SSESpecification",
    "TimeToLiveSpecification",
    "WarmThroughput",
)


def _single(call: Call, given: Mapping[str, Any]) -> Properties:
    """The properties of the one table a global table of one replica is. Raises ValidationException for more."""
    replicas = given.get("Replicas") or []
    if [replica.get("Region") for replica in replicas] != [call.region]:
        raise ValidationException(
            "Stratolite does not copy tables between regions: Replicas must name this region alone, "
            f"{call.region}, and names {', '.join(str(replica.get('Region')) for replica in replicas)}"
        )
    replica = replicas[0]
    made: dict[str, Any] = {name: given[name] for name in _SHARED if name in given}
    for name in _OWN:
        if name in replica:
            made[name] = replica[name]
    for name in replica:
        if name not in _OWN and name not in _READ:
            call.cloud.notice(f"AWS::DynamoDB::GlobalTable: Replicas.{name}")
    provisioned = given.get("BillingMode", "PROVISIONED") == "PROVISIONED"
    if provisioned:
        made["ProvisionedThroughput"] = _capacity(replica, given)
    own = {each["IndexName"]: each for each in replica.get("GlobalSecondaryIndexes", ())}
    indexes = []
    for each in given.get("GlobalSecondaryIndexes", ()):
        index = index_of(each)
        if provisioned:
            index["ProvisionedThroughput"] = _capacity(own.get(each["IndexName"], {}), each)
        indexes.append(index)
    if indexes:
        made["GlobalSecondaryIndexes"] = indexes
    return Properties(made)


def _units(settings: Mapping[str, Any] | None, kind: str) -> int:
    """Fixed units, or where automatic scaling begins."""
    found = numbers(dict(settings or {}))
    scaling = found.get(f"{kind}CapacityAutoScalingSettings", {})
    return int(found.get(f"{kind}CapacityUnits") or scaling.get("SeedCapacity") or scaling.get("MinCapacity") or 5)


def _capacity(reading: Mapping[str, Any], writing: Mapping[str, Any]) -> dict[str, int]:
    return {
        "ReadCapacityUnits": _units(reading.get("ReadProvisionedThroughputSettings"), "Read"),
        "WriteCapacityUnits": _units(writing.get("WriteProvisionedThroughputSettings"), "Write"),
    }


def _as_table(call: Call, wanted: Wanted) -> Wanted:
    return replace(wanted, properties=_single(call, wanted.properties))


@resource(
    "AWS::DynamoDB::GlobalTable",
    replaces={"TableName", "KeySchema", "LocalSecondaryIndexes"},
    ignores={"WriteOnDemandThroughputSettings", "MultiRegionConsistency", "GlobalTableWitnesses"},
)
class GlobalTable:
    """A global table in one region."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return Table.create(call, _as_table(call, wanted))

    @staticmethod
    async def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return await Table.update(call, made_id, _as_table(call, wanted), was)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        Table.delete(call, made_id, properties)
