"""Tags: of buckets and of objects."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import buckets, notifications, objects
from .errors import refused

OBJECT_TAGS = 10
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html"""


@operation
def put_bucket_tagging(
    call: Call,
    bucket: str,
    tagging: dict[str, Any],
    content_md5: str | None = None,
    checksum_algorithm: str | None = None,
) -> None:
    """`content_md5` and `checksum_algorithm` are the SDK's word on its own checksum of the document."""
    found = buckets.find(call, bucket)
    tags = tagging.get("TagSet")
    if tags is None:
        raise refused("MalformedXML")
    buckets.check_tags(tags)
    buckets.setting(call, found, "tags", tags)


@operation
def get_bucket_tagging(call: Call, bucket: str) -> dict[str, Any]:
    tags = buckets.find(call, bucket).settings.get("tags")
    if not tags:
        raise refused("NoSuchTagSet", BucketName=bucket)
    return {"TagSet": tags}


@operation
def delete_bucket_tagging(call: Call, bucket: str) -> None:
    found = buckets.find(call, bucket)
    if "tags" in found.settings:
        buckets.setting(call, found, "tags", None)


def _keep(
    call: Call, found: buckets.Bucket, version: objects.Version, tags: dict[str, str], event: str
) -> dict[str, Any]:
    call.tx.run("UPDATE s3_object SET tags = ? WHERE id = ?", json.dumps(tags), version.id)
    notifications.tell(call, found, event, version)
    return {"VersionId": objects.shown_id(found, version)}


@operation
def put_object_tagging(
    call: Call,
    bucket: str,
    key: str,
    tagging: dict[str, Any],
    version_id: str | None = None,
    content_md5: str | None = None,
    checksum_algorithm: str | None = None,
) -> dict[str, Any]:
    """`content_md5` and `checksum_algorithm` are the SDK's word on its own checksum of the document."""
    found = buckets.find(call, bucket)
    version = objects.find(call, found, key, version_id, "PUT")
    tags = tagging.get("TagSet")
    if tags is None:
        raise refused("MalformedXML")
    if len(tags) > OBJECT_TAGS:
        raise refused("BadRequest", "Object tags cannot be greater than 10")
    buckets.check_tags(tags, buckets.RESERVED)
    return _keep(call, found, version, {tag["Key"]: tag["Value"] for tag in tags}, "ObjectTagging:Put")


@operation
def get_object_tagging(call: Call, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    version = objects.find(call, found, key, version_id)
    return {
        "TagSet": [{"Key": name, "Value": value} for name, value in version.tags.items()],
        "VersionId": objects.shown_id(found, version),
    }


@operation
def delete_object_tagging(call: Call, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    version = objects.find(call, found, key, version_id, "DELETE")
    return _keep(call, found, version, {}, "ObjectTagging:Delete")
