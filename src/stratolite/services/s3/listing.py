"""Listing: keys in order, a page at a time, folded at a delimiter."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

from stratolite.kernel import Call, operation

from . import buckets, objects
from .buckets import Bucket
from .errors import invalid_argument

PAGE = 1000
_BATCH = 500
_LAST = "\U0010ffff"
"""Behind every key that begins with what stands before it."""


def spelled(encoding: str | None) -> Callable[[str], str]:
    """How keys are written in an answer. Raises InvalidArgument for an encoding AWS does not have."""
    if encoding is None:
        return str
    if encoding != "url":
        raise invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", encoding)
    return lambda text: quote_plus(text, safe="/*")


def folded(name: str, prefix: str, delimiter: str | None) -> str | None:
    """The common prefix a key goes under, if it does."""
    if not delimiter:
        return None
    at = name.find(delimiter, len(prefix))
    return None if at < 0 else name[: at + len(delimiter)]


def _names(
    call: Call, bucket: Bucket, prefix: str, delimiter: str | None, after: str
) -> Iterator[tuple[str, objects.Version | None]]:
    """(name, object) in order, or (common prefix, None), each once, of the newest versions."""
    if (common := folded(after, prefix, delimiter)) is not None and after.startswith(prefix):
        after = common + _LAST
    sign, at = (">=", prefix) if after < prefix else (">", after)
    while True:
        rows = call.tx.all(
            f"SELECT * FROM s3_object WHERE bucket = ? AND name {sign} ? AND name <= ? AND is_latest = 1"
            " AND is_marker = 0 ORDER BY name LIMIT ?",
            bucket.key, at, prefix + _LAST, _BATCH,
        )  # fmt: skip
        if not rows:
            return
        sign = ">"
        for row in rows:
            at = row["name"]
            if (common := folded(at, prefix, delimiter)) is not None:
                yield common, None
                at = common + _LAST
                break
            yield at, objects.of(row)


def _page(
    call: Call, bucket: Bucket, prefix: str, delimiter: str | None, after: str, limit: int
) -> tuple[list[tuple[str, objects.Version | None]], bool]:
    """So many names, and whether there are more."""
    if limit <= 0:
        return [], False
    found: list[tuple[str, objects.Version | None]] = []
    for each in _names(call, bucket, prefix, delimiter, after):
        if len(found) == limit:
            return found, True
        found.append(each)
    return found, False


def _shown(version: objects.Version, spell: Callable[[str], str], owner: dict[str, str] | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "Key": spell(version.name),
        "LastModified": float(int(version.modified_at)),
        "ETag": version.quoted,
        "Size": version.size,
        "StorageClass": version.about.get("StorageClass", "STANDARD"),
        "Owner": owner,
    }
    if version.checksum:
        told |= {"ChecksumAlgorithm": [version.checksum["algorithm"]], "ChecksumType": version.checksum["type"]}
    return told


def limit_of(text: int | None, name: str) -> int:
    if text is None:
        return PAGE
    if text < 0:
        raise invalid_argument(f"Argument {name} must be an integer between 0 and 2147483647", name, text)
    return min(text, PAGE)


@operation
def list_objects(
    call: Call,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    marker: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    spell, limit = spelled(encoding_type), limit_of(max_keys, "max-keys")
    page, more = _page(call, found, prefix or "", delimiter, marker or "", limit)
    owner = buckets.owner(found.account)
    return {
        "Name": bucket,
        "Prefix": spell(prefix or ""),
        "Marker": spell(marker or ""),
        "MaxKeys": limit,
        "Delimiter": spell(delimiter) if delimiter else None,
        "EncodingType": encoding_type,
        "IsTruncated": more,
        # AWS: told only with a delimiter; without one the last key says the same.
        "NextMarker": spell(page[-1][0]) if more and delimiter else None,
        "Contents": [_shown(version, spell, owner) for _, version in page if version is not None],
        "CommonPrefixes": [{"Prefix": spell(name)} for name, version in page if version is None],
    }


@operation
def list_objects_v2(
    call: Call,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    continuation_token: str | None = None,
    fetch_owner: bool | None = None,
    start_after: str | None = None,
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    spell, limit = spelled(encoding_type), limit_of(max_keys, "max-keys")
    after = start_after or ""
    if continuation_token is not None:
        after = _read_token(continuation_token)
    page, more = _page(call, found, prefix or "", delimiter, after, limit)
    owner = buckets.owner(found.account) if fetch_owner else None
    return {
        "Name": bucket,
        "Prefix": spell(prefix or ""),
        "StartAfter": spell(start_after) if start_after and continuation_token is None else None,
        "MaxKeys": limit,
        "KeyCount": len(page),
        "Delimiter": spell(delimiter) if delimiter else None,
        "EncodingType": encoding_type,
        "IsTruncated": more,
        "ContinuationToken": continuation_token,
        "NextContinuationToken": _token(page[-1][0]) if more else None,
        "Contents": [_shown(version, spell, owner) for _, version in page if version is not None],
        "CommonPrefixes": [{"Prefix": spell(name)} for name, version in page if version is None],
    }


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _read_token(token: str) -> str:
    try:
        if not token:
            raise ValueError
        return base64.b64decode(token.encode(), b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        raise invalid_argument("The continuation token provided is incorrect", "continuation-token") from None


@operation
def list_object_versions(
    call: Call,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = None,
    prefix: str | None = None,
    version_id_marker: str | None = None,
) -> dict[str, Any]:
    found = buckets.find(call, bucket)
    spell, limit = spelled(encoding_type), limit_of(max_keys, "max-keys")
    if version_id_marker is not None and not key_marker:
        raise invalid_argument(
            "A version-id marker cannot be specified without a key marker.", "version-id-marker", version_id_marker
        )
    page: list[tuple[str, objects.Version | None]] = []
    more = False
    for each in _versions(call, found, prefix or "", delimiter, key_marker or "", version_id_marker):
        if len(page) >= limit:
            more = limit > 0
            break
        page.append(each)
    owner = buckets.owner(found.account)
    versions, markers = [], []
    for name, version in page:
        if version is None:
            continue
        told = {"VersionId": version.version or objects.NULL, "IsLatest": version.is_latest}
        if version.is_marker:
            modified = float(int(version.modified_at))
            markers.append({"Key": spell(name), "LastModified": modified, "Owner": owner, **told})
        else:
            versions.append(_shown(version, spell, owner) | told)
    last = page[-1] if more else None
    return {
        "Name": bucket,
        "Prefix": spell(prefix or ""),
        "KeyMarker": spell(key_marker or ""),
        "VersionIdMarker": version_id_marker or "",
        "MaxKeys": limit,
        "Delimiter": spell(delimiter) if delimiter else None,
        "EncodingType": encoding_type,
        "IsTruncated": more,
        "NextKeyMarker": spell(last[0]) if last else None,
        "NextVersionIdMarker": last[1].version or objects.NULL if last and last[1] is not None else None,
        "Versions": versions,
        "DeleteMarkers": markers,
        "CommonPrefixes": [{"Prefix": spell(name)} for name, version in page if version is None],
    }


def _versions(
    call: Call, bucket: Bucket, prefix: str, delimiter: str | None, after: str, after_version: str | None
) -> Iterator[tuple[str, objects.Version | None]]:
    """The same of every version, the newest of a key first."""
    newest: int | None = None
    if after_version is not None:
        version = objects.exact(call, bucket, after, after_version)
        newest = None if version is None else version.id
    elif (common := folded(after, prefix, delimiter)) is not None and after.startswith(prefix):
        after = common + _LAST
    at, below = (prefix, 1 << 62) if after < prefix else (after, newest or 0)
    while True:
        rows = call.tx.all(
            "SELECT * FROM s3_object WHERE bucket = ? AND (name > ? OR name = ? AND id < ?) AND name >= ?"
            " AND name <= ? ORDER BY name, id DESC LIMIT ?",
            bucket.key, at, at, below, max(at, prefix), prefix + _LAST, _BATCH,
        )  # fmt: skip
        if not rows:
            return
        for row in rows:
            at, below = row["name"], row["id"]
            if (common := folded(at, prefix, delimiter)) is not None:
                yield common, None
                at, below = common + _LAST, 0
                break
            yield at, objects.of(row)
