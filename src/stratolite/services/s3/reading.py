"""Reading: objects and what is said of them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from stratolite.kernel import Call, operation

from . import buckets, checksums, conditions, objects
from .errors import invalid_argument, refused

STREAMED_BYTES = 1024 * 1024
"""A longer body leaves piece by piece."""
PIECE_BYTES = 256 * 1024

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def span(text: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one behind the last of a Range header; None for the whole. Raises InvalidRange.

    What is no range of bytes is as if it were not there (RFC 9110 section 14.2).
    """
    found = _RANGE.fullmatch(text.strip()) if text else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
        satisfiable = int(found[2]) > 0 and size > 0
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
        satisfiable = start < size
    if not satisfiable:
        raise refused("InvalidRange", ActualObjectSize=size, RangeRequested=text)
    return start, end


def _part(version: objects.Version, number: int) -> tuple[int, int]:
    """The bytes of a part; an object that was put whole is its own first part. Raises InvalidPartNumber."""
    sizes = [size for size, _ in version.parts] or [version.size]
    if not 1 <= number <= len(sizes):
        raise refused("InvalidPartNumber", ActualPartCount=len(sizes), PartNumberRequested=number)
    return sum(sizes[: number - 1]), sum(sizes[:number])


class _Stream:
    """Bytes of an object's blobs. The files are open from the start: deleted meanwhile, they are still read."""

    def __init__(self, call: Call, blobs: tuple[tuple[str, int], ...], start: int, end: int) -> None:
        self._files = []
        at = 0
        for name, size in blobs:
            first, last = max(start, at), min(end, at + size)
            if first < last:
                file = _path(call, name).open("rb")
                file.seek(first - at)
                self._files.append((file, last - first))
            at += size

    async def pieces(self) -> AsyncIterator[bytes]:
        for file, left in self._files:
            with file:
                while left > 0 and (piece := file.read(min(PIECE_BYTES, left))):
                    left -= len(piece)
                    yield piece

    def whole(self) -> bytes:
        content = []
        for file, left in self._files:
            with file:
                content.append(file.read(left))
        return b"".join(content)


def _path(call: Call, name: str) -> Path:
    return call.blobs.path(name)


def content(call: Call, version: objects.Version, start: int = 0, end: int | None = None) -> bytes:
    """An object's bytes, in memory."""
    end = version.size if end is None else end
    if version.body.inline is not None:
        return version.body.inline[start:end]
    return _Stream(call, version.body.blobs, start, end).whole()


def _sent(call: Call, version: objects.Version, start: int, end: int) -> bytes | AsyncIterator[bytes]:
    if version.body.inline is not None or end - start <= STREAMED_BYTES:
        return content(call, version, start, end)
    return _Stream(call, version.body.blobs, start, end).pieces()


def check_thawed(version: objects.Version) -> None:
    """Raises InvalidObjectState: what lies in an archive cannot be read."""
    if version.about.get("StorageClass") in ("GLACIER", "DEEP_ARCHIVE"):
        raise refused("InvalidObjectState", StorageClass=version.about["StorageClass"])


def _told(
    bucket: buckets.Bucket,
    version: objects.Version,
    range_: str | None,
    part_number: int | None,
    checksum_mode: str | None,
) -> tuple[dict[str, Any], int, int]:
    """What the headers say, and the bytes asked for."""
    about = dict(version.about)
    told: dict[str, Any] = {
        **about,
        "AcceptRanges": "bytes",
        "LastModified": float(int(version.modified_at)),
        "ETag": version.quoted,
        "VersionId": objects.shown_id(bucket, version),
        "TagCount": len(version.tags) or None,
    }
    if part_number is not None:
        if range_ is not None:
            raise refused("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        start, end = _part(version, part_number)
        if version.parts:
            told["PartsCount"] = len(version.parts)
        bounds: tuple[int, int] | None = (start, end)
        if version.size == 0:
            bounds = None
    else:
        bounds = span(range_, version.size)
    start, end = bounds or (0, version.size)
    told["ContentLength"] = end - start
    if bounds is not None:
        told["ContentRange"] = f"bytes {start}-{end - 1}/{version.size}"
    if (checksum_mode or "").upper() == "ENABLED" and version.checksum:
        if part_number is not None and version.parts:
            sums = version.parts[part_number - 1][1]
            if sums:
                told |= {checksums.MEMBERS[name]: value for name, value in sums.items()}
                told["ChecksumType"] = version.checksum["type"]
        elif bounds is None or end - start == version.size:
            told |= checksum_of(version)
    return told, start, end


def checksum_of(version: objects.Version) -> dict[str, Any]:
    """The members that tell an object's checksum."""
    if not version.checksum:
        return {}
    known = version.checksum
    return {checksums.MEMBERS[known["algorithm"]]: known["value"], "ChecksumType": known["type"]}


@operation
async def get_object(
    call: Call,
    bucket: str,
    key: str,
    version_id: str | None = None,
    if_match: str | None = None,
    if_modified_since: Any = None,
    if_none_match: str | None = None,
    if_unmodified_since: Any = None,
    range_: str | None = None,
    part_number: int | None = None,
    checksum_mode: str | None = None,
    response_cache_control: str | None = None,
    response_content_disposition: str | None = None,
    response_content_encoding: str | None = None,
    response_content_language: str | None = None,
    response_content_type: str | None = None,
    response_expires: Any = None,
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    version = objects.find(call, found, key, version_id)
    conditions.reading(version, call.now, if_match, if_none_match, if_modified_since, if_unmodified_since)
    check_thawed(version)
    told, start, end = _told(found, version, range_, part_number, checksum_mode)
    overrides = {
        "CacheControl": response_cache_control,
        "ContentDisposition": response_content_disposition,
        "ContentEncoding": response_content_encoding,
        "ContentLanguage": response_content_language,
        "ContentType": response_content_type,
        "Expires": response_expires,
    }
    told |= {name: value for name, value in overrides.items() if value is not None}
    return {**told, "Body": _sent(call, version, start, end)}


@operation
def head_object(
    call: Call,
    bucket: str,
    key: str,
    version_id: str | None = None,
    if_match: str | None = None,
    if_modified_since: Any = None,
    if_none_match: str | None = None,
    if_unmodified_since: Any = None,
    range_: str | None = None,
    part_number: int | None = None,
    checksum_mode: str | None = None,
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    version = objects.find(call, found, key, version_id, "HEAD")
    conditions.reading(version, call.now, if_match, if_none_match, if_modified_since, if_unmodified_since)
    return _told(found, version, range_, part_number, checksum_mode)[0]


@operation
def get_object_attributes(
    call: Call,
    bucket: str,
    key: str,
    object_attributes: list[str],
    version_id: str | None = None,
    max_parts: int | None = None,
    part_number_marker: int | None = None,
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    version = objects.find(call, found, key, version_id)
    known = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}
    asked = {one.strip() for each in object_attributes for one in each.split(",")}
    if not asked <= known:
        raise invalid_argument("Invalid attribute name specified.", "x-amz-object-attributes")
    answer: dict[str, Any] = {
        "LastModified": float(int(version.modified_at)),
        "VersionId": objects.shown_id(found, version),
    }
    if "ETag" in asked:
        answer["ETag"] = version.etag
    if "Checksum" in asked and version.checksum:
        sums = checksum_of(version)
        member = checksums.MEMBERS[version.checksum["algorithm"]]
        answer["Checksum"] = {**sums, member: sums[member].partition("-")[0]}
    if "ObjectParts" in asked and version.parts:
        answer["ObjectParts"] = _parts(version, 1000 if max_parts is None else max_parts, part_number_marker or 0)
    if "StorageClass" in asked:
        answer["StorageClass"] = version.about.get("StorageClass", "STANDARD")
    if "ObjectSize" in asked:
        answer["ObjectSize"] = version.size
    return answer


def _parts(version: objects.Version, limit: int, marker: int) -> dict[str, Any]:
    """Parts are told one by one only where each has a checksum of its own."""
    told: dict[str, Any] = {"TotalPartsCount": len(version.parts)}
    if version.checksum.get("type") != "COMPOSITE":
        return told
    numbered = [(n, *part) for n, part in enumerate(version.parts, 1) if n > marker]
    page = numbered[:limit]
    return told | {
        "Parts": [
            {"PartNumber": n, "Size": size, **{checksums.MEMBERS[a]: value for a, value in sums.items()}}
            for n, size, sums in page
        ],
        "MaxParts": limit,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1][0] if page else 0,
        "IsTruncated": len(page) < len(numbered),
    }
