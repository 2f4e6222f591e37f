"""Tables: created, described, listed, changed, deleted."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, job
from stratolite.languages.expressions.errors import Invalid

from . import definitions, indexes, streams, table, tags
from .descriptions import describe_table_as, read_stats
from .errors import ResourceInUseException, ValidationException
from .requests import answers
from .table import Table

Json = Any
Answer = dict[str, Any]
Definition = dict[str, Any]

# AWS: CREATING, UPDATING and DELETING last for seconds to minutes. Here: until the next turn of the loop; whoever asks
# right after the answer may still see them.


def _located(call: Call, name: str) -> tuple[str, str, str]:
    account, region, own = table.located(call, name)
    table.check_name(own)
    return account, region, own


def _sse(call: Call, given: Json) -> Definition | None:
    """The SSEDescription of an SSESpecification; None for the key DynamoDB owns."""
    if not given or not given.get("Enabled"):
        return None
    key = given.get("KMSMasterKeyId")
    if key is None:
        key = "alias/aws/dynamodb"
    if not key.startswith("arn:"):
        try:
            key = call.api("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"]
        except Exception as failure:  # without a KMS here the alias stands for the key
            if getattr(failure, "code", "") not in ("NotImplemented", "NotFoundException"):
                raise
            key = f"arn:aws:kms:{call.region}:{call.account}:{key if key.startswith('alias/') else 'key/' + key}"
    return {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}


def _throughput(given: Json) -> Definition:
    return {
        "ReadCapacityUnits": (given or {}).get("ReadCapacityUnits", 0),
        "WriteCapacityUnits": (given or {}).get("WriteCapacityUnits", 0),
    }


@answers
def create_table(
    call: Call,
    table_name: str,
    attribute_definitions: Json = None,
    key_schema: Json = None,
    local_secondary_indexes: Json = None,
    global_secondary_indexes: Json = None,
    billing_mode: str | None = None,
    provisioned_throughput: Json = None,
    stream_specification: Json = None,
    sse_specification: Json = None,
    tags_: Json = None,
    table_class: str | None = None,
    deletion_protection_enabled: bool | None = None,
    warm_throughput: Json = None,
    on_demand_throughput: Json = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html"""
    account, region, name = _located(call, table_name)
    definitions.enumerated(billing_mode, "billingMode", "PROVISIONED, PAY_PER_REQUEST")
    definitions.enumerated(table_class, "tableClass", "STANDARD, STANDARD_INFREQUENT_ACCESS")
    if attribute_definitions is None:
        raise Invalid(
            "1 validation error detected: Value null at 'attributeDefinitions' failed to satisfy constraint: "
            "Member must not be null"
        )
    if key_schema is None:
        raise Invalid(
            "1 validation error detected: Value null at 'keySchema' failed to satisfy constraint: Member must "
            "not be null"
        )
    types = definitions.attributes(attribute_definitions)
    names = definitions.key_schema(key_schema)
    definitions.throughput(billing_mode, provisioned_throughput)
    definitions.check_defined(names, types)
    used = [*names, *definitions.indexes(key_schema, local_secondary_indexes, global_secondary_indexes, types)]
    definitions.check_all_used(used, types, bool(local_secondary_indexes or global_secondary_indexes))
    for index in global_secondary_indexes or ():
        definitions.throughput(billing_mode, index.get("ProvisionedThroughput"), index["IndexName"])
    if stream_specification is not None:
        definitions.stream(stream_specification)
    if tags_:
        tags.check(tags_)
    if call.tx.value(
        "SELECT 1 FROM dynamodb_table WHERE account = ? AND region = ? AND name = ?", account, region, name
    ):
        raise ResourceInUseException(f"Table already exists: {name}")
    definition: Definition = {
        "TableId": call.world.id(),
        "TableStatus": "CREATING",
        "CreationDateTime": round(call.now, 3),
        "AttributeDefinitions": attribute_definitions,
        "KeySchema": key_schema,
        "BillingMode": billing_mode or "PROVISIONED",
        "ProvisionedThroughput": _throughput(provisioned_throughput),
        "DeletionProtectionEnabled": bool(deletion_protection_enabled),
    }
    if (sse := _sse(call, sse_specification)) is not None:
        definition["SSEDescription"] = sse
    if table_class is not None:
        definition["TableClass"] = table_class
    if warm_throughput is not None:
        definition["WarmThroughput"] = warm_throughput
    if on_demand_throughput is not None:
        definition["OnDemandThroughput"] = on_demand_throughput
    key = table.add(call, account, region, name)
    if local_secondary_indexes:
        definition["LocalSecondaryIndexes"] = [indexes.new(call, key, each) for each in local_secondary_indexes]
    if global_secondary_indexes:
        definition["GlobalSecondaryIndexes"] = [
            {**indexes.new(call, key, each), "IndexStatus": "CREATING"} for each in global_secondary_indexes
        ]
    if stream_specification is not None and stream_specification["StreamEnabled"]:
        streams.enable(call, account, region, name, definition, stream_specification["StreamViewType"])
    made = table.save(call, key, definition)
    tags.add(call, key, tags_ or [])
    call.later("dynamodb.settle", None, None, None, key=key)
    return {"TableDescription": describe_table_as(made, (0, 0), fresh=True)}


@job
def settle(call: Call, key: int) -> None:
    """What was asked of a table is done."""
    found = table.load(call, key)
    if found is None:
        return
    definition = found.definition
    if definition["TableStatus"] == "ACTIVE":
        return
    if definition["TableStatus"] == "DELETING":
        table.remove(call, key)
        call.later("dynamodb.sweep", None, None, None, key=key)
        return
    for index in definition.get("GlobalSecondaryIndexes", ()):
        if index["IndexStatus"] == "UPDATING" or definition["TableStatus"] == "CREATING":
            index["IndexStatus"] = "ACTIVE"
    if definition["TableStatus"] == "CREATING" and definition["BillingMode"] == "PAY_PER_REQUEST":
        definition["LastUpdateToPayPerRequestDateTime"] = definition["CreationDateTime"]
    definition["TableStatus"] = "ACTIVE"
    table.save(call, key, definition)


def settle_now(call: Call, name: str) -> None:
    """Do at once, in this transaction, what `settle` would do at the next turn."""
    found = table.find(call, name)
    if found is not None:
        settle(call, found.key)


SLICE = 500


@job
def sweep(call: Call, key: int) -> None:
    """Remove, a slice at a time, what a deleted table has left behind."""
    for index in call.tx.all('SELECT key FROM dynamodb_index WHERE "table" = ?', key):
        if indexes.empty(call, index[0], SLICE):
            continue
        call.later("dynamodb.sweep", None, None, None, key=key)
        return
    gone = call.tx.run(
        "DELETE FROM dynamodb_item WHERE id IN (SELECT id FROM dynamodb_item WHERE t = ? LIMIT ?)", key, SLICE
    ).rowcount
    if gone == SLICE:
        call.later("dynamodb.sweep", None, None, None, key=key)
        return
    for sql in (
        'DELETE FROM dynamodb_index WHERE "table" = ?',
        'DELETE FROM dynamodb_tag WHERE "table" = ?',
        'DELETE FROM dynamodb_expiry WHERE "table" = ?',
        'DELETE FROM dynamodb_count WHERE "table" = ?',
    ):
        call.tx.run(sql, key)


@answers
def describe_table(call: Call, table_name: str) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html"""
    found = table.describe(call, table_name)
    return {"Table": describe_table_as(found, read_stats(call, found))}


@answers
def list_tables(call: Call, exclusive_start_table_name: str | None = None, limit: int | None = None) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html"""
    if limit is not None and not 1 <= limit <= 100:
        how = "less than or equal to 100" if limit > 100 else "greater than or equal to 1"
        raise Invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must "
            f"have value {how}"
        )
    if exclusive_start_table_name is not None and not table.NAME(exclusive_start_table_name):
        table.check_name(exclusive_start_table_name, "ExclusiveStartTableName")
    most = limit or 100
    names = [
        row[0]
        for row in call.tx.all(
            "SELECT name FROM dynamodb_table WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?",
            call.account,
            call.region,
            exclusive_start_table_name or "",
            most + 1,
        )
    ]
    answer: Answer = {"TableNames": names[:most]}
    if len(names) > most:
        answer["LastEvaluatedTableName"] = names[most - 1]
    return answer


@answers
def delete_table(call: Call, table_name: str) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html"""
    found = table.describe(call, table_name)
    if found.definition["TableStatus"] != "ACTIVE":
        raise ResourceInUseException(table=found.name)
    if found.definition["DeletionProtectionEnabled"]:
        raise ValidationException(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion "
            "protection first."
        )
    definition = json.loads(json.dumps(found.definition))
    definition["TableStatus"] = "DELETING"
    streams.disable(call, definition)
    gone = table.save(call, found.key, definition)
    call.later("dynamodb.settle", None, None, None, key=found.key)
    description = describe_table_as(gone, read_stats(call, found), fresh=True)
    for member in (
        "AttributeDefinitions",
        "KeySchema",
        "CreationDateTime",
        "LocalSecondaryIndexes",
        "GlobalSecondaryIndexes",
    ):
        description.pop(member, None)
    return {"TableDescription": description}


def _require_active(found: Table) -> None:
    if found.definition["TableStatus"] != "ACTIVE":
        raise ResourceInUseException(table=found.name)


@answers
def update_table(
    call: Call,
    table_name: str,
    attribute_definitions: Json = None,
    billing_mode: str | None = None,
    provisioned_throughput: Json = None,
    global_secondary_index_updates: Json = None,
    stream_specification: Json = None,
    sse_specification: Json = None,
    table_class: str | None = None,
    deletion_protection_enabled: bool | None = None,
    on_demand_throughput: Json = None,
    warm_throughput: Json = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html"""
    definitions.enumerated(billing_mode, "billingMode", "PROVISIONED, PAY_PER_REQUEST")
    definitions.enumerated(table_class, "tableClass", "STANDARD, STANDARD_INFREQUENT_ACCESS")
    if stream_specification is not None:
        definitions.stream(stream_specification)
    if all(
        each is None
        for each in (
            billing_mode, provisioned_throughput, global_secondary_index_updates, stream_specification,
            sse_specification, table_class, deletion_protection_enabled, on_demand_throughput, warm_throughput,
        )
    ):  # fmt: skip
        raise Invalid(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
            "SSESpecification or ReplicaUpdates is required"
        )
    if global_secondary_index_updates is not None:
        indexes.check_updates(global_secondary_index_updates)
    found = table.describe(call, table_name)
    _require_active(found)
    definition: Definition = json.loads(json.dumps(found.definition))
    if billing_mode is not None:
        definitions.throughput(billing_mode, provisioned_throughput)
        if billing_mode != definition["BillingMode"]:
            _rebill(call, definition, billing_mode, provisioned_throughput)
    elif provisioned_throughput is not None and definition["BillingMode"] == "PAY_PER_REQUEST":
        definitions.throughput("PAY_PER_REQUEST", provisioned_throughput)
    if provisioned_throughput is not None:
        wanted = _throughput(provisioned_throughput)
        if wanted == definition["ProvisionedThroughput"] and billing_mode is None:
            raise Invalid(
                "The provisioned throughput for the table will not change. The requested value equals the "
                "current value. "
                f"Current ReadCapacityUnits provisioned for the table: {wanted['ReadCapacityUnits']}. Requested "
                f"ReadCapacityUnits: {wanted['ReadCapacityUnits']}. Current WriteCapacityUnits provisioned for "
                "the table: "
                f"{wanted['WriteCapacityUnits']}. Requested WriteCapacityUnits: {wanted['WriteCapacityUnits']}. "
                "Refer to "
                "the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
            )
        _count_decrease(call, definition, wanted)
    if stream_specification is not None:
        if stream_specification["StreamEnabled"]:
            if found.stream is not None:
                raise Invalid(f"Table already has an enabled stream: TableName: {found.name}")
            streams.enable(
                call, found.account, found.region, found.name, definition, stream_specification["StreamViewType"]
            )
        elif found.stream is None:
            raise Invalid(f"Table does not have a stream to disable: TableName: {found.name}")
        else:
            streams.disable(call, definition)
    if sse_specification is not None:
        _reencrypt(call, definition, sse_specification)
    if deletion_protection_enabled is not None:
        definition["DeletionProtectionEnabled"] = deletion_protection_enabled
    if table_class is not None:
        definition["TableClass"] = table_class
    if on_demand_throughput is not None:
        definition["OnDemandThroughput"] = on_demand_throughput
    if warm_throughput is not None:
        definition["WarmThroughput"] = warm_throughput
    if global_secondary_index_updates is not None:
        indexes.update(call, found, definition, global_secondary_index_updates, attribute_definitions)
    definition["TableStatus"] = "UPDATING"
    changed = table.save(call, found.key, definition)
    call.later("dynamodb.settle", None, None, None, key=found.key)
    answer = describe_table_as(changed, read_stats(call, found))
    if warm_throughput is not None:
        answer["WarmThroughput"]["Status"] = "UPDATING"
    if sse_specification is not None and not sse_specification.get("Enabled") and "SSEDescription" in found.definition:
        answer["SSEDescription"] = {**found.definition["SSEDescription"], "Status": "UPDATING"}
    return {"TableDescription": answer}


def _rebill(call: Call, definition: Definition, mode: str, given: Json) -> None:
    definition["BillingMode"] = mode
    if mode == "PAY_PER_REQUEST":
        definition["LastUpdateToPayPerRequestDateTime"] = round(call.now, 3)
        definition["ProvisionedThroughput"] = _throughput(None)
        for index in definition.get("GlobalSecondaryIndexes", ()):
            index["ProvisionedThroughput"] = _throughput(None)
    else:
        definition["ProvisionedThroughput"] = _throughput(given)


def _count_decrease(call: Call, definition: Definition, wanted: Definition) -> None:
    was = definition["ProvisionedThroughput"]
    for member in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if wanted[member] < was[member]:
            definition["LastDecreaseDateTime"] = round(call.now, 3)
        elif wanted[member] > was[member]:
            definition["LastIncreaseDateTime"] = round(call.now, 3)
    definition["ProvisionedThroughput"] = wanted


def _reencrypt(call: Call, definition: Definition, given: Json) -> None:
    wanted = _sse(call, given)
    if wanted is None:
        if "SSEDescription" in definition:
            del definition["SSEDescription"]
    else:
        definition["SSEDescription"] = wanted
