"""Notifications: who is told of what, with AWS's records.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stratolite.testing import TestCloud

ARN = "arn:aws:sqs:us-east-1:000000000000:q"


@pytest.fixture
def told(cloud: TestCloud) -> Any:
    """A bucket whose events go to a queue: gives what came since it was last asked."""
    queue = cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    cloud.client("s3").create_bucket(Bucket="store")

    def take() -> list[dict[str, Any]]:
        sqs, found = cloud.client("sqs"), []
        while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    return take


def listen(cloud: TestCloud, events: list[str], **further: Any) -> None:
    configuration = {"QueueConfigurations": [{"Id": "mine", "QueueArn": ARN, "Events": events, **further}]}
    cloud.client("s3").put_bucket_notification_configuration(Bucket="store", NotificationConfiguration=configuration)


def test_a_new_configuration_sends_a_test_event(cloud: TestCloud, told: Any) -> None:
    listen(cloud, ["s3:ObjectCreated:*"])
    (event,) = told()
    assert (event["Service"], event["Event"], event["Bucket"]) == ("Amazon S3", "s3:TestEvent", "store")


def test_an_object_put_is_told_with_its_record(cloud: TestCloud, told: Any) -> None:
    listen(cloud, ["s3:ObjectCreated:*"])
    told()
    cloud.client("s3").put_object(Bucket="store", Key="a b@c", Body=b"something")
    ((record,),) = [event["Records"] for event in told()]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["eventVersion"] == "2.1"
    about = record["s3"]
    assert about["configurationId"] == "mine"
    assert about["bucket"]["arn"] == "arn:aws:s3:::store"
    assert about["object"].keys() == {"key", "size", "eTag", "sequencer"}
    assert (about["object"]["key"], about["object"]["size"]) == ("a+b%40c", 9)
    assert about["object"]["eTag"] == "437b930db84b8079c2dd804a71936b5f"


def test_only_what_fits_the_filter_is_told(cloud: TestCloud, told: Any) -> None:
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".txt"}]
    listen(cloud, ["s3:ObjectCreated:Put", "s3:ObjectRemoved:*"], Filter={"Key": {"FilterRules": rules}})
    told()
    s3 = cloud.client("s3")
    for key in ("in/a.txt", "in/a.csv", "out/a.txt"):
        s3.put_object(Bucket="store", Key=key, Body=b"")
        s3.delete_object(Bucket="store", Key=key)
    names = [(r["eventName"], r["s3"]["object"]["key"]) for event in told() for r in event["Records"]]
    assert sorted(names) == [("ObjectCreated:Put", "in/a.txt"), ("ObjectRemoved:Delete", "in/a.txt")]


def test_a_queue_that_is_not_there_is_refused(cloud: TestCloud, told: Any) -> None:
    missing = ARN + "2"
    with pytest.raises(ClientError) as caught:
        cloud.client("s3").put_bucket_notification_configuration(
            Bucket="store",
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": missing, "Events": ["s3:ObjectCreated:*"]}]
            },
        )
    error = caught.value.response["Error"]
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert (error["ArgumentName1"], error["ArgumentValue1"]) == (missing, "The destination queue does not exist")


def test_the_event_bus_is_told_with_reasons(cloud: TestCloud, told: Any) -> None:
    s3, events = cloud.client("s3"), cloud.client("events")
    s3.put_bucket_notification_configuration(Bucket="store", NotificationConfiguration={"EventBridgeConfiguration": {}})
    events.put_rule(Name="r", EventPattern='{"source": ["aws.s3"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": ARN}])
    s3.put_object(Bucket="store", Key="a", Body=b"1234")
    s3.delete_object(Bucket="store", Key="a")
    cloud.clock.settle()
    seen = {event["detail-type"]: event["detail"] for event in told()}
    assert seen["Object Created"]["reason"] == "PutObject"
    assert seen["Object Created"]["object"]["size"] == 4
    assert seen["Object Deleted"]["deletion-type"] == "Permanently Deleted"
