"""Resources: keys and aliases, as templates ask for them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource


@resource(
    "AWS::KMS::Key",
    replaces={"KeySpec", "KeyUsage", "MultiRegion", "Origin"},
    ignores={"BypassPolicyLockoutSafetyCheck"},
)
class KeyResource:
    """`Ref` is the key's id. A deleted key waits out its window, as on AWS."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        made = call.api("kms").create_key(
            Policy=_policy(properties.get("KeyPolicy")),
            Description=properties.get("Description"),
            KeyUsage=properties.get("KeyUsage"),
            KeySpec=properties.get("KeySpec"),
            Origin=properties.get("Origin"),
            MultiRegion=_is(properties.get("MultiRegion")),
            Tags=[{"TagKey": key, "TagValue": value} for key, value in _tags(wanted).items()],
        )["KeyMetadata"]
        _set_state(call, made["KeyId"], properties, {})
        return _made(made)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        properties = wanted.properties
        api = call.api("kms")
        if properties.get("Description") != was.get("Description"):
            api.update_key_description(KeyId=made_id, Description=properties.get("Description") or "")
        if properties.get("KeyPolicy") and properties["KeyPolicy"] != was.get("KeyPolicy"):
            api.put_key_policy(KeyId=made_id, Policy=_policy(properties["KeyPolicy"]))
        tags = _tags(wanted)
        if gone := [tag["Key"] for tag in was.get("Tags") or [] if tag["Key"] not in tags]:
            api.untag_resource(KeyId=made_id, TagKeys=gone)
        if tags:
            api.tag_resource(KeyId=made_id, Tags=[{"TagKey": name, "TagValue": tags[name]} for name in tags])
        _set_state(call, made_id, properties, was)
        return _made(api.describe_key(KeyId=made_id)["KeyMetadata"])

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("kms").schedule_key_deletion(
                KeyId=made_id, PendingWindowInDays=int(properties.get("PendingWindowInDays") or 30)
            )
        except AwsError as error:
            if error.code not in ("NotFoundException", "KMSInvalidStateException"):
                raise


@resource("AWS::KMS::Alias", replaces={"AliasName"})
class AliasResource:
    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        name = wanted.properties["AliasName"]
        call.api("kms").create_alias(AliasName=name, TargetKeyId=wanted.properties["TargetKeyId"])
        return Made(ref=name)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        call.api("kms").update_alias(AliasName=made_id, TargetKeyId=wanted.properties["TargetKeyId"])
        return Made(ref=made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("kms").delete_alias(AliasName=made_id)
        except AwsError as error:
            if error.code != "NotFoundException":
                raise


def _made(key: dict[str, Any]) -> Made:
    return Made(ref=key["KeyId"], attributes={"Arn": key["Arn"], "KeyId": key["KeyId"]})


def _set_state(call: Call, key_id: str, properties: dict[str, Any], was: dict[str, Any]) -> None:
    """Whether it is enabled, and whether it is rotated; a window without a deletion is read only when it is deleted."""
    api = call.api("kms")
    properties.get("PendingWindowInDays")
    enabled, was_enabled = _is(properties.get("Enabled", True)), _is(was.get("Enabled", True))
    if enabled and not was_enabled:
        api.enable_key(KeyId=key_id)
    rotated, was_rotated = _is(properties.get("EnableKeyRotation")), _is(was.get("EnableKeyRotation"))
    days = properties.get("RotationPeriodInDays")
    if rotated and (not was_rotated or days != was.get("RotationPeriodInDays")):
        api.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=int(days) if days else None)
    elif was_rotated and not rotated:
        api.disable_key_rotation(KeyId=key_id)
    if was_enabled and not enabled:
        api.disable_key(KeyId=key_id)


def _tags(wanted: Wanted) -> dict[str, str]:
    """The stack's tags, and over them the key's own."""
    stack = {key: value for key, value in wanted.tags.items() if not key.startswith("aws:")}
    return stack | {tag["Key"]: tag["Value"] for tag in wanted.properties.get("Tags") or []}


def _is(value: Any) -> bool:
    return str(value).lower() == "true"


def _policy(policy: Any) -> str | None:
    return policy if policy is None or isinstance(policy, str) else json.dumps(policy)
