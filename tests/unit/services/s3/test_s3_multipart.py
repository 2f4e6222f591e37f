"""Multipart uploads: ETags of parts, sizes, checksums of two kinds, what is refused."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stratolite.services.s3.crc import CRC32, CRC32C, CRC64NVME
from stratolite.testing import TestCloud

LEAST = 5 * 1024 * 1024


@pytest.fixture
def s3(cloud: TestCloud) -> Any:
    client = cloud.client("s3")
    client.create_bucket(Bucket="store")
    return client


def uploaded(s3: Any, *bodies: bytes, **how: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    start = s3.create_multipart_upload(Bucket="store", Key="m", **how)
    where = {"Bucket": "store", "Key": "m", "UploadId": start["UploadId"]}
    kept = ("ETag", "ChecksumSHA256")
    parts = []
    for number, body in enumerate(bodies, 1):
        asked = {"ChecksumAlgorithm": how["ChecksumAlgorithm"]} if how else {}
        answer = s3.upload_part(**where, PartNumber=number, Body=body, **asked)
        parts.append({"PartNumber": number, **{k: answer[k] for k in kept if k in answer}})
    return where, parts


def test_the_parts_are_one_object_with_an_etag_of_etags(s3: Any) -> None:
    where, parts = uploaded(s3, b"x" * LEAST, b"tail")
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    digests = hashlib.md5(b"x" * LEAST).digest() + hashlib.md5(b"tail").digest()
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    whole = CRC64NVME.update(b"x" * LEAST + b"tail").to_bytes(8, "big")
    assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == (b64encode(whole).decode(), "FULL_OBJECT")
    got = s3.get_object(Bucket="store", Key="m", Range=f"bytes={LEAST - 2}-{LEAST + 1}")
    assert got["Body"].read() == b"xxta"
    part = s3.get_object(Bucket="store", Key="m", PartNumber=2)
    assert (part["Body"].read(), part["PartsCount"]) == (b"tail", 2)


def test_a_composite_checksum_is_over_those_of_the_parts(s3: Any) -> None:
    where, parts = uploaded(s3, b"a" * LEAST, b"b", ChecksumAlgorithm="SHA256")
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    digests = b"".join(b64decode(part["ChecksumSHA256"]) for part in parts)
    assert done["ChecksumSHA256"] == b64encode(hashlib.sha256(digests).digest()).decode() + "-2"
    assert done["ChecksumType"] == "COMPOSITE"


def refused(s3: Any, where: dict[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    return caught.value.response["Error"]  # type: ignore[no-any-return]


def test_a_part_below_the_minimum_that_is_not_the_last_is_refused(s3: Any) -> None:
    where, parts = uploaded(s3, b"tiny", b"tail")
    error = refused(s3, where, parts)
    assert (error["Code"], error["MinSizeAllowed"], error["PartNumber"], error["ProposedSize"]) == (
        "EntityTooSmall", "5242880", "1", "4",
    )  # fmt: skip


def test_parts_out_of_order_or_unknown_are_refused(s3: Any) -> None:
    where, parts = uploaded(s3, b"x" * LEAST, b"tail")
    assert refused(s3, where, parts[::-1])["Code"] == "InvalidPartOrder"
    assert refused(s3, where, [{"PartNumber": 1, "ETag": "wrong"}])["Code"] == "InvalidPart"


def test_an_aborted_upload_is_gone(s3: Any) -> None:
    where, parts = uploaded(s3, b"x")
    s3.abort_multipart_upload(**where)
    assert refused(s3, where, parts)["Code"] == "NoSuchUpload"
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="store")


# The check values of the catalogue of parametrised CRCs (https://reveng.sourceforge.io/crc-catalogue/all.htm).
@pytest.mark.parametrize(("crc", "check"), [(CRC32, 0xCBF43926), (CRC32C, 0xE3069283), (CRC64NVME, 0xAE8B14860A799888)])
def test_a_crc_is_the_catalogues_and_joins(crc: Any, check: int) -> None:
    assert crc.update(b"123456789") == check
    data = bytes(i * i >> 3 & 0xFF for i in range(70_001))
    bytewise = 0
    for at in range(0, len(data), 4000):  # below what goes side by side
        bytewise = crc.update(data[at : at + 4000], bytewise)
    assert crc.update(data) == bytewise
    assert crc.joined(crc.update(data[:777]), crc.update(data[777:]), len(data) - 777) == bytewise
