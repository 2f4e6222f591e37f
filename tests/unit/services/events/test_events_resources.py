"""What templates can ask for: made, changed and removed by a stack."""

import json

import pytest
from botocore.exceptions import ClientError

TEMPLATE = {
    "Resources": {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "orders", "Description": "first"}},
        "Policy": {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "StatementId": "all",
                "Action": "events:PutEvents",
                "Principal": "*",
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": "placed",
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": {"source": ["shop"]},
                "Targets": [
                    {
                        "Id": "queue",
                        "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                        "RetryPolicy": {"MaximumRetryAttempts": 4},
                    },
                    {"Id": "more", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}},
                ],
            },
        },
        "Daily": {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "rate(1 day)"}},
        "Archive": {
            "Type": "AWS::Events::Archive",
            "Properties": {"SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}, "RetentionDays": 3},
        },
        "Connection": {
            "Type": "AWS::Events::Connection",
            "Properties": {
                "Name": "shop",
                "AuthorizationType": "API_KEY",
                "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}},
            },
        },
        "Destination": {
            "Type": "AWS::Events::ApiDestination",
            "Properties": {
                "Name": "shop",
                "ConnectionArn": {"Fn::GetAtt": ["Connection", "Arn"]},
                "InvocationEndpoint": "https://example.com/",
                "HttpMethod": "POST",
            },
        },
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "ScheduleExpression": "rate(1 hour)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "RoleArn": "arn:aws:iam::000000000000:role/r"},
            },
        },
    },
    "Outputs": {
        "Rule": {"Value": {"Ref": "Rule"}},
        "RuleArn": {"Value": {"Fn::GetAtt": ["Rule", "Arn"]}},
        "Daily": {"Value": {"Ref": "Daily"}},
        "Archive": {"Value": {"Ref": "Archive"}},
        "Schedule": {"Value": {"Ref": "Schedule"}},
    },
}


@pytest.fixture
def stack(cloud):
    formation = cloud.client("cloudformation")

    def put(verb, template):
        getattr(formation, verb)(StackName="s", TemplateBody=json.dumps(template))
        cloud.clock.advance(60)
        described = formation.describe_stacks(StackName="s")["Stacks"][0]
        assert described["StackStatus"] == verb.partition("_")[0].upper() + "_COMPLETE", described
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    return put


def test_a_stack_makes_changes_and_removes(cloud, stack):
    events, outputs = cloud.client("events"), stack("create_stack", TEMPLATE)
    # Recorded: the reference of a rule on a bus of its own has the bus's name in front.
    assert outputs["Rule"] == "orders|placed"
    assert outputs["RuleArn"] == "arn:aws:events:us-east-1:000000000000:rule/orders/placed"
    assert events.describe_rule(Name=outputs["Daily"])["ScheduleExpression"] == "rate(1 day)"
    assert events.describe_archive(ArchiveName=outputs["Archive"])["RetentionDays"] == 3
    assert events.describe_api_destination(Name="shop")["ApiDestinationState"] == "ACTIVE"
    assert json.loads(events.describe_event_bus(Name="orders")["Policy"])["Statement"][0]["Sid"] == "all"
    assert cloud.client("scheduler").get_schedule(Name=outputs["Schedule"])["State"] == "ENABLED"
    targets = events.list_targets_by_rule(Rule="placed", EventBusName="orders")["Targets"]
    assert [target["Id"] for target in targets] == ["more", "queue"]

    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Bus"]["Properties"]["Description"] = "second"
    changed["Resources"]["Rule"]["Properties"]["EventPattern"] = {"source": ["other"]}
    changed["Resources"]["Rule"]["Properties"]["Targets"].pop()
    stack("update_stack", changed)
    assert events.describe_event_bus(Name="orders")["Description"] == "second"
    assert json.loads(events.describe_rule(Name="placed", EventBusName="orders")["EventPattern"]) == {
        "source": ["other"]
    }
    targets = events.list_targets_by_rule(Rule="placed", EventBusName="orders")["Targets"]
    assert [target["Id"] for target in targets] == ["queue"]

    cloud.client("cloudformation").delete_stack(StackName="s")
    cloud.clock.advance(60)
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default"]
    assert events.list_rules()["Rules"] == []
    assert events.list_connections()["Connections"] == []
    assert cloud.client("scheduler").list_schedules()["Schedules"] == []
    with pytest.raises(ClientError, match="does not exist"):
        events.describe_archive(ArchiveName=outputs["Archive"])
