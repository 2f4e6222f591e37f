"""Stacks made, changed and deleted through deaths."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from simulation.parts import client, insist
from stratolite.testing.checkers import quiet
from stratolite.testing.cloud import TestCloud

HANDLER = "def handler(event, context):\n    return {version}\n"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}

THERE: dict[str, Callable[[TestCloud], set[str]]] = {
    "AWS::SQS::Queue": lambda cloud: set(insist(client(cloud, "sqs").list_queues).get("QueueUrls", [])),
    "AWS::DynamoDB::Table": lambda cloud: set(insist(client(cloud, "dynamodb").list_tables)["TableNames"]),
    "AWS::Lambda::Function": lambda cloud: {
        f["FunctionName"] for f in insist(client(cloud, "lambda").list_functions)["Functions"]
    },
    "AWS::Lambda::EventSourceMapping": lambda cloud: {
        m["UUID"] for m in insist(client(cloud, "lambda").list_event_source_mappings)["EventSourceMappings"]
    },
    "AWS::Events::Rule": lambda cloud: {r["Name"] for r in insist(client(cloud, "events").list_rules)["Rules"]},
    "AWS::SecretsManager::Secret": lambda cloud: {
        s["ARN"] for s in insist(client(cloud, "secretsmanager").list_secrets)["SecretList"]
    },
    "AWS::SSM::Parameter": lambda cloud: {
        p["Name"] for p in insist(client(cloud, "ssm").describe_parameters)["Parameters"]
    },
    "AWS::Logs::LogGroup": lambda cloud: {
        g["logGroupName"] for g in insist(client(cloud, "logs").describe_log_groups)["logGroups"]
    },
    "AWS::IAM::Role": lambda cloud: {r["RoleName"] for r in insist(client(cloud, "iam").list_roles)["Roles"]},
}
"""Type to the physical ids of all there are."""


def template(chance: random.Random, version: int, possible: bool = True) -> str:
    """A small pipeline; each version changes some of it in place, replaces some, adds and drops some."""
    named = chance.random() < 0.5
    found: dict[str, Any] = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [TRUST]}}},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"VisibilityTimeout": 60 + version} | ({"QueueName": f"q{version}"} if named else {}),
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": HANDLER.format(version=version)},
                "Environment": {"Variables": {"TABLE": {"Ref": "Table"}}},
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "FunctionName": {"Ref": "Function"},
                "BatchSize": 1 + version,
            },
        },
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"GenerateSecretString": {}}},
        "Setting": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": f"v{version}"}},
    }
    if chance.random() < 0.6:
        pattern = {"source": [f"v{version}"]}
        targets = [{"Id": "f", "Arn": {"Fn::GetAtt": ["Function", "Arn"]}}]
        found["Rule"] = {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": targets}}
    if chance.random() < 0.6:
        found["Logs"] = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}}
    if not possible:
        value = {"Type": "String", "Value": "x", "AllowedPattern": "never"}
        found["Impossible"] = {"Type": "AWS::SSM::Parameter", "DependsOn": ["Mapping", "Setting"], "Properties": value}
    return json.dumps({"Resources": found})


def _ended(cloud: TestCloud, stack: str) -> str:
    """The stack's status once nothing is in progress."""
    for _ in range(600):
        found = insist(client(cloud, "cloudformation").describe_stacks, StackName=stack)["Stacks"][0]
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return str(found["StackStatus"])
        cloud.clock.advance(5)
    raise AssertionError(f"stuck in {found['StackStatus']}")


def _whole(cloud: TestCloud, stack: str, before: dict[str, set[str]]) -> None:
    """What exists is what the stack says, no more and no less."""
    described = insist(client(cloud, "cloudformation").describe_stack_resources, StackName=stack)["StackResources"]
    live = [r for r in described if r["ResourceStatus"] != "DELETE_COMPLETE"]
    half = [r for r in live if not r["ResourceStatus"].endswith("_COMPLETE")]
    assert not half, f"half-made: {half}"
    for kind, there in THERE.items():
        wanted = {r["PhysicalResourceId"] for r in live if r["ResourceType"] == kind}
        assert there(cloud) - before[kind] == wanted, f"{kind}: there {there(cloud)}, the stack says {wanted}"


def _rests(cloud: TestCloud) -> None:
    store = cloud.cloud.store.reader()
    assert store.value("SELECT count(*) FROM cloudformation_step") == 0, "steps are left"
    assert store.value("SELECT count(*) FROM cloudformation_resource WHERE role = 'doomed'") == 0


def a_life(cloud: TestCloud) -> None:
    """A stack ends every operation complete, with exactly its resources, and leaves nothing when it goes."""
    chance = random.Random(cloud.world.seed)
    cloudformation = client(cloud, "cloudformation")
    before = {kind: there(cloud) for kind, there in THERE.items()}
    how = {"StackName": "s", "Capabilities": ["CAPABILITY_IAM"]}
    created = insist(cloudformation.create_stack, **how, TemplateBody=template(chance, 0))
    stack = created["StackId"] if created else "s"
    assert _ended(cloud, stack) == "CREATE_COMPLETE"
    _whole(cloud, stack, before)
    for version in range(1, 4):
        possible = chance.random() < 0.7
        body = template(chance, version, possible)
        # An earlier try that was not heard of is what the later one finds under way.
        insist(cloudformation.update_stack, **how, TemplateBody=body, _done="ValidationError")
        assert _ended(cloud, stack) == ("UPDATE_COMPLETE" if possible else "UPDATE_ROLLBACK_COMPLETE")
        _whole(cloud, stack, before)
        _rests(cloud)
    stack = insist(cloudformation.describe_stacks, StackName="s")["Stacks"][0]["StackId"]
    insist(cloudformation.delete_stack, StackName="s")
    assert _ended(cloud, stack) == "DELETE_COMPLETE"
    for kind, there in THERE.items():
        assert there(cloud) == before[kind], f"left: {kind} {there(cloud) - before[kind]}"
    _rests(cloud)
    cloud.clock.advance(60)  # what is deleted is swept
    quiet(cloud)
