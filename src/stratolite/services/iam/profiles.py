"""Instance profiles: a role in a box."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import Call, operation

from . import names, roles
from .errors import DeleteConflictException, LimitExceededException, NoSuchEntityException
from .names import PROFILE, ROLE, Entity
from .pages import PAGE, paged


@operation
def create_instance_profile(
    call: Call, instance_profile_name: str, path: str = "/", tags: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    profile = names.add(call, PROFILE, instance_profile_name, path, tags=names.tagged(tags))
    return {"InstanceProfile": described(call, profile)}


@operation
def get_instance_profile(call: Call, instance_profile_name: str) -> dict[str, Any]:
    return {"InstanceProfile": described(call, names.get(call, PROFILE, instance_profile_name))}


@operation
def list_instance_profiles(
    call: Call, path_prefix: str | None = None, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    page, rest = paged(names.listed(call, PROFILE, path_prefix), max_items, marker, lambda each: each.name.lower())
    return {"InstanceProfiles": [described(call, profile) for profile in page], **rest}


@operation
def list_instance_profiles_for_role(
    call: Call, role_name: str, marker: str | None = None, max_items: int = PAGE
) -> dict[str, Any]:
    role = names.get(call, ROLE, role_name)
    rows = call.tx.all(
        """SELECT e.* FROM iam_member m JOIN iam_entity e ON e.key = m.holder
           WHERE m.member = ? ORDER BY e.name""",
        role.key,
    )
    page, rest = paged([Entity(row) for row in rows], max_items, marker, lambda each: each.name.lower())
    return {"InstanceProfiles": [described(call, profile) for profile in page], **rest}


@operation
def delete_instance_profile(call: Call, instance_profile_name: str) -> None:
    profile = names.get(call, PROFILE, instance_profile_name)
    if call.tx.value("SELECT 1 FROM iam_member WHERE holder = ?", profile.key):
        raise DeleteConflictException(first="remove roles from instance profile first")
    names.remove(call, profile)


@operation
def add_role_to_instance_profile(call: Call, instance_profile_name: str, role_name: str) -> None:
    profile, role = names.get(call, PROFILE, instance_profile_name), names.get(call, ROLE, role_name)
    if call.tx.value("SELECT 1 FROM iam_member WHERE holder = ?", profile.key):
        raise LimitExceededException(what="InstanceSessionsPerInstanceProfile", limit=1)
    call.tx.run("INSERT INTO iam_member (holder, member) VALUES (?, ?)", profile.key, role.key)


@operation
def remove_role_from_instance_profile(call: Call, instance_profile_name: str, role_name: str) -> None:
    profile, role = names.get(call, PROFILE, instance_profile_name), names.get(call, ROLE, role_name)
    gone = call.tx.run("DELETE FROM iam_member WHERE holder = ? AND member = ?", profile.key, role.key)
    if not gone.rowcount:
        raise NoSuchEntityException(f"Role {role_name} does not exist in Instance Profile {instance_profile_name}.")


def described(call: Call, profile: Entity) -> dict[str, Any]:
    row = profile.row
    held = call.tx.all(
        "SELECT e.* FROM iam_member m JOIN iam_entity e ON e.key = m.member WHERE m.holder = ?", profile.key
    )
    return {
        "Path": row["path"],
        "InstanceProfileName": profile.name,
        "InstanceProfileId": row["id"],
        "Arn": profile.arn,
        "CreateDate": row["created_at"],
        "Roles": [roles.described(Entity(role)) for role in held],
        "Tags": profile.tags,
    }
