"""Objects: put, read, versioned, copied, deleted, listed.

Texts and members are those recorded from AWS (tests/aws/services/s3 of LocalStack's suite).
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stratolite.testing import TestCloud


@pytest.fixture
def s3(cloud: TestCloud) -> Any:
    client = cloud.client("s3")
    client.create_bucket(Bucket="store")
    return client


def refusal(act: Any, **asked: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        act(**asked)
    error: dict[str, Any] = caught.value.response["Error"]
    return error | {"Status": caught.value.response["ResponseMetadata"]["HTTPStatusCode"]}


def test_an_object_comes_back_as_it_was_put(s3: Any) -> None:
    put = s3.put_object(Bucket="store", Key="a", Body=b"hello", Metadata={"Kind": "x"}, CacheControl="no-cache")
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    assert put["ChecksumCRC32"] == b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
    assert (put["ChecksumType"], put["ServerSideEncryption"]) == ("FULL_OBJECT", "AES256")
    got = s3.get_object(Bucket="store", Key="a")
    assert got["Body"].read() == b"hello"
    assert (got["ContentType"], got["CacheControl"], got["Metadata"]) == (
        "binary/octet-stream", "no-cache", {"kind": "x"},
    )  # fmt: skip


@pytest.mark.parametrize("size", [0, 4096, 4097, 100_000, 1_500_000])
def test_a_body_of_any_size_is_kept(s3: Any, size: int) -> None:
    body = bytes(i * 7 & 0xFF for i in range(size))
    s3.put_object(Bucket="store", Key="a", Body=body)
    assert s3.get_object(Bucket="store", Key="a")["Body"].read() == body


@pytest.mark.parametrize(
    ("asked", "content", "range_"),
    [
        ("bytes=1-2", b"12", "1-2"),
        ("bytes=7-", b"789", "7-9"),
        ("bytes=-3", b"789", "7-9"),
        ("bytes=8-99", b"89", "8-9"),
    ],
)
def test_a_range_is_part_of_an_object(s3: Any, asked: str, content: bytes, range_: str) -> None:
    s3.put_object(Bucket="store", Key="a", Body=b"0123456789")
    got = s3.get_object(Bucket="store", Key="a", Range=asked)
    assert got["Body"].read() == content
    assert got["ContentRange"] == f"bytes {range_}/10"
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206


def test_a_range_behind_the_end_is_refused(s3: Any) -> None:
    s3.put_object(Bucket="store", Key="a", Body=b"my stuff")
    error = refusal(s3.get_object, Bucket="store", Key="a", Range="bytes=1024-4096")
    assert error == {
        "Code": "InvalidRange",
        "Message": "The requested range is not satisfiable",
        "ActualObjectSize": "8",
        "RangeRequested": "bytes=1024-4096",
        "Status": 416,
    }


def test_what_is_not_there_is_named(s3: Any) -> None:
    assert refusal(s3.get_object, Bucket="store", Key="b") == {
        "Code": "NoSuchKey", "Message": "The specified key does not exist.", "Key": "b", "Status": 404,
    }  # fmt: skip
    assert refusal(s3.get_object, Bucket="nowhere", Key="b") == {
        "Code": "NoSuchBucket", "Message": "The specified bucket does not exist", "BucketName": "nowhere",
        "Status": 404,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "status"),
    [({"IfMatch": '"x"'}, 412), ({"IfNoneMatch": '"5d41402abc4b2a76b9719d911017c592"'}, 304)],
)
def test_a_condition_that_fails_keeps_the_object_back(s3: Any, condition: dict[str, str], status: int) -> None:
    s3.put_object(Bucket="store", Key="a", Body=b"hello")
    assert refusal(s3.get_object, Bucket="store", Key="a", **condition)["Status"] == status


def test_a_conditional_write_does_not_overwrite(s3: Any) -> None:
    s3.put_object(Bucket="store", Key="a", Body=b"1", IfNoneMatch="*")
    error = refusal(s3.put_object, Bucket="store", Key="a", Body=b"2", IfNoneMatch="*")
    assert (error["Code"], error["Condition"]) == ("PreconditionFailed", "If-None-Match")
    assert s3.get_object(Bucket="store", Key="a")["Body"].read() == b"1"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_a_wrong_checksum_is_refused(s3: Any, algorithm: str) -> None:
    size = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}[algorithm]
    wrong = b64encode(bytes(size)).decode()
    error = refusal(s3.put_object, Bucket="store", Key="a", Body=b"hello", **{f"Checksum{algorithm}": wrong})
    assert (error["Code"], error["Message"]) == (
        "BadDigest", f"The {algorithm} you specified did not match the calculated checksum.",
    )  # fmt: skip


def test_a_delete_hides_a_versioned_object_and_its_marker_undoes(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="store", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="store", Key="a", Body=b"1")["VersionId"]
    second = s3.put_object(Bucket="store", Key="a", Body=b"2")["VersionId"]
    marker = s3.delete_object(Bucket="store", Key="a")
    assert marker["DeleteMarker"] is True
    assert refusal(s3.get_object, Bucket="store", Key="a")["Code"] == "NoSuchKey"
    listed = s3.list_object_versions(Bucket="store")
    assert [v["VersionId"] for v in listed["Versions"]] == [second, first]
    assert [m["IsLatest"] for m in listed["DeleteMarkers"]] == [True]
    s3.delete_object(Bucket="store", Key="a", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket="store", Key="a")["Body"].read() == b"2"
    assert s3.get_object(Bucket="store", Key="a", VersionId=first)["Body"].read() == b"1"


def test_a_bucket_with_objects_stays(s3: Any) -> None:
    s3.put_object(Bucket="store", Key="a", Body=b"1")
    assert refusal(s3.delete_bucket, Bucket="store")["Code"] == "BucketNotEmpty"
    s3.delete_objects(Bucket="store", Delete={"Objects": [{"Key": "a"}]})
    s3.delete_bucket(Bucket="store")


def test_keys_are_folded_at_the_delimiter_page_by_page(s3: Any) -> None:
    for key in ("a/1", "a/2", "b", "c/1", "d"):
        s3.put_object(Bucket="store", Key=key, Body=b"")
    found, token = [], {}
    while True:
        page = s3.list_objects_v2(Bucket="store", Delimiter="/", MaxKeys=1, **token)
        found += [c["Key"] for c in page.get("Contents", ())] + [p["Prefix"] for p in page.get("CommonPrefixes", ())]
        if not page["IsTruncated"]:
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    assert found == ["a/", "b", "c/", "d"]


def test_a_copy_keeps_or_replaces_the_metadata(s3: Any) -> None:
    s3.put_object(Bucket="store", Key="a", Body=b"x" * 10_000, Metadata={"k": "1"}, Tagging="t=1")
    s3.copy_object(Bucket="store", Key="b", CopySource="store/a")
    s3.copy_object(Bucket="store", Key="c", CopySource="store/a", Metadata={"k": "2"}, MetadataDirective="REPLACE")
    s3.delete_object(Bucket="store", Key="a")
    assert s3.head_object(Bucket="store", Key="b")["Metadata"] == {"k": "1"}
    assert s3.get_object_tagging(Bucket="store", Key="b")["TagSet"] == [{"Key": "t", "Value": "1"}]
    assert s3.head_object(Bucket="store", Key="c")["Metadata"] == {"k": "2"}
    assert s3.get_object(Bucket="store", Key="c")["Body"].read() == b"x" * 10_000


def test_blobs_go_with_the_last_object_that_holds_them(cloud: TestCloud, s3: Any) -> None:
    s3.put_object(Bucket="store", Key="a", Body=b"x" * 10_000)
    s3.copy_object(Bucket="store", Key="b", CopySource="store/a")
    path = cloud.cloud.blobs.path(hashlib.sha256(b"x" * 10_000).hexdigest())
    s3.delete_object(Bucket="store", Key="a")
    assert path.exists()
    s3.put_object(Bucket="store", Key="b", Body=b"")
    assert not path.exists()
