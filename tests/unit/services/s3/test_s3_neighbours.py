"""Neighbours: code of functions that lies in a bucket, and buckets that templates ask for."""

from __future__ import annotations

import io
import json
import zipfile

from stratolite.testing import TestCloud

TEMPLATE = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Store": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "VersioningConfiguration": {"Status": "Enabled"},
                "NotificationConfiguration": {
                    "QueueConfigurations": [
                        {
                            "Event": "s3:ObjectCreated:*",
                            "Queue": {"Fn::GetAtt": ["Queue", "Arn"]},
                            "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "in/"}]}},
                        }
                    ]
                },
            },
        },
    },
    "Outputs": {"Name": {"Value": {"Ref": "Store"}}, "Arn": {"Value": {"Fn::GetAtt": ["Store", "Arn"]}}},
}


def test_a_functions_code_may_lie_in_a_bucket(cloud: TestCloud) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", "def handler(event, context): return 1")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="app.zip", Body=archive.getvalue())
    made = cloud.client("lambda").create_function(
        FunctionName="f",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Code={"S3Bucket": "code", "S3Key": "app.zip"},
    )
    assert made["CodeSize"] == len(archive.getvalue())


def test_a_template_makes_a_bucket_that_tells_a_queue(cloud: TestCloud) -> None:
    stacks = cloud.client("cloudformation")
    stacks.create_stack(StackName="s", TemplateBody=json.dumps(TEMPLATE))
    cloud.clock.settle()
    (stack,) = stacks.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    assert outputs["Arn"] == f"arn:aws:s3:::{outputs['Name']}"
    s3 = cloud.client("s3")
    assert s3.get_bucket_versioning(Bucket=outputs["Name"])["Status"] == "Enabled"
    (told,) = s3.get_bucket_notification_configuration(Bucket=outputs["Name"])["QueueConfigurations"]
    assert told["Filter"]["Key"]["FilterRules"] == [{"Name": "Prefix", "Value": "in/"}]
    stacks.delete_stack(StackName="s")
    cloud.clock.settle()
    assert s3.list_buckets()["Buckets"] == []
