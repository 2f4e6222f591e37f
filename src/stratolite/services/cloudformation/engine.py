"""The engine: steps of stacks, run where what they need is done, each one a row that outlives the process."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stratolite.kernel import AwsError, Call, Made, NotReady, job
from stratolite.kernel.resources import Properties, ResourceType, Wanted
from stratolite.kernel.store import Row
from stratolite.languages.templates import TemplateError, dynamic
from stratolite.languages.templates.template import Resource

from . import kinds, phases, policies, rows, schemas, secrets
from .events import properties_text, record
from .steps import Steps
from .view import View

log = logging.getLogger("stratolite.cloudformation")

STEPS_PER_TURN = 16
"""So many resources are made in one go before others get the loop."""

StepFailed = (AwsError, TemplateError)
Outcome = Made | Exception | None
"""What came of a handler: a resource, nothing (it is removed), or why not (`NotReady`: not yet)."""


@job
def advance(call: Call, stack: int) -> None:
    """Run every step that can run; when none is left, end the phase and begin the next."""
    found = rows.by_key(call, stack)
    if not found["phase"]:
        return
    view, steps = View(call, found), Steps(call, stack)
    for _ in range(STEPS_PER_TURN):
        step = steps.ready()
        if step is None:
            break
        _begin(call, view, steps, step)
    else:
        call.later("cloudformation.advance", None, f"cloudformation {stack}", stack=stack)
        return
    if steps.are_over:
        phases.end(call, found, view, steps)


@job
async def step(call: Call, stack: int, step: int) -> None:
    """One step whose handler waits for something, or that was not ready before."""
    found = rows.by_key(call, stack)
    view, steps = View(call, found), Steps(call, stack)
    current = steps.find(step)
    if current is None or current["state"] != "running":
        return
    outcome: Outcome = None
    action = None
    try:
        answers = await secrets.looked_up(call, _dynamic(call, current))
        action = _action(call, view, current, answers, again=call.attempts > 1)
        if inspect.iscoroutinefunction(action.func):
            outcome, action = await action(call), None
    except Exception as failure:
        outcome, action = failure, None
    with call.settle() as c:
        if action is not None:
            # A plain handler's effect and the end of this job are one commit: it is done exactly once.
            outcome = _attempt(c, action)
        if isinstance(outcome, NotReady):
            Steps(c, stack).keep(step, outcome.made)
            c.later("cloudformation.step", c.now + outcome.after_s, None, stack=stack, step=step)
            return
        found = rows.by_key(c, stack)
        view, steps = View(c, found), Steps(c, stack)
        current = steps.find(step)
        assert current is not None
        _end(c, view, steps, current, outcome)
        c.later("cloudformation.advance", None, f"cloudformation {stack}", stack=stack)


class Action:
    """A handler's function with its arguments but the call."""

    def __init__(self, func: Callable[..., Any], *arguments: Any) -> None:
        self.func, self.arguments = func, arguments

    def __call__(self, call: Call) -> Any:
        return self.func(call, *self.arguments)


def _attempt(call: Call, action: Action) -> Outcome:
    """Run a plain handler in a savepoint of its own: half a resource is none."""
    try:
        with call.cloud.store.write(call.tx) as tx:
            made: Made | None = action(replace(call, tx=tx))
    except Exception as failure:
        return failure
    return made


def _begin(call: Call, view: View, steps: Steps, step: dict[str, Any]) -> None:
    """Start a ready step; most are done in the same breath."""
    try:
        if not _PREPARE[step["verb"]](call, view, steps, step):
            steps.mark(step, "done")
            return
    except StepFailed as failure:
        _end(call, view, steps, step, failure)
        return
    steps.mark(step, "running")
    if _dynamic(call, step):
        call.later("cloudformation.step", stack=view.stack["key"], step=step["key"])
        return
    outcome: Outcome
    try:
        action = _action(call, view, step, {}, again=False)
    except StepFailed as failure:
        outcome = failure
    else:
        if inspect.iscoroutinefunction(action.func):
            call.later("cloudformation.step", stack=view.stack["key"], step=step["key"])
            return
        outcome = _attempt(call, action)
    if isinstance(outcome, NotReady):
        steps.keep(step["key"], outcome.made)
        due = call.now + outcome.after_s
        call.later("cloudformation.step", due, None, stack=view.stack["key"], step=step["key"])
        return
    _end(call, view, steps, step, outcome)


# before a handler runs: rows and events say what is about to happen


def _prepare_make(call: Call, view: View, steps: Steps, step: dict[str, Any]) -> bool:
    """Decide between create, update, replace and nothing (False)."""
    logical, stack = step["logical_id"], view.stack["key"]
    wanted, old = view.present[logical], view.live.get(logical)
    kind = kinds.find(call, wanted.type)
    assert kind is not None, "checked when the stack was asked for"
    try:
        _tell(call, view, wanted)
        properties = view.properties(logical)
        shown = view.shown[logical] = properties_text(
            view.properties(logical, masked=True) if view.has_secrets else properties
        )
        kept = {
            "needs": json.dumps(view.needs[logical]),
            "deletion_policy": view.policy(logical, "DeletionPolicy"),
            "replace_policy": view.policy(logical, "UpdateReplacePolicy"),
            "metadata": None if wanted.metadata is None else json.dumps(view.metadata(logical)),
        }
    except StepFailed:
        if old is None:
            steps.attach(step, _insert(call, stack, logical, wanted.type, "{}", {}, "created"))
        raise
    told = json.dumps(properties)
    if old is None:
        steps.attach(step, _insert(call, stack, logical, wanted.type, told, kept, "created"))
        record(call, stack, logical, wanted.type, "CREATE_IN_PROGRESS", properties=shown)
        return True
    was = rows.loads(old["properties"])
    changed = {name for name in {*was, *properties} if was.get(name) != properties.get(name)}
    if not changed:
        call.tx.run(
            """UPDATE cloudformation_resource SET needs = ?, deletion_policy = ?, replace_policy = ?, metadata = ?
                WHERE key = ?""",
            kept["needs"], kept["deletion_policy"], kept["replace_policy"], kept["metadata"], old["key"],
        )  # fmt: skip
        return False
    is_replaced = kind.needs_replacement(changed)
    policies.check(view.stack, "Update:Replace" if is_replaced else "Update:Modify", logical, wanted.type)
    if is_replaced:
        record(
            call, stack, logical, wanted.type, "UPDATE_IN_PROGRESS", physical_id=old["physical_id"] or "",
            reason="Requested update requires the creation of a new physical resource; hence creating one.",
            properties=shown,
        )  # fmt: skip
        call.tx.run(
            "UPDATE cloudformation_resource SET role = 'doomed', change = 'superseded' WHERE key = ?", old["key"]
        )
        steps.attach(step, _insert(call, stack, logical, wanted.type, told, kept, "replaced"))
        return True
    call.tx.run(
        """UPDATE cloudformation_resource
              SET before = ?, change = 'updated', properties = ?, needs = ?, deletion_policy = ?, replace_policy = ?,
                  metadata = ?, status = 'UPDATE_IN_PROGRESS', reason = NULL, changed_at = ?
            WHERE key = ?""",
        json.dumps({name: old[name] for name in _KEPT}),
        told, kept["needs"], kept["deletion_policy"], kept["replace_policy"], kept["metadata"], call.now, old["key"],
    )  # fmt: skip
    steps.attach(step, old["key"])
    record(
        call, stack, logical, wanted.type, "UPDATE_IN_PROGRESS", physical_id=old["physical_id"] or "", properties=shown
    )
    return True


_KEPT = ("properties", "needs", "deletion_policy", "replace_policy", "metadata")


def _insert(
    call: Call, stack: int, logical: str, type_name: str, properties: str, kept: dict[str, Any], change: str
) -> int:
    cursor = call.tx.run(
        """INSERT INTO cloudformation_resource
                  (stack, logical_id, type, properties, needs, deletion_policy, replace_policy, metadata, status,
                   changed_at, change)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'CREATE_IN_PROGRESS', ?, ?)""",
        stack, logical, type_name, properties, kept.get("needs", "[]"), kept.get("deletion_policy", "Delete"),
        kept.get("replace_policy", "Delete"), kept.get("metadata"), call.now, change,
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


def _prepare_remove(call: Call, view: View, steps: Steps, step: dict[str, Any]) -> bool:
    """Say that a resource goes; False when it stays by policy or never was."""
    row = _row(call, step)
    policy = row["replace_policy" if row["change"] == "superseded" else "deletion_policy"]
    told = {"physical_id": row["physical_id"] or "", "properties": row["properties"]}
    kept = policy == "Retain" or (policy == "RetainExceptOnCreate" and row["change"] != "created")
    if row["physical_id"] is None:
        _become(call, row, "DELETE_COMPLETE", role="gone")
        record(call, row["stack"], row["logical_id"], row["type"], "DELETE_COMPLETE", **told)
        return False
    if kept:
        _become(call, row, "DELETE_SKIPPED", role="gone")
        record(call, row["stack"], row["logical_id"], row["type"], "DELETE_SKIPPED", **told)
        return False
    _become(call, row, "DELETE_IN_PROGRESS")
    record(call, row["stack"], row["logical_id"], row["type"], "DELETE_IN_PROGRESS", **told)
    return True


def _prepare_restore(call: Call, view: View, steps: Steps, step: dict[str, Any]) -> bool:
    row = _row(call, step)
    _become(call, row, "UPDATE_IN_PROGRESS")
    before = rows.loads(row["before"])
    record(
        call, row["stack"], row["logical_id"], row["type"], "UPDATE_IN_PROGRESS",
        physical_id=row["physical_id"] or "", properties=before["properties"],
    )  # fmt: skip
    return True


_PREPARE: dict[str, Callable[[Call, View, Steps, dict[str, Any]], bool]] = {
    "make": _prepare_make,
    "remove": _prepare_remove,
    "restore": _prepare_restore,
}


# the handler


def _row(call: Call, step: dict[str, Any]) -> Row:
    found = call.tx.one("SELECT * FROM cloudformation_resource WHERE key = ?", step["resource"])
    assert found is not None
    return found


def _dynamic(call: Call, step: dict[str, Any]) -> list[dynamic.DynamicReference]:
    """The dynamic references a step has to look up."""
    row = _row(call, step)
    texts = [row["properties"], row["before"] or ""]
    if not any("{{resolve:" in text for text in texts):
        return []
    before = rows.loads(row["before"])
    values = [rows.loads(row["properties"]), rows.loads(before["properties"]) if before else {}]
    return list(dict.fromkeys(dynamic.found_in(values)))


def _action(call: Call, view: View, step: dict[str, Any], answers: dict[str, str], again: bool) -> Action:
    """The function a step comes down to. Raises AwsError when the properties are not the type's."""
    row = _row(call, step)
    kind = kinds.find(call, row["type"])
    assert kind is not None

    def resolved(text: str) -> dict[str, Any]:
        return schemas.coerced(row["type"], dynamic.substitute(rows.loads(text), answers))

    properties = resolved(row["properties"])
    if step["verb"] == "remove":
        return Action(kind.delete, row["physical_id"], properties)
    before = rows.loads(row["before"])
    now, was = properties, resolved(before["properties"]) if before else {}
    if step["verb"] == "restore":
        now, was = was, now
    else:
        problems = schemas.problems(row["type"], rows.loads(row["properties"]))
        if problems:
            raise AwsError(f"Property validation failure: [{', '.join(problems)}]", code="PropertyValidationFailure")
    made = rows.loads(step["made"])
    stack = view.stack
    wanted = Wanted(
        type=row["type"],
        logical_id=row["logical_id"],
        properties=Properties(now),
        stack_name=stack["name"],
        stack_id=stack["id"],
        token=step["token"],
        tags={
            **view.desire.tags,
            "aws:cloudformation:stack-name": stack["name"],
            "aws:cloudformation:stack-id": stack["id"],
            "aws:cloudformation:logical-id": row["logical_id"],
        },
        made=None if made is None else Made(made["ref"], made["attributes"]),
        again=again,
    )
    if row["change"] == "updated":
        assert kind.update is not None
        return Action(_noticing(kind, kind.update, wanted), row["physical_id"], wanted, was)
    return Action(_noticing(kind, kind.create, wanted), wanted)


def _tell(call: Call, view: View, wanted: Resource) -> None:
    """What of a template, beside its properties, has no effect here. Raises NotEmulated under --strict."""
    attributes = {"CreationPolicy": wanted.creation_policy, "UpdatePolicy": wanted.update_policy}
    texts = [f"{wanted.type} {name}" for name, value in attributes.items() if value is not None]
    if "Rules" in view.template.document:
        texts.append("CloudFormation Rules")
    for text in texts:
        call.not_emulated_here(text)


def _noticing(kind: ResourceType, function: Callable[..., Any], wanted: Wanted) -> Callable[..., Any]:
    """The handler, and after it what of the properties it did not look at: accepted, not emulated, and said."""

    def tell(call: Call) -> None:
        present = dict.keys(wanted.properties)
        # An update may leave what would have replaced the resource unread: it has not changed.
        seen = kind.ignores | (kind.replaces if function is kind.update else frozenset())
        for name in [*wanted.properties.unread(seen), *(each for each in kind.ignores if each in present)]:
            call.not_emulated_here(f"{wanted.type} {name}")

    if inspect.iscoroutinefunction(function):

        async def waiting(call: Call, *arguments: Any) -> Any:
            made = await function(call, *arguments)
            tell(call)
            return made

        return waiting

    def at_once(call: Call, *arguments: Any) -> Any:
        made = function(call, *arguments)
        tell(call)
        return made

    return at_once


# after it: what came of the step


def _end(call: Call, view: View, steps: Steps, step: dict[str, Any], outcome: Outcome) -> None:
    row = _row(call, step) if step["resource"] is not None else None
    if isinstance(outcome, Exception):
        _fail(call, view, steps, step, row, outcome)
        return
    assert row is not None
    if step["verb"] == "remove":
        _become(call, row, "DELETE_COMPLETE", role="gone")
        record(
            call, row["stack"], row["logical_id"], row["type"], "DELETE_COMPLETE",
            physical_id=row["physical_id"] or "", properties=row["properties"],
        )  # fmt: skip
    else:
        assert outcome is not None, f"{row['type']} gave nothing"
        _made(call, view, step, row, outcome)
    steps.mark(step, "done")


def _made(call: Call, view: View, step: dict[str, Any], row: Row, made: Made) -> None:
    logical, stack = row["logical_id"], row["stack"]
    is_restore = step["verb"] == "restore"
    verb = "UPDATE" if is_restore or row["change"] in ("updated", "replaced") else "CREATE"
    shown = rows.loads(row["before"])["properties"] if is_restore else _shown(view, row)
    if row["change"] in ("created", "replaced"):
        record(
            call, stack, logical, row["type"], f"{verb}_IN_PROGRESS", physical_id=made.ref,
            reason="Resource creation Initiated", properties=shown,
        )  # fmt: skip
    status = f"{verb}_COMPLETE"
    if row["change"] == "updated" and made.ref != row["physical_id"]:
        _leave_behind(call, row)
    call.tx.run(
        """UPDATE cloudformation_resource
              SET physical_id = ?, attributes = ?, status = ?, reason = NULL, changed_at = ? WHERE key = ?""",
        made.ref, json.dumps(dict(made.attributes)), status, call.now, row["key"],
    )  # fmt: skip
    if is_restore:
        before = rows.loads(row["before"])
        call.tx.run(
            """UPDATE cloudformation_resource
                  SET properties = ?, needs = ?, deletion_policy = ?, replace_policy = ?, metadata = ?, change = '',
                      before = NULL
                WHERE key = ?""",
            before["properties"], before["needs"], before["deletion_policy"], before["replace_policy"],
            before["metadata"], row["key"],
        )  # fmt: skip
    record(call, stack, logical, row["type"], status, physical_id=made.ref, properties=shown)
    view.live[logical] = _row(call, step)


def _leave_behind(call: Call, row: Row) -> None:
    """An update that gave another id made another resource: what had the old id is removed in the clean-up."""
    before = rows.loads(row["before"])
    call.tx.run("UPDATE cloudformation_resource SET change = 'replaced', before = NULL WHERE key = ?", row["key"])
    call.tx.run(
        """INSERT INTO cloudformation_resource
                  (stack, logical_id, type, physical_id, properties, attributes, needs, deletion_policy, replace_policy,
                   role, status, changed_at, change)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'doomed', ?, ?, 'superseded')""",
        row["stack"], row["logical_id"], row["type"], row["physical_id"], before["properties"], row["attributes"],
        before["needs"], before["deletion_policy"], before["replace_policy"], row["status"], call.now,
    )  # fmt: skip


def _shown(view: View, row: Row) -> str:
    """The properties as events show them: what must not be echoed is not."""
    logical = row["logical_id"]
    if logical not in view.shown:
        try:
            view.shown[logical] = properties_text(view.properties(logical, masked=True))
        except (KeyError, *StepFailed):
            return "{}"
    return view.shown[logical]


def _fail(call: Call, view: View, steps: Steps, step: dict[str, Any], row: Row | None, failure: Exception) -> None:
    if not isinstance(failure, StepFailed):
        log.error("%s of %s failed", step["verb"], step["logical_id"], exc_info=failure)
    reason = _reason(failure, step["token"])
    if row is None:
        row = view.live.get(step["logical_id"])  # it failed before anything was begun: what there was stays
    verb = {"remove": "DELETE", "restore": "UPDATE"}.get(step["verb"]) or (
        "CREATE" if row is None or row["change"] == "created" else "UPDATE"
    )
    steps.mark(step, "failed")
    if row is not None:
        if row["change"] == "replaced" and row["physical_id"] is None and step["verb"] == "make":
            # The old one is what the stack still has.
            verb = "CREATE"
        _become(call, row, f"{verb}_FAILED", reason=reason)
    type_name = row["type"] if row is not None else view.present[step["logical_id"]].type
    record(
        call, view.stack["key"], step["logical_id"], type_name, f"{verb}_FAILED",
        physical_id=(row["physical_id"] or "") if row is not None else "", reason=reason,
        properties=None if row is None else _shown(view, row) if step["verb"] == "make" else row["properties"],
    )  # fmt: skip
    if step["verb"] != "remove":
        steps.cancel_waiting()


def _reason(failure: Exception, token: str) -> str:
    """A failure as ResourceStatusReason has it."""
    if isinstance(failure, TemplateError):
        return failure.message
    if not isinstance(failure, AwsError):
        return f"Internal failure: {type(failure).__name__}: {failure}"
    code = str(failure.code)
    if code in ("PropertyValidationFailure", "ValidationError", "NotEmulated", "CustomResource", "StackPolicy"):
        return failure.message
    kind = next((handler for part, handler in _HANDLER_CODES if part in code), "GeneralServiceException")
    return f'Resource handler returned message: "{failure.message}" (RequestToken: {token}, HandlerErrorCode: {kind})'


# Part of a service's error code to the handler's: the classes of the resource provider contract.
_HANDLER_CODES = (
    ("AlreadyExist", "AlreadyExists"),
    ("ResourceInUse", "AlreadyExists"),
    ("Conflict", "AlreadyExists"),
    ("QueueNameExists", "AlreadyExists"),
    ("NotFound", "NotFound"),
    ("DoesNotExist", "NotFound"),
    ("NonExistent", "NotFound"),
    ("AccessDenied", "AccessDenied"),
    ("Throttl", "Throttling"),
    ("TooManyRequests", "Throttling"),
    ("LimitExceeded", "ServiceLimitExceeded"),
    ("Invalid", "InvalidRequest"),
    ("Validation", "InvalidRequest"),
    ("BadRequest", "InvalidRequest"),
    ("Malformed", "InvalidRequest"),
)


def _become(call: Call, row: Row, status: str, *, reason: str | None = None, role: str | None = None) -> None:
    call.tx.run(
        "UPDATE cloudformation_resource SET status = ?, reason = ?, role = ?, changed_at = ? WHERE key = ?",
        status, reason, role or row["role"], call.now, row["key"],
    )  # fmt: skip
