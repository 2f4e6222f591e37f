"""Buckets: made, found, listed, deleted."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from .errors import invalid_argument, refused

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAME = re.compile(r"(?!.*\.\.)(?!xn--)(?!\d+\.\d+\.\d+\.\d+\Z)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
OWNERSHIPS = ("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")
_TABLES = ("s3_bucket",)


@dataclass(frozen=True)
class Bucket:
    key: int
    name: str
    account: str
    region: str
    created_at: float
    versioning: str
    """Empty until it was first set, then `Enabled` or `Suspended`."""
    settings: Mapping[str, Any]

    @cached_property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.name}"


def owner(account: str) -> dict[str, str]:
    """An account's canonical user."""
    return {"ID": hashlib.sha256(f"canonical user of {account}".encode()).hexdigest()}


def _of(row: Row | None) -> Bucket | None:
    if row is None:
        return None
    key, name, account, region, created_at, versioning, settings = row
    return Bucket(key, name, account, region, created_at, versioning, json.loads(settings))


def look(call: Call, name: str) -> Bucket | None:
    return call.tx.known(_TABLES, name, lambda: _of(call.tx.one("SELECT * FROM s3_bucket WHERE name = ?", name)))


def find(call: Call, name: str, expected_owner: str | None = None) -> Bucket:
    """Raises NoSuchBucket; AccessDenied when its owner is not the expected account."""
    if expected_owner is not None and not re.fullmatch(r"\d{12}", expected_owner):
        raise refused("InvalidBucketOwnerAWSAccountID", place=expected_owner)
    found = look(call, name)
    if found is None:
        raise refused("NoSuchBucket", BucketName=name)
    if expected_owner not in (None, found.account):
        raise refused("AccessDenied")
    return found


def setting(call: Call, bucket: Bucket, name: str, value: Any) -> None:
    """Keep (or with None forget) one of a bucket's settings."""
    settings = {**bucket.settings, name: value}
    if value is None:
        del settings[name]
    call.tx.run("UPDATE s3_bucket SET settings = ? WHERE key = ?", json.dumps(settings), bucket.key)


RESERVED = "Your TagKey cannot be prefixed with aws:"
"""What an object's tag is told; a bucket's has another sentence (recorded)."""


def check_tags(tags: list[dict[str, str]], reserved: str = "System tags cannot be added/updated by requester") -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html"""
    keys: set[str] = set()
    for tag in tags:
        key, value = tag.get("Key"), tag.get("Value")
        if key is None or value is None:
            raise refused("MalformedXML")
        if key in keys:
            raise refused("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=key)
        if key.startswith("aws:"):
            raise refused("InvalidTag", reserved, TagKey=key)
        if not 0 < len(key) <= 128 or not _TAG.fullmatch(key):
            raise refused("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if len(value) > 256 or not _TAG.fullmatch(value):
            raise refused("InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        keys.add(key)


_TAG = re.compile(r"[\w\s.:/=+@-]*")


@operation
def create_bucket(
    call: Call,
    bucket: str,
    acl: str | None = None,
    create_bucket_configuration: dict[str, Any] | None = None,
    object_ownership: str | None = None,
) -> dict[str, Any]:
    if not _NAME.fullmatch(bucket):
        raise refused("InvalidBucketName", BucketName=bucket)
    configuration = create_bucket_configuration or {}
    place, region = configuration.get("LocationConstraint"), call.region
    if place is None and region != "us-east-1":
        raise refused("IllegalLocationConstraintException", place="unspecified")
    if place == "EU" and region in ("us-east-1", "eu-west-1"):
        region = "eu-west-1"
    elif place is not None:
        if region != "us-east-1" and place != region:
            raise refused("IllegalLocationConstraintException", place=place)
        if place == "us-east-1" or not _REGION.fullmatch(place):
            raise refused("InvalidLocationConstraint", LocationConstraint=place)
        region = place
    if object_ownership is not None and object_ownership not in OWNERSHIPS:
        raise invalid_argument(f"Invalid x-amz-object-ownership header: {object_ownership}", "x-amz-object-ownership")
    tags = configuration.get("Tags") or []
    for tag in tags:
        if str(tag.get("Key") or "").startswith("aws:"):
            raise refused(
                "InvalidTag",
                'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove'
                ' "aws:" from your tag keys and try again.',
            )
    check_tags(tags)
    there = look(call, bucket)
    if there is not None:
        if there.account != call.account:
            raise refused("BucketAlreadyExists", BucketName=bucket)
        # AWS: in us-east-1 alone, making what one has already is no error.
        if call.region != "us-east-1" or there.region != "us-east-1":
            raise refused("BucketAlreadyOwnedByYou", BucketName=bucket)
        return {"Location": f"/{bucket}", "BucketArn": there.arn}
    settings: dict[str, Any] = {"ownership": object_ownership or "BucketOwnerEnforced"}
    if place == "EU":
        settings["location"] = place
    if tags:
        settings["tags"] = tags
    if acl is not None:
        settings["acl"] = acl
    call.tx.run(
        "INSERT INTO s3_bucket (name, account, region, created_at, settings) VALUES (?, ?, ?, ?, ?)",
        bucket, call.account, region, call.now, json.dumps(settings),
    )  # fmt: skip
    location = f"/{bucket}" if region == "us-east-1" else f"{call.caller.scheme}://{bucket}.s3.{call.caller.host}/"
    return {"Location": location, "BucketArn": f"arn:aws:s3:::{bucket}"}


@operation
def delete_bucket(call: Call, bucket: str) -> None:
    found = find(call, bucket)
    if call.tx.one("SELECT 1 FROM s3_object WHERE bucket = ?", found.key):
        text = "The bucket you tried to delete is not empty"
        if found.versioning:
            text += ". You must delete all versions in the bucket."
        raise refused("BucketNotEmpty", text, BucketName=bucket)
    for upload in call.tx.all("SELECT id FROM s3_upload WHERE bucket = ?", found.key):
        forget_upload(call, upload["id"])
    call.tx.run("DELETE FROM s3_sequence WHERE bucket = ?", found.key)
    call.tx.run("DELETE FROM s3_bucket WHERE key = ?", found.key)


def forget_upload(call: Call, upload: str) -> None:
    """An upload with its parts, and what they hold."""
    for part in call.tx.all("SELECT blob FROM s3_part WHERE upload = ?", upload):
        call.blobs.drop(call.tx, part["blob"])
    call.tx.run("DELETE FROM s3_part WHERE upload = ?", upload)
    call.tx.run("DELETE FROM s3_upload WHERE id = ?", upload)


@operation
def head_bucket(call: Call, bucket: str) -> dict[str, Any]:
    found = find(call, bucket)
    return {"BucketRegion": found.region, "AccessPointAlias": False, "BucketArn": found.arn}


@operation
def get_bucket_location(call: Call, bucket: str) -> dict[str, Any]:
    found = find(call, bucket)
    told = found.settings.get("location", found.region)
    return {"LocationConstraint": None if told == "us-east-1" else told}


@operation
def list_buckets(
    call: Call,
    max_buckets: int | None = None,
    continuation_token: str | None = None,
    prefix: str | None = None,
    bucket_region: str | None = None,
) -> dict[str, Any]:
    if bucket_region is not None and not _REGION.fullmatch(bucket_region):
        raise invalid_argument(f"Argument value {bucket_region} is not a valid AWS Region", "bucket-region")
    try:
        after = base64.b64decode((continuation_token or "").encode(), validate=True).decode()
    except ValueError:
        raise invalid_argument("The continuation token provided is incorrect", "continuation-token") from None
    rows = call.tx.all("SELECT * FROM s3_bucket WHERE account = ? AND name > ? ORDER BY name", call.account, after)
    found = [
        bucket
        for row in rows
        if (bucket := _of(row)) is not None
        and bucket.name.startswith(prefix or "")
        and bucket_region in (None, bucket.region)
    ]
    page = found if max_buckets is None else found[: max(1, max_buckets)]
    named = any(asked is not None for asked in (max_buckets, bucket_region, continuation_token, prefix))
    return {
        "Buckets": [
            {
                "Name": b.name,
                "CreationDate": float(int(b.created_at)),
                "BucketArn": b.arn,
                "BucketRegion": b.region if named else None,
            }
            for b in page
        ],
        "Owner": owner(call.account),
        "Prefix": prefix,
        "ContinuationToken": base64.b64encode(page[-1].name.encode()).decode() if len(page) < len(found) else None,
    }
