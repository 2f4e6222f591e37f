"""The resource types of secrets, parameters, logs, keys and IAM: made, changed and removed by a stack."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def template() -> dict[str, Any]:
    return {
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {
                "Name": "db",
                "Description": "d",
                "GenerateSecretString": {
                    "SecretStringTemplate": '{"user": "me"}',
                    "GenerateStringKey": "password",
                    "PasswordLength": 20,
                    "ExcludePunctuation": True,
                },
                "Tags": [{"Key": "a", "Value": "1"}],
            },
        },
        "SecretPolicy": {
            "Type": "AWS::SecretsManager::ResourcePolicy",
            "Properties": {"SecretId": {"Ref": "Secret"}, "ResourcePolicy": DOCUMENT},
        },
        "Parameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/app/p", "Type": "String", "Value": "v", "Tags": {"a": "1"}},
        },
        "Group": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": "g", "RetentionInDays": 7, "Tags": [{"Key": "a", "Value": "1"}]},
        },
        "Stream": {
            "Type": "AWS::Logs::LogStream",
            "Properties": {"LogGroupName": {"Ref": "Group"}, "LogStreamName": "s"},
        },
        "Metric": {
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "LogGroupName": {"Ref": "Group"},
                "FilterName": "errors",
                "FilterPattern": "ERROR",
                "MetricTransformations": [{"MetricName": "e", "MetricNamespace": "n", "MetricValue": "1"}],
            },
        },
        "LogPolicy": {
            "Type": "AWS::Logs::ResourcePolicy",
            "Properties": {"PolicyName": "lp", "PolicyDocument": json.dumps(DOCUMENT)},
        },
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"Description": "k", "EnableKeyRotation": True, "PendingWindowInDays": 7},
        },
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/k", "TargetKeyId": {"Ref": "Key"}},
        },
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": TRUST,
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
                "Policies": [{"PolicyName": "inline", "PolicyDocument": DOCUMENT}],
                "Tags": [{"Key": "a", "Value": "1"}],
            },
        },
        "Policy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "more", "PolicyDocument": DOCUMENT, "Roles": [{"Ref": "Role"}]},
        },
        "Managed": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": DOCUMENT, "Roles": [{"Ref": "Role"}]},
        },
        "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": "Role"}]}},
        "Team": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "team"}},
        "User": {
            "Type": "AWS::IAM::User",
            "Properties": {"UserName": "u", "Groups": [{"Ref": "Team"}], "LoginProfile": {"Password": "Secret-1"}},
        },
        "AccessKey": {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": {"Ref": "User"}}},
        "Linked": {
            "Type": "AWS::IAM::ServiceLinkedRole",
            "Properties": {"AWSServiceName": "batch.amazonaws.com"},
        },
    }


def deploy(aws: Any, verb: str, resources: dict[str, Any]) -> None:
    getattr(aws.cloudformation, f"{verb}_stack")(
        StackName="s",
        TemplateBody=json.dumps({"Resources": resources}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": "team", "Value": "t"}],
    )
    aws.settle()
    stack = aws.cloudformation.describe_stacks(StackName="s")["Stacks"][0]
    assert stack["StackStatus"] == f"{verb.upper()}_COMPLETE", aws.cloudformation.describe_stack_events(StackName="s")


def role_name(aws: Any) -> str:
    found = aws.cloudformation.describe_stack_resource(StackName="s", LogicalResourceId="Role")
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


@pytest.fixture
def stack(aws: Any) -> dict[str, Any]:
    resources = template()
    deploy(aws, "create", resources)
    return resources


def test_a_stack_makes_them(aws: Any, stack: dict[str, Any]) -> None:
    secret = json.loads(aws.secretsmanager.get_secret_value(SecretId="db")["SecretString"])
    assert secret["user"] == "me" and len(secret["password"]) == 20 and secret["password"].isalnum()
    assert json.loads(aws.secretsmanager.get_resource_policy(SecretId="db")["ResourcePolicy"]) == DOCUMENT
    assert aws.ssm.get_parameter(Name="/app/p")["Parameter"]["Value"] == "v"
    group = aws.logs.describe_log_groups()["logGroups"][0]
    assert (group["logGroupName"], group["retentionInDays"], group["metricFilterCount"]) == ("g", 7, 1)
    assert aws.kms.get_key_rotation_status(KeyId="alias/k")["KeyRotationEnabled"]
    role = role_name(aws)
    assert unquote(aws.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]) == json.dumps(TRUST)
    assert aws.iam.list_role_policies(RoleName=role)["PolicyNames"] == ["inline", "more"]
    assert len(aws.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]) == 2
    assert len(aws.iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]) == 1
    assert aws.iam.get_group(GroupName="team")["Users"][0]["UserName"] == "u"
    assert len(aws.iam.list_access_keys(UserName="u")["AccessKeyMetadata"]) == 1
    assert aws.iam.get_role(RoleName="AWSServiceRoleForBatch")["Role"]["Path"].startswith("/aws-service-role/")


def test_the_tags_of_the_stack_are_theirs_too(aws: Any, stack: dict[str, Any]) -> None:
    secret = {tag["Key"]: tag["Value"] for tag in aws.secretsmanager.describe_secret(SecretId="db")["Tags"]}
    assert (secret["aws:cloudformation:stack-name"], secret["team"], secret["a"]) == ("s", "t", "1")
    parameter = aws.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/app/p")["TagList"]
    role = aws.iam.list_role_tags(RoleName=role_name(aws))["Tags"]
    assert sorted(tag["Key"] for tag in parameter + role) == ["a", "a", "team", "team"]
    assert aws.logs.list_tags_log_group(logGroupName="g")["tags"] == {"team": "t", "a": "1"}
    assert aws.kms.list_resource_tags(KeyId="alias/k")["Tags"] == [{"TagKey": "team", "TagValue": "t"}]


def test_an_update_changes_them_in_place_and_keeps_the_generated_secret(aws: Any, stack: dict[str, Any]) -> None:
    before, role = aws.secretsmanager.get_secret_value(SecretId="db"), role_name(aws)
    properties = {name: each["Properties"] for name, each in stack.items()}
    properties["Secret"]["Description"] = "e"
    properties["Parameter"]["Value"] = "w"
    properties["Group"]["RetentionInDays"] = 30
    properties["Key"]["EnableKeyRotation"] = False
    properties["Role"]["Policies"] = []
    properties["Role"]["ManagedPolicyArns"] = []
    properties["Policy"]["PolicyName"] = "renamed"
    properties["Managed"]["PolicyDocument"] = {**DOCUMENT, "Id": "changed"}
    deploy(aws, "update", stack)
    assert aws.secretsmanager.get_secret_value(SecretId="db")["VersionId"] == before["VersionId"]
    assert aws.secretsmanager.describe_secret(SecretId="db")["Description"] == "e"
    assert aws.ssm.get_parameter(Name="/app/p")["Parameter"]["Version"] == 2
    assert aws.logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 30
    assert not aws.kms.get_key_rotation_status(KeyId="alias/k")["KeyRotationEnabled"]
    assert role_name(aws) == role
    assert aws.iam.list_role_policies(RoleName=role)["PolicyNames"] == ["renamed"]
    [managed] = aws.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert aws.iam.get_policy(PolicyArn=managed["PolicyArn"])["Policy"]["DefaultVersionId"] == "v2"


def test_a_deleted_stack_leaves_only_the_key_that_waits(aws: Any, stack: dict[str, Any]) -> None:
    aws.cloudformation.delete_stack(StackName="s")
    aws.settle()
    assert aws.secretsmanager.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
    assert aws.ssm.describe_parameters()["Parameters"] == []
    assert aws.logs.describe_log_groups()["logGroups"] == []
    assert aws.logs.describe_resource_policies()["resourcePolicies"] == []
    assert aws.iam.get_account_summary()["SummaryMap"]["Roles"] == 0
    assert aws.iam.list_policies(Scope="Local")["Policies"] == []
    assert aws.iam.list_users()["Users"] == [] and aws.iam.list_groups()["Groups"] == []
    assert aws.kms.list_aliases()["Aliases"] == []
    [key] = aws.kms.list_keys()["Keys"]
    assert aws.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
