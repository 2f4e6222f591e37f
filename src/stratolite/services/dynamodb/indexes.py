"""Secondary indexes: made, filled from what the table holds, changed, taken away."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, job
from stratolite.languages.expressions.errors import Invalid

from . import definitions, rows, table
from .errors import LimitExceededException, ResourceNotFoundException
from .table import Table

Json = Any
Definition = dict[str, Any]
SLICE = 200
"""Items of a table entered into a new index at a time: a slice must not hold the loop."""
_WRONG = "One or more parameter values were invalid: "


def new(call: Call, key: int, given: Json) -> Definition:
    """An index as it is stored, with a key of its own."""
    made = call.tx.run('INSERT INTO dynamodb_index ("table", name) VALUES (?, ?)', key, given["IndexName"]).lastrowid
    kept = {
        member: given[member]
        for member in (
            "IndexName", "KeySchema", "Projection", "ProvisionedThroughput", "WarmThroughput", "OnDemandThroughput",
        )
        if given.get(member) is not None
    }  # fmt: skip
    return {**kept, "Key": made}


def check_updates(given: Json) -> None:
    """Judge GlobalSecondaryIndexUpdates by themselves. Raises Invalid."""
    if not given:
        raise Invalid(_WRONG + "List of GlobalSecondaryIndexUpdates is empty: GlobalSecondaryIndexUpdate is required")
    changes = 0
    for at, each in enumerate(given, 1):
        kinds = [kind for kind in ("Create", "Update", "Delete") if each.get(kind) is not None]
        if len(kinds) != 1:
            raise Invalid(
                _WRONG + "One of GlobalSecondaryIndexUpdate's Create, Update or Delete must be given, and only one: "
                "GlobalSecondaryIndexUpdate must have exactly one member"
            )
        changes += kinds[0] != "Update"
        where = f"globalSecondaryIndexUpdates.{at}.member.{kinds[0].lower()}"
        if kinds[0] == "Create":
            definitions.index(each["Create"], where, True)
        elif each[kinds[0]].get("IndexName") is None:
            raise Invalid(
                f"1 validation error detected: Value null at '{where}.indexName' failed to satisfy constraint: "
                "Member must not be null"
            )
        elif kinds[0] == "Update" and not any(
            each["Update"].get(member) for member in ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput")
        ):
            raise Invalid(
                f"1 validation error detected: Value null at '{where}.provisionedThroughput' failed to satisfy "
                "constraint: Member must not be null"
            )
    names = [next(iter(each.values())).get("IndexName") for each in given]
    if len(set(names)) != len(names):
        raise Invalid(_WRONG + "Only one global secondary index update per index is allowed simultaneously.")
    if changes > 1:
        raise LimitExceededException(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
        )


def update(call: Call, found: Table, definition: Definition, given: Json, attributes: Json) -> None:
    """Carry GlobalSecondaryIndexUpdates out on a definition. Raises Invalid."""
    existing = definition.setdefault("GlobalSecondaryIndexes", [])
    for each in given:
        if (create := each.get("Create")) is not None:
            _create(call, found, definition, create, attributes)
        elif (change := each.get("Update")) is not None:
            index = _named(existing, change["IndexName"])
            if change.get("ProvisionedThroughput") is not None:
                definitions.throughput(definition["BillingMode"], change["ProvisionedThroughput"], change["IndexName"])
            for member in ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput"):
                if change.get(member) is not None:
                    index[member] = change[member]
            index["IndexStatus"] = "UPDATING"
        else:
            index = _named(existing, each["Delete"]["IndexName"])
            index["IndexStatus"] = "DELETING"
            call.later("dynamodb.drop_index", None, None, None, key=found.key, index=index["Key"])
    if not existing:
        del definition["GlobalSecondaryIndexes"]


def _named(existing: list[Definition], name: str) -> Definition:
    for index in existing:
        if index["IndexName"] == name:
            return index
    raise ResourceNotFoundException(f"Requested resource not found: Index: {name} not found")


def _create(call: Call, found: Table, definition: Definition, given: Json, attributes: Json) -> None:
    name = given["IndexName"]
    if any(
        index["IndexName"] == name
        for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for index in definition.get(member, ())
    ):
        raise Invalid(f"Attempting to create an index which already exists: {name}")
    if len(definition["GlobalSecondaryIndexes"]) >= definitions.MOST_GLOBAL:
        raise LimitExceededException()
    names = [element["AttributeName"] for element in given["KeySchema"]]
    if attributes is None:
        raise Invalid(
            _WRONG + "AttributeDefinitions must be specified when a GlobalSecondaryIndex is created: Some index key "
            f"attributes are not defined in AttributeDefinitions. Keys: [{', '.join(names)}], AttributeDefinitions: []"
        )
    types = definitions.attributes(attributes)
    definitions.check_defined(names, types)
    for attribute, kind in types.items():
        if found.types.get(attribute, kind) != kind:
            raise Invalid(
                _WRONG + f"Attribute cannot be redefined: AttributeDefinitions: {attribute} of type "
                f"{found.types[attribute]} redefined as {kind}"
            )
    if any(attribute not in names and attribute not in found.types for attribute in types):
        raise Invalid(
            _WRONG + f"Some AttributeDefinitions are not used. AttributeDefinitions: [{', '.join(types)}], "
            f"keys used: [{', '.join(names)}]"
        )
    definitions.throughput(definition["BillingMode"], given.get("ProvisionedThroughput"), name)
    included = sum(
        len(index["Projection"].get("NonKeyAttributes", ()))
        for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for index in definition.get(member, ())
    ) + len(given["Projection"].get("NonKeyAttributes", ()))
    if included > definitions.MOST_PROJECTED:
        raise Invalid(
            _WRONG
            + f"The total number of projected attributes exceeds the limit of {definitions.MOST_PROJECTED} per table"
        )
    for attribute in names:
        if attribute not in found.types:
            definition["AttributeDefinitions"].append({"AttributeName": attribute, "AttributeType": types[attribute]})
    index = {**new(call, found.key, given), "IndexStatus": "CREATING", "Backfilling": True}
    definition["GlobalSecondaryIndexes"].append(index)
    call.later("dynamodb.backfill", None, None, None, key=found.key, index=index["Key"], after="")


def _change(call: Call, key: int, index: int, status: str | None) -> None:
    """Give an index another status, or take it out of its table's definition."""
    of = table.load(call, key)
    if of is None:
        return
    definition = of.definition
    for each in list(definition.get("GlobalSecondaryIndexes", ())):
        if each["Key"] == index:
            if status is None:
                definition["GlobalSecondaryIndexes"].remove(each)
            else:
                each["IndexStatus"] = status
                each.pop("Backfilling", None)
    if not definition.get("GlobalSecondaryIndexes"):
        definition.pop("GlobalSecondaryIndexes", None)
    if status is None:
        _forget_attributes(definition)
    table.save(call, key, definition)


def _forget_attributes(definition: Definition) -> None:
    """AttributeDefinitions hold what is a key of something, nothing else."""
    used = {element["AttributeName"] for element in definition["KeySchema"]}
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for index in definition.get(member, ()):
            used |= {element["AttributeName"] for element in index["KeySchema"]}
    definition["AttributeDefinitions"] = [
        each for each in definition["AttributeDefinitions"] if each["AttributeName"] in used
    ]


@job
def backfill(call: Call, key: int, index: int, after: str) -> None:
    """Enter, a slice at a time, the items a table had before its index; then the index is there to be read."""
    of = table.load(call, key)
    if of is None:
        return
    wanted = next((each for each in of.indexes if each.key == index), None)
    if wanted is None or wanted.status != "CREATING":
        return
    found, rest = rows.slice_of(call, key, after, SLICE, "id, item")
    for each in found:
        item = json.loads(each["item"])
        entry = wanted.entry(item, of.types)
        if entry is not None and _fits(wanted, item, of):
            where = (each["hash"], each["pk"], each["sk"])
            rows.enter(call, wanted, rows.tie_of(where), each["id"], entry, item)
    if rest:
        call.later("dynamodb.backfill", None, None, None, key=key, index=index, after=rest)
    else:
        _change(call, key, index, "ACTIVE")


def _fits(index: table.Index, item: Json, of: Table) -> bool:
    """Whether an item can be in the index: back-filling leaves out what a write would be refused for."""
    try:
        table.check_index_keys(of, item, set(index.keys.names))
    except Invalid:
        return False
    return True


def empty(call: Call, index: int, most: int) -> bool:
    """Remove up to so many entries of an index; whether none is left."""
    gone = call.tx.run(
        "DELETE FROM dynamodb_index_item WHERE id IN (SELECT id FROM dynamodb_index_item WHERE i = ? LIMIT ?)",
        index,
        most,
    ).rowcount
    return gone < most


@job
def drop_index(call: Call, key: int, index: int) -> None:
    """Take a deleted index out of its table, then its entries out of the store, a slice at a time."""
    if call.tx.value('SELECT 1 FROM dynamodb_index WHERE key = ? AND "table" = ?', index, key):
        _change(call, key, index, None)
        call.tx.run("DELETE FROM dynamodb_index WHERE key = ?", index)
    if not empty(call, index, SLICE * 4):
        call.later("dynamodb.drop_index", None, None, None, key=key, index=index)
