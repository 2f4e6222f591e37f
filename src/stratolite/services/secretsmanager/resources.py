"""Resources: secrets, their policies, rotations and attachments, as templates ask for them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource

from . import tags

_GENERATED = {
    "PasswordLength", "ExcludeCharacters", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase",
    "ExcludeLowercase", "IncludeSpace", "RequireEachIncludedType",
}  # fmt: skip


@resource("AWS::SecretsManager::Secret", replaces={"Name"})
class SecretResource:
    """`Ref` is the secret's ARN. A generated value is generated once: an update with the same rules keeps it."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        made = call.api("secretsmanager").create_secret(
            Name=properties.get("Name") or wanted.physical_name(512),
            ClientRequestToken=call.world.id(),
            Description=properties.get("Description"),
            KmsKeyId=properties.get("KmsKeyId"),
            SecretString=_value(call, properties),
            Tags=properties.get("Tags"),
            AddReplicaRegions=properties.get("ReplicaRegions"),
        )
        tags.stamp(call, made["ARN"], wanted.tags)
        return _made(made["ARN"])

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties = wanted.properties
        api = call.api("secretsmanager")
        changed = any(properties.get(name) != was.get(name) for name in ("SecretString", "GenerateSecretString"))
        api.update_secret(
            SecretId=made_id,
            ClientRequestToken=call.world.id(),
            Description=properties.get("Description") or "",
            KmsKeyId=properties.get("KmsKeyId"),
            SecretString=_value(call, properties) if changed else None,
        )
        keys = {tag["Key"] for tag in properties.get("Tags") or []}
        if gone := [tag["Key"] for tag in was.get("Tags") or [] if tag["Key"] not in keys]:
            api.untag_resource(SecretId=made_id, TagKeys=gone)
        if keys:
            api.tag_resource(SecretId=made_id, Tags=properties["Tags"])
        tags.stamp(call, made_id, wanted.tags)
        _replicate(call, made_id, properties.get("ReplicaRegions") or [], was.get("ReplicaRegions") or [])
        return _made(made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        """CloudFormation deletes secrets with the recovery window left out: they are gone at once."""
        api = call.api("secretsmanager")
        if replicas := properties.get("ReplicaRegions"):
            api.remove_regions_from_replication(
                SecretId=made_id, RemoveReplicaRegions=[replica["Region"] for replica in replicas]
            )
        api.delete_secret(SecretId=made_id, ForceDeleteWithoutRecovery=True)


@resource("AWS::SecretsManager::ResourcePolicy", replaces={"SecretId"})
class ResourcePolicy:
    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        policy = properties["ResourcePolicy"]
        answer = call.api("secretsmanager").put_resource_policy(
            SecretId=properties["SecretId"],
            ResourcePolicy=policy if isinstance(policy, str) else json.dumps(policy),
            BlockPublicPolicy=bool(properties.get("BlockPublicPolicy")),
        )
        return Made(ref=answer["ARN"], attributes={"Id": answer["ARN"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return ResourcePolicy.create(call, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "delete_resource_policy", made_id)


@resource("AWS::SecretsManager::RotationSchedule", replaces={"SecretId"})
class RotationSchedule:
    """Rotation by a function that is named; the functions AWS hosts (HostedRotationLambda) are refused by absence."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        immediately = properties.get("RotateImmediatelyOnUpdate")
        answer = call.api("secretsmanager").rotate_secret(
            SecretId=properties["SecretId"],
            ClientRequestToken=call.world.id(),
            RotationLambdaARN=properties.get("RotationLambdaARN"),
            RotationRules=properties.get("RotationRules"),
            RotateImmediately=immediately is None or str(immediately).lower() == "true",
        )
        return Made(ref=answer["ARN"], attributes={"Id": answer["ARN"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return RotationSchedule.create(call, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        _unless_gone(call, "cancel_rotate_secret", made_id)


@resource("AWS::SecretsManager::SecretTargetAttachment", replaces={"SecretId"})
class SecretTargetAttachment:
    """Writes what the database is into the secret, as AWS does: here, without databases, its type and id."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        api = call.api("secretsmanager")
        target = str(properties["TargetId"])
        kind = str(properties["TargetType"])
        value = api.get_secret_value(SecretId=properties["SecretId"])
        try:
            content = json.loads(value.get("SecretString") or "")
        except ValueError:
            content = {}
        content |= {"dbClusterIdentifier" if kind.endswith("Cluster") else "dbInstanceIdentifier": target}
        api.put_secret_value(
            SecretId=value["ARN"], ClientRequestToken=call.world.id(), SecretString=json.dumps(content)
        )
        return Made(ref=value["ARN"], attributes={"Id": value["ARN"]})

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return SecretTargetAttachment.create(call, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        """The secret keeps what was written into it."""


def _made(arn: str) -> Made:
    return Made(ref=arn, attributes={"Id": arn})


def _value(call: Call, properties: dict[str, Any]) -> str | None:
    generate = properties.get("GenerateSecretString")
    if generate is None:
        given: str | None = properties.get("SecretString")
        return given  # neither given: a secret without a value
    password = _password(call, generate)
    if not generate.get("GenerateStringKey"):
        return password
    content = json.loads(generate.get("SecretStringTemplate") or "{}")
    return json.dumps(content | {generate["GenerateStringKey"]: password}, separators=(",", ":"))


def _password(call: Call, generate: dict[str, Any]) -> str:
    rules = {name: value for name, value in generate.items() if name in _GENERATED}
    for name, value in rules.items():
        if name == "PasswordLength":
            rules[name] = int(value)
        elif name != "ExcludeCharacters":
            rules[name] = str(value).lower() == "true"
    return str(call.api("secretsmanager").get_random_password(**rules)["RandomPassword"])


def _replicate(call: Call, secret: str, wanted: list[dict[str, str]], was: list[dict[str, str]]) -> None:
    api = call.api("secretsmanager")
    regions = {replica["Region"] for replica in wanted}
    if gone := [replica["Region"] for replica in was if replica["Region"] not in regions]:
        api.remove_regions_from_replication(SecretId=secret, RemoveReplicaRegions=gone)
    if wanted:
        api.replicate_secret_to_regions(SecretId=secret, AddReplicaRegions=wanted)


def _unless_gone(call: Call, verb: str, secret: str) -> None:
    """A template deletes a secret's parts before or after the secret; what is gone needs no farewell."""
    try:
        getattr(call.api("secretsmanager"), verb)(SecretId=secret)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
