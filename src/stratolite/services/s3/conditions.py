"""Conditions: If-Match and its kin, for reading, writing and copying (RFC 9110 section 13)."""

from __future__ import annotations

import datetime
from typing import Any

from . import objects
from .errors import refused


def _matches(condition: str, etag: str) -> bool:
    return any(one.strip().strip('"') in (etag, "*") for one in condition.split(","))


def _seconds(instant: Any) -> float:
    return instant.timestamp() if isinstance(instant, datetime.datetime) else float(instant)


def reading(
    version: objects.Version,
    now: float,
    match: str | None,
    none_match: str | None,
    modified_since: Any,
    unmodified_since: Any,
    *,
    prefix: str = "",
    copying: bool = False,
) -> None:
    """Judge a read. Raises PreconditionFailed, NotModified.

    If-Match that holds makes If-Unmodified-Since irrelevant, If-None-Match makes If-Modified-Since so.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax
    """
    modified = float(int(version.modified_at))
    if match is not None:
        if not _matches(match, version.etag):
            raise refused("PreconditionFailed", Condition=f"{prefix}If-Match")
    elif unmodified_since is not None and modified > _seconds(unmodified_since):
        raise refused("PreconditionFailed", Condition=f"{prefix}If-Unmodified-Since")
    stale = "PreconditionFailed" if copying else "NotModified"
    if none_match is not None:
        if _matches(none_match, version.etag):
            raise refused(stale, Condition=f"{prefix}If-None-Match")
    elif modified_since is not None and modified <= _seconds(modified_since) <= now:
        raise refused(stale, Condition=f"{prefix}If-Modified-Since")


def writing(there: objects.Version | None, key: str, match: str | None, none_match: str | None) -> None:
    """Judge a write by what is there. Raises PreconditionFailed, NoSuchKey, NotImplemented.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    exists = there is not None and not there.is_marker
    if match is not None and none_match is not None:
        raise _not_implemented("If-Match,If-None-Match", "Multiple conditional request headers present in the request")
    if none_match is not None:
        if none_match != "*":
            raise _not_implemented(
                "If-None-Match", "We don't accept the provided value of If-None-Match header for this API"
            )
        if exists:
            raise refused("PreconditionFailed", Condition="If-None-Match")
    if match is not None:
        if match == "*":
            raise _not_implemented("If-Match", "We don't accept the provided value of If-Match header for this API")
        if there is None or there.is_marker:
            raise objects.no_such_key(key)
        if not _matches(match, there.etag):
            raise refused("PreconditionFailed", Condition="If-Match")


def _not_implemented(header: str, message: str) -> Exception:
    return refused("NotImplemented", Header=header, additionalMessage=message)
