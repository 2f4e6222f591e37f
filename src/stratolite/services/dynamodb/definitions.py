"""Definitions of tables and indexes, judged in AWS's words.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stratolite.languages.expressions.errors import Invalid

from .table import check_name

MOST_LOCAL = 5
MOST_GLOBAL = 20
MOST_KEY_PARTS = 4
"""Attributes of the partition key, and of the sort key, of a global index."""
MOST_PROJECTED = 100
LONGEST_KEY_NAME = 255
_WRONG = "One or more parameter values were invalid: "

Json = Any


def enumerated(value: Any, where: str, allowed: str) -> None:
    """Raise Invalid for a value that is none of an enumeration's (`"A, B"`, in AWS's order)."""
    if value is not None and value not in allowed.split(", "):
        raise Invalid(
            f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{allowed}]"
        )


def _present(value: Any, where: str) -> None:
    if value is None:
        raise Invalid(
            f"1 validation error detected: Value null at '{where}' failed to satisfy constraint: Member must not "
            "be null"
        )


def attributes(given: Json) -> dict[str, str]:
    """AttributeDefinitions as types by name. Raises Invalid."""
    types: dict[str, str] = {}
    for at, each in enumerate(given, 1):
        where = f"attributeDefinitions.{at}.member"
        name, kind = each.get("AttributeName"), each.get("AttributeType")
        _present(name, f"{where}.attributeName")
        _present(kind, f"{where}.attributeType")
        enumerated(kind, f"{where}.attributeType", "B, N, S")
        _check_length(name, f"{where}.attributeName", LONGEST_KEY_NAME)
        if name in types:
            raise Invalid(f"Cannot have two attributes with the same name: Duplicate attribute name: {name}")
        types[name] = kind
    return types


def _check_length(name: str, where: str, longest: int) -> None:
    if not 1 <= len(name) <= longest:
        how = f"less than or equal to {longest}" if name else "greater than or equal to 1"
        raise Invalid(
            f"1 validation error detected: Value '{name}' at '{where}' failed to satisfy constraint: "
            f"Member must have length {how}"
        )


def key_schema(given: Json, where: str = "keySchema", many: bool = False) -> list[str]:
    """The attribute names of a key schema, judged by itself. Raises Invalid.

    many: a global index may have up to four partition and four sort key attributes.
    """
    if not given:
        raise Invalid(
            f"1 validation error detected: Value '[]' at '{where}' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    for at, element in enumerate(given, 1):
        _present(element.get("AttributeName"), f"{where}.{at}.member.attributeName")
        _present(element.get("KeyType"), f"{where}.{at}.member.keyType")
        enumerated(element["KeyType"], f"{where}.{at}.member.keyType", "HASH, RANGE")
        _check_length(element["AttributeName"], f"{where}.{at}.member.attributeName", LONGEST_KEY_NAME)
    kinds = [element["KeyType"] for element in given]
    names = [element["AttributeName"] for element in given]
    if not many and len(given) > 2:
        raise Invalid(
            f"1 validation error detected: Value '{given}' at '{where}' failed to satisfy constraint: "
            "Member must have length less than or equal to 2"
        )
    if kinds[0] != "HASH":
        raise Invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if many:
        for kind in ("HASH", "RANGE"):
            if kinds.count(kind) > MOST_KEY_PARTS:
                raise Invalid(
                    f"Invalid KeySchema: The number of {kind} key attributes exceeds the limit of {MOST_KEY_PARTS}"
                )
        if "HASH" in kinds[kinds.count("HASH") :]:
            raise Invalid("Invalid KeySchema: All HASH key elements must precede all RANGE key elements")
    elif len(given) == 2:
        if names[0] == names[1]:
            raise Invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
        if kinds[1] != "RANGE":
            raise Invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    if len(set(names)) != len(names):
        raise Invalid("Invalid KeySchema: Two or more elements in the KeySchema have the same name")
    return names


def projection(given: Json, where: str) -> int:
    """Judge a projection; how many attributes it includes by name. Raises Invalid."""
    kind, included = (given or {}).get("ProjectionType"), (given or {}).get("NonKeyAttributes")
    if kind is None:
        raise Invalid(_WRONG + "Unknown ProjectionType: null")
    enumerated(kind, f"{where}.projection.projectionType", "ALL, INCLUDE, KEYS_ONLY")
    if kind != "INCLUDE":
        if included is not None:
            raise Invalid(_WRONG + f"ProjectionType is {kind}, but NonKeyAttributes is specified")
        return 0
    if not included:
        raise Invalid(_WRONG + f"ProjectionType is {kind}, but NonKeyAttributes is not specified")
    for name in included:
        if not name or len(name.encode()) > LONGEST_KEY_NAME:
            _check_length(name, f"{where}.projection.nonKeyAttributes", LONGEST_KEY_NAME)
    if len(set(included)) != len(included):
        repeated = next(name for name in included if included.count(name) > 1)
        raise Invalid(_WRONG + f"Duplicate attribute name in NonKeyAttributes: {repeated}. Duplicate names: {repeated}")
    return len(included)


def check_defined(used: Iterable[str], types: dict[str, str]) -> None:
    """Raise Invalid when a key attribute has no type."""
    missing = [name for name in dict.fromkeys(used) if name not in types]
    if missing:
        raise Invalid(
            _WRONG + "Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(missing)}], AttributeDefinitions: [{', '.join(types)}]"
        )


def check_all_used(used: Iterable[str], types: dict[str, str], has_indexes: bool) -> None:
    """Raise Invalid when an attribute is defined that is no key."""
    names = list(dict.fromkeys(used))
    if len(types) <= len(names):
        return
    if has_indexes:
        raise Invalid(
            _WRONG + f"Some AttributeDefinitions are not used. AttributeDefinitions: [{', '.join(types)}], "
            f"keys used: [{', '.join(names)}]"
        )
    raise Invalid(
        _WRONG + "Number of attributes in KeySchema does not exactly match number of attributes defined in "
        "AttributeDefinitions"
    )


def index(given: Json, where: str, many: bool) -> tuple[str, list[str], int]:
    """Name, key attributes and number of included attributes of an index. Raises Invalid."""
    name = given.get("IndexName")
    _present(name, f"{where}.indexName")
    if not 3 <= len(name) <= 255:
        raise Invalid("IndexName must be at least 3 characters long and at most 255 characters long")
    check_name(name, "IndexName")
    _present(given.get("KeySchema"), f"{where}.keySchema")
    names = key_schema(given["KeySchema"], f"{where}.keySchema", many)
    return name, names, projection(given.get("Projection"), where)


def indexes(table_keys: Json, local: Json, global_: Json, types: dict[str, str]) -> list[str]:
    """Judge the indexes of a table; the key attributes they use. Raises Invalid."""
    used: list[str] = []
    seen: list[str] = []
    projected = 0
    if local is not None:
        if not local:
            raise Invalid(_WRONG + "List of LocalSecondaryIndexes is empty")
        if len(table_keys) < 2:
            raise Invalid(
                _WRONG
                + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"
            )
        for at, each in enumerate(local, 1):
            name, names, included = index(each, f"localSecondaryIndexes.{at}.member", False)
            table_hash = table_keys[0]["AttributeName"]
            check_defined(names, types)
            if names[0] != table_hash:
                raise Invalid(
                    _WRONG + "Index KeySchema does not have the same leading hash key as table KeySchema for index: "
                    f"{name}. index hash key: {names[0]}, table hash key: {table_hash}"
                )
            if len(names) < 2:
                raise Invalid(_WRONG + f"Index KeySchema does not have a range key for index: {name}")
            used += names
            seen.append(name)
            projected += included
        if len(local) > MOST_LOCAL:
            raise Invalid(_WRONG + f"Number of LocalSecondaryIndexes exceeds per-table limit of {MOST_LOCAL}")
    if global_ is not None:
        if not global_:
            raise Invalid(_WRONG + "List of GlobalSecondaryIndexes is empty")
        for at, each in enumerate(global_, 1):
            name, names, included = index(each, f"globalSecondaryIndexes.{at}.member", True)
            check_defined(names, types)
            used += names
            seen.append(name)
            projected += included
        if len(global_) > MOST_GLOBAL:
            raise Invalid(_WRONG + f"GlobalSecondaryIndex count exceeds the per-table limit of {MOST_GLOBAL}")
    for name in seen:
        if seen.count(name) > 1:
            raise Invalid(_WRONG + f"Duplicate index name: {name}")
    if projected > MOST_PROJECTED:
        raise Invalid(
            _WRONG + f"The total number of projected attributes exceeds the limit of {MOST_PROJECTED} per table"
        )
    return used


def throughput(billing: str | None, given: Json, what: str = "") -> None:
    """Raise Invalid when billing mode and provisioned throughput do not agree.

    what: the index, as AWS names it in the message; empty for the table.
    """
    if given is not None:
        for member in ("ReadCapacityUnits", "WriteCapacityUnits"):
            units = given.get(member)
            if units is not None and units < 1:
                raise Invalid(
                    f"1 validation error detected: Value '{units}' at 'provisionedThroughput.{member[0].lower()}"
                    f"{member[1:]}' failed to satisfy constraint: Member must have value greater than or equal to 1"
                )
    if billing == "PAY_PER_REQUEST":
        if given is not None:
            raise Invalid(
                _WRONG + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
                "PAY_PER_REQUEST" + (f" for index: {what}" if what else "")
            )
    elif given is None:
        if what:
            raise Invalid(_WRONG + f"ProvisionedThroughput is not specified for index: {what}")
        raise Invalid(
            _WRONG + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )


def stream(given: Json) -> None:
    """Judge a StreamSpecification. Raises Invalid."""
    enabled, view = given.get("StreamEnabled"), given.get("StreamViewType")
    _present(enabled, "streamSpecification.streamEnabled")
    enumerated(view, "streamSpecification.streamViewType", "NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY")
    if enabled and view is None:
        raise Invalid(_WRONG + "StreamEnabled is true but StreamViewType was not specified")
    if not enabled and view is not None:
        raise Invalid(_WRONG + "StreamViewType is not supported when stream is disabled")
