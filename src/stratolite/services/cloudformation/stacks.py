"""Stacks: made, changed, removed, described."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row
from stratolite.languages.templates import parse, transforms

from . import exports, phases, policies, rows
from .desire import Desire, TransformError, build
from .errors import AlreadyExistsException, ValidationError, no_stack
from .steps import Steps

_PAGE = 100
SETTLE_S = 1.0
"""An answer waits so long for the stack to be finished, so that who polls finds it done at the first look."""

UPDATABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_FAILED",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}


@operation(ignores=["NotificationARNs", "RoleARN"])
async def create_stack(
    call: Call,
    stack_name: str,
    template_body: str | None = None,
    parameters: list[dict[str, Any]] | None = None,
    disable_rollback: bool | None = None,
    notification_arns: list[str] | None = None,
    capabilities: list[str] | None = None,
    role_arn: str | None = None,
    on_failure: str | None = None,
    stack_policy_body: str | None = None,
    tags: list[dict[str, str]] | None = None,
    client_request_token: str | None = None,
    enable_termination_protection: bool | None = None,
) -> dict[str, Any]:
    if on_failure is not None and disable_rollback is not None:
        raise ValidationError("You cannot specify both DisableRollback and OnFailure")
    _free(call, stack_name)
    stack_id = new_id(call, stack_name)
    try:
        desire = await build(
            call, stack_name=stack_name, stack_id=stack_id, template_body=template_body, parameters=parameters,
            tags=tags, capabilities=capabilities, notification_arns=notification_arns, role_arn=role_arn,
            disable_rollback=disable_rollback,
        )  # fmt: skip
    except TransformError as error:
        raise ValidationError(str(error)) from error
    with call.write() as c:
        _free(c, stack_name)
        choice = on_failure or ("DO_NOTHING" if disable_rollback else "ROLLBACK")
        key = insert(c, stack_name, stack_id, desire, "CREATE_IN_PROGRESS", choice)
        c.tx.run(
            "UPDATE cloudformation_stack SET is_protected = ?, policy = ? WHERE key = ?",
            int(bool(enable_termination_protection)), policies.checked(stack_policy_body), key,
        )  # fmt: skip
        phases.begin_create(c, key)
    await settled(call, stack_id)
    return {"StackId": stack_id}


def _free(call: Call, name: str) -> None:
    if rows.stack(call, name) is not None:
        raise AlreadyExistsException(name=name)


def new_id(call: Call, name: str) -> str:
    return f"arn:aws:cloudformation:{call.region}:{call.account}:stack/{name}/{call.world.id()}"


def insert(call: Call, name: str, stack_id: str, desire: Desire, status: str, on_failure: str) -> int:
    cursor = call.tx.run(
        """INSERT INTO cloudformation_stack (id, account, region, name, status, created_at, asked, on_failure)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        stack_id, call.account, call.region, name, status, call.now, desire.text(), on_failure,
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


async def settled(call: Call, stack_id: str) -> None:
    """Wait for the operation under way, for a moment at most. AWS answers at once; what a client sees is the same."""
    deadline = call.world.now() + SETTLE_S
    while call.tx.value("SELECT phase FROM cloudformation_stack WHERE id = ?", stack_id):
        left = deadline - call.world.now()
        if left <= 0 or not await call.wait(("cloudformation", stack_id), left):
            return


@operation(ignores=["NotificationARNs", "RoleARN"])
async def update_stack(
    call: Call,
    stack_name: str,
    template_body: str | None = None,
    use_previous_template: bool | None = None,
    parameters: list[dict[str, Any]] | None = None,
    capabilities: list[str] | None = None,
    role_arn: str | None = None,
    stack_policy_body: str | None = None,
    stack_policy_during_update_body: str | None = None,
    notification_arns: list[str] | None = None,
    tags: list[dict[str, str]] | None = None,
    disable_rollback: bool | None = None,
    client_request_token: str | None = None,
) -> dict[str, Any]:
    stack = rows.stack(call, stack_name)
    if stack is None:
        raise ValidationError(f"Stack [{stack_name}] does not exist")
    check_updatable(stack)
    previous = Desire.read(stack["asked"])
    try:
        desire = await build(
            call, stack_name=stack["name"], stack_id=stack["id"], template_body=template_body,
            use_previous_template=use_previous_template, parameters=parameters, tags=tags, capabilities=capabilities,
            notification_arns=notification_arns, role_arn=role_arn, disable_rollback=disable_rollback,
            previous=previous,
        )  # fmt: skip
    except TransformError as error:
        raise ValidationError(str(error)) from error
    check_types(previous, desire)
    # A transform may give something else each time: AWS always goes through with such an update.
    if is_same(previous, desire) and not transforms(parse(desire.body)):
        raise ValidationError("No updates are to be performed.")
    with call.write() as c:
        check_updatable(rows.by_key(c, stack["key"]))
        if stack_policy_body is not None:
            policy = policies.checked(stack_policy_body)
            c.tx.run("UPDATE cloudformation_stack SET policy = ? WHERE key = ?", policy, stack["key"])
        c.tx.run(
            "UPDATE cloudformation_stack SET policy_now = ? WHERE key = ?",
            policies.checked(stack_policy_during_update_body), stack["key"],
        )  # fmt: skip
        phases.begin_update(c, stack["key"], desire)
    await settled(call, stack["id"])
    return {"StackId": stack["id"]}


def check_updatable(stack: Row) -> None:
    if stack["status"] not in UPDATABLE:
        raise ValidationError(f"Stack:{stack['id']} is in {stack['status']} state and can not be updated.")


def check_types(previous: Desire, desire: Desire) -> None:
    """A logical id keeps its type."""
    old = previous.template.resources
    moved = [name for name, each in desire.template.resources.items() if name in old and old[name].type != each.type]
    if moved:
        raise ValidationError(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(moved)}]"
        )


def is_same(previous: Desire, desire: Desire) -> bool:
    """Whether nothing would change."""
    kept = ("parameters", "looked_up", "tags", "notification_arns")
    return _substance(previous) == _substance(desire) and all(
        getattr(previous, name) == getattr(desire, name) for name in kept
    )


def _substance(desire: Desire) -> dict[str, Any]:
    """A template without what changes nothing by itself."""
    return {name: each for name, each in desire.document.items() if name not in ("Description", "Metadata")}


@operation(ignores=["RoleARN", "DeletionMode"])
async def delete_stack(
    call: Call,
    stack_name: str,
    retain_resources: list[str] | None = None,
    role_arn: str | None = None,
    client_request_token: str | None = None,
    deletion_mode: str | None = None,
) -> None:
    with call.write() as c:
        stack = rows.stack(c, stack_name)
        if stack is None or stack["status"] == rows.DELETED:
            return  # what is gone is deleted well
        if stack["is_protected"]:
            raise ValidationError(f"Stack [{stack['name']}] cannot be deleted while TerminationProtection is enabled")
        if retain_resources and stack["status"] != "DELETE_FAILED":
            raise ValidationError(
                "Invalid operation on stack. RetainResources can only be given for a stack in DELETE_FAILED state."
            )
        exports.check_unused(c, stack["key"])
        if stack["phase"] == "delete":
            return
        if stack["phase"]:
            phases.delete_after(c, stack["key"])
        else:
            phases.begin_delete(c, stack["key"], retain_resources)
    await settled(call, stack["id"])


@operation
def describe_stacks(call: Call, stack_name: str | None = None, next_token: str | None = None) -> dict[str, Any]:
    if stack_name is not None:
        stack = rows.stack(call, stack_name)
        if stack is None:
            raise no_stack(stack_name)
        return {"Stacks": [described(stack)]}
    found, token = _page(call, next_token, "status <> 'DELETE_COMPLETE'")
    return {"Stacks": [described(each) for each in found], "NextToken": token}


def _page(call: Call, token: str | None, where: str, *arguments: Any) -> tuple[list[Row], str | None]:
    before = int(token) if token and token.isdigit() else 1 << 62
    found = call.tx.all(
        f"""SELECT * FROM cloudformation_stack
             WHERE account = ? AND region = ? AND key < ? AND {where} ORDER BY key DESC LIMIT ?""",
        call.account, call.region, before, *arguments, _PAGE + 1,
    )  # fmt: skip
    return found[:_PAGE], str(found[_PAGE - 1]["key"]) if len(found) > _PAGE else None


def described(stack: Row) -> dict[str, Any]:
    """A stack as DescribeStacks shows it."""
    desire = Desire.read(stack["asked"])
    is_review = stack["status"] == "REVIEW_IN_PROGRESS"
    is_deleted = stack["status"] == rows.DELETED
    return {
        "StackId": stack["id"],
        "StackName": stack["name"],
        "ChangeSetId": stack["change_set"],
        "Description": None if is_review else desire.template.description,
        "Parameters": None if is_review else desire.echoed_parameters() or None,
        "CreationTime": stack["created_at"],
        "DeletionTime": stack["deleted_at"],
        "LastUpdatedTime": stack["updated_at"],
        "RollbackConfiguration": {},
        "StackStatus": stack["status"],
        "StackStatusReason": stack["reason"],
        "DisableRollback": stack["on_failure"] == "DO_NOTHING" or desire.disable_rollback,
        "NotificationARNs": desire.notification_arns,
        "Capabilities": desire.capabilities or None,
        "Outputs": rows.loads(stack["outputs"]) or None,
        "RoleARN": desire.role_arn,
        "Tags": [] if is_review else desire.tag_list(),
        "EnableTerminationProtection": None if is_deleted else bool(stack["is_protected"]),
        "ParentId": stack["parent"],
        "RootId": stack["root"],
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


@operation
def list_stacks(
    call: Call, next_token: str | None = None, stack_status_filter: list[str] | None = None
) -> dict[str, Any]:
    wanted = stack_status_filter or []
    where = f"status IN ({', '.join('?' * len(wanted))})" if wanted else "1"
    found, token = _page(call, next_token, where, *wanted)
    return {"StackSummaries": [_summary(each) for each in found], "NextToken": token}


def _summary(stack: Row) -> dict[str, Any]:
    return {
        "StackId": stack["id"],
        "StackName": stack["name"],
        "TemplateDescription": Desire.read(stack["asked"]).template.description,
        "CreationTime": stack["created_at"],
        "LastUpdatedTime": stack["updated_at"],
        "DeletionTime": stack["deleted_at"],
        "StackStatus": stack["status"],
        "StackStatusReason": stack["reason"],
        "ParentId": stack["parent"],
        "RootId": stack["root"],
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


@operation
def update_termination_protection(call: Call, enable_termination_protection: bool, stack_name: str) -> dict[str, Any]:
    stack = rows.live_stack(call, stack_name)
    call.tx.run(
        "UPDATE cloudformation_stack SET is_protected = ? WHERE key = ?",
        int(enable_termination_protection), stack["key"],
    )  # fmt: skip
    return {"StackId": stack["id"]}


@operation
def cancel_update_stack(call: Call, stack_name: str, client_request_token: str | None = None) -> None:
    stack = rows.live_stack(call, stack_name)
    if stack["status"] != "UPDATE_IN_PROGRESS":
        raise ValidationError(f"CancelUpdateStack cannot be called from current stack status {stack['status']}")
    Steps(call, stack["key"]).cancel_waiting()
    phases.cancel_update(call, stack["key"])
