"""Tables as templates ask for them: AWS::DynamoDB::Table.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from __future__ import annotations

from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource

from . import tables
from .errors import ResourceNotFoundException

Properties = dict[str, Any]

_INDEX_THROUGHPUT = ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput")


def numbers(value: Any) -> Any:
    """Templates may write numbers and booleans as text."""
    if isinstance(value, dict):
        return {name: numbers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [numbers(member) for member in value]
    if isinstance(value, str):
        if value.isdecimal():
            return int(value)
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
    return value


def index_of(given: Properties) -> Properties:
    made: Properties = {}
    for name in ("IndexName", "KeySchema", "Projection"):
        if name in given:
            made[name] = given[name]
    for name in _INDEX_THROUGHPUT:
        if given.get(name):
            made[name] = numbers(given[name])
    return made


def _stream(given: Properties | None) -> Properties | None:
    if not given:
        return None
    return {"StreamEnabled": True, "StreamViewType": given["StreamViewType"]}


def _sse(given: Properties | None) -> Properties | None:
    if not given:
        return None
    made: Properties = {"Enabled": numbers(given.get("SSEEnabled", False))}
    if "KMSMasterKeyId" in given:
        made["KMSMasterKeyId"] = given["KMSMasterKeyId"]
    return made


def _creation(name: str, given: Properties) -> Properties:
    """The CreateTable request of a template's properties."""
    request: Properties = {
        "TableName": name,
        "KeySchema": given["KeySchema"],
        "AttributeDefinitions": given.get("AttributeDefinitions"),
        "BillingMode": given.get("BillingMode", "PROVISIONED"),
        "ProvisionedThroughput": numbers(given.get("ProvisionedThroughput")),
        "OnDemandThroughput": numbers(given.get("OnDemandThroughput")),
        "WarmThroughput": numbers(given.get("WarmThroughput")),
        "StreamSpecification": _stream(given.get("StreamSpecification")),
        "SSESpecification": _sse(given.get("SSESpecification")),
        "TableClass": given.get("TableClass"),
        "DeletionProtectionEnabled": numbers(given.get("DeletionProtectionEnabled")),
        "Tags": given.get("Tags") or None,
    }
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        if given.get(member):
            request[member] = [index_of(each) for each in given[member]]
    return {member: value for member, value in request.items() if value is not None}


def _lifetime(given: Properties) -> str | None:
    wanted = given.get("TimeToLiveSpecification") or {}
    return wanted.get("AttributeName") if numbers(wanted.get("Enabled")) else None


def _recovery(call: Call, name: str, given: Properties) -> None:
    wanted = given.get("PointInTimeRecoverySpecification")
    if wanted:
        specification = numbers(wanted)
        call.api("dynamodb").update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)


def _described(call: Call, name: str) -> Properties | None:
    try:
        found: Properties = call.api("dynamodb").describe_table(TableName=name)["Table"]
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    return found


def _made(found: Properties) -> Made:
    attributes = {"Arn": found["TableArn"], "TableId": found["TableId"]}
    if "StreamSpecification" in found:
        attributes["StreamArn"] = found["LatestStreamArn"]
    return Made(ref=found["TableName"], attributes=attributes)


SETTLING_S = 0.005
"""Between looks at a table that is on its way: it is there at the next turn of the loop."""


def _is_settled(found: Properties) -> bool:
    return bool(found["TableStatus"] == "ACTIVE") and all(
        index["IndexStatus"] == "ACTIVE" for index in found.get("GlobalSecondaryIndexes", ())
    )


async def _settled(call: Call, name: str) -> Properties:
    while True:
        found = _described(call, name)
        if found is None:
            raise ResourceNotFoundException(f"Requested resource not found: Table: {name} not found")
        if _is_settled(found):
            return found
        await call.world.sleep(SETTLING_S)


def _within(wanted: Properties, has: Properties | None) -> bool:
    """Whether what is described, which has more members, agrees with what is wanted."""
    return has is not None and all(has.get(member) == value for member, value in wanted.items())


def _differing(was: list[Properties], wanted: list[Properties]) -> list[Properties]:
    """The GlobalSecondaryIndexUpdates that lead from one list of indexes to another."""
    before = {each["IndexName"]: index_of(each) for each in was}
    after = {each["IndexName"]: index_of(each) for each in wanted}
    updates: list[Properties] = [{"Delete": {"IndexName": name}} for name in before if name not in after]
    for name, index in after.items():
        if name not in before:
            updates.append({"Create": index})
            continue
        has = before[name]
        changed = {
            each: index[each] for each in _INDEX_THROUGHPUT if each in index and not _within(index[each], has.get(each))
        }
        if index["KeySchema"] != before[name]["KeySchema"] or index["Projection"] != before[name]["Projection"]:
            updates += [{"Delete": {"IndexName": name}}, {"Create": index}]
        elif changed:
            updates.append({"Update": {"IndexName": name, **changed}})
    return updates


@resource(
    "AWS::DynamoDB::Table",
    replaces={"TableName", "KeySchema", "LocalSecondaryIndexes", "ImportSourceSpecification"},
    ignores={
        "ContributorInsightsSpecification",
        "ImportSourceSpecification",
        "KinesisStreamSpecification",
        "ResourcePolicy",
    },
)
class Table:
    """A table, with its indexes, stream, lifetime and tags."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        name = properties.get("TableName") or wanted.physical_name(255)
        call.api("dynamodb").create_table(**_creation(name, properties))
        # In one transaction with the template's step: what depends on the table finds it there.
        tables.settle_now(call, name)
        _update_lifetime(call, name, properties)
        _recovery(call, name, properties)
        found = _described(call, name)
        assert found is not None, "it was just made"
        return _made(found)

    @staticmethod
    async def update(call: Call, made_id: str, wanted: Wanted, was: Properties) -> Made:
        """One change at a time, as UpdateTable wants it, until nothing is left to be done."""
        properties = wanted.properties
        found, asked = await _settled(call, made_id), None
        while (request := _next_change(found, properties)) is not None:
            assert request != asked, "a change that was made is not asked for again"
            asked = request
            with call.write() as c:
                c.api("dynamodb").update_table(TableName=made_id, **request)
            found = await _settled(call, made_id)
        with call.write() as c:
            _update_lifetime(c, made_id, properties)
            _recovery(c, made_id, properties)
            _update_tags(c, found["TableArn"], properties.get("Tags") or [])
        return _made(found)

    @staticmethod
    def delete(call: Call, made_id: str, properties: Properties) -> None:
        if _described(call, made_id) is not None:
            call.api("dynamodb").delete_table(TableName=made_id)
            tables.settle_now(call, made_id)


def _next_change(found: Properties, wanted: Properties) -> Properties | None:
    """The next UpdateTable on the way from what is to what is wanted; None at the end."""
    change: Properties = {}
    mode = wanted.get("BillingMode", "PROVISIONED")
    throughput = numbers(wanted.get("ProvisionedThroughput"))
    has = {name: found["ProvisionedThroughput"][name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
    if mode != found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"):
        change["BillingMode"] = mode
        if mode == "PROVISIONED":
            change["ProvisionedThroughput"] = throughput
    elif mode == "PROVISIONED" and throughput is not None and throughput != has:
        change["ProvisionedThroughput"] = throughput
    protection = bool(numbers(wanted.get("DeletionProtectionEnabled", False)))
    if protection != found["DeletionProtectionEnabled"]:
        change["DeletionProtectionEnabled"] = protection
    table_class = wanted.get("TableClass", "STANDARD")
    if table_class != found.get("TableClassSummary", {}).get("TableClass", "STANDARD"):
        change["TableClass"] = table_class
    sse = _sse(wanted.get("SSESpecification")) or {"Enabled": False}
    if sse["Enabled"] != ("SSEDescription" in found):
        change["SSESpecification"] = sse
    view = (_stream(wanted.get("StreamSpecification")) or {}).get("StreamViewType")
    has_view = found.get("StreamSpecification", {}).get("StreamViewType")
    if view != has_view:
        # Another view is another stream: the old one ends first.
        change["StreamSpecification"] = (
            {"StreamEnabled": False} if has_view else {"StreamEnabled": True, "StreamViewType": view}
        )
    if change:
        return change
    updates = _differing(found.get("GlobalSecondaryIndexes", []), wanted.get("GlobalSecondaryIndexes") or [])
    if updates:
        change["GlobalSecondaryIndexUpdates"] = [updates[0]]
        change["AttributeDefinitions"] = wanted["AttributeDefinitions"]
        return change
    return None


def _update_lifetime(call: Call, name: str, wanted: Properties) -> None:
    has = call.api("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"].get("AttributeName")
    attribute = _lifetime(wanted)
    if attribute == has:
        return
    if has is not None:
        call.api("dynamodb").update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": False, "AttributeName": has}
        )
    if attribute is not None:
        call.api("dynamodb").update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
        )


def _update_tags(call: Call, arn: str, wanted: list[dict[str, str]]) -> None:
    has = call.api("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"]
    gone = {tag["Key"] for tag in has} - {tag["Key"] for tag in wanted}
    if gone:
        call.api("dynamodb").untag_resource(ResourceArn=arn, TagKeys=sorted(gone))
    if wanted:
        call.api("dynamodb").tag_resource(ResourceArn=arn, Tags=wanted)
