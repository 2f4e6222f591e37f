"""Writing: objects put whole, and copied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from stratolite.kernel import Call, operation
from stratolite.wire.http1 import BodyFile

from . import acls, buckets, checksums, conditions, notifications, objects, reading
from .buckets import Bucket
from .errors import invalid_argument, refused

SMALL_BYTES = 64 * 1024
"""Up to here a thread costs more than the hashing."""


async def absorbed(
    call: Call, body: bytes | BodyFile | None, told: checksums.Told, default: str = checksums.DEFAULT
) -> checksums.Absorbed:
    """Hash and judge a body, off the loop when it is long."""
    content = b"" if body is None else body
    if isinstance(content, bytes) and len(content) <= SMALL_BYTES:
        return checksums.absorb(content, told, default)
    return await call.world.offload(checksums.absorb, content, told, default)


@operation
async def put_object(
    call: Call,
    bucket: str,
    key: str,
    body: bytes | BodyFile | None = None,
    acl: str | None = None,
    cache_control: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_length: int | None = None,
    content_md5: str | None = None,
    content_type: str | None = None,
    checksum_algorithm: str | None = None,
    checksum_crc32: str | None = None,
    checksum_crc32_c: str | None = None,
    checksum_crc64_nvme: str | None = None,
    checksum_sha1: str | None = None,
    checksum_sha256: str | None = None,
    expires: Any = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    metadata: dict[str, str] | None = None,
    server_side_encryption: str | None = None,
    ssekms_key_id: str | None = None,
    bucket_key_enabled: bool | None = None,
    storage_class: str | None = None,
    website_redirect_location: str | None = None,
    tagging: str | None = None,
) -> dict[str, Any]:
    """`content_length` is the connection's business: the body is whole when it comes here."""
    found = buckets.find(call, bucket)
    objects.check_key(key)
    about = objects.described(
        found,
        storage_class,
        {
            "CacheControl": cache_control,
            "ContentDisposition": content_disposition,
            "ContentEncoding": content_encoding,
            "ContentLanguage": content_language,
            "ContentType": content_type,
            "Expires": expires,
            "Metadata": metadata,
            "ServerSideEncryption": server_side_encryption,
            "SSEKMSKeyId": ssekms_key_id,
            "BucketKeyEnabled": bucket_key_enabled,
            "WebsiteRedirectLocation": website_redirect_location,
        },
    )
    tags = objects.tags_of(tagging)
    acl = acls.canned(acl)
    told = checksums.Told.of(
        {
            "CRC32": checksum_crc32,
            "CRC32C": checksum_crc32_c,
            "CRC64NVME": checksum_crc64_nvme,
            "SHA1": checksum_sha1,
            "SHA256": checksum_sha256,
        },
        checksum_algorithm,
        content_md5,
    )
    taken = await absorbed(call, body, told)
    new = objects.Version(
        name=key,
        size=taken.size,
        etag=taken.md5.hex(),
        about=about,
        checksum={"algorithm": taken.algorithm, "value": taken.value, "type": "FULL_OBJECT"},
        body=await objects.kept(call, taken),
        tags=tags,
        acl=acl,
    )
    with call.write() as c:
        found = buckets.find(c, bucket)  # it may have gone while the body was hashed
        conditions.writing(objects.latest(c, found, key), key, if_match, if_none_match)
        new = objects.put(c, found, new)
        notifications.tell(c, found, "ObjectCreated:Put", new)
    return {
        "ETag": new.quoted,
        "VersionId": _new_id(found, new),
        **reading.checksum_of(new),
        **objects.encrypted(about),
    }


def _new_id(bucket: Bucket, new: objects.Version) -> str | None:
    """A suspended bucket does not tell of the null version it makes."""
    return new.version if bucket.versioning == "Enabled" else None


def source(call: Call, text: str) -> tuple[Bucket, objects.Version]:
    """The object of an x-amz-copy-source header. Raises InvalidArgument, InvalidRequest, NoSuchKey."""
    path, _, query = text.removeprefix("/").partition("?versionId=")
    name, slash, key = unquote(path).partition("/")
    if path.startswith("arn:") or not slash or not name or not key:
        raise invalid_argument("Invalid copy source object key", "x-amz-copy-source", "x-amz-copy-source")
    bucket = buckets.find(call, name)
    if query:
        found = objects.exact(call, bucket, key, query)
        if found is None:
            raise refused("NoSuchVersion", Key=key, VersionId=query)
        if found.is_marker:
            raise refused(
                "InvalidRequest",
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            )
        return bucket, found
    return bucket, objects.find(call, bucket, key)


_SYSTEM = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")


@operation
async def copy_object(
    call: Call,
    bucket: str,
    copy_source: str,
    key: str,
    acl: str | None = None,
    cache_control: str | None = None,
    checksum_algorithm: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_type: str | None = None,
    copy_source_if_match: str | None = None,
    copy_source_if_modified_since: Any = None,
    copy_source_if_none_match: str | None = None,
    copy_source_if_unmodified_since: Any = None,
    expires: Any = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    metadata: dict[str, str] | None = None,
    metadata_directive: str | None = None,
    tagging_directive: str | None = None,
    server_side_encryption: str | None = None,
    ssekms_key_id: str | None = None,
    bucket_key_enabled: bool | None = None,
    storage_class: str | None = None,
    website_redirect_location: str | None = None,
    tagging: str | None = None,
) -> dict[str, Any]:
    target = buckets.find(call, bucket)
    objects.check_key(key)
    algorithm = checksums.known(checksum_algorithm)
    for name, directive in (
        ("x-amz-metadata-directive", metadata_directive),
        ("x-amz-tagging-directive", tagging_directive),
    ):
        if directive not in (None, "COPY", "REPLACE"):
            raise invalid_argument("Unknown metadata directive.", name, directive)
    from_bucket, version = source(call, copy_source)
    conditions.reading(
        version, call.now, copy_source_if_match, copy_source_if_none_match, copy_source_if_modified_since,
        copy_source_if_unmodified_since, prefix="x-amz-copy-source-", copying=True,
    )  # fmt: skip
    reading.check_thawed(version)
    replaces = metadata_directive == "REPLACE"
    is_itself = from_bucket.key == target.key and version.name == key and version.is_latest
    changes = (replaces, storage_class, server_side_encryption, website_redirect_location)
    if is_itself and not any(changes) and "encryption" not in target.settings:
        raise refused(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the"
            " object's metadata, storage class, website redirect location or encryption attributes.",
        )
    if replaces:
        system = {
            "CacheControl": cache_control,
            "ContentDisposition": content_disposition,
            "ContentEncoding": content_encoding,
            "ContentLanguage": content_language,
            "ContentType": content_type,
            "Expires": expires,
            "Metadata": metadata,
        }
    else:
        system = {name: version.about.get(name) for name in (*_SYSTEM, "Metadata")}
    about = objects.described(
        target,
        storage_class,
        {
            **system,
            "WebsiteRedirectLocation": website_redirect_location,
            "ServerSideEncryption": server_side_encryption,
            "SSEKMSKeyId": ssekms_key_id,
            "BucketKeyEnabled": bucket_key_enabled,
        },
    )
    checksum, body, etag = version.checksum, version.body, version.etag
    wanted = algorithm or checksum.get("algorithm") or checksums.DEFAULT
    if wanted != checksum.get("algorithm") or version.parts:
        # A copy is whole again: another ETag, and a checksum over all of it.
        content = reading.content(call, version)
        taken = await absorbed(call, content, checksums.Told(algorithm=wanted))
        checksum = {"algorithm": wanted, "value": taken.value, "type": "FULL_OBJECT"}
        body, etag = await objects.kept(call, taken), taken.md5.hex()
    new = replace(
        version,
        name=key,
        about=about,
        checksum=checksum,
        body=body,
        etag=etag,
        tags=objects.tags_of(tagging) if tagging_directive == "REPLACE" else version.tags,
        acl=acls.canned(acl),
        parts=(),
    )
    with call.write() as c:
        target = buckets.find(c, bucket)
        if body is version.body and objects.gone(c, version):
            raise objects.no_such_key(version.name)
        conditions.writing(objects.latest(c, target, key), key, if_match, if_none_match)
        new = objects.put(c, target, new)
        notifications.tell(c, target, "ObjectCreated:Copy", new)
    return {
        "CopyObjectResult": {
            "ETag": new.quoted,
            "LastModified": float(int(new.modified_at)),
            **reading.checksum_of(new),
        },
        "CopySourceVersionId": objects.shown_id(from_bucket, version),
        "VersionId": _new_id(target, new),
        **objects.encrypted(about),
    }
