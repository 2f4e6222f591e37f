"""Bodies: chunked ones in files are unwrapped where they are stored, and judged by their trailers."""

from __future__ import annotations

import zlib
from base64 import b64encode
from pathlib import Path

import pytest

from stratolite.kernel import AwsError
from stratolite.services.s3.checksums import Told, absorb
from stratolite.wire.http1 import BodyFile

CONTENT = b"0123456789" * 20_000


def spooled(folder: Path, checksum: bytes) -> BodyFile:
    """What an SDK sends with a checksum behind the content.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
    """
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (CONTENT[:65_536], CONTENT[65_536:]))
    body = chunks + b"0\r\nx-amz-checksum-crc32:" + checksum + b"\r\n\r\n"
    path = folder / "body"
    path.write_bytes(body)
    return BodyFile(path, len(body), True, len(CONTENT))


def test_a_chunked_file_is_stored_without_its_chunks(tmp_path: Path) -> None:
    crc = b64encode(zlib.crc32(CONTENT).to_bytes(4, "big"))
    taken = absorb(spooled(tmp_path, crc), Told(algorithm="CRC32"))
    assert isinstance(taken.body, BodyFile)
    assert taken.body.read() == CONTENT
    assert (taken.size, taken.value) == (len(CONTENT), crc.decode())
    assert list(tmp_path.iterdir()) == [taken.body.path]


def test_a_trailer_that_says_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AwsError, match="The CRC32 you specified did not match the calculated checksum") as caught:
        absorb(spooled(tmp_path, b"AAAAAA=="), Told())
    assert caught.value.code == "BadDigest"
