"""Phases: what a stack's operation goes through, and what the end of each leads to.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from stratolite.kernel import AwsError, Call
from stratolite.kernel.store import Row
from stratolite.languages.templates import TemplateError

from . import exports, policies, rows
from .desire import Desire
from .events import record, stack_status
from .steps import Steps, clear, plan
from .view import View

# beginnings


def begin_create(call: Call, key: int, reason: str = "User Initiated") -> None:
    stack = rows.by_key(call, key)
    stack_status(call, stack, "CREATE_IN_PROGRESS", reason)
    _enter(call, key, "create")
    plan(call, key, "make", View(call, stack).needs)


def begin_update(call: Call, key: int, desire: Desire) -> None:
    stack = rows.by_key(call, key)
    call.tx.run(
        "UPDATE cloudformation_stack SET before = asked, asked = ?, updated_at = ? WHERE key = ?",
        desire.text(), call.now, key,
    )  # fmt: skip
    stack_status(call, stack, "UPDATE_IN_PROGRESS", "User Initiated")
    _enter(call, key, "update")
    plan(call, key, "make", View(call, rows.by_key(call, key)).needs)


def begin_delete(call: Call, key: int, retain: list[str] | None = None) -> None:
    stack = rows.by_key(call, key)
    stack_status(call, stack, "DELETE_IN_PROGRESS", "User Initiated")
    for logical in retain or ():
        call.tx.run(
            "UPDATE cloudformation_resource SET deletion_policy = 'Retain' WHERE stack = ? AND logical_id = ?",
            key, logical,
        )  # fmt: skip
    _remove_all(call, key, "delete")


def _enter(call: Call, key: int, phase: str) -> None:
    """Go into a phase; its steps are run by the job that this adds."""
    call.tx.run("UPDATE cloudformation_stack SET phase = ? WHERE key = ?", phase, key)
    if phase:
        call.later("cloudformation.advance", None, f"cloudformation {key}", stack=key)


def _remove_all(call: Call, key: int, phase: str) -> None:
    found = call.tx.all("SELECT * FROM cloudformation_resource WHERE stack = ? AND role <> 'gone' ORDER BY key", key)
    _enter(call, key, phase)
    _plan_removal(call, key, found)


def _plan_removal(call: Call, key: int, found: list[Row]) -> None:
    """Steps that remove resources, each after those that need it, the newest first."""
    names = {each["key"]: f"{each['logical_id']}#{each['key']}" for each in found}
    after: dict[str, list[str]] = {names[each["key"]]: [] for each in reversed(found)}
    for each in found:
        needed = set(rows.loads(each["needs"]))
        for other in found:
            if other["logical_id"] in needed:
                after[names[other["key"]]].append(names[each["key"]])
    plan(call, key, "remove", after, {name: row for row, name in names.items()})


# ends


def end(call: Call, stack: Row, view: View, steps: Steps) -> None:
    """Nothing is left to do in this phase: go on to what follows."""
    good, bad = _ENDS[stack["phase"]]
    (bad if steps.failed else good)(call, stack, view, steps)


Ending = Callable[[Call, Row, View, Steps], None]


def _why(steps: Steps, verb: str) -> str:
    names = ", ".join(each["logical_id"] for each in steps.failed)
    return f"The following resource(s) failed to {verb}: [{names}]. "


def _publish(call: Call, stack: Row, view: View) -> str | None:
    """Outputs, exports and imports; the reason when they cannot be had."""
    try:
        outputs = view.outputs()
        if "Fn::ImportValue" in stack["asked"]:
            for logical in view.present:
                view.properties(logical)
        with call.cloud.store.write(call.tx) as tx:
            inner = call._with(tx)
            exports.publish(inner, stack, outputs)
            exports.note_imports(inner, stack["key"], view.imported)
    except TemplateError as error:
        return f"[Error] /{'/'.join(map(str, error.path))}: {error.message}" if error.path else error.message
    except AwsError as error:
        return error.message
    call.tx.run("UPDATE cloudformation_stack SET outputs = ? WHERE key = ?", json.dumps(outputs), stack["key"])
    return None


def _finish(call: Call, stack: Row, status: str, reason: str | None = None) -> None:
    """The operation is over."""
    key = stack["key"]
    call.tx.run("UPDATE cloudformation_resource SET change = '', before = NULL WHERE stack = ? AND role <> 'gone'", key)
    call.tx.run("UPDATE cloudformation_stack SET before = NULL, policy_now = NULL WHERE key = ?", key)
    clear(call, key)
    _enter(call, key, "")
    stack_status(call, stack, status, reason)
    call.signal("cloudformation", stack["id"], n=None)


def _created(call: Call, stack: Row, view: View, steps: Steps) -> None:
    problem = _publish(call, stack, view)
    if problem is None:
        _finish(call, stack, "CREATE_COMPLETE")
    else:
        _undo_create(call, stack, problem if problem.endswith(".") else f"{problem}. ")


def _not_created(call: Call, stack: Row, view: View, steps: Steps) -> None:
    _undo_create(call, stack, _why(steps, "create"))


def _undo_create(call: Call, stack: Row, why: str) -> None:
    choice = stack["on_failure"]
    if choice == "DO_NOTHING":
        _finish(call, stack, "CREATE_FAILED", why)
        return
    asked = f"{why.rstrip()} {'Delete' if choice == 'DELETE' else 'Rollback'} requested by user."
    stack_status(call, stack, "DELETE_IN_PROGRESS" if choice == "DELETE" else "ROLLBACK_IN_PROGRESS", asked)
    _remove_all(call, stack["key"], "delete" if choice == "DELETE" else "create-rollback")


def _rolled_back(call: Call, stack: Row, view: View, steps: Steps) -> None:
    exports.withdraw(call, stack["key"])
    # Everything is removed: AWS shows the time of that, and no change set any more.
    call.tx.run(
        "UPDATE cloudformation_stack SET outputs = '[]', deleted_at = ?, change_set = NULL WHERE key = ?",
        call.now, stack["key"],
    )  # fmt: skip
    _finish(call, stack, "ROLLBACK_COMPLETE")


def _not_rolled_back(call: Call, stack: Row, view: View, steps: Steps) -> None:
    _finish(call, stack, "ROLLBACK_FAILED", _why(steps, "delete"))


def _updated(call: Call, stack: Row, view: View, steps: Steps) -> None:
    problem = _publish(call, stack, view)
    if problem is not None:
        _undo_update(call, stack, view, problem)
        return
    key = stack["key"]
    removed = {logical: row for logical, row in view.live.items() if logical not in view.present}
    for logical, row in removed.items():
        try:
            policies.check(stack, "Update:Delete", logical, row["type"])
        except AwsError as error:
            record(
                call, key, logical, row["type"], "UPDATE_FAILED", physical_id=row["physical_id"] or "",
                reason=error.message, properties=row["properties"],
            )  # fmt: skip
            _undo_update(call, stack, view, f"The following resource(s) failed to update: [{logical}]. ")
            return
    stack_status(call, stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    for row in removed.values():
        call.tx.run("UPDATE cloudformation_resource SET role = 'doomed', change = 'removed' WHERE key = ?", row["key"])
    _enter(call, key, "update-cleanup")
    _plan_removal(call, key, _doomed(call, key))


def _doomed(call: Call, key: int) -> list[Row]:
    return call.tx.all("SELECT * FROM cloudformation_resource WHERE stack = ? AND role = 'doomed' ORDER BY key", key)


def _cleaned_up(call: Call, stack: Row, view: View, steps: Steps) -> None:
    # What could not be removed is left where it is and no longer the stack's, as on AWS.
    call.tx.run("UPDATE cloudformation_resource SET role = 'gone' WHERE stack = ? AND role = 'doomed'", stack["key"])
    _finish(call, stack, "UPDATE_COMPLETE")


def _not_updated(call: Call, stack: Row, view: View, steps: Steps) -> None:
    created = {each["logical_id"] for each in view.live.values() if each["change"] == "created"}
    verb = "create" if any(each["logical_id"] in created for each in steps.failed) else "update"
    why = _why(steps, verb)
    if view.desire.disable_rollback:
        _finish(call, stack, "UPDATE_FAILED", why)
        return
    _undo_update(call, stack, view, why)


def _undo_update(call: Call, stack: Row, view: View, why: str) -> None:
    """Back to what was: the old template, the old resources; what is new goes in the clean-up."""
    key = stack["key"]
    stack_status(call, stack, "UPDATE_ROLLBACK_IN_PROGRESS", why)
    call.tx.run("UPDATE cloudformation_stack SET asked = before, before = NULL WHERE key = ?", key)
    call.tx.run(
        "UPDATE cloudformation_resource SET role = 'doomed' WHERE stack = ? AND role = 'live' "
        "AND change IN ('created', 'replaced')",
        key,
    )
    call.tx.run(
        "UPDATE cloudformation_resource SET role = 'live', change = '' WHERE stack = ? AND change = 'superseded' "
        "AND role = 'doomed'",
        key,
    )
    call.tx.run(
        "UPDATE cloudformation_resource SET status = 'UPDATE_COMPLETE', reason = NULL WHERE stack = ? "
        "AND role = 'live' AND change = '' AND status = 'UPDATE_FAILED'",
        key,
    )
    changed = {logical: each for logical, each in rows.resources(call, key).items() if each["change"] == "updated"}
    _enter(call, key, "update-rollback")
    order: Mapping[str, list[str]] = {
        logical: rows.loads(rows.loads(each["before"])["needs"]) for logical, each in changed.items()
    }
    plan(call, key, "restore", order, {logical: each["key"] for logical, each in changed.items()})


def _restored(call: Call, stack: Row, view: View, steps: Steps) -> None:
    key = stack["key"]
    stack_status(call, stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    _publish(call, stack, view)
    _enter(call, key, "update-rollback-cleanup")
    _plan_removal(call, key, _doomed(call, key))


def _not_restored(call: Call, stack: Row, view: View, steps: Steps) -> None:
    _finish(call, stack, "UPDATE_ROLLBACK_FAILED", _why(steps, "update"))


def _rollback_cleaned_up(call: Call, stack: Row, view: View, steps: Steps) -> None:
    call.tx.run("UPDATE cloudformation_resource SET role = 'gone' WHERE stack = ? AND role = 'doomed'", stack["key"])
    _finish(call, stack, "UPDATE_ROLLBACK_COMPLETE")


def _deleted(call: Call, stack: Row, view: View, steps: Steps) -> None:
    key = stack["key"]
    exports.withdraw(call, key)
    exports.note_imports(call, key, set())
    call.tx.run("UPDATE cloudformation_stack SET deleted_at = ?, change_set = NULL WHERE key = ?", call.now, key)
    _finish(call, stack, "DELETE_COMPLETE")


def _not_deleted(call: Call, stack: Row, view: View, steps: Steps) -> None:
    _finish(call, stack, "DELETE_FAILED", _why(steps, "delete"))


_ENDS: dict[str, tuple[Ending, Ending]] = {
    "create": (_created, _not_created),
    "create-rollback": (_rolled_back, _not_rolled_back),
    "delete": (_deleted, _not_deleted),
    "update": (_updated, _not_updated),
    "update-cleanup": (_cleaned_up, _cleaned_up),
    "update-rollback": (_restored, _not_restored),
    "update-rollback-cleanup": (_rollback_cleaned_up, _rollback_cleaned_up),
}


# changes of mind


def delete_after(call: Call, key: int) -> None:
    """Delete a stack whose operation is under way: begin nothing more of it, and then remove everything."""
    stack_status(call, rows.by_key(call, key), "DELETE_IN_PROGRESS", "User Initiated")
    Steps(call, key).cancel_waiting()
    _enter(call, key, "delete-after")


def cancel_update(call: Call, key: int) -> None:
    """Turn an update back: what runs is waited for, what waits is not begun."""
    _enter(call, key, "update-cancelled")


def _remove_now(call: Call, stack: Row, view: View, steps: Steps) -> None:
    _remove_all(call, stack["key"], "delete")


def _cancelled(call: Call, stack: Row, view: View, steps: Steps) -> None:
    _undo_update(call, stack, view, "User Initiated")


_ENDS["delete-after"] = (_remove_now, _remove_now)
_ENDS["update-cancelled"] = (_cancelled, _cancelled)
