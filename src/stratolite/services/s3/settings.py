"""Settings: what a bucket is told once and keeps: versioning, policy, CORS, lifecycle, encryption, access."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import buckets
from .errors import refused


def _told(call: Call, bucket: str, name: str, missing: str, expected_owner: str | None = None) -> Any:
    """One setting of a bucket. Raises the error of its absence."""
    found = buckets.find(call, bucket, expected_owner).settings.get(name)
    if found is None:
        raise refused(missing, BucketName=bucket)
    return found


def _keep(call: Call, bucket: str, name: str, value: Any, expected_owner: str | None = None) -> None:
    found = buckets.find(call, bucket, expected_owner)
    if value is not None or name in found.settings:
        buckets.setting(call, found, name, value)


# versioning


@operation
def put_bucket_versioning(
    call: Call,
    bucket: str,
    versioning_configuration: dict[str, Any],
    content_md5: str | None = None,
    checksum_algorithm: str | None = None,
) -> None:
    """`content_md5` and `checksum_algorithm` are the SDK's word on its own checksum of the document."""
    found = buckets.find(call, bucket)
    status = versioning_configuration.get("Status")
    if not status:
        raise refused("IllegalVersioningConfigurationException")
    if status not in ("Enabled", "Suspended"):
        raise refused("MalformedXML")
    call.tx.run("UPDATE s3_bucket SET versioning = ? WHERE key = ?", status, found.key)


@operation
def get_bucket_versioning(call: Call, bucket: str) -> dict[str, Any]:
    return {"Status": buckets.find(call, bucket).versioning or None}


# policy


@operation
def put_bucket_policy(
    call: Call,
    bucket: str,
    policy: str,
    content_md5: str | None = None,
    checksum_algorithm: str | None = None,
    expected_bucket_owner: str | None = None,
) -> None:
    """Kept and told; nobody is refused by it here."""
    found = buckets.find(call, bucket, expected_bucket_owner)
    try:
        document = json.loads(policy) if policy.startswith("{") else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise refused("MalformedPolicy")
    if "Statement" not in document:
        raise refused("MalformedPolicy", "Missing required field Statement")
    buckets.setting(call, found, "policy", policy)
    call.not_emulated_here(f"the policy of bucket {bucket} is kept, and refuses nobody")


@operation
def get_bucket_policy(call: Call, bucket: str, expected_bucket_owner: str | None = None) -> dict[str, Any]:
    return {"Policy": _told(call, bucket, "policy", "NoSuchBucketPolicy", expected_bucket_owner)}


@operation
def delete_bucket_policy(call: Call, bucket: str, expected_bucket_owner: str | None = None) -> None:
    _keep(call, bucket, "policy", None, expected_bucket_owner)


# CORS

_METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")


@operation
def put_bucket_cors(
    call: Call,
    bucket: str,
    cors_configuration: dict[str, Any],
    content_md5: str | None = None,
    checksum_algorithm: str | None = None,
) -> None:
    """Kept and told; preflight requests are not answered here."""
    found = buckets.find(call, bucket)
    rules = cors_configuration.get("CORSRules")
    if not rules or len(rules) > 100:
        raise refused("MalformedXML")
    for rule in rules:
        if not rule.get("AllowedMethods") or not rule.get("AllowedOrigins"):
            raise refused("MalformedXML")
        for method in rule["AllowedMethods"]:
            if method not in _METHODS:
                raise refused(
                    "InvalidRequest",
                    f"Found unsupported HTTP method in CORS config. Unsupported method is {method}",
                )
    buckets.setting(call, found, "cors", rules)
    call.not_emulated_here(f"the CORS rules of bucket {bucket} are kept, and not applied")


@operation
def get_bucket_cors(call: Call, bucket: str) -> dict[str, Any]:
    return {"CORSRules": _told(call, bucket, "cors", "NoSuchCORSConfiguration")}


@operation
def delete_bucket_cors(call: Call, bucket: str) -> None:
    _keep(call, bucket, "cors", None)


# lifecycle


@operation
def put_bucket_lifecycle_configuration(
    call: Call,
    bucket: str,
    lifecycle_configuration: dict[str, Any] | None = None,
    checksum_algorithm: str | None = None,
    transition_default_minimum_object_size: str | None = None,
) -> dict[str, Any]:
    """Kept and told; nothing expires by it yet."""
    found = buckets.find(call, bucket)
    least = transition_default_minimum_object_size or "all_storage_classes_128K"
    if least not in ("all_storage_classes_128K", "varies_by_storage_class"):
        raise refused("InvalidRequest", f"Invalid TransitionDefaultMinimumObjectSize found: {least}")
    rules = (lifecycle_configuration or {}).get("Rules")
    if not rules:
        raise refused("MalformedXML")
    for rule in rules:
        if rule.get("Status") not in ("Enabled", "Disabled") or ("Filter" in rule) == ("Prefix" in rule):
            raise refused("MalformedXML")
    named = [{"ID": rule.get("ID") or call.world.id(), **rule} for rule in rules]
    buckets.setting(call, found, "lifecycle", {"rules": named, "least": least})
    call.not_emulated_here(f"the lifecycle rules of bucket {bucket} are kept, and nothing expires by them")
    return {"TransitionDefaultMinimumObjectSize": least}


@operation
def get_bucket_lifecycle_configuration(call: Call, bucket: str) -> dict[str, Any]:
    kept = _told(call, bucket, "lifecycle", "NoSuchLifecycleConfiguration")
    return {"Rules": kept["rules"], "TransitionDefaultMinimumObjectSize": kept["least"]}


@operation
def delete_bucket_lifecycle(call: Call, bucket: str) -> None:
    _keep(call, bucket, "lifecycle", None)


# encryption

_DEFAULT_ENCRYPTION = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}


@operation
def put_bucket_encryption(
    call: Call,
    bucket: str,
    server_side_encryption_configuration: dict[str, Any],
    content_md5: str | None = None,
    checksum_algorithm: str | None = None,
) -> None:
    found = buckets.find(call, bucket)
    rules = server_side_encryption_configuration.get("Rules") or []
    if len(rules) != 1 or not rules[0].get("ApplyServerSideEncryptionByDefault"):
        raise refused("MalformedXML")
    default = rules[0]["ApplyServerSideEncryptionByDefault"]
    if default.get("SSEAlgorithm") not in ("AES256", "aws:kms", "aws:kms:dsse"):
        raise refused("MalformedXML")
    if default["SSEAlgorithm"] == "AES256" and default.get("KMSMasterKeyID"):
        raise refused(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            ArgumentName="ApplyServerSideEncryptionByDefault",
        )
    rule = {"BucketKeyEnabled": False, **rules[0]}
    buckets.setting(call, found, "encryption", {"Rules": [rule]})


@operation
def get_bucket_encryption(call: Call, bucket: str) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    return {"ServerSideEncryptionConfiguration": found.settings.get("encryption", _DEFAULT_ENCRYPTION)}


@operation
def delete_bucket_encryption(call: Call, bucket: str) -> None:
    _keep(call, bucket, "encryption", None)


# access

_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@operation
def put_public_access_block(
    call: Call,
    bucket: str,
    public_access_block_configuration: dict[str, Any],
    content_md5: str | None = None,
    checksum_algorithm: str | None = None,
) -> None:
    found = buckets.find(call, bucket)
    if not public_access_block_configuration:
        raise refused("MalformedXML")
    blocks = {name: bool(public_access_block_configuration.get(name)) for name in _BLOCKS}
    buckets.setting(call, found, "access", blocks)


@operation
def get_public_access_block(call: Call, bucket: str) -> dict[str, Any]:
    found = buckets.find(call, bucket).settings.get("access", dict.fromkeys(_BLOCKS, True))
    if not found:
        raise refused("NoSuchPublicAccessBlockConfiguration", BucketName=bucket)
    return {"PublicAccessBlockConfiguration": found}


@operation
def delete_public_access_block(call: Call, bucket: str) -> None:
    # A bucket starts with everything blocked; nothing at all is another state.
    _keep(call, bucket, "access", {})


@operation
def put_bucket_ownership_controls(
    call: Call,
    bucket: str,
    ownership_controls: dict[str, Any],
    content_md5: str | None = None,
    checksum_algorithm: str | None = None,
) -> None:
    found = buckets.find(call, bucket)
    rules = ownership_controls.get("Rules") or []
    if len(rules) != 1 or rules[0].get("ObjectOwnership") not in buckets.OWNERSHIPS:
        raise refused("MalformedXML")
    buckets.setting(call, found, "ownership", rules[0]["ObjectOwnership"])


@operation
def get_bucket_ownership_controls(call: Call, bucket: str) -> dict[str, Any]:
    kept = _told(call, bucket, "ownership", "OwnershipControlsNotFoundError")
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": kept}]}}


@operation
def delete_bucket_ownership_controls(call: Call, bucket: str) -> None:
    _keep(call, bucket, "ownership", None)


# what no bucket here has


@operation
def get_object_lock_configuration(call: Call, bucket: str) -> dict[str, Any]:
    raise refused("ObjectLockConfigurationNotFoundError", BucketName=buckets.find(call, bucket).name)
