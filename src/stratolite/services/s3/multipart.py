"""Multipart: objects that come in parts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any
from urllib.parse import quote

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row
from stratolite.wire.http1 import BodyFile

from . import acls, buckets, checksums, conditions, listing, notifications, objects, reading, writing
from .buckets import Bucket
from .errors import invalid_argument, refused

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_LEAST_BYTES = 5 * 1024 * 1024
PARTS = 10_000

_COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


def _find(call: Call, bucket: Bucket, key: str, upload_id: str) -> Row:
    row = call.tx.one("SELECT * FROM s3_upload WHERE id = ? AND bucket = ? AND name = ?", upload_id, bucket.key, key)
    if row is None:
        raise refused("NoSuchUpload", UploadId=upload_id)
    return row


def _check_number(number: int) -> None:
    if not 1 <= number <= PARTS:
        raise invalid_argument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", number)


@operation
def create_multipart_upload(
    call: Call,
    bucket: str,
    key: str,
    acl: str | None = None,
    cache_control: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_type: str | None = None,
    expires: Any = None,
    metadata: dict[str, str] | None = None,
    server_side_encryption: str | None = None,
    ssekms_key_id: str | None = None,
    bucket_key_enabled: bool | None = None,
    storage_class: str | None = None,
    website_redirect_location: str | None = None,
    tagging: str | None = None,
    checksum_algorithm: str | None = None,
    checksum_type: str | None = None,
) -> dict[str, Any]:
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
    algorithm = checksums.known(checksum_algorithm)
    kind = _kind(algorithm, checksum_type)
    upload_id = base64.b64encode(call.world.random.randbytes(96), b"._").decode()
    call.tx.run(
        "INSERT INTO s3_upload (id, bucket, name, started_at, about, tags, acl, algorithm, kind)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        upload_id, found.key, key, call.now, json.dumps(about), json.dumps(objects.tags_of(tagging)),
        acls.canned(acl), algorithm or "", kind,
    )  # fmt: skip
    return {
        "Bucket": bucket,
        "Key": key,
        "UploadId": upload_id,
        "ChecksumAlgorithm": algorithm,
        "ChecksumType": kind or None,
        **objects.encrypted(about),
    }


def _kind(algorithm: str | None, asked: str | None) -> str:
    """Whether the object's checksum will be over all of it or over those of its parts.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
    """
    if algorithm is None:
        if asked is not None:
            raise refused(
                "InvalidRequest",
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )
        return ""
    if asked is None:
        return "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    if asked not in ("FULL_OBJECT", "COMPOSITE"):
        raise refused("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    fits = algorithm in checksums.CRCS if asked == "FULL_OBJECT" else algorithm != "CRC64NVME"
    if not fits:
        raise refused(
            "InvalidRequest",
            f"The {asked} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
        )
    return asked


async def _keep_part(
    call: Call,
    bucket: str,
    key: str,
    upload_id: str,
    number: int,
    body: bytes | BodyFile | None,
    told: checksums.Told,
) -> tuple[Row, checksums.Absorbed]:
    """Hash a part, store it, and put it in the place of an earlier one of its number."""
    upload = _find(call, buckets.find(call, bucket), key, upload_id)
    own, asked = upload["algorithm"], next(iter(told.values), None) or told.algorithm
    if own and asked is not None and asked != own:
        raise refused(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {own.lower()}, actual checksum Type:"
            f" {asked.lower()}",
        )
    content = b"" if body is None else body
    algorithm = own or checksums.DEFAULT
    taken = await call.world.offload(checksums.absorb, content, told, algorithm, (algorithm,))
    blob = await call.blobs.take(taken.body)
    with call.write() as c:
        upload = _find(c, buckets.find(c, bucket), key, upload_id)
        c.blobs.refer(c.tx, blob)
        there = c.tx.one("SELECT blob FROM s3_part WHERE upload = ? AND number = ?", upload_id, number)
        if there is not None:
            c.blobs.drop(c.tx, there["blob"])
        c.tx.run(
            "INSERT OR REPLACE INTO s3_part (upload, number, size, etag, modified_at, checksums, blob)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            upload_id, number, taken.size, taken.md5.hex(), c.now, checksums.text(taken.checksums[algorithm]), blob,
        )  # fmt: skip
    return upload, taken


@operation
async def upload_part(
    call: Call,
    bucket: str,
    key: str,
    part_number: int,
    upload_id: str,
    body: bytes | BodyFile | None = None,
    content_length: int | None = None,
    content_md5: str | None = None,
    checksum_algorithm: str | None = None,
    checksum_crc32: str | None = None,
    checksum_crc32_c: str | None = None,
    checksum_crc64_nvme: str | None = None,
    checksum_sha1: str | None = None,
    checksum_sha256: str | None = None,
) -> dict[str, Any]:
    """`content_length` is the connection's business: the body is whole when it comes here."""
    _check_number(part_number)
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
    upload, taken = await _keep_part(call, bucket, key, upload_id, part_number, body, told)
    answer = {"ETag": f'"{taken.md5.hex()}"', **objects.encrypted(json.loads(upload["about"]))}
    if upload["algorithm"] or told.values or told.algorithm:
        answer[checksums.MEMBERS[taken.algorithm]] = taken.value
    return answer


@operation
async def upload_part_copy(
    call: Call,
    bucket: str,
    copy_source: str,
    key: str,
    part_number: int,
    upload_id: str,
    copy_source_range: str | None = None,
    copy_source_if_match: str | None = None,
    copy_source_if_modified_since: Any = None,
    copy_source_if_none_match: str | None = None,
    copy_source_if_unmodified_since: Any = None,
) -> dict[str, Any]:
    _check_number(part_number)
    from_bucket, version = writing.source(call, copy_source)
    conditions.reading(
        version, call.now, copy_source_if_match, copy_source_if_none_match, copy_source_if_modified_since,
        copy_source_if_unmodified_since, prefix="x-amz-copy-source-", copying=True,
    )  # fmt: skip
    start, end = 0, version.size
    if copy_source_range is not None:
        match = _COPY_RANGE.fullmatch(copy_source_range)
        if match is None or int(match[1]) > int(match[2]):
            raise invalid_argument(
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the"
                " zero-based offsets of the first and last bytes to copy",
                "x-amz-copy-source-range",
                copy_source_range,
            )
        start, end = int(match[1]), int(match[2]) + 1
        if start >= version.size:
            raise refused("InvalidRequest", "The specified copy range is invalid for the source object size")
        if end > version.size:
            raise invalid_argument(
                f"Range specified is not valid for source object of size: {version.size}",
                "x-amz-copy-source-range",
                copy_source_range,
            )
    content = reading.content(call, version, start, end)
    upload, taken = await _keep_part(call, bucket, key, upload_id, part_number, content, checksums.Told())
    result: dict[str, Any] = {"ETag": f'"{taken.md5.hex()}"', "LastModified": float(int(call.now))}
    if upload["algorithm"]:
        result[checksums.MEMBERS[taken.algorithm]] = taken.value
    return {
        "CopyPartResult": result,
        "CopySourceVersionId": objects.shown_id(from_bucket, version),
        **objects.encrypted(json.loads(upload["about"])),
    }


@operation
def complete_multipart_upload(
    call: Call,
    bucket: str,
    key: str,
    upload_id: str,
    multipart_upload: dict[str, Any] | None = None,
    checksum_crc32: str | None = None,
    checksum_crc32_c: str | None = None,
    checksum_crc64_nvme: str | None = None,
    checksum_sha1: str | None = None,
    checksum_sha256: str | None = None,
    checksum_type: str | None = None,
    mpu_object_size: int | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    upload = _find(call, found, key, upload_id)
    asked = (multipart_upload or {}).get("Parts") or []
    if not asked:
        raise refused("InvalidRequest", "You must specify at least one part")
    given = {
        "CRC32": checksum_crc32,
        "CRC32C": checksum_crc32_c,
        "CRC64NVME": checksum_crc64_nvme,
        "SHA1": checksum_sha1,
        "SHA256": checksum_sha256,
    }
    conditions.writing(objects.latest(call, found, key), key, if_match, if_none_match)
    kind = upload["kind"]
    if checksum_type is not None and checksum_type != kind:
        raise refused(
            "InvalidRequest",
            f"The upload was created using the {kind or 'null'} checksum mode. The complete request must use the same"
            " checksum mode.",
        )
    parts = _chosen(call, upload, asked)
    size = sum(part["size"] for part in parts)
    if mpu_object_size is not None and mpu_object_size != size:
        raise refused(
            "InvalidRequest",
            f"The provided 'x-amz-mp-object-size' header value {mpu_object_size} does not match what was computed:"
            f" {size}",
        )
    algorithm = upload["algorithm"] or checksums.DEFAULT
    digests = [base64.b64decode(part["checksums"]) for part in parts]
    if kind == "COMPOSITE":
        value = checksums.composite(algorithm, digests)
    else:
        sizes = [part["size"] for part in parts]
        value = checksums.text(checksums.joined(algorithm, list(zip(digests, sizes, strict=True))))
    said = given[algorithm]
    if said is not None and said.partition("-")[0] != value.partition("-")[0]:
        raise refused("BadDigest", f"The {algorithm.lower()} you specified did not match the calculated checksum.")
    whole = hashlib.md5(b"".join(bytes.fromhex(part["etag"]) for part in parts), usedforsecurity=False)
    about = json.loads(upload["about"])
    new = objects.put(
        call,
        found,
        objects.Version(
            name=key,
            size=size,
            etag=f"{whole.hexdigest()}-{len(parts)}",
            about=about,
            checksum={"algorithm": algorithm, "value": value, "type": kind or "FULL_OBJECT"},
            body=objects.Body(None, tuple((part["blob"], part["size"]) for part in parts)),
            tags=json.loads(upload["tags"]),
            acl=upload["acl"],
            parts=tuple((p["size"], {algorithm: p["checksums"]} if upload["algorithm"] else {}) for p in parts),
        ),
    )
    buckets.forget_upload(call, upload_id)
    notifications.tell(call, found, "ObjectCreated:CompleteMultipartUpload", new)
    return {
        "Location": f"{call.caller.scheme}://{call.caller.host}/{bucket}/{quote(key, safe='')}",
        "Bucket": bucket,
        "Key": key,
        "ETag": new.quoted,
        "VersionId": new.version or None,
        **reading.checksum_of(new),
        **objects.encrypted(about),
    }


def _chosen(call: Call, upload: Row, asked: list[dict[str, Any]]) -> list[Row]:
    """The parts that make the object. Raises InvalidPart, InvalidPartOrder, EntityTooSmall, InvalidRequest."""
    there = {row["number"]: row for row in call.tx.all("SELECT * FROM s3_part WHERE upload = ?", upload["id"])}
    parts, before = [], 0
    algorithm = upload["algorithm"]
    for each in asked:
        number, etag = each.get("PartNumber"), (each.get("ETag") or "").strip('"')
        if number is None:
            raise refused("MalformedXML")
        _check_number(number)
        if number <= before:
            raise refused("InvalidPartOrder", UploadId=upload["id"])
        before = number
        part = there.get(number)
        said = {name: each[member] for name, member in checksums.MEMBERS.items() if each.get(member)}
        if upload["kind"] == "COMPOSITE" and algorithm not in said:
            raise refused(
                "InvalidRequest",
                f"The upload was created using a {algorithm.lower()} checksum. The complete request must include the"
                f" checksum for each part. It was missing for part {number} in the request.",
            )
        wrong = part is not None and algorithm in said and said[algorithm] != part["checksums"]
        if part is None or part["etag"] != etag or wrong:
            raise refused("InvalidPart", PartNumber=number, ETag=etag, UploadId=upload["id"])
        parts.append(part)
    for part in parts[:-1]:
        if part["size"] < PART_LEAST_BYTES:
            raise refused(
                "EntityTooSmall",
                ETag=part["etag"],
                MinSizeAllowed=PART_LEAST_BYTES,
                PartNumber=part["number"],
                ProposedSize=part["size"],
            )
    return parts


@operation
def abort_multipart_upload(call: Call, bucket: str, key: str, upload_id: str) -> dict[str, Any]:
    _find(call, buckets.find(call, bucket), key, upload_id)
    buckets.forget_upload(call, upload_id)
    return {}


def _people(bucket: Bucket) -> dict[str, Any]:
    owner = buckets.owner(bucket.account)
    return {"Initiator": {**owner, "DisplayName": "root"}, "Owner": owner}


@operation
def list_parts(
    call: Call,
    bucket: str,
    key: str,
    upload_id: str,
    max_parts: int | None = None,
    part_number_marker: int | None = None,
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    upload = _find(call, found, key, upload_id)
    limit, marker = listing.limit_of(max_parts, "max-parts"), part_number_marker or 0
    rows = call.tx.all(
        "SELECT * FROM s3_part WHERE upload = ? AND number > ? ORDER BY number LIMIT ?", upload_id, marker, limit + 1
    )
    page = rows[:limit]
    member = checksums.MEMBERS.get(upload["algorithm"])
    return {
        "Bucket": bucket,
        "Key": key,
        "UploadId": upload_id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1]["number"] if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(rows) > limit,
        "Parts": [
            {
                "PartNumber": row["number"],
                "LastModified": float(int(row["modified_at"])),
                "ETag": f'"{row["etag"]}"',
                "Size": row["size"],
                **({member: row["checksums"]} if member else {}),
            }
            for row in page
        ],
        **_people(found),
        "StorageClass": json.loads(upload["about"]).get("StorageClass", "STANDARD"),
        "ChecksumAlgorithm": upload["algorithm"] or None,
        "ChecksumType": upload["kind"] or None,
    }


@operation
def list_multipart_uploads(
    call: Call,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_uploads: int | None = None,
    prefix: str | None = None,
    upload_id_marker: str | None = None,
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    spell, limit = listing.spelled(encoding_type), listing.limit_of(max_uploads, "max-uploads")
    rows = call.tx.all(
        "SELECT * FROM s3_upload WHERE bucket = ? AND name >= ? ORDER BY name, started_at, id",
        found.key,
        key_marker or "",
    )
    entries = list(_after(rows, key_marker, upload_id_marker))
    page: list[tuple[str, Row | None]] = []
    more = False
    for row in entries:
        if not row["name"].startswith(prefix or ""):
            continue
        common = listing.folded(row["name"], prefix or "", delimiter)
        if common is not None and (common <= (key_marker or "") or (page and page[-1][0] == common)):
            continue
        if len(page) >= limit:
            more = True
            break
        page.append((row["name"], row) if common is None else (common, None))
    last = page[-1][1] if page else None
    return {
        "Bucket": bucket,
        "KeyMarker": spell(key_marker or ""),
        "UploadIdMarker": (upload_id_marker or "") if key_marker else "",
        "NextKeyMarker": spell(last["name"]) if last else "",
        "NextUploadIdMarker": last["id"] if last else "",
        "Delimiter": spell(delimiter) if delimiter else None,
        "Prefix": spell(prefix) if prefix else None,
        "EncodingType": encoding_type,
        "MaxUploads": limit,
        "IsTruncated": more,
        "Uploads": [
            {
                "UploadId": row["id"],
                "Key": spell(name),
                "Initiated": float(int(row["started_at"])),
                "StorageClass": json.loads(row["about"]).get("StorageClass", "STANDARD"),
                **_people(found),
                "ChecksumAlgorithm": row["algorithm"] or None,
                "ChecksumType": row["kind"] or None,
            }
            for name, row in page
            if row is not None
        ],
        "CommonPrefixes": [{"Prefix": spell(name)} for name, row in page if row is None],
    }


def _after(rows: list[Row], key: str | None, upload_id: str | None) -> list[Row]:
    """What comes behind the markers; an upload id counts only with a key."""
    if not key:
        return rows
    if not upload_id:
        return [row for row in rows if row["name"] > key]
    for at, row in enumerate(rows):
        if row["name"] == key and row["id"] == upload_id:
            return rows[at + 1 :]
    raise invalid_argument("Invalid uploadId marker", "upload-id-marker", upload_id)
