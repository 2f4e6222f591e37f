"""ARNs."""

import pytest

from stratolite.languages import arns


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("arn:aws:sqs:us-east-1:123456789012:queue", "queue", "queue"),
        ("arn:aws:lambda:us-east-1:123456789012:function:f:live", "function", "f:live"),
        ("arn:aws:events:us-east-1:123456789012:rule/bus/rule", "rule", "bus/rule"),
        ("arn:aws:s3:::bucket/key:x", "bucket", "key:x"),
    ],
)
def test_an_arn_is_taken_apart_and_put_together(text, kind, name):
    arn = arns.parse(text)
    assert (arn.kind, arn.name, str(arn)) == (kind, name, text)


@pytest.mark.parametrize("text", ["", "queue", "arn:aws:sqs", "arn:aws:sqs:us-east-1:1:", "urn:aws:sqs:r:a:x"])
def test_what_is_no_arn_is_refused(text):
    with pytest.raises(arns.ArnError):
        arns.parse(text)
