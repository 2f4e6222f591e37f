"""IAM: roles, users, groups, profiles, policies on them, keys of them.

The texts are AWS's as recorded in LocalStack's suite (tests/aws/services/iam), or as the API reference says.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from stratolite.kernel import AwsError

DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
TRUST = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
)
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def role(aws: Any, name: str = "r", **more: Any) -> Any:
    return aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **more)["Role"]


def test_a_role_has_an_id_an_arn_with_its_path_and_its_trust_percent_encoded(aws: Any) -> None:
    made = role(aws, Path="/team/", Tags=[{"Key": "a", "Value": "b"}])
    assert made["Arn"] == "arn:aws:iam::000000000000:role/team/r"
    assert made["RoleId"].startswith("AROA") and len(made["RoleId"]) == 21
    assert "{" not in made["AssumeRolePolicyDocument"] and unquote(made["AssumeRolePolicyDocument"]) == TRUST
    got = aws.iam.get_role(RoleName="r")["Role"]
    assert (got["MaxSessionDuration"], got["RoleLastUsed"], got["Tags"]) == (3600, {}, [{"Key": "a", "Value": "b"}])
    assert "Tags" not in aws.iam.list_roles(PathPrefix="/team/")["Roles"][0]
    assert aws.iam.list_roles(PathPrefix="/other/")["Roles"] == []


@pytest.mark.parametrize(
    ("verb", "member", "message"),
    [
        ("get_role", "RoleName", "The role with name x cannot be found."),
        ("get_user", "UserName", "The user with name x cannot be found."),
        ("get_group", "GroupName", "The group with name x cannot be found."),
        ("get_instance_profile", "InstanceProfileName", "Instance Profile x cannot be found."),
    ],
)
def test_what_is_not_there_is_said_in_awss_words(aws: Any, verb: str, member: str, message: str) -> None:
    with pytest.raises(AwsError) as error:
        getattr(aws.iam, verb)(**{member: "x"})
    assert (error.value.shape, error.value.message) == ("NoSuchEntityException", message)


def test_names_differ_by_more_than_their_case(aws: Any) -> None:
    role(aws, "Name")
    with pytest.raises(AwsError, match=r"Role with name name already exists\."):
        role(aws, "name")
    with pytest.raises(AwsError, match="cannot be found"):
        aws.iam.get_role(RoleName="name")


def test_a_document_that_is_no_policy_is_refused(aws: Any) -> None:
    with pytest.raises(AwsError, match="This policy contains invalid Json"):
        aws.iam.create_role(RoleName="r", AssumeRolePolicyDocument='{"Statement": [,]}')
    role(aws)
    with pytest.raises(AwsError, match=r"Syntax errors in policy\."):
        aws.iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument="{}")


def test_a_role_goes_only_without_its_policies_and_out_of_its_profile(aws: Any) -> None:
    role(aws)
    aws.iam.attach_role_policy(RoleName="r", PolicyArn=BASIC)
    aws.iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=DOCUMENT)
    aws.iam.create_instance_profile(InstanceProfileName="i")
    aws.iam.add_role_to_instance_profile(InstanceProfileName="i", RoleName="r")
    steps = [
        ("remove roles from instance profile", "remove_role_from_instance_profile", {"InstanceProfileName": "i"}),
        ("detach all policies", "detach_role_policy", {"PolicyArn": BASIC}),
        ("delete policies", "delete_role_policy", {"PolicyName": "p"}),
    ]
    for refusal, verb, which in steps:
        with pytest.raises(AwsError, match=refusal) as error:
            aws.iam.delete_role(RoleName="r")
        assert error.value.shape == "DeleteConflictException"
        getattr(aws.iam, verb)(RoleName="r", **which)
    aws.iam.delete_role(RoleName="r")


def test_policies_are_attached_by_arn_awss_own_by_any_name(aws: Any) -> None:
    role(aws)
    arn = aws.iam.create_policy(PolicyName="mine", PolicyDocument=DOCUMENT, Path="/p/")["Policy"]["Arn"]
    aws.iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    aws.iam.attach_role_policy(RoleName="r", PolicyArn=BASIC)
    attached = aws.iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AWSLambdaBasicExecutionRole", "mine"]
    assert aws.iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert aws.iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"][0]["RoleName"] == "r"
    with pytest.raises(AwsError, match="attached to entities"):
        aws.iam.delete_policy(PolicyArn=arn)
    with pytest.raises(AwsError, match="does not exist or is not attachable"):
        aws.iam.attach_role_policy(RoleName="r", PolicyArn=arn + "x")
    with pytest.raises(AwsError, match="Invalid ARN:  Could not be parsed!"):
        aws.iam.attach_role_policy(RoleName="r", PolicyArn="longer-than-an-arn-must-be")
    with pytest.raises(AwsError) as error:
        aws.iam.get_policy_version(PolicyArn=BASIC, VersionId="v1")
    assert error.value.status == 501


def test_a_policy_has_five_versions_and_numbers_are_not_used_twice(aws: Any) -> None:
    arn = aws.iam.create_policy(PolicyName="p", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    new = {"PolicyArn": arn, "PolicyDocument": DOCUMENT}
    for _ in range(4):
        aws.iam.create_policy_version(**new)
    with pytest.raises(AwsError, match="up to 5 versions"):
        aws.iam.create_policy_version(**new)
    with pytest.raises(AwsError, match="Cannot delete the default version"):
        aws.iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    aws.iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    assert aws.iam.create_policy_version(**new, SetAsDefault=True)["PolicyVersion"]["VersionId"] == "v6"
    versions = aws.iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert (versions[0]["VersionId"], versions[0]["IsDefaultVersion"]) == ("v6", True)


def test_a_user_asks_with_his_key_until_it_is_deactivated(aws: Any) -> None:
    aws.iam.create_user(UserName="u", Path="/staff/")
    key = aws.iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
    assert aws.cloud.principal(key).arn == "arn:aws:iam::000000000000:user/staff/u"
    aws.iam.update_access_key(UserName="u", AccessKeyId=key, Status="Inactive")
    assert aws.cloud.principal(key).arn.endswith(":root")
    with pytest.raises(AwsError, match="must delete access keys first"):
        aws.iam.delete_user(UserName="u")
    aws.iam.delete_access_key(UserName="u", AccessKeyId=key)
    aws.iam.delete_user(UserName="u")


def test_a_group_holds_users(aws: Any) -> None:
    aws.iam.create_user(UserName="u")
    aws.iam.create_group(GroupName="g")
    aws.iam.add_user_to_group(GroupName="g", UserName="u")
    assert [user["UserName"] for user in aws.iam.get_group(GroupName="g")["Users"]] == ["u"]
    aws.iam.create_group(GroupName="a")
    aws.iam.add_user_to_group(GroupName="a", UserName="u")
    assert [group["GroupName"] for group in aws.iam.list_groups_for_user(UserName="u")["Groups"]] == ["g", "a"]
    with pytest.raises(AwsError, match="must remove users from group first"):
        aws.iam.delete_group(GroupName="g")


def test_lists_are_paged(aws: Any) -> None:
    for n in range(5):
        role(aws, f"r{n}")
    first = aws.iam.list_roles(MaxItems=3)
    assert first["IsTruncated"]
    rest = aws.iam.list_roles(Marker=first["Marker"])
    assert [r["RoleName"] for r in first["Roles"] + rest["Roles"]] == ["r0", "r1", "r2", "r3", "r4"]
    assert not rest["IsTruncated"]


def test_a_services_role_is_named_by_aws_made_once_and_left_alone(aws: Any) -> None:
    made = aws.iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForBatch"
    with pytest.raises(AwsError, match="has been taken in this account"):
        aws.iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")
    with pytest.raises(AwsError, match=r"Custom suffix is not allowed for batch\.amazonaws\.com"):
        aws.iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com", CustomSuffix="x")
    with pytest.raises(AwsError, match="only modifiable by AWS"):
        aws.iam.delete_role(RoleName="AWSServiceRoleForBatch")
    task = aws.iam.delete_service_linked_role(RoleName="AWSServiceRoleForBatch")["DeletionTaskId"]
    assert aws.iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    suffixed = aws.iam.create_service_linked_role(AWSServiceName="lexv2.amazonaws.com", CustomSuffix="x")["Role"]
    assert suffixed["RoleName"] == "AWSServiceRoleForLexV2Bots_x"
