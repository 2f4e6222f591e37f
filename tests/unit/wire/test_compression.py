"""Bodies compressed on the way in, and out where the service does so."""

import gzip
import zlib

import pytest

from stratolite.wire.compression import LARGEST_BYTES, Incompressible, accepted, folded, unfolded
from stratolite.wire.http1 import Headers, Request, Response


def request(coding: str, body: bytes) -> Request:
    return Request("POST", "/", Headers([("Content-Encoding", coding), ("Content-Length", str(len(body)))]), body)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"{}  ")),
        ("gzip", gzip.compress(b"{}") + gzip.compress(b"  ")),
        ("deflate", zlib.compress(b"{}  ")),
    ],
)
def test_a_compressed_body_is_unfolded(coding: str, body: bytes) -> None:
    plain = unfolded(request(coding, body))
    assert plain.body == b"{}  "
    assert plain.headers.get("content-encoding") is None
    assert plain.headers.get("content-length") == "4"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("garbage", b"{}"),
        ("gzip", b"{}"),
        ("gzip", b""),
        ("gzip", gzip.compress(b"{}")[:-1]),
        ("deflate", b""),
        ("deflate", zlib.compress(b"{}") + zlib.compress(b"")),
        ("gzip", gzip.compress(bytes(LARGEST_BYTES + 1))),
    ],
)
def test_what_is_not_of_its_coding_is_refused(coding: str, body: bytes) -> None:
    with pytest.raises(Incompressible):
        unfolded(request(coding, body))


def test_chunked_bodies_are_left_to_their_reader() -> None:
    asked = request("aws-chunked", b"2\r\n{}\r\n0\r\n\r\n")
    assert unfolded(asked) is asked


# What DynamoDB makes of these headers was recorded by the authors of Alternator's tests.
@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", None),
        ("identity", None),
        ("br", None),
        ("x-gzip", None),
        ("gzip, deflate", "gzip"),
        ("br, identity, deflate, gzip", "deflate"),
        ("dog, gzip ,, cat", "gzip"),
        ("br, gzip;q=0, deflate; q = 0.5 , identity;q=0", "deflate"),
        ("*", "gzip"),
        ("*, deflate;q=0.5", "gzip"),
        ("*, deflate", "deflate"),
        ("*, gzip;q=0.5", "deflate"),
        ("gzip ;q=0", None),
        ("*;q=0", None),
        ('"gzip"', None),
        ("gzip:q=1", None),
        ("deflate;q=0.5, gzip;q=1;q=0.2", "gzip"),
        ("deflate;q=0.5,gzip;q=0.", "deflate"),
        ("deflate;q=0.5,gzip;q=0.x", "gzip"),
        ("deflate;q=-0.5,gzip;q=0.2", "gzip"),
        ("gzip;q= 0;q=1", None),
        ("gzip;q =0;q=1", "gzip"),
        ("gzip;nq=0;q=1", None),
        ("gzip;q=0, gzip;q=1, gzip;q=0", "gzip"),
    ],
)
def test_the_coding_a_client_accepts(header: str, coding: str | None) -> None:
    assert accepted(header) == coding


def test_a_long_answer_of_a_service_that_compresses_is_folded() -> None:
    body = b"x" * 5000
    assert gzip.decompress(folded("dynamodb", "gzip", Response(200, body=body)).body) == body  # type: ignore[arg-type]
    assert folded("dynamodb", "gzip", Response(200, body=body[:4096])).body == body[:4096]
    assert folded("sqs", "gzip", Response(200, body=body)).body == body
