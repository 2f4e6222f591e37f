"""Change sets: what an update would do, kept until somebody does it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stratolite.kernel import AwsError, Call, operation
from stratolite.kernel.store import Row
from stratolite.languages.templates import Resource, TemplateError
from stratolite.languages.templates.references import Reference, references

from . import kinds, phases, rows, stacks
from .desire import Desire, TransformError, build
from .errors import AlreadyExistsException, ChangeSetNotFoundException, InvalidChangeSetStatusException, ValidationError
from .events import stack_status
from .view import KNOWN_AFTER_APPLY, View

_PAGE = 100
_NOTHING = "The submitted information didn't contain changes. Submit different information to create a change set."


@operation(ignores=["NotificationARNs", "RoleARN"])
async def create_change_set(
    call: Call,
    stack_name: str,
    change_set_name: str,
    template_body: str | None = None,
    use_previous_template: bool | None = None,
    parameters: list[dict[str, Any]] | None = None,
    capabilities: list[str] | None = None,
    role_arn: str | None = None,
    notification_arns: list[str] | None = None,
    tags: list[dict[str, str]] | None = None,
    client_token: str | None = None,
    description: str | None = None,
    change_set_type: str | None = None,
    on_stack_failure: str | None = None,
) -> dict[str, Any]:
    kind = change_set_type or "UPDATE"
    if kind not in ("CREATE", "UPDATE"):
        raise AwsError(
            f"change sets of type {kind} are not implemented by Stratolite", code="NotImplemented", status=501
        )
    stack = rows.stack(call, stack_name)
    _check_stack(stack, stack_name, change_set_name, kind)
    stack_id = stack["id"] if stack is not None else stacks.new_id(call, stack_name)
    change_set_id = f"arn:aws:cloudformation:{call.region}:{call.account}:changeSet/{change_set_name}/{call.world.id()}"
    previous = Desire.read(stack["asked"]) if stack is not None and kind == "UPDATE" else None
    problem = None
    try:
        desire = await build(
            call, stack_name=stack_name if stack is None else stack["name"], stack_id=stack_id,
            template_body=template_body, use_previous_template=use_previous_template, parameters=parameters,
            tags=tags, capabilities=capabilities, notification_arns=notification_arns, role_arn=role_arn,
            previous=previous, by_change_set=True,
        )  # fmt: skip
    except TransformError as error:
        problem, desire = str(error), Desire(body=template_body or "", document={"Resources": {}})
    if previous is not None and problem is None:
        stacks.check_types(previous, desire)
        if stacks.is_same(previous, desire):
            problem = _NOTHING
    with call.write() as c:
        stack = rows.stack(c, stack_name)
        _check_stack(stack, stack_name, change_set_name, kind)
        if stack is None:
            key = stacks.insert(c, stack_name, stack_id, desire, "REVIEW_IN_PROGRESS", "ROLLBACK")
            stack = rows.by_key(c, key)
            stack_status(c, stack, "REVIEW_IN_PROGRESS", "User Initiated")
        elif _is_waiting(c, stack, change_set_name):
            raise AlreadyExistsException(f"ChangeSet {change_set_name} already exists")
        changes: list[dict[str, Any]] = []
        warning = None
        if problem is None:
            try:
                changes, warning = differences(c, stack, desire, previous)
            except (TemplateError, AwsError) as error:
                problem = error.message
        c.tx.run(
            """INSERT INTO cloudformation_change_set
                      (id, stack, name, type, status, reason, execution, description, created_at, asked, changes,
                       on_failure)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            change_set_id, stack["key"], change_set_name, kind, "FAILED" if problem else "CREATE_COMPLETE",
            problem or warning,
            "UNAVAILABLE" if problem else "AVAILABLE", description, c.now, desire.text(), json.dumps(changes),
            on_stack_failure,
        )  # fmt: skip
    return {"Id": change_set_id, "StackId": stack_id}


def _check_stack(stack: Row | None, stack_name: str, name: str, kind: str) -> None:
    if kind == "CREATE":
        if stack is not None and stack["status"] != "REVIEW_IN_PROGRESS":
            raise ValidationError(
                f"Stack [{stack_name}] already exists and cannot be created again with the changeSet [{name}]."
            )
    elif stack is None or stack["status"] == "REVIEW_IN_PROGRESS":
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    else:
        stacks.check_updatable(stack)


def _is_waiting(call: Call, stack: Row, name: str) -> bool:
    """Whether a change set of that name is there to be executed. One that was makes room: the CLI names its own by the
    second, and two deployments fit into one here."""
    found = call.tx.value(
        "SELECT 1 FROM cloudformation_change_set WHERE stack = ? AND name = ? AND execution <> 'EXECUTE_COMPLETE'",
        stack["key"], name,
    )  # fmt: skip
    return found is not None


def _find(call: Call, name: str, stack_name: str | None) -> Row | None:
    if name.startswith("arn:"):
        return call.tx.one("SELECT * FROM cloudformation_change_set WHERE id = ?", name)
    if stack_name is None:
        raise ValidationError("StackName must be specified if ChangeSetName is not specified as an ARN.")
    stack = rows.stack(call, stack_name)
    if stack is None:
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    return call.tx.one(
        "SELECT * FROM cloudformation_change_set WHERE stack = ? AND name = ? ORDER BY key DESC LIMIT 1",
        stack["key"],
        name,
    )


def found(call: Call, name: str, stack_name: str | None) -> Row:
    """A change set by its id, or by its name and its stack's. Raises ChangeSetNotFoundException, ValidationError."""
    change_set = _find(call, name, stack_name)
    if change_set is None:
        raise ChangeSetNotFoundException(name=name)
    return change_set


@operation
def describe_change_set(
    call: Call,
    change_set_name: str,
    stack_name: str | None = None,
    next_token: str | None = None,
    include_property_values: bool | None = None,
) -> dict[str, Any]:
    change_set = found(call, change_set_name, stack_name)
    stack, desire = rows.by_key(call, change_set["stack"]), Desire.read(change_set["asked"])
    changes = json.loads(change_set["changes"])
    start = int(next_token) if next_token and next_token.isdigit() else 0
    shown = changes[start : start + _PAGE]
    if not include_property_values:
        for each in shown:
            _leave_out_values(each["ResourceChange"])
    return {
        "ChangeSetName": change_set["name"],
        "ChangeSetId": change_set["id"],
        "StackId": stack["id"],
        "StackName": stack["name"],
        "Description": change_set["description"],
        "Parameters": desire.echoed_parameters() or None if change_set["status"] != "FAILED" else None,
        "CreationTime": change_set["created_at"],
        "ExecutionStatus": change_set["execution"],
        "Status": change_set["status"],
        # A complete one's reason is a warning about its values.
        "StatusReason": change_set["reason"] if include_property_values or change_set["status"] == "FAILED" else None,
        "NotificationARNs": desire.notification_arns,
        "RollbackConfiguration": {},
        "Capabilities": desire.capabilities,
        "Tags": desire.tag_list() or None,
        "Changes": shown,
        "NextToken": str(start + _PAGE) if len(changes) > start + _PAGE else None,
        "IncludeNestedStacks": False,
        "OnStackFailure": change_set["on_failure"],
    }


def _leave_out_values(change: dict[str, Any]) -> None:
    change.pop("BeforeContext", None)
    change.pop("AfterContext", None)
    for detail in change["Details"]:
        for name in ("BeforeValue", "AfterValue", "Path", "AttributeChangeType"):
            detail["Target"].pop(name, None)


@operation
async def execute_change_set(
    call: Call,
    change_set_name: str,
    stack_name: str | None = None,
    client_request_token: str | None = None,
    disable_rollback: bool | None = None,
) -> None:
    with call.write() as c:
        change_set = found(c, change_set_name, stack_name)
        stack = rows.by_key(c, change_set["stack"])
        if change_set["execution"] != "AVAILABLE":
            raise InvalidChangeSetStatusException(id=change_set["id"], state=change_set["status"])
        desire = Desire.read(change_set["asked"])
        key = stack["key"]
        if change_set["type"] == "UPDATE":
            stacks.check_updatable(stack)
        choice = change_set["on_failure"] or ("DO_NOTHING" if disable_rollback else "ROLLBACK")
        c.tx.run(
            "UPDATE cloudformation_stack SET change_set = ?, on_failure = ?, updated_at = ? WHERE key = ?",
            change_set["id"], choice, c.now, key,
        )  # fmt: skip
        # The others were made for a stack that is no more.
        c.tx.run("DELETE FROM cloudformation_change_set WHERE stack = ? AND key <> ?", key, change_set["key"])
        c.tx.run("UPDATE cloudformation_change_set SET execution = 'EXECUTE_COMPLETE' WHERE key = ?", change_set["key"])
        if change_set["type"] == "CREATE":
            c.tx.run("UPDATE cloudformation_stack SET asked = ? WHERE key = ?", desire.text(), key)
            phases.begin_create(c, key)
        else:
            phases.begin_update(c, key, desire)
    await stacks.settled(call, stack["id"])


@operation
def delete_change_set(call: Call, change_set_name: str, stack_name: str | None = None) -> dict[str, Any]:
    change_set = _find(call, change_set_name, stack_name)
    if change_set is not None:
        call.tx.run("DELETE FROM cloudformation_change_set WHERE key = ?", change_set["key"])
    return {}


@operation
def list_change_sets(call: Call, stack_name: str, next_token: str | None = None) -> dict[str, Any]:
    stack = rows.stack(call, stack_name)
    if stack is None:
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    start = int(next_token) if next_token and next_token.isdigit() else 0
    listed = call.tx.all(
        """SELECT * FROM cloudformation_change_set WHERE stack = ? AND execution <> 'EXECUTE_COMPLETE'
            ORDER BY name LIMIT ? OFFSET ?""",
        stack["key"], _PAGE + 1, start,
    )  # fmt: skip
    return {
        "Summaries": [
            {
                "StackId": stack["id"],
                "StackName": stack["name"],
                "ChangeSetId": each["id"],
                "ChangeSetName": each["name"],
                "ExecutionStatus": each["execution"],
                "Status": each["status"],
                "StatusReason": each["reason"],
                "CreationTime": each["created_at"],
                "Description": each["description"],
                "IncludeNestedStacks": False,
            }
            for each in listed[:_PAGE]
        ],
        "NextToken": str(start + _PAGE) if len(listed) > _PAGE else None,
    }


# what would change


def differences(
    call: Call, stack: Row, desire: Desire, previous: Desire | None
) -> tuple[list[dict[str, Any]], str | None]:
    """The changes between what a stack is and what it would be, by logical id; and what could not be told."""
    after = View(call, stack, desire, guessing=True)
    before = View(call, stack, previous, guessing=True) if previous is not None else None
    live = after.live if previous is not None else {}
    changes: dict[str, dict[str, Any]] = {}
    warning = None
    for name in after.needs:
        if name not in live:
            changes[name] = _addition(after.present[name])
            known = set(after.unexported)
            changes[name]["AfterContext"] = _context(after, name)
            for export in sorted(after.unexported - known):
                warning = (
                    "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet "
                    f"creation failed for resource [{name}] because: No export named {export}"
                )
    changed: set[str] = set()
    for name in _needed_first(after):
        if name in live and before is not None:
            change = _modification(call, after, before, live[name], changed)
            if change is not None:
                changes[name] = change
                changed.add(name)
                if change["Replacement"] != "False":
                    after.replaced.add(name)
    for name, row in live.items():
        if name not in after.present:
            changes[name] = {
                "Action": "Remove",
                "BeforeContext": json.dumps({"Properties": rows.loads(row["properties"])}),
                "Details": [],
                "LogicalResourceId": name,
                "PhysicalResourceId": row["physical_id"],
                "PolicyAction": "Retain" if row["deletion_policy"] == "Retain" else "Delete",
                "ResourceType": row["type"],
                "Scope": [],
            }
    return [{"Type": "Resource", "ResourceChange": changes[name]} for name in sorted(changes)], warning


def _needed_first(view: View) -> Iterator[str]:
    needed = view.needs
    seen: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name not in seen:
            seen.add(name)
            for each in needed[name]:
                yield from visit(each)
            yield name

    for name in needed:
        yield from visit(name)


def _context(view: View, name: str) -> str:
    """A resource's properties as a change set shows them: a text of which a part is not known yet is not known."""
    return json.dumps({"Properties": _vague(view.properties(name, masked=True))})


def _vague(value: Any) -> Any:
    if isinstance(value, str):
        return KNOWN_AFTER_APPLY if KNOWN_AFTER_APPLY in value else value
    if isinstance(value, dict):
        return {key: _vague(each) for key, each in value.items()}
    return [_vague(each) for each in value] if isinstance(value, list) else value


def _addition(resource: Resource) -> dict[str, Any]:
    return {
        "Action": "Add",
        "Details": [],
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.type,
        "Scope": [],
    }


def _moves(reference: Reference, changed: set[str], replaced: set[str]) -> bool:
    """Whether what a reference gives may change: an attribute with any change of its resource, an id by replacement."""
    return reference.name in (replaced if reference.attribute is None else changed)


def _modification(call: Call, after: View, before: View, row: Row, changed: set[str]) -> dict[str, Any] | None:
    name = row["logical_id"]
    resource, kind = after.present[name], kinds.find(call, row["type"])
    assert kind is not None
    was, new = rows.loads(row["properties"]), after.properties(name)
    touched = {
        each
        for each in {*was, *new}
        if was.get(each) != new.get(each)
        or any(_moves(it, changed, after.replaced) for it in references(resource.properties.get(each)))
    }
    if not touched:
        return None
    details = [
        detail
        for each in sorted(touched)
        for detail in _details(after, before, resource, each, was, new, changed, kind.needs_replacement([each]))
    ]
    is_replaced = kind.needs_replacement(touched)
    certain = all(detail["Evaluation"] == "Static" for detail in details) or any(
        was.get(each) != new.get(each) for each in touched if kind.needs_replacement([each])
    )
    return {
        "Action": "Modify",
        "AfterContext": _context(after, name),
        "BeforeContext": json.dumps({"Properties": was}),
        "Details": details,
        "LogicalResourceId": name,
        "PhysicalResourceId": row["physical_id"],
        "PolicyAction": ("ReplaceAndRetain" if row["replace_policy"] == "Retain" else "ReplaceAndDelete")
        if is_replaced
        else None,
        "Replacement": ("True" if certain else "Conditional") if is_replaced else "False",
        "ResourceType": row["type"],
        "Scope": ["Properties"],
    }


def _details(
    after: View,
    before: View,
    resource: Resource,
    name: str,
    was: dict[str, Any],
    new: dict[str, Any],
    changed: set[str],
    replaces: bool,
) -> Iterator[dict[str, Any]]:
    """What changes one property, cause by cause; the direct change comes last, dynamic when there are others."""
    target = {
        "Attribute": "Properties",
        "AttributeChangeType": "Add" if name not in was else "Remove" if name not in new else "Modify",
        "Name": name,
        "Path": f"/Properties/{name}",
        "RequiresRecreation": "Always" if replaces else "Never",
    }
    for key, values in (("BeforeValue", was), ("AfterValue", new)):
        if name in values:
            value = values[name]
            target[key] = value if isinstance(value, str) else json.dumps(value)
    causes = []
    for each in references(resource.properties.get(name)):
        parameters = after.template.parameters
        if each.name in parameters:
            if after.desire.parameters.get(each.name) != before.desire.parameters.get(each.name):
                causes.append(("ParameterReference", each.name, "Static"))
        elif _moves(each, changed, after.replaced):
            if each.attribute is None:
                causes.append(("ResourceReference", each.name, "Dynamic"))
            else:
                causes.append(("ResourceAttribute", f"{each.name}.{each.attribute}", "Dynamic"))
    for source, entity, evaluation in dict.fromkeys(causes):
        yield {"CausingEntity": entity, "ChangeSource": source, "Evaluation": evaluation, "Target": dict(target)}
    written = before.template.resources.get(resource.logical_id)
    is_direct = written is None or written.properties.get(name) != resource.properties.get(name)
    if is_direct or any(source == "ParameterReference" for source, _, _ in causes):
        yield {
            "ChangeSource": "DirectModification",
            "Evaluation": "Dynamic" if causes else "Static",
            "Target": dict(target),
        }
