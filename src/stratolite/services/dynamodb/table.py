"""A table as operations see it: its keys, indexes, stream and lifetime, parsed once per version."""

from __future__ import annotations

import json
import re
import weakref
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stratolite.kernel import Call
from stratolite.languages.expressions import keys, project, values
from stratolite.languages.expressions.errors import Invalid
from stratolite.languages.expressions.values import Item

from .errors import ResourceNotFoundException

if TYPE_CHECKING:
    from stratolite.kernel import Cloud

LONGEST_HASH_BYTES = 2048
LONGEST_RANGE_BYTES = 1024
NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}", re.ASCII).fullmatch
ARN = re.compile(r"arn:[^:]+:dynamodb:([^:]*):([^:]*):table/([^/]+)(?:/(.*))?", re.ASCII).fullmatch


def hashed(pk: bytes) -> int:
    """Where a partition key lies in a scan: 32 bits."""
    return zlib.crc32(pk)


@dataclass(frozen=True, slots=True)
class Keys:
    """The key schema of a table or index: attribute names of the partition key, then of the sort key."""

    hashes: tuple[str, ...]
    ranges: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.hashes + self.ranges


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index."""

    key: int
    name: str
    keys: Keys
    is_local: bool
    projection: str  # ALL, KEYS_ONLY, INCLUDE
    attributes: frozenset[str]
    """What it shows besides everything: keys of index and table, and the included attributes."""
    status: str

    def shows(self, item: Item) -> Item:
        if self.projection == "ALL":
            return item
        return {name: value for name, value in item.items() if name in self.attributes}

    def entry(self, item: Item, types: dict[str, str]) -> tuple[int, bytes, bytes] | None:
        """Hash, partition and sort key under which the index has an item; None when it has not: indexes are sparse."""
        try:
            for name in self.keys.names:
                if types[name] not in item[name]:
                    return None
        except KeyError:
            return None
        pk = keys.encode([item[name] for name in self.keys.hashes])
        sk = keys.encode([item[name] for name in self.keys.ranges]) if self.keys.ranges else b""
        return hashed(pk), pk, sk


@dataclass(frozen=True, slots=True)
class Table:
    """A stored table of one version."""

    key: int
    name: str
    account: str
    region: str
    keys: Keys
    types: dict[str, str]
    indexes: tuple[Index, ...]
    ttl: str | None
    stream: int | None
    """The key of the enabled stream."""
    view: str
    definition: dict[str, Any] = field(repr=False)

    @property
    def arn(self) -> str:
        return arn(self.region, self.account, self.name)

    def index(self, name: str) -> Index:
        """Raises Invalid when there is none of that name."""
        for index in self.indexes:
            if index.name == name:
                return index
        raise Invalid(f"The table does not have the specified index: {name}")

    def encode(self, key: Item) -> tuple[int, bytes, bytes]:
        """Hash, partition and sort key of an admitted key or item that has been checked."""
        hashes, ranges = self.keys.hashes, self.keys.ranges
        pk = values.key(key[hashes[0]])
        return hashed(pk), pk, values.key(key[ranges[0]]) if ranges else b""

    def key_of(self, item: Item) -> Item:
        return {name: item[name] for name in self.keys.names}

    @property
    def has_local_indexes(self) -> bool:
        return any(index.is_local for index in self.indexes)


def arn(region: str, account: str, name: str) -> str:
    return f"arn:aws:dynamodb:{region}:{account}:table/{name}"


def _keys(schema: list[dict[str, str]]) -> Keys:
    return Keys(
        tuple(element["AttributeName"] for element in schema if element["KeyType"] == "HASH"),
        tuple(element["AttributeName"] for element in schema if element["KeyType"] == "RANGE"),
    )


def _index(definition: dict[str, Any], table: Keys, is_local: bool) -> Index:
    own = _keys(definition["KeySchema"])
    projection = definition["Projection"]
    shown = frozenset((*own.names, *table.names, *projection.get("NonKeyAttributes", ())))
    return Index(
        definition["Key"],
        definition["IndexName"],
        own,
        is_local,
        projection["ProjectionType"],
        shown,
        definition.get("IndexStatus", "ACTIVE"),
    )


def parsed(key: int, account: str, region: str, name: str, definition: dict[str, Any]) -> Table:
    """A stored definition as a Table."""
    own = _keys(definition["KeySchema"])
    indexes = [
        *(_index(index, own, True) for index in definition.get("LocalSecondaryIndexes", ())),
        *(_index(index, own, False) for index in definition.get("GlobalSecondaryIndexes", ())),
    ]
    stream = definition.get("StreamSpecification", {})
    return Table(
        key,
        name,
        account,
        region,
        own,
        {each["AttributeName"]: each["AttributeType"] for each in definition["AttributeDefinitions"]},
        tuple(indexes),
        definition.get("TimeToLive"),
        definition.get("Stream"),
        stream.get("StreamViewType", ""),
        definition,
    )


MOST_KEPT = 4096


class _Kept:
    """The tables of one cloud, by name, while none of them changes.

    From a change to the end of its turn nothing is kept: a turn, or a savepoint in it, may be rolled back.
    """

    __slots__ = ("changing", "tables")

    def __init__(self) -> None:
        self.tables: dict[tuple[str, str, str], Table] = {}
        self.changing = 0

    def change(self, call: Call) -> None:
        self.tables.clear()
        self.changing += 1
        call.cloud.store.when_committed(self._settle)

    def _settle(self, failure: BaseException | None) -> None:
        self.tables.clear()
        self.changing -= 1


_KEPT: weakref.WeakKeyDictionary[Cloud, _Kept] = weakref.WeakKeyDictionary()


def _kept(call: Call) -> _Kept:
    kept = _KEPT.get(call.cloud)
    if kept is None:
        kept = _KEPT[call.cloud] = _Kept()
    return kept


def located(call: Call, name: Any) -> tuple[str, str, str]:
    """Account, region and table name of a TableName, which may be an ARN. Raises Invalid for what can be none."""
    if name.startswith("arn:"):
        match = ARN(name)
        if match is None:
            raise Invalid(f"Invalid table ARN: {name}")
        region, account, table, _ = match.groups()
        return account, region, table
    if not NAME(name):
        check_name(name)
    return call.account, call.region, name


def check_name(name: str, member: str = "TableName") -> None:
    """Raise Invalid for what can be no table's or index's name."""
    if not 3 <= len(name) <= 255:
        raise Invalid(f"{member} must be at least 3 characters long and at most 255 characters long")
    if not NAME(name):
        raise Invalid(
            f"1 validation error detected: Value '{name}' at '{member[0].lower()}{member[1:]}' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
        )


def find(call: Call, name: str) -> Table | None:
    """The table of that name or ARN, in any state; None when there is none."""
    place = located(call, name)
    kept = _kept(call)
    known = kept.tables.get(place)
    if known is not None:
        return known
    row = call.tx.one(
        "SELECT key, definition FROM dynamodb_table WHERE account = ? AND region = ? AND name = ?", *place
    )
    if row is None:
        return None
    found = parsed(row[0], *place, json.loads(row[1]))
    if not kept.changing:
        if len(kept.tables) >= MOST_KEPT:
            kept.tables.clear()
        kept.tables[place] = found
    return found


def require(call: Call, name: str) -> Table:
    """The table items are read from and written to. Raises ResourceNotFoundException, also for one on its way out."""
    table = find(call, name)
    if table is None or table.definition["TableStatus"] in ("CREATING", "DELETING"):
        raise ResourceNotFoundException()
    return table


def describe(call: Call, name: str) -> Table:
    """The table that is described or changed. Raises ResourceNotFoundException with the name, as AWS does there."""
    table = find(call, name)
    if table is None:
        raise ResourceNotFoundException(f"Requested resource not found: Table: {located(call, name)[2]} not found")
    return table


def load(call: Call, key: int) -> Table | None:
    """The table of that key; None when it is gone."""
    row = call.tx.one("SELECT account, region, name, definition FROM dynamodb_table WHERE key = ?", key)
    return None if row is None else parsed(key, row[0], row[1], row[2], json.loads(row[3]))


def add(call: Call, account: str, region: str, name: str) -> int:
    """A row for a new table, still without a definition; its key."""
    key = call.tx.run(
        "INSERT INTO dynamodb_table (account, region, name, definition) VALUES (?, ?, ?, '{}')", account, region, name
    ).lastrowid
    assert key is not None
    return key


def save(call: Call, key: int, definition: dict[str, Any]) -> Table:
    """Store another definition of a table."""
    call.tx.run("UPDATE dynamodb_table SET definition = ? WHERE key = ?", json.dumps(definition), key)
    _kept(call).change(call)
    changed = load(call, key)
    assert changed is not None, "a table that changes is there"
    return changed


def remove(call: Call, key: int) -> None:
    """Forget a table; what it held is swept later."""
    call.tx.run("DELETE FROM dynamodb_table WHERE key = ?", key)
    _kept(call).change(call)


# -- keys of items


def _long(kind: str) -> Invalid:
    if kind == "hash":
        return Invalid(
            "One or more parameter values were invalid: "
            f"Size of hashkey has exceeded the maximum size limit of{LONGEST_HASH_BYTES} bytes"
        )
    return Invalid(
        "One or more parameter values were invalid: "
        f"Aggregated size of all range keys has exceeded the size limit of {LONGEST_RANGE_BYTES} bytes"
    )


def _check_key_value(table: Table, name: str, value: dict[str, Any], mismatch: str) -> None:
    kind = table.types[name]
    content = value.get(kind)
    if content is None:
        raise Invalid(mismatch.format(name=name, expected=kind, actual=values.type_of(value)))
    if not content:
        what = "string" if kind == "S" else "binary"
        raise Invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
            "an empty "
            f"{what} value. Key: {name}"
        )
    if len(content) > LONGEST_RANGE_BYTES // 4 and kind != "N":
        is_hash = name in table.keys.hashes
        if values.size_bytes(value) > (LONGEST_HASH_BYTES if is_hash else LONGEST_RANGE_BYTES):
            raise _long("hash" if is_hash else "range")


def check_item_key(table: Table, item: Item) -> None:
    """Raise Invalid when an item to be put lacks the key, or has it in another type."""
    for name in table.keys.names:
        value = item.get(name)
        if value is None:
            raise Invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
        _check_key_value(
            table,
            name,
            value,
            "One or more parameter values were invalid: Type mismatch for key {name} expected: {expected} "
            "actual: {actual}",
        )


KEY_MISMATCH = "The provided key element does not match the schema"
KEY_COUNT = "The number of conditions on the keys is invalid"


def check_key(table: Table, key: Item) -> None:
    """Raise Invalid when a Key is not exactly the table's."""
    names = table.keys.names
    if len(key) != len(names):
        raise Invalid(KEY_MISMATCH if not key or len(names) > len(key) else KEY_COUNT)
    for name in names:
        value = key.get(name)
        if value is None:
            raise Invalid(KEY_MISMATCH)
        _check_key_value(table, name, value, KEY_MISMATCH)


def check_index_keys(table: Table, item: Item, changed: set[str] | None = None) -> None:
    """Raise Invalid when an attribute that is an index's key has another type, is empty or too long.

    changed: the attributes to look at; None for all.
    """
    for index in table.indexes:
        for name in index.keys.names:
            value = item.get(name)
            if value is None or name in table.keys.names or (changed is not None and name not in changed):
                continue
            kind = table.types[name]
            content = value.get(kind)
            if content is None:
                raise Invalid(
                    f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
                    f"Expected: {kind} Actual: {values.type_of(value)} IndexName: {index.name}"
                )
            if not content:
                what = "string" if kind == "S" else "binary"
                raise Invalid(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not "
                    f"supported. The AttributeValue for a key attribute cannot contain an empty {what} value. "
                    f"IndexName: {index.name}, IndexKey: {name}"
                )
            if len(content) > LONGEST_RANGE_BYTES // 4 and kind != "N":
                is_hash = name in index.keys.hashes
                if values.size_bytes(value) > (LONGEST_HASH_BYTES if is_hash else LONGEST_RANGE_BYTES):
                    raise _long("hash" if is_hash else "range")


def projection_of(names: list[str]) -> project.Tree:
    """What AttributesToGet asks for: whole attributes."""
    return {name: {} for name in names}
