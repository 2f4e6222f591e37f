"""AWS's chunks are taken apart wherever they are cut."""

from __future__ import annotations

import pytest

from stratolite.wire.chunked import Chunks, decode, is_chunked
from stratolite.wire.decode import decode as decode_request
from stratolite.wire.faults import Malformed
from stratolite.wire.http1 import Headers, Request

SIGNED = b"5;chunk-signature=aa\r\nhello\r\n6;chunk-signature=bb\r\n world\r\n0;chunk-signature=cc\r\n\r\n"
TRAILED = b"b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
SIGNED_TRAILER = b"B\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:dd\r\n\r\n"


@pytest.mark.parametrize("body", [SIGNED, TRAILED, SIGNED_TRAILER, TRAILED[:-2]])
@pytest.mark.parametrize("cut", [1, 2, 3, 7, 1000])
def test_content_is_the_same_however_the_bytes_arrive(body: bytes, cut: int) -> None:
    chunks = Chunks(11)
    content = b"".join(b"".join(chunks.feed(body[i : i + cut])) for i in range(0, len(body), cut))
    chunks.finish()
    assert content == b"hello world"


def test_signatures_and_trailers_are_kept() -> None:
    chunks = Chunks()
    assert b"".join(chunks.feed(SIGNED)) == b"hello world"
    assert chunks.signatures == ["aa", "bb", "cc"]
    assert decode(SIGNED_TRAILER, Headers()) == (b"hello world", {"x-amz-checksum-crc32": "DUoRhQ=="})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"5\r\nhel",
        b"5\r\nhelloXX0\r\n\r\n",
        b"zz\r\n",
        b"-5\r\nhello\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"f" * 2000,
    ],
)
def test_what_ends_early_or_is_no_chunk_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        decode(body, Headers())
    assert caught.value.code == "IncompleteBody"


def test_another_length_than_announced_is_refused() -> None:
    with pytest.raises(Malformed):
        decode(SIGNED, Headers({"x-amz-decoded-content-length": "12"}))
    with pytest.raises(Malformed):
        decode(SIGNED, Headers({"x-amz-decoded-content-length": "many"}))


def test_an_object_in_chunks_is_an_object() -> None:
    headers = Headers(
        {
            "Content-Encoding": "aws-chunked,gzip",
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": "11",
            "x-amz-trailer": "x-amz-checksum-crc32",
        }
    )
    assert is_chunked(headers)
    params = decode_request("s3", "PutObject", Request("PUT", "/b/k", headers, TRAILED), "rest-xml")
    assert params == {
        "Bucket": "b",
        "Key": "k",
        "Body": b"hello world",
        "ContentEncoding": "gzip",
        "ContentLength": 11,
        "ChecksumCRC32": "DUoRhQ==",
    }
