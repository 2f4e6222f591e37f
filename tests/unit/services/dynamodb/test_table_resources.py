"""Tables made, changed and removed by templates.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

import copy
import json
from typing import Any

import pytest

TABLE: Any = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "x", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-x",
                "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": "true"},
        "Tags": [{"Key": "a", "Value": "1"}],
    },
}
OUTPUTS = {
    "Name": {"Value": {"Ref": "Table"}},
    "Arn": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}},
    "Stream": {"Value": {"Fn::GetAtt": ["Table", "StreamArn"]}},
}


def template(table: Any) -> str:
    outputs = OUTPUTS if "StreamSpecification" in table["Properties"] else {"Name": OUTPUTS["Name"]}
    return json.dumps({"Resources": {"Table": table}, "Outputs": outputs})


def outputs(aws: Any) -> dict[str, str]:
    aws.pass_time(5)
    aws.settle()
    stack = aws.cloudformation.describe_stacks(StackName="stack")["Stacks"][0]
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), [
        event.get("ResourceStatusReason")
        for event in aws.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    ]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


@pytest.fixture
def made(aws: Any) -> dict[str, str]:
    aws.cloudformation.create_stack(StackName="stack", TemplateBody=template(TABLE))
    return outputs(aws)


def described(aws: Any, name: str) -> Any:
    return aws.dynamodb.describe_table(TableName=name)["Table"]


def test_a_table_is_made_as_the_template_says(aws: Any, made: dict[str, str]) -> None:
    table = described(aws, made["Name"])
    assert made["Name"].startswith("stack-Table-")
    assert (table["TableArn"], table["LatestStreamArn"]) == (made["Arn"], made["Stream"])
    assert table["TableStatus"] == "ACTIVE"
    assert table["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    lifetime = aws.dynamodb.describe_time_to_live(TableName=made["Name"])["TimeToLiveDescription"]
    assert lifetime == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    assert {"Key": "a", "Value": "1"} in aws.dynamodb.list_tags_of_resource(ResourceArn=made["Arn"])["Tags"]


def test_a_change_that_needs_no_other_table_keeps_the_items(aws: Any, made: dict[str, str]) -> None:
    aws.dynamodb.put_item(TableName=made["Name"], Item={"p": {"S": "a"}, "y": {"S": "b"}})
    changed = copy.deepcopy(TABLE)
    properties = changed["Properties"]
    properties["BillingMode"] = "PROVISIONED"
    properties["ProvisionedThroughput"] = {"ReadCapacityUnits": "5", "WriteCapacityUnits": 5}
    properties["AttributeDefinitions"][1]["AttributeName"] = "y"
    properties["GlobalSecondaryIndexes"] = [
        {
            "IndexName": "by-y",
            "KeySchema": [{"AttributeName": "y", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        }
    ]
    del properties["StreamSpecification"], properties["TimeToLiveSpecification"]
    aws.cloudformation.update_stack(StackName="stack", TemplateBody=template(changed))
    assert outputs(aws)["Name"] == made["Name"]
    table = described(aws, made["Name"])
    assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-y"]
    assert "StreamSpecification" not in table
    assert aws.dynamodb.scan(TableName=made["Name"], IndexName="by-y")["Count"] == 1


def test_a_change_of_the_key_makes_another_table(aws: Any, made: dict[str, str]) -> None:
    changed = copy.deepcopy(TABLE)
    changed["Properties"]["KeySchema"][0]["AttributeName"] = "x"
    changed["Properties"]["AttributeDefinitions"] = [{"AttributeName": "x", "AttributeType": "S"}]
    aws.cloudformation.update_stack(StackName="stack", TemplateBody=template(changed))
    name = outputs(aws)["Name"]
    assert name != made["Name"]
    assert aws.dynamodb.list_tables()["TableNames"] == [name]


def test_a_stack_that_goes_takes_its_table_along(aws: Any, made: dict[str, str]) -> None:
    aws.cloudformation.delete_stack(StackName="stack")
    aws.pass_time(5)
    assert aws.dynamodb.list_tables()["TableNames"] == []


def test_a_global_table_of_one_replica_is_a_table(aws: Any) -> None:
    given = copy.deepcopy(TABLE)
    given["Type"] = "AWS::DynamoDB::GlobalTable"
    del given["Properties"]["Tags"]
    given["Properties"]["Replicas"] = [{"Region": "us-east-1", "DeletionProtectionEnabled": True}]
    aws.cloudformation.create_stack(StackName="stack", TemplateBody=template(given))
    assert described(aws, outputs(aws)["Name"])["DeletionProtectionEnabled"] is True


def test_copies_in_other_regions_are_refused_by_name(aws: Any) -> None:
    given = copy.deepcopy(TABLE)
    given["Type"] = "AWS::DynamoDB::GlobalTable"
    del given["Properties"]["Tags"]
    given["Properties"]["Replicas"] = [{"Region": "us-east-1"}, {"Region": "eu-west-1"}]
    aws.cloudformation.create_stack(StackName="stack", TemplateBody=template(given))
    aws.pass_time(5)
    events = aws.cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    assert any("does not copy tables between regions" in event.get("ResourceStatusReason", "") for event in events)
