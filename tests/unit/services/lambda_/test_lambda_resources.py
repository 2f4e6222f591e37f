"""Functions and what belongs to them, by template."""

from __future__ import annotations

import json
from typing import Any

from lambda_world import ARN, ROLE, Lambda


def template(**changes: Any) -> dict[str, Any]:
    function = {
        "Role": ROLE,
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Timeout": "20",
        "Code": {"ZipFile": "import os\ndef handler(event, context): return os.environ.get('NAME')"},
        "Environment": {"Variables": {"NAME": "first", "FLAG": True}},
        "Tags": [{"Key": "team", "Value": "a"}],
        **changes,
    }
    return {
        "Resources": {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
            "Alias": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Name": "live",
                    "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                },
            },
            "Permission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
                    "Action": "lambda:InvokeFunction",
                    "Principal": "events.amazonaws.com",
                },
            },
            "Retries": {
                "Type": "AWS::Lambda::EventInvokeConfig",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Qualifier": "$LATEST",
                    "MaximumRetryAttempts": 1,
                    "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Queue", "Arn"]}}},
                },
            },
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "BatchSize": 5,
                    "Enabled": "true",
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                },
            },
        },
        "Outputs": {
            "Name": {"Value": {"Ref": "Function"}},
            "Arn": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}},
            "Alias": {"Value": {"Ref": "Alias"}},
            "Mapping": {"Value": {"Ref": "Mapping"}},
        },
    }


def test_a_template_makes_functions_and_all_that_belongs_to_them(functions: Lambda) -> None:
    made = functions.cloud.deploy(template())
    name = made["Name"]
    assert name.startswith("test-Function-") and made["Arn"] == ARN + name and made["Alias"] == f"{ARN}{name}:live"
    assert functions.cloud.invoke(name) == "first" and functions.cloud.invoke(f"{name}:live") == "first"
    found = functions.api.get_function(FunctionName=name)
    assert found["Configuration"]["Timeout"] == 20 and found["Tags"]["team"] == "a"
    assert found["Configuration"]["Environment"]["Variables"]["FLAG"] == "true"
    assert len(json.loads(functions.api.get_policy(FunctionName=name)["Policy"])["Statement"]) == 1
    assert functions.api.get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"] == 1
    mapping = functions.api.get_event_source_mapping(UUID=made["Mapping"])
    assert mapping["State"] == "Enabled" and mapping["BatchSize"] == 5


def test_an_update_changes_the_function_in_place(functions: Lambda) -> None:
    name = functions.cloud.deploy(template())["Name"]
    code = {"ZipFile": "def handler(event, context): return 'second'"}
    again = functions.cloud.deploy(template(Code=code, Timeout=30, Environment={"Variables": {"NAME": "x"}}, Tags=[]))
    assert again["Name"] == name and functions.cloud.invoke(name) == "second"
    found = functions.api.get_function(FunctionName=name)
    assert found["Configuration"]["Timeout"] == 30 and "team" not in found.get("Tags", {})


def test_a_deleted_stack_takes_its_functions_along(functions: Lambda) -> None:
    functions.cloud.deploy(template())
    functions.cloud.client("cloudformation").delete_stack(StackName="test")
    functions.cloud.clock.advance(10)
    assert functions.api.list_functions()["Functions"] == []
    assert functions.api.list_event_source_mappings()["EventSourceMappings"] == []


def test_a_stack_is_deleted_only_when_its_mapping_is_gone(functions: Lambda) -> None:
    cloud = functions.cloud
    cloud.deploy(template())
    delays = iter(["delay"] * 3)

    def fault(where: str, kinds: tuple[str, ...], **about: Any) -> str | None:
        return next(delays, None) if about.get("kind") == "lambda.mapping_settles" else None

    setattr(cloud.world, "fault", fault)  # noqa: B010
    cloudformation = cloud.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName="test")["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName="test")
    while cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] != "DELETE_COMPLETE":
        cloud.clock.advance(0.1)
    assert functions.api.list_event_source_mappings()["EventSourceMappings"] == []
    assert next(delays, None) is None


def test_changes_of_a_mapping_take_effect_in_their_order(functions: Lambda) -> None:
    cloud = functions.cloud
    uuid = cloud.deploy(template())["Mapping"]
    delays = iter(["delay"])

    def fault(where: str, kinds: tuple[str, ...], **about: Any) -> str | None:
        return next(delays, None) if about.get("kind") == "lambda.mapping_settles" else None

    setattr(cloud.world, "fault", fault)  # noqa: B010
    functions.api.update_event_source_mapping(UUID=uuid, Enabled=False)
    functions.api.update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.clock.advance(60)
    assert functions.api.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"
