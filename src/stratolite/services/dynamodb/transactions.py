"""Transactions: up to a hundred items, all or none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from stratolite.kernel import Call
from stratolite.languages.expressions import project, syntax
from stratolite.languages.expressions.errors import Invalid, Malformed
from stratolite.languages.expressions.syntax import Condition

from . import capacity, items, rows, table
from .capacity import Consumed
from .errors import (
    ConditionalCheckFailedException,
    DuplicateItemException,
    IdempotentParameterMismatchException,
    ResourceNotFoundException,
    TransactionCanceledException,
)
from .requests import admit_attributes, answers, binding
from .table import Table

MOST_ITEMS = 100
LARGEST_REQUEST_BYTES = 4 * 1024 * 1024
TOKEN_LIFE_S = 600.0
DUPLICATE = "Transaction request cannot include multiple operations on one item"
VERBS = ("ConditionCheck", "Put", "Delete", "Update")

Json = Any
Answer = dict[str, Any]
Reason = dict[str, Any]


@dataclass(slots=True)
class Step:
    """One item of a TransactWriteItems, checked as far as it can be without the table."""

    verb: str
    table_name: str
    item: Json
    """The item to put, or the key."""
    size: int
    actions: syntax.Update | None
    condition: Condition | None
    on_failure: str | None


def _count(found: Json) -> list[Json]:
    if found.__class__ is not list:
        raise Malformed("Unexpected field type")
    if not 1 <= len(found) <= MOST_ITEMS:
        how = "less than or equal to 100" if found else "greater than or equal to 1"
        shown = f"'{found}' " if not found else ""
        raise Invalid(
            f"1 validation error detected: Value {shown}at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {how}"
        )
    listed: list[Json] = found
    return listed


def _step(verb: str, body: Json) -> Step:
    for member in ("TableName", "Item" if verb == "Put" else "Key"):
        if body.get(member) is None:
            raise Invalid(
                f"1 validation error detected: Value null at 'transactItems.1.member.{verb[0].lower()}{verb[1:]}."
                f"{member[0].lower()}{member[1:]}' failed to satisfy constraint: Member must not be null"
            )
    expressions = {"ConditionExpression": body.get("ConditionExpression")}
    if verb == "Update":
        expressions = {"UpdateExpression": body.get("UpdateExpression"), **expressions}
        if body.get("UpdateExpression") is None:
            raise Invalid(
                "1 validation error detected: Value null at 'transactItems.1.member.update.updateExpression' failed to "
                "satisfy constraint: Member must not be null"
            )
    if verb == "ConditionCheck" and body.get("ConditionExpression") is None:
        raise Invalid(
            "1 validation error detected: Value null at 'transactItems.1.member.conditionCheck.conditionExpression' "
            "failed to satisfy constraint: Member must not be null"
        )
    on_failure = body.get("ReturnValuesOnConditionCheckFailure")
    if on_failure not in (None, "NONE", "ALL_OLD"):
        raise Invalid(
            f"1 validation error detected: Value '{on_failure}' at 'returnValuesOnConditionCheckFailure' failed to "
            "satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]"
        )
    bound = binding(body.get("ExpressionAttributeNames"), body.get("ExpressionAttributeValues"), expressions)
    item = body["Item" if verb == "Put" else "Key"]
    size = admit_attributes(item)
    if verb == "Put":
        items.check_size(size)
    actions = bound.update(body["UpdateExpression"]) if verb == "Update" else None
    condition = None
    if body.get("ConditionExpression") is not None:
        condition = bound.condition(body["ConditionExpression"])
    bound.check_all_used()
    return Step(verb, body["TableName"], item, size, actions, condition, on_failure)


def steps(found: Json) -> list[Step]:
    """The steps of a TransactWriteItems. Raises Invalid."""
    made = []
    for each in _count(found):
        verbs = [verb for verb in VERBS if each.get(verb) is not None]
        if len(verbs) != 1:
            raise Invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        made.append(_step(verbs[0], each[verbs[0]]))
    return made


def _where(of: Table, step: Step) -> rows.Where:
    if step.verb in ("Put", "Insert"):
        table.check_item_key(of, step.item)
        table.check_index_keys(of, step.item)
    else:
        table.check_key(of, step.item)
        if step.actions is not None:
            items.check_not_key(of, step.actions)
    return of.encode(step.item)


def _run(call: Call, of: Table, step: Step) -> Consumed:
    if step.verb in ("Put", "Insert"):
        return items.put(call, of, step.item, step.size, step.condition, step.on_failure, see_old=True).consumed
    if step.verb == "Update":
        return items.change(call, of, step.item, step.actions, step.condition, step.on_failure).consumed
    if step.verb == "Delete":
        return items.delete(call, of, step.item, step.condition, step.on_failure).consumed
    old = rows.read(call, of, of.encode(step.item))
    items.require_condition(step.condition, old, step.on_failure)
    return Consumed(capacity.write_units(old.size if old else 0))


def cancelled(reasons: list[Reason]) -> TransactionCanceledException:
    codes = ", ".join(reason["Code"] for reason in reasons)
    return TransactionCanceledException(CancellationReasons=reasons, codes=codes)


NO_REASON: Reason = {"Code": "None"}


def carry_out(call: Call, plan: list[Step]) -> dict[str, Consumed]:
    """Do all steps or none; what each table used. Raises TransactionCanceledException with a reason for each step.

    Runs in a savepoint of its own; the caller's is rolled back by the exception.
    """
    found: list[Table] = []
    for step in plan:
        of = table.find(call, step.table_name)
        if of is None or of.definition["TableStatus"] in ("CREATING", "DELETING"):
            raise ResourceNotFoundException()
        found.append(of)
    reasons: list[Reason] = []
    places = set()
    for of, step in zip(found, plan, strict=True):
        try:
            where = (of.key, _where(of, step))
        except Invalid as error:
            # The first that does not fit its table ends the look: what comes behind it has no reason.
            rest = len(plan) - len(reasons) - 1
            raise cancelled(
                [*reasons, {"Code": "ValidationError", "Message": error.message}, *[NO_REASON] * rest]
            ) from None
        if where in places:
            raise Invalid(DUPLICATE)
        places.add(where)
        reasons.append(NO_REASON)
    if sum(step.size for step in plan) > LARGEST_REQUEST_BYTES:
        raise Invalid("Transaction request items aggregate size cannot exceed 4 MB")
    used: dict[str, Consumed] = {}
    failed = False
    for at, (of, step) in enumerate(zip(found, plan, strict=True)):
        try:
            consumed = _run(call, of, step)
            doubled = Consumed()
            doubled.add(consumed)
            doubled.add(consumed)  # a transaction prepares and commits: two units for each
            used.setdefault(of.name, Consumed()).add(doubled)
        except ConditionalCheckFailedException as error:
            failed = True
            if step.verb == "Insert":
                reasons[at] = {"Code": "DuplicateItem", "Message": DuplicateItemException().message}
            else:
                reasons[at] = {"Code": "ConditionalCheckFailed", "Message": error.message}
            if "Item" in error.fields:
                reasons[at]["Item"] = error.fields["Item"]
        except Invalid as error:
            failed = True
            reasons[at] = {"Code": "ValidationError", "Message": error.message}
    if failed:
        raise cancelled(reasons)
    return used


@answers
def transact_write_items(
    call: Call,
    transact_items: Json,
    return_consumed_capacity: str | None = None,
    return_item_collection_metrics: str | None = None,
    client_request_token: str | None = None,
) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""
    if client_request_token is not None and not 1 <= len(client_request_token) <= 36:
        how = "less than or equal to 36" if client_request_token else "greater than or equal to 1"
        raise Invalid(
            f"1 validation error detected: Value '{client_request_token}' at 'clientRequestToken' failed to satisfy "
            f"constraint: Member must have length {how}"
        )
    plan = steps(transact_items)
    used = once(call, client_request_token, transact_items, plan)
    answer: Answer = written_units(used, return_consumed_capacity)
    if return_item_collection_metrics == "SIZE":
        metrics: dict[str, list[Any]] = {}
        for step in plan:
            of = table.require(call, step.table_name)
            if of.has_local_indexes:
                metrics.setdefault(of.name, []).append(items.collection_metrics(of, step.item))
        if metrics:
            answer["ItemCollectionMetrics"] = metrics
    return answer


@dataclass(slots=True)
class Units:
    """What a transaction used of each table, and whether by writing or, when it was done before, by reading."""

    used: dict[str, Consumed]
    kind: str = "WriteCapacityUnits"


def written_units(units: Units, wanted: str | None) -> Answer:
    """The ConsumedCapacity of a transaction, if it was asked for."""
    if wanted not in ("TOTAL", "INDEXES"):
        return {}
    return {
        "ConsumedCapacity": [
            capacity.report(name, consumed, wanted, units.kind) for name, consumed in units.used.items()
        ]
    }


def once(call: Call, token: str | None, request: Json, plan: list[Step]) -> Units:
    """Carry a plan out, but not again for a token it has been carried out for in the last ten minutes."""
    if token is None:
        return Units(carry_out(call, plan))
    # The order of members says nothing: the same request is the same however it was written.
    wire = json.dumps(request, sort_keys=True).encode()
    known = call.tx.one(
        "SELECT request FROM dynamodb_token WHERE account = ? AND region = ? AND token = ? AND until > ?",
        call.account,
        call.region,
        token,
        call.now,
    )
    if known is None:
        used = carry_out(call, plan)
        _remember(call, token, wire)
        return Units(used)
    if known[0] != wire:
        raise IdempotentParameterMismatchException()
    # A repeated token changes nothing and is charged as the reading of its items.
    used = {}
    for step in plan:
        of = table.require(call, step.table_name)
        old = rows.read(call, of, of.encode(step.item))
        units = capacity.read_units(old.size if old else 0, True, transactional=True)
        used.setdefault(of.name, Consumed()).table += units
    return Units(used, "ReadCapacityUnits")


def _remember(call: Call, token: str, request: bytes) -> None:
    call.tx.run("DELETE FROM dynamodb_token WHERE until <= ?", call.now)
    call.tx.run(
        "INSERT OR REPLACE INTO dynamodb_token (account, region, token, request, until) VALUES (?, ?, ?, ?, ?)",
        call.account,
        call.region,
        token,
        request,
        call.now + TOKEN_LIFE_S,
    )


@answers
def transact_get_items(call: Call, transact_items: Json, return_consumed_capacity: str | None = None) -> Answer:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html"""
    looks: list[tuple[str, Json, project.Tree | None]] = []
    for each in _count(transact_items):
        get = each.get("Get")
        if get is None or get.get("TableName") is None or get.get("Key") is None:
            raise Invalid(
                "1 validation error detected: Value null at 'transactItems.1.member.get' failed to satisfy constraint: "
                "Member must not be null"
            )
        expression = get.get("ProjectionExpression")
        bound = binding(get.get("ExpressionAttributeNames"), None, {"ProjectionExpression": expression})
        admit_attributes(get["Key"])
        parts = items.wanted_parts(bound, expression, None)
        bound.check_all_used()
        looks.append((get["TableName"], get["Key"], parts))
    reasons: list[Reason] = []
    places: list[tuple[Table, rows.Where] | None] = []
    for name, key, _ in looks:
        of = table.require(call, name)
        try:
            table.check_key(of, key)
        except Invalid as error:
            places.append(None)
            reasons.append({"Code": "ValidationError", "Message": error.message})
            continue
        where = of.encode(key)
        if any(of.key == other.key and where == place for other, place in filter(None, places)):
            raise Invalid(DUPLICATE)
        places.append((of, where))
        reasons.append(NO_REASON)
    if any(reason is not NO_REASON for reason in reasons):
        raise cancelled(reasons)
    answer: Answer = {"Responses": []}
    used: dict[str, Consumed] = {}
    for (_, _, parts), place in zip(looks, places, strict=True):
        assert place is not None
        of, where = place
        row = rows.read(call, of, where)
        units = capacity.read_units(row.size if row else 0, True, transactional=True)
        used.setdefault(of.name, Consumed()).table += units
        if row is None:
            answer["Responses"].append({})
        else:
            answer["Responses"].append({"Item": row.item if parts is None else project.project(row.item, parts)})
    if return_consumed_capacity in ("TOTAL", "INDEXES"):
        answer["ConsumedCapacity"] = [
            capacity.report(name, units, return_consumed_capacity, "ReadCapacityUnits") for name, units in used.items()
        ]
    return answer
