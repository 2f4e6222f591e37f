"""What travels in headers."""

from __future__ import annotations

from stratolite.wire.decode import decode
from stratolite.wire.encode import encode
from stratolite.wire.http1 import Headers, Request


def test_no_value_ends_a_header() -> None:
    answer = encode("s3", "GetObject", {"ContentDisposition": "a\r\nSet-Cookie: b"}, "rest-xml", "rid")
    assert answer.headers["content-disposition"] == "a  Set-Cookie: b"


def test_metadata_beyond_ascii_is_encoded() -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
    answer = encode("s3", "HeadObject", {"Metadata": {"name": "snow ☃"}}, "rest-xml", "rid")
    assert answer.headers["x-amz-meta-name"] == "=?UTF-8?B?c25vdyDimIM=?="


def test_lists_are_cut_at_commas_outside_quotes() -> None:
    sent = Request("GET", "/b/k?attributes", Headers({"x-amz-object-attributes": 'ETag , "a,b","c\\"d"'}))
    assert decode("s3", "GetObjectAttributes", sent, "rest-xml")["ObjectAttributes"] == ["ETag", "a,b", 'c"d']


def test_an_instant_may_be_spelled_in_any_way() -> None:
    for text in (
        "Wed, 07 Oct 2015 12:00:00 GMT",
        "2015-10-07T12:00:00Z",
        "2015-10-07T14:00:00.000+02:00",
        "1444219200",
    ):
        sent = Request("GET", "/b/k", Headers({"If-Modified-Since": text}))
        assert decode("s3", "GetObject", sent, "rest-xml")["IfModifiedSince"] == 1444219200


def test_s3_writes_milliseconds_and_the_rest_write_them_when_there_are_some() -> None:
    listed = encode("s3", "ListBuckets", {"Buckets": [{"CreationDate": 1444219200}]}, "rest-xml", "rid")
    assert b"<CreationDate>2015-10-07T12:00:00.000Z</CreationDate>" in listed.body  # type: ignore[operator]
    for at, text in ((1444219200, b"2015-10-07T12:00:00Z"), (1444219200.25, b"2015-10-07T12:00:00.250Z")):
        stack = {"StackName": "s", "CreationTime": at, "StackStatus": "CREATE_COMPLETE"}
        answer = encode("cloudformation", "DescribeStacks", {"Stacks": [stack]}, "query", "rid")
        assert b"<CreationTime>" + text in answer.body  # type: ignore[operator]
