"""Bodies that SDKs pack."""

from __future__ import annotations

import gzip
import json

import pytest

from stratolite.wire.decode import decode
from stratolite.wire.faults import Malformed
from stratolite.wire.http1 import Headers, Request

DOCUMENT = json.dumps({"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.5}]}).encode()


def request(body: bytes, coding: str = "gzip") -> Request:
    return Request("POST", "/", Headers({"Content-Encoding": coding}), body)


def test_metrics_may_come_packed() -> None:
    want = decode("cloudwatch", "PutMetricData", Request("POST", "/", Headers(), DOCUMENT), "json")
    assert decode("cloudwatch", "PutMetricData", request(gzip.compress(DOCUMENT)), "json") == want
    assert decode("cloudwatch", "PutMetricData", request(gzip.compress(DOCUMENT), "custom, gzip"), "json") == want


@pytest.mark.parametrize("body", [b"", b"not gzip", gzip.compress(DOCUMENT)[:-3]])
def test_what_cannot_be_unpacked_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode("cloudwatch", "PutMetricData", request(body), "json")


def test_a_small_body_does_not_become_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stratolite.wire.decode.UNPACKED_MAX_BYTES", len(DOCUMENT) + 1000)
    decode("cloudwatch", "PutMetricData", request(gzip.compress(DOCUMENT + b" " * 1000)), "json")
    with pytest.raises(Malformed):
        decode("cloudwatch", "PutMetricData", request(gzip.compress(DOCUMENT + b" " * 1001)), "json")


def test_an_object_stays_packed() -> None:
    packed = gzip.compress(b"x")
    sent = Request("PUT", "/b/k", Headers({"Content-Encoding": "gzip"}), packed)
    assert decode("s3", "PutObject", sent, "rest-xml")["Body"] == packed
