"""Objects: their versions as rows, and how a new one takes its place."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from stratolite.kernel import Call
from stratolite.kernel.blobs import INLINE_BYTES
from stratolite.kernel.store import Row

from . import buckets
from .buckets import Bucket
from .checksums import Absorbed
from .errors import S3Error, invalid_argument, refused

KEY_BYTES = 1024
NULL = "null"
"""What the version of an object is called that was put while nothing was versioned."""

STORAGE_CLASSES = frozenset(
    {
        "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER",
        "DEEP_ARCHIVE", "GLACIER_IR",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Body:
    """Where an object's bytes are: in its row, or in blobs one after another."""

    inline: bytes | None = None
    blobs: tuple[tuple[str, int], ...] = ()
    """(name, size) of each."""


@dataclass(frozen=True)
class Version:
    """One version of an object, or a delete marker."""

    name: str
    size: int
    etag: str
    about: dict[str, Any]
    """System and user metadata, by the member names of GetObject's output."""
    checksum: dict[str, Any]
    """{"algorithm", "value", "type"}; empty when there is none."""
    body: Body
    tags: dict[str, str]
    acl: str = ""
    parts: tuple[tuple[int, dict[str, str]], ...] = ()
    """Of a multipart object: each part's size and checksums."""
    is_marker: bool = False
    version: str = ""
    is_latest: bool = True
    modified_at: float = 0.0
    id: int = 0

    @property
    def quoted(self) -> str:
        return f'"{self.etag}"'


def of(row: Row) -> Version:
    return Version(
        name=row["name"],
        size=row["size"],
        etag=row["etag"],
        about=json.loads(row["about"]),
        checksum=json.loads(row["checksum"]),
        body=Body(row["body"], tuple((name, size) for name, size in json.loads(row["blobs"]))),
        tags=json.loads(row["tags"]),
        acl=row["acl"],
        parts=tuple((size, sums) for size, sums in json.loads(row["parts"])),
        is_marker=bool(row["is_marker"]),
        version=row["version"],
        is_latest=bool(row["is_latest"]),
        modified_at=row["modified_at"],
        id=row["id"],
    )


# finding


def latest(call: Call, bucket: Bucket, key: str) -> Version | None:
    """The newest version, which may be a delete marker."""
    row = call.tx.one("SELECT * FROM s3_object WHERE bucket = ? AND name = ? AND is_latest = 1", bucket.key, key)
    return None if row is None else of(row)


def exact(call: Call, bucket: Bucket, key: str, version_id: str) -> Version | None:
    """The version of an id. Raises InvalidArgument for what is no id."""
    if version_id != NULL and not _is_version_id(version_id, bucket):
        raise invalid_argument("Invalid version id specified", "versionId", version_id)
    row = call.tx.one(
        "SELECT * FROM s3_object WHERE bucket = ? AND name = ? AND version = ?",
        bucket.key, key, "" if version_id == NULL else version_id,
    )  # fmt: skip
    return None if row is None else of(row)


def _is_version_id(text: str, bucket: Bucket) -> bool:
    return len(text) == 32 and bool(bucket.versioning)


def find(call: Call, bucket: Bucket, key: str, version_id: str | None = None, method: str = "GET") -> Version:
    """Raises NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete marker asked for by its id."""
    if version_id is None:
        found = latest(call, bucket, key)
        if found is not None and found.is_marker and method != "GET" and method != "HEAD":
            raise refused("MethodNotAllowed", Method=method, ResourceType="DeleteMarker")
        if found is None or found.is_marker:
            raise no_such_key(key, found)
        return found
    found = exact(call, bucket, key, version_id)
    if found is None:
        raise refused("NoSuchVersion", Key=key, VersionId=version_id)
    if found.is_marker:
        error = refused("MethodNotAllowed", Method=method, ResourceType="DeleteMarker")
        error.headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version_id, "Allow": "DELETE"}
        raise error
    return found


def no_such_key(key: str, marker: Version | None = None) -> S3Error:
    error = refused("NoSuchKey", Key=key)
    if marker is not None:
        error.headers = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version or NULL}
    return error


def shown_id(bucket: Bucket, version: Version) -> str | None:
    """The version id an answer has: none while the bucket was never versioned."""
    return (version.version or NULL) if bucket.versioning else None


def gone(call: Call, version: Version) -> bool:
    """Whether a version is no longer there."""
    return call.tx.one("SELECT 1 FROM s3_object WHERE id = ?", version.id) is None


# writing


def put(call: Call, bucket: Bucket, new: Version) -> Version:
    """Make this the newest version of its key; the blobs of its body are referred to here."""
    version = _version_id(call) if bucket.versioning == "Enabled" else ""
    for blob, _ in new.body.blobs:
        call.blobs.refer(call.tx, blob)
    if not version:
        there = call.tx.one(
            "SELECT id, blobs FROM s3_object WHERE bucket = ? AND name = ? AND version = ''", bucket.key, new.name
        )
        if there is not None:
            _delete_row(call, there["id"], json.loads(there["blobs"]))
    call.tx.run(
        "UPDATE s3_object SET is_latest = 0 WHERE bucket = ? AND name = ? AND is_latest = 1", bucket.key, new.name
    )
    cursor = call.tx.run(
        "INSERT INTO s3_object (bucket, name, version, is_latest, is_marker, size, etag, modified_at, about, checksum,"
        " tags, acl, parts, blobs, body) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        bucket.key, new.name, version, int(new.is_marker), new.size, new.etag, call.now, json.dumps(new.about),
        json.dumps(new.checksum), json.dumps(new.tags), new.acl, json.dumps(new.parts), json.dumps(new.body.blobs),
        new.body.inline,
    )  # fmt: skip
    return replace(new, version=version, modified_at=call.now, id=cursor.lastrowid or 0)


def marker(key: str) -> Version:
    return Version(key, 0, "", {}, {}, Body(), {}, is_marker=True)


def delete(call: Call, bucket: Bucket, version: Version) -> None:
    """Take one version away for good; the one before it becomes the newest."""
    _delete_row(call, version.id, version.body.blobs)
    if version.is_latest:
        call.tx.run(
            "UPDATE s3_object SET is_latest = 1 WHERE id ="
            " (SELECT id FROM s3_object WHERE bucket = ? AND name = ? ORDER BY id DESC LIMIT 1)",
            bucket.key, version.name,
        )  # fmt: skip


def _delete_row(call: Call, row: int, blobs: Any) -> None:
    for blob, _ in blobs:
        call.blobs.drop(call.tx, blob)
    call.tx.run("DELETE FROM s3_object WHERE id = ?", row)


def _version_id(call: Call) -> str:
    return base64.b64encode(call.world.random.randbytes(24), b"._").decode()


async def kept(call: Call, absorbed: Absorbed) -> Body:
    """Bring a body where it stays: not yet referred to."""
    if isinstance(absorbed.body, bytes) and absorbed.size <= INLINE_BYTES:
        return Body(absorbed.body)
    return Body(None, ((await call.blobs.take(absorbed.body), absorbed.size),))


# what a request says of an object


def check_key(key: str) -> None:
    if len(key.encode()) > KEY_BYTES:
        raise refused("KeyTooLongError", MaxSizeAllowed=KEY_BYTES, Size=len(key.encode()))


def described(bucket: Bucket, storage_class: str | None, system: dict[str, Any]) -> dict[str, Any]:
    """The metadata of a new object: what the request says, and the bucket's encryption where it says nothing.

    Raises InvalidStorageClass.
    """
    if storage_class is not None and storage_class not in STORAGE_CLASSES:
        raise refused("InvalidStorageClass", StorageClassRequested=storage_class)
    about = {name: value for name, value in system.items() if value is not None}
    about["Metadata"] = {name.lower(): value for name, value in (about.get("Metadata") or {}).items()}
    if storage_class not in (None, "STANDARD"):
        about["StorageClass"] = storage_class
    about.setdefault("ContentType", "binary/octet-stream")
    if "ServerSideEncryption" not in about:
        about.update(encryption(bucket))
    elif about["ServerSideEncryption"] not in ("AES256", "aws:kms", "aws:kms:dsse"):
        raise invalid_argument(
            "The encryption method specified is not supported",
            "x-amz-server-side-encryption",
            about["ServerSideEncryption"],
        )
    if about["ServerSideEncryption"] == "AES256":
        about.pop("SSEKMSKeyId", None)
        about.pop("BucketKeyEnabled", None)
    elif (key := about.get("SSEKMSKeyId")) and not key.startswith("arn:"):
        about["SSEKMSKeyId"] = f"arn:aws:kms:{bucket.region}:{bucket.account}:key/{key}"
    return about


def encryption(bucket: Bucket) -> dict[str, Any]:
    """How a bucket encrypts what comes without saying how."""
    rules = bucket.settings.get("encryption", {}).get("Rules") or [{}]
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {}
    found = {"ServerSideEncryption": default.get("SSEAlgorithm") or "AES256"}
    if found["ServerSideEncryption"] != "AES256":
        found["SSEKMSKeyId"] = default.get("KMSMasterKeyID")
        if rules[0].get("BucketKeyEnabled"):
            found["BucketKeyEnabled"] = True
    return found


ENCRYPTION = ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")


def encrypted(about: dict[str, Any]) -> dict[str, Any]:
    """The members of an answer that tell how an object is encrypted."""
    return {name: about[name] for name in ENCRYPTION if about.get(name) is not None}


def tags_of(text: str | None) -> dict[str, str]:
    """The tags of an x-amz-tagging header. Raises InvalidArgument, InvalidTag."""
    if not text:
        return {}
    pairs = parse_qsl(text, keep_blank_values=True)
    if len({key for key, _ in pairs}) < len(pairs) or any("," in value for _, value in pairs):
        raise invalid_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag"
            " name duplicates.",
            "x-amz-tagging",
            text,
        )
    buckets.check_tags([{"Key": key, "Value": value} for key, value in pairs], buckets.RESERVED)
    return dict(pairs)
