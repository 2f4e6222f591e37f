"""Deleting: objects, their versions, and the markers that hide them."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import AwsError, Call, operation

from . import buckets, conditions, notifications, objects
from .buckets import Bucket
from .errors import invalid_argument, refused

BATCH = 1000


def _delete(call: Call, bucket: Bucket, key: str, version_id: str | None) -> dict[str, Any]:
    """One object, or one version: what DeleteObject says of it."""
    if version_id is not None:
        version = objects.exact(call, bucket, key, version_id)
        if version is None and version_id != objects.NULL:
            raise invalid_argument("Invalid version id specified", "versionId", version_id)
        if version is not None:
            objects.delete(call, bucket, version)
            notifications.tell(call, bucket, "ObjectRemoved:Delete", version)
        is_marker = version is not None and version.is_marker
        return {"VersionId": version_id, "DeleteMarker": True if is_marker else None}
    if bucket.versioning:
        marker = objects.put(call, bucket, objects.marker(key))
        notifications.tell(call, bucket, "ObjectRemoved:DeleteMarkerCreated", marker)
        return {"VersionId": marker.version or objects.NULL, "DeleteMarker": True}
    version = objects.latest(call, bucket, key)
    if version is not None:
        objects.delete(call, bucket, version)
    notifications.tell(call, bucket, "ObjectRemoved:Delete", version or objects.marker(key))
    return {}


@operation
def delete_object(
    call: Call, bucket: str, key: str, version_id: str | None = None, if_match: str | None = None
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    if if_match is not None and if_match != "*":
        there = objects.latest(call, found, key)
        conditions.writing(there, key, if_match, None)
    return _delete(call, found, key, version_id)


@operation
def delete_objects(
    call: Call,
    bucket: str,
    delete: dict[str, Any],
    checksum_algorithm: str | None = None,
) -> dict[str, Any]:
    """`checksum_algorithm` is the SDK's word on its own checksum of the list."""
    found = buckets.find(call, bucket)
    asked = delete.get("Objects") or []
    if not 0 < len(asked) <= BATCH or any(not each.get("Key") for each in asked):
        raise refused("MalformedXML")
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for each in asked:
        key, version_id = each["Key"], each.get("VersionId")
        try:
            said = _delete(call, found, key, version_id)
        except AwsError as error:
            code = "NoSuchVersion" if error.code == "InvalidArgument" else error.code
            text = "The specified version does not exist." if code == "NoSuchVersion" else error.message
            errors.append({"Key": key, "VersionId": version_id, "Code": code, "Message": text})
            continue
        told = {"Key": key, "VersionId": version_id}
        if said.get("DeleteMarker"):
            told |= {"DeleteMarker": True, "DeleteMarkerVersionId": said["VersionId"]}
        deleted.append(told)
    return {"Deleted": [] if delete.get("Quiet") else deleted, "Errors": errors}
