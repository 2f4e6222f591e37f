"""Resources: roles, users, groups and policies, as templates ask for them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource

_NAMES = {"role": "RoleName", "user": "UserName", "group": "GroupName"}


@resource("AWS::IAM::Role", replaces={"RoleName", "Path"})
class Role:
    """`Ref` is the role's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        name = properties.get("RoleName") or wanted.physical_name(64)
        made = call.api("iam").create_role(
            RoleName=name,
            AssumeRolePolicyDocument=_text(properties["AssumeRolePolicyDocument"]),
            Path=properties.get("Path"),
            Description=properties.get("Description"),
            MaxSessionDuration=_int(properties.get("MaxSessionDuration")),
            PermissionsBoundary=properties.get("PermissionsBoundary"),
            Tags=_tags(wanted),
        )["Role"]
        _allow(call, "role", name, properties, {})
        return Made(ref=name, attributes={"Arn": made["Arn"], "RoleId": made["RoleId"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties, api = wanted.properties, call.api("iam")
        api.update_assume_role_policy(RoleName=made_id, PolicyDocument=_text(properties["AssumeRolePolicyDocument"]))
        api.update_role(
            RoleName=made_id,
            Description=properties.get("Description") or "",
            MaxSessionDuration=_int(properties.get("MaxSessionDuration")) or 3600,
        )
        _bound(call, "role", made_id, properties, was)
        _tag(call, "role", made_id, wanted, was)
        _allow(call, "role", made_id, properties, was)
        made = api.get_role(RoleName=made_id)["Role"]
        return Made(ref=made_id, attributes={"Arn": made["Arn"], "RoleId": made["RoleId"]})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _remove(call, "role", made_id)


@resource("AWS::IAM::User", replaces={"UserName"})
class User:
    """`Ref` is the user's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties, api = wanted.properties, call.api("iam")
        name = properties.get("UserName") or wanted.physical_name(64)
        made = api.create_user(
            UserName=name,
            Path=properties.get("Path"),
            PermissionsBoundary=properties.get("PermissionsBoundary"),
            Tags=_tags(wanted),
        )["User"]
        _log_in(call, name, properties.get("LoginProfile"), None)
        _join(call, name, properties.get("Groups") or [], [])
        _allow(call, "user", name, properties, {})
        return Made(ref=name, attributes={"Arn": made["Arn"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties, api = wanted.properties, call.api("iam")
        if properties.get("Path") != was.get("Path"):
            api.update_user(UserName=made_id, NewPath=properties.get("Path") or "/")
        _bound(call, "user", made_id, properties, was)
        _tag(call, "user", made_id, wanted, was)
        _log_in(call, made_id, properties.get("LoginProfile"), was.get("LoginProfile"))
        _join(call, made_id, properties.get("Groups") or [], was.get("Groups") or [])
        _allow(call, "user", made_id, properties, was)
        return Made(ref=made_id, attributes={"Arn": api.get_user(UserName=made_id)["User"]["Arn"]})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        api = call.api("iam")
        _quietly(api.delete_login_profile, UserName=made_id)
        for group in _quietly(api.list_groups_for_user, UserName=made_id).get("Groups", []):
            api.remove_user_from_group(GroupName=group["GroupName"], UserName=made_id)
        _remove(call, "user", made_id)


@resource("AWS::IAM::Group", replaces={"GroupName"})
class Group:
    """`Ref` is the group's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        name = properties.get("GroupName") or wanted.physical_name(128)
        made = call.api("iam").create_group(GroupName=name, Path=properties.get("Path"))["Group"]
        _allow(call, "group", name, properties, {})
        return Made(ref=name, attributes={"Arn": made["Arn"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties, api = wanted.properties, call.api("iam")
        if properties.get("Path") != was.get("Path"):
            api.update_group(GroupName=made_id, NewPath=properties.get("Path") or "/")
        _allow(call, "group", made_id, properties, was)
        return Made(ref=made_id, attributes={"Arn": api.get_group(GroupName=made_id)["Group"]["Arn"]})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _remove(call, "group", made_id)


@resource("AWS::IAM::Policy", replaces=())
class Policy:
    """An inline policy on whom it names. `Ref` is a name of its own."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        _put_inline(call, wanted.properties, {})
        return Made(ref=wanted.physical_name(128))

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        _put_inline(call, wanted.properties, was)
        return Made(ref=made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _put_inline(call, {}, properties)


@resource("AWS::IAM::ManagedPolicy", replaces={"ManagedPolicyName", "Path", "Description"})
class ManagedPolicy:
    """`Ref` is the policy's ARN."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        made = call.api("iam").create_policy(
            PolicyName=properties.get("ManagedPolicyName") or wanted.physical_name(128),
            PolicyDocument=_text(properties["PolicyDocument"]),
            Path=properties.get("Path"),
            Description=properties.get("Description"),
        )["Policy"]
        _attach_to(call, made["Arn"], properties, {})
        return ManagedPolicy._made(call, made["Arn"])

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties, api = wanted.properties, call.api("iam")
        if properties["PolicyDocument"] != was.get("PolicyDocument"):
            versions = api.list_policy_versions(PolicyArn=made_id)["Versions"]
            if len(versions) >= 5:
                oldest = [version for version in versions if not version["IsDefaultVersion"]][-1]
                api.delete_policy_version(PolicyArn=made_id, VersionId=oldest["VersionId"])
            api.create_policy_version(
                PolicyArn=made_id, PolicyDocument=_text(properties["PolicyDocument"]), SetAsDefault=True
            )
        _attach_to(call, made_id, properties, was)
        return ManagedPolicy._made(call, made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        api = call.api("iam")
        holders = _quietly(api.list_entities_for_policy, PolicyArn=made_id)
        for kind, members in (("role", "PolicyRoles"), ("user", "PolicyUsers"), ("group", "PolicyGroups")):
            for holder in holders.get(members, []):
                _verb(call, "detach_{}_policy", kind)(**{_NAMES[kind]: holder[_NAMES[kind]], "PolicyArn": made_id})
        for version in _quietly(api.list_policy_versions, PolicyArn=made_id).get("Versions", []):
            if not version["IsDefaultVersion"]:
                api.delete_policy_version(PolicyArn=made_id, VersionId=version["VersionId"])
        _quietly(api.delete_policy, PolicyArn=made_id)

    @staticmethod
    def _made(call: Call, arn: str) -> Made:
        policy = call.api("iam").get_policy(PolicyArn=arn)["Policy"]
        told = ("PolicyId", "AttachmentCount", "PermissionsBoundaryUsageCount", "DefaultVersionId", "IsAttachable")
        return Made(ref=arn, attributes={"PolicyArn": arn, **{name: policy[name] for name in told}})


@resource("AWS::IAM::InstanceProfile", replaces={"InstanceProfileName", "Path"})
class InstanceProfile:
    """`Ref` is the profile's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties, api = wanted.properties, call.api("iam")
        name = properties.get("InstanceProfileName") or wanted.physical_name(128)
        made = api.create_instance_profile(InstanceProfileName=name, Path=properties.get("Path"))
        for role in properties["Roles"]:
            api.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
        return Made(ref=name, attributes={"Arn": made["InstanceProfile"]["Arn"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        api = call.api("iam")
        for role in was.get("Roles") or []:
            api.remove_role_from_instance_profile(InstanceProfileName=made_id, RoleName=role)
        for role in wanted.properties["Roles"]:
            api.add_role_to_instance_profile(InstanceProfileName=made_id, RoleName=role)
        profile = api.get_instance_profile(InstanceProfileName=made_id)["InstanceProfile"]
        return Made(ref=made_id, attributes={"Arn": profile["Arn"]})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        api = call.api("iam")
        profile = _quietly(api.get_instance_profile, InstanceProfileName=made_id).get("InstanceProfile", {})
        for role in profile.get("Roles", []):
            api.remove_role_from_instance_profile(InstanceProfileName=made_id, RoleName=role["RoleName"])
        _quietly(api.delete_instance_profile, InstanceProfileName=made_id)


@resource("AWS::IAM::AccessKey", replaces={"UserName", "Serial"})
class AccessKey:
    """`Ref` is the key's id."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties, api = wanted.properties, call.api("iam")
        properties.get("Serial")  # a change of it asks for a new key; it says nothing else
        made = api.create_access_key(UserName=properties["UserName"])["AccessKey"]
        if properties.get("Status") == "Inactive":
            api.update_access_key(UserName=properties["UserName"], AccessKeyId=made["AccessKeyId"], Status="Inactive")
        return Made(ref=made["AccessKeyId"], attributes={"SecretAccessKey": made["SecretAccessKey"]})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _quietly(call.api("iam").delete_access_key, UserName=properties["UserName"], AccessKeyId=made_id)


@resource("AWS::IAM::ServiceLinkedRole", replaces={"AWSServiceName", "CustomSuffix"})
class ServiceLinkedRole:
    """`Ref` is the role's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        made = call.api("iam").create_service_linked_role(
            AWSServiceName=properties["AWSServiceName"],
            Description=properties.get("Description"),
            CustomSuffix=properties.get("CustomSuffix"),
        )["Role"]
        return Made(ref=made["RoleName"], attributes={"RoleName": made["RoleName"]})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _quietly(call.api("iam").delete_service_linked_role, RoleName=made_id)


def _allow(call: Call, kind: str, name: str, properties: dict[str, Any], was: dict[str, Any]) -> None:
    """Inline and managed policies as the template has them now; what it had before and has no more goes."""
    which = {_NAMES[kind]: name}
    inline = {policy["PolicyName"]: _text(policy["PolicyDocument"]) for policy in properties.get("Policies") or []}
    for policy in was.get("Policies") or []:
        if policy["PolicyName"] not in inline:
            _quietly(_verb(call, "delete_{}_policy", kind), **which, PolicyName=policy["PolicyName"])
    for policy_name, document in inline.items():
        _verb(call, "put_{}_policy", kind)(**which, PolicyName=policy_name, PolicyDocument=document)
    managed = properties.get("ManagedPolicyArns") or []
    for arn in was.get("ManagedPolicyArns") or []:
        if arn not in managed:
            _quietly(_verb(call, "detach_{}_policy", kind), **which, PolicyArn=arn)
    for arn in managed:
        _verb(call, "attach_{}_policy", kind)(**which, PolicyArn=arn)


def _put_inline(call: Call, properties: dict[str, Any], was: dict[str, Any]) -> None:
    """AWS::IAM::Policy: the same document on every holder it names."""
    for kind, plural in (("role", "Roles"), ("user", "Users"), ("group", "Groups")):
        holders = properties.get(plural) or []
        for name in was.get(plural) or []:
            if name not in holders or properties.get("PolicyName") != was.get("PolicyName"):
                _quietly(_verb(call, "delete_{}_policy", kind), **{_NAMES[kind]: name}, PolicyName=was["PolicyName"])
        for name in holders:
            _verb(call, "put_{}_policy", kind)(
                **{_NAMES[kind]: name},
                PolicyName=properties["PolicyName"],
                PolicyDocument=_text(properties["PolicyDocument"]),
            )


def _attach_to(call: Call, arn: str, properties: dict[str, Any], was: dict[str, Any]) -> None:
    for kind, plural in (("role", "Roles"), ("user", "Users"), ("group", "Groups")):
        holders = properties.get(plural) or []
        for name in was.get(plural) or []:
            if name not in holders:
                _quietly(_verb(call, "detach_{}_policy", kind), **{_NAMES[kind]: name}, PolicyArn=arn)
        for name in holders:
            _verb(call, "attach_{}_policy", kind)(**{_NAMES[kind]: name}, PolicyArn=arn)


def _bound(call: Call, kind: str, name: str, properties: dict[str, Any], was: dict[str, Any]) -> None:
    boundary = properties.get("PermissionsBoundary")
    if boundary:
        _verb(call, "put_{}_permissions_boundary", kind)(**{_NAMES[kind]: name}, PermissionsBoundary=boundary)
    elif was.get("PermissionsBoundary"):
        _verb(call, "delete_{}_permissions_boundary", kind)(**{_NAMES[kind]: name})


def _tags(wanted: Wanted) -> list[dict[str, str]]:
    """The stack's tags, and over them the resource's own."""
    stack = {key: value for key, value in wanted.tags.items() if not key.startswith("aws:")}
    own = {tag["Key"]: tag["Value"] for tag in wanted.properties.get("Tags") or []}
    return [{"Key": key, "Value": value} for key, value in (stack | own).items()]


def _tag(call: Call, kind: str, name: str, wanted: Wanted, was: dict[str, Any]) -> None:
    tags = _tags(wanted)
    keys = {tag["Key"] for tag in tags}
    if gone := [tag["Key"] for tag in was.get("Tags") or [] if tag["Key"] not in keys]:
        _verb(call, "untag_{}", kind)(**{_NAMES[kind]: name}, TagKeys=gone)
    if tags:
        _verb(call, "tag_{}", kind)(**{_NAMES[kind]: name}, Tags=tags)


def _log_in(call: Call, name: str, profile: dict[str, Any] | None, was: dict[str, Any] | None) -> None:
    api = call.api("iam")
    if profile is None:
        if was is not None:
            _quietly(api.delete_login_profile, UserName=name)
        return
    verb = api.update_login_profile if was is not None else api.create_login_profile
    reset = str(profile.get("PasswordResetRequired")).lower() == "true"
    verb(UserName=name, Password=profile["Password"], PasswordResetRequired=reset)


def _join(call: Call, name: str, groups: list[str], was: list[str]) -> None:
    api = call.api("iam")
    for group in was:
        if group not in groups:
            _quietly(api.remove_user_from_group, GroupName=group, UserName=name)
    for group in groups:
        api.add_user_to_group(GroupName=group, UserName=name)


def _remove(call: Call, kind: str, name: str) -> None:
    """Takes its policies off, those of other hands too as CloudFormation does not, and deletes it."""
    which = {_NAMES[kind]: name}
    for policy in _quietly(_verb(call, "list_{}_policies", kind), **which).get("PolicyNames", []):
        _verb(call, "delete_{}_policy", kind)(**which, PolicyName=policy)
    attached = _quietly(_verb(call, "list_attached_{}_policies", kind), **which).get("AttachedPolicies", [])
    for policy in attached:
        _verb(call, "detach_{}_policy", kind)(**which, PolicyArn=policy["PolicyArn"])
    _quietly(_verb(call, "delete_{}", kind), **which)


def _verb(call: Call, form: str, kind: str) -> Any:
    return getattr(call.api("iam"), form.format(kind))


def _quietly(verb: Any, **which: str) -> dict[str, Any]:
    """What is gone already is no error."""
    try:
        return dict(verb(**which))
    except AwsError as error:
        if error.shape != "NoSuchEntityException":
            raise
        return {}


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _int(value: Any) -> int | None:
    return None if value is None else int(value)
