"""Service-linked roles: made for a service in a name and with a policy that AWS sets."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import names, roles
from .attachments import attach
from .errors import InvalidInputException, NoSuchEntityException
from .linked_table import LINKED_ROLES, WITH_SUFFIX
from .names import ROLE


@operation(name="CreateServiceLinkedRole")
def create_service_linked_role(
    call: Call, aws_service_name: str, description: str | None = None, custom_suffix: str | None = None
) -> dict[str, Any]:
    if custom_suffix and aws_service_name not in WITH_SUFFIX:
        raise InvalidInputException(service=aws_service_name)
    if aws_service_name not in LINKED_ROLES:
        raise InvalidInputException(f"Service {aws_service_name} has no service-linked role that is known here.")
    name, policy = LINKED_ROLES[aws_service_name]
    name = f"{name}_{custom_suffix}" if custom_suffix else name
    try:
        names.get(call, ROLE, name)
    except NoSuchEntityException:
        pass
    else:
        raise InvalidInputException(
            f"Service role name {name} has been taken in this account, please try a different suffix."
        )
    role = names.add(
        call,
        ROLE,
        name,
        f"{roles.LINKED}{aws_service_name}/",
        trust=_trust(aws_service_name),
        description=description,
        max_session_s=3600,
    )
    attach(call, role, f"arn:aws:iam::aws:policy{roles.LINKED}{policy}")
    return {"Role": roles.described(role) | {"MaxSessionDuration": None}}


@operation
def delete_service_linked_role(call: Call, role_name: str) -> dict[str, Any]:
    """AWS: a task that asks the service first. Here: at once; no service here holds on to its role."""
    role = names.get(call, ROLE, role_name)
    if not role.row["path"].startswith(roles.LINKED):
        raise NoSuchEntityException(f"The role with name {role_name} cannot be found.")
    call.tx.run("DELETE FROM iam_attachment WHERE entity = ?", role.key)
    call.tx.run("DELETE FROM iam_inline WHERE entity = ?", role.key)
    names.remove(call, role)
    return {"DeletionTaskId": f"task{role.row['path']}{role_name}/{call.world.id()}"}


@operation
def get_service_linked_role_deletion_status(call: Call, deletion_task_id: str) -> dict[str, Any]:
    parts = deletion_task_id.split("/")
    if len(parts) != 5 or parts[:2] != ["task", "aws-service-role"]:
        raise NoSuchEntityException(f"The deletion task {deletion_task_id} cannot be found.")
    return {"Status": "SUCCEEDED"}


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
