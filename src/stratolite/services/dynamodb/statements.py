"""Statements: PartiQL, carried out by the same reads and writes as everything else.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
from dataclasses import replace
from typing import Any

from stratolite.kernel import AwsError, Call
from stratolite.languages.expressions import evaluate, keys, partiql, project, syntax, values
from stratolite.languages.expressions.errors import Invalid, Malformed
from stratolite.languages.expressions.partiql import Delete, Insert, Select, Statement, Update
from stratolite.languages.expressions.syntax import Condition
from stratolite.languages.expressions.values import Item

from . import capacity, items, pages, reads, rows, table, transactions
from .capacity import Consumed
from .errors import ConditionalCheckFailedException, DuplicateItemException
from .requests import admit_attributes, answers
from .table import Index, Table
from .transactions import Reason, Step

Json = Any
Answer = dict[str, Any]

NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"


def _parsed(statement: str, parameters: Json) -> Statement:
    if parameters is not None and not parameters:
        raise Invalid(
            "1 validation error detected: Value '[]' at 'parameters' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    for value in parameters or ():
        values.admit(value)
    return partiql.parse(statement, parameters or ())


# Reading


def _token(of: Table, index: Index | None, last: Any) -> str:
    return base64.b64encode(rows.dumps(pages.last_key(of, index, json.loads(last[1])))).decode()


def _start(token: str) -> Item:
    try:
        found = json.loads(base64.b64decode(token, validate=True))
    except (ValueError, binascii.Error):
        raise Invalid("Invalid NextToken") from None
    admit_attributes(found)
    item: Item = found
    return item


def _sort_conditions(where: Condition | None, name: str, kind: str) -> list[keys.KeyCondition]:
    """What a WHERE says of the sort key that a query can use; the whole of it is checked on each item anyway."""
    for each in partiql.conjuncts(where):
        try:
            found = keys.conditions(each)
        except (Invalid, AssertionError):
            continue
        if found[0].attribute == name and all(kind in operand for operand in found[0].operands):
            return found
    return []


def _page(
    call: Call, statement: Select, token: str | None, limit: int | None, consistent: bool
) -> tuple[pages.Asked, pages.Page]:
    of = table.require(call, statement.table)
    index = None if statement.index is None else reads.find_index(of, statement.index, consistent)
    schema = index.keys if index else of.keys
    wanted = project.tree(statement.paths) if statement.paths else None
    asked = pages.Asked(of, index, wanted, False, consistent, reads.needs_fetch(index, None, wanted), None)
    start = None if token is None else pages.start_place(of, index, _start(token))
    pinned = partiql.equalities(statement.where)
    forward = all(ascends for name, ascends in statement.order if name in schema.ranges)
    if all(name in pinned and of.types[name] in pinned[name] for name in schema.hashes):
        pk = keys.encode([pinned[name] for name in schema.hashes])
        found = _sort_conditions(statement.where, schema.ranges[0], of.types[schema.ranges[0]]) if schema.ranges else []
        within = keys.sort_range(len(schema.ranges), found)
        source = pages.query_rows(call, asked, pk, within, forward, start, limit)
    else:
        if statement.order:
            raise Invalid("Must have WHERE clause in the statement when using ORDER BY clause.")
        source = pages.scan_rows(call, asked, None, start, limit)
    return asked, pages.collect(source, limit, statement.where)


def _select(
    call: Call, statement: Select, token: str | None, limit: int | None, consistent: bool, reported: str | None
) -> Answer:
    asked, page = _page(call, statement, token, limit, consistent)
    asked.reported = reported
    answer: Answer = json.loads(pages.answer(asked, page))
    del answer["Count"], answer["ScannedCount"]
    if page.last is not None:
        answer["NextToken"] = _token(asked.of, asked.index, page.last)
    return answer


def _one(call: Call, statement: Select) -> Item | None:
    """The item a SELECT of batches and transactions names by its whole key."""
    of = table.require(call, statement.table)
    key = _key(of, statement.where)
    found = rows.read(call, of, of.encode(key))
    if found is None or (statement.where is not None and not evaluate.holds(statement.where, found.item)):
        return None
    if not statement.paths:
        return found.item
    return project.project(found.item, project.tree(statement.paths))


# Writing


def _key(of: Table, where: Condition | None) -> Item:
    """The key a WHERE names. Raises Invalid when it does not name all of it."""
    pinned = partiql.equalities(where)
    try:
        key = {name: pinned[name] for name in of.keys.names}
    except KeyError:
        raise Invalid(NO_KEY) from None
    table.check_key(of, key)
    return key


def _beyond_key(of: Table, where: Condition) -> Condition | None:
    """What a WHERE asks for besides the key, which has found the item."""
    pinned = {(name, json.dumps(value)) for name, value in partiql.equalities(where).items() if name in of.keys.names}
    rest = [
        each
        for each in partiql.conjuncts(where)
        if not any((name, json.dumps(value)) in pinned for name, value in partiql.equalities(each).items())
    ]
    return functools.reduce(syntax.And, rest) if rest else None


def _present(of: Table, rest: Condition | None) -> Condition:
    there = syntax.Call("attribute_exists", (syntax.Path((of.keys.hashes[0],)),))
    return there if rest is None else syntax.And(there, rest)


def _returned(returning: str | None, written: items.Written, actions: syntax.Update | None) -> Item | None:
    wanted = {None: None, "ALL OLD": "ALL_OLD", "ALL NEW": "ALL_NEW", "MODIFIED OLD": "UPDATED_OLD",
              "MODIFIED NEW": "UPDATED_NEW"}[returning]  # fmt: skip
    return items.returned(wanted, written, actions)


def _absent(of: Table) -> Condition:
    return syntax.Call("attribute_not_exists", (syntax.Path((of.keys.hashes[0],)),))


def _write(call: Call, statement: Statement, on_failure: str | None) -> tuple[Table, items.Written, Item | None]:
    """Carry out an INSERT, UPDATE or DELETE; what it did and what it returns."""
    of = table.require(call, statement.table)
    if isinstance(statement, Insert):
        size = admit_attributes(statement.item)
        items.check_size(size)
        table.check_item_key(of, statement.item)
        try:
            return of, items.put(call, of, statement.item, size, _absent(of), on_failure), None
        except ConditionalCheckFailedException:
            raise DuplicateItemException() from None
    assert isinstance(statement, Update | Delete)
    key = _key(of, statement.where)
    if isinstance(statement, Update):
        items.check_not_key(of, statement.actions)
        written = items.change(
            call, of, key, statement.actions, _present(of, _beyond_key(of, statement.where)), on_failure
        )
        return of, written, _returned(statement.returning, written, statement.actions)
    written = items.delete(call, of, key, _beyond_key(of, statement.where), on_failure)
    return of, written, _returned(statement.returning, written, None)


@answers
def execute_statement(
    call: Call,
    statement: str,
    parameters: Json = None,
    consistent_read: bool | None = None,
    next_token: str | None = None,
    return_consumed_capacity: str | None = None,
    limit: int | None = None,
    return_values_on_condition_check_failure: str | None = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteStatement.html"""
    parsed = _parsed(statement, parameters)
    if isinstance(parsed, Select):
        if parsed.exists:
            raise Invalid("EXISTS is only supported in transactions")
        return _select(call, parsed, next_token, limit, bool(consistent_read), return_consumed_capacity)
    of, written, returned = _write(call, parsed, return_values_on_condition_check_failure)
    answer: Answer = {"Items": [] if returned is None else [returned]}
    if (used := capacity.report(of.name, written.consumed, return_consumed_capacity)) is not None:
        answer["ConsumedCapacity"] = used
    return answer


# What a statement of a batch fails with: the exception's name without its tail.
_CODES = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "ResourceNotFoundException": "ResourceNotFound",
}


@answers
def batch_execute_statement(call: Call, statements: Json, return_consumed_capacity: str | None = None) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html"""
    responses: list[Answer] = []
    used: dict[str, Consumed] = {}
    for each in statements:
        response: Answer = {}
        try:
            parsed = _parsed(each["Statement"], each.get("Parameters"))
            response["TableName"] = parsed.table
            if isinstance(parsed, Select):
                item = _one(call, parsed)
                used.setdefault(parsed.table, Consumed()).table += capacity.read_units(
                    values.item_bytes(item or {}), bool(each.get("ConsistentRead"))
                )
            else:
                with call.cloud.store.write(call.tx) as tx:
                    of, written, item = _write(
                        replace(call, tx=tx), parsed, each.get("ReturnValuesOnConditionCheckFailure")
                    )
                used.setdefault(of.name, Consumed()).add(written.consumed)
            if item is not None:
                response["Item"] = item
        except Malformed:
            raise
        except Invalid as error:
            response["Error"] = {"Code": "ValidationError", "Message": error.message}
        except AwsError as error:
            response["Error"] = {"Code": _CODES.get(str(error.code), error.code), "Message": error.message}
            if "Item" in error.fields:
                response["Error"]["Item"] = error.fields["Item"]
        responses.append(response)
    answer: Answer = {"Responses": responses}
    if return_consumed_capacity in ("TOTAL", "INDEXES"):
        answer["ConsumedCapacity"] = [
            capacity.report(name, consumed, return_consumed_capacity) for name, consumed in used.items()
        ]
    return answer


def _as_step(call: Call, statement: Statement, on_failure: str | None) -> Step:
    """A statement as a step of a transaction."""
    of = table.require(call, statement.table)
    if isinstance(statement, Insert):
        size = admit_attributes(statement.item)
        items.check_size(size)
        return Step("Insert", of.name, statement.item, size, None, _absent(of), on_failure)
    if statement.where is None:
        raise Invalid(NO_KEY)
    key = _key(of, statement.where)
    rest = _beyond_key(of, statement.where)
    size = values.item_bytes(key)
    if isinstance(statement, Update):
        return Step("Update", of.name, key, size, statement.actions, _present(of, rest), on_failure)
    if isinstance(statement, Delete):
        return Step("Delete", of.name, key, size, None, rest, on_failure)
    return Step("ConditionCheck", of.name, key, size, None, rest or _present(of, None), on_failure)


@answers
def execute_transaction(
    call: Call,
    transact_statements: Json,
    client_request_token: str | None = None,
    return_consumed_capacity: str | None = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteTransaction.html"""
    parsed = [(_parsed(each["Statement"], each.get("Parameters")), each) for each in transact_statements]
    reading = [isinstance(each, Select) and not each.exists for each, _ in parsed]
    if any(reading) and not all(reading):
        raise Invalid(
            "Transaction statements must contain either all reads or all writes: SELECT and other statements are mixed"
        )
    if not all(reading):
        plan = [_as_step(call, each, given.get("ReturnValuesOnConditionCheckFailure")) for each, given in parsed]
        used = transactions.once(call, client_request_token, transact_statements, plan)
        return {"Responses": [], **transactions.written_units(used, return_consumed_capacity)}
    responses: list[Answer] = []
    reasons: list[Reason] = []
    for each, _ in parsed:
        assert isinstance(each, Select)
        try:
            item = _one(call, each)
        except Invalid as error:
            reasons.append({"Code": "ValidationError", "Message": error.message})
            continue
        reasons.append(transactions.NO_REASON)
        responses.append({} if item is None else {"Item": item})
    if any(reason is not transactions.NO_REASON for reason in reasons):
        raise transactions.cancelled(reasons)
    return {"Responses": responses}
