"""Parameters: put, read by name, path, version and label, searched, expired.

Texts and rules: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html and the answers
recorded in LocalStack's suite (tests/aws/services/ssm).
"""

import json
from typing import Any

import pytest

from stratolite.kernel import AwsError

DAY_S = 86400.0


def put(aws: Any, name: str, value: str = "v", **more: Any) -> Any:
    return aws.ssm.put_parameter(Name=name, Value=value, **{"Type": "String", **more})


def test_a_parameter_is_read_by_its_name_its_arn_and_with_a_slash_before_it(aws: Any) -> None:
    put(aws, "p")
    parameter = aws.ssm.get_parameter(Name="p")["Parameter"]
    assert parameter["ARN"] == "arn:aws:ssm:us-east-1:000000000000:parameter/p"
    assert {k: parameter[k] for k in ("Name", "Type", "Value", "Version", "DataType")} == {
        "Name": "p", "Type": "String", "Value": "v", "Version": 1, "DataType": "text",
    }  # fmt: skip
    assert aws.ssm.get_parameter(Name="/p")["Parameter"]["Name"] == "/p"
    assert aws.ssm.get_parameter(Name=parameter["ARN"])["Parameter"] == parameter
    put(aws, "/a/b")
    assert aws.ssm.get_parameter(Name="arn:aws:ssm:us-east-1:000000000000:parameter/a/b")["Parameter"]["Name"] == "/a/b"


@pytest.mark.parametrize("name", ["//a/b", "a/b/c", "ssm-thing", "/a/b c", "/a/"])
def test_what_is_no_name_is_refused(aws: Any, name: str) -> None:
    with pytest.raises(AwsError, match=r"sub-paths divided by slash symbol") as error:
        aws.ssm.get_parameter(Name=name)
    assert error.value.code == "ValidationException"


def test_names_of_aws_are_reserved(aws: Any) -> None:
    with pytest.raises(AwsError, match=r"No access to reserved parameter name: /aws/x."):
        put(aws, "/aws/x")
    with pytest.raises(AwsError) as error:
        put(aws, "/" + "/".join("a" * 16))
    assert error.value.code == "HierarchyLevelLimitExceededException"


def test_a_parameter_is_overwritten_only_when_that_is_said_and_keeps_its_history(aws: Any) -> None:
    put(aws, "p", "one", Description="first")
    with pytest.raises(AwsError, match=r"set the overwrite option"):
        put(aws, "p", "two")
    assert aws.ssm.put_parameter(Name="p", Value="two", Overwrite=True) == {"Version": 2, "Tier": "Standard"}
    history = aws.ssm.get_parameter_history(Name="p")["Parameters"]
    assert [(v["Version"], v["Value"], v["Description"]) for v in history] == [(1, "one", "first"), (2, "two", "first")]
    assert aws.ssm.get_parameter(Name="p:1")["Parameter"]["Value"] == "one"
    with pytest.raises(AwsError, match=r"could not find version 9 of p"):
        aws.ssm.get_parameter(Name="p:9")


def test_a_label_names_one_version_and_moves(aws: Any) -> None:
    put(aws, "p", "one")
    put(aws, "p", "two", Overwrite=True)
    answer = aws.ssm.label_parameter_version(Name="p", ParameterVersion=1, Labels=["live", "aws-x", "1st"])
    assert answer == {"InvalidLabels": ["aws-x", "1st"], "ParameterVersion": 1}
    assert aws.ssm.get_parameter(Name="p:live")["Parameter"]["Value"] == "one"
    aws.ssm.label_parameter_version(Name="p", Labels=["live"])
    parameter = aws.ssm.get_parameter(Name="p:live")["Parameter"]
    assert (parameter["Value"], parameter["Selector"]) == ("two", ":live")
    aws.ssm.unlabel_parameter_version(Name="p", ParameterVersion=2, Labels=["live"])
    with pytest.raises(AwsError, match=r"could not find version live"):
        aws.ssm.get_parameter(Name="p:live")


def test_a_labelled_version_is_not_forgotten_for_a_new_one(aws: Any) -> None:
    put(aws, "p")
    for _ in range(99):
        put(aws, "p", Overwrite=True)
    put(aws, "p", Overwrite=True)
    assert aws.ssm.get_parameter_history(Name="p", MaxResults=1)["Parameters"][0]["Version"] == 2
    aws.ssm.label_parameter_version(Name="p", ParameterVersion=2, Labels=["keep"])
    with pytest.raises(AwsError, match=r"Version 2, the oldest version, can't be deleted"):
        put(aws, "p", Overwrite=True)


def test_a_secure_string_is_opened_only_when_asked_for(aws: Any) -> None:
    put(aws, "p", "hidden", Type="SecureString")
    assert "hidden" not in aws.ssm.get_parameter(Name="p")["Parameter"]["Value"]
    assert aws.ssm.get_parameter(Name="p", WithDecryption=True)["Parameter"]["Value"] == "hidden"
    assert aws.ssm.describe_parameters()["Parameters"][0]["KeyId"] == "alias/aws/ssm"
    with pytest.raises(AwsError) as error:
        put(aws, "q", Type="SecureString", KeyId="alias/none")
    assert error.value.code == "InvalidKeyId"
    with pytest.raises(AwsError) as error:
        put(aws, "p", Type="String", Overwrite=True)
    assert error.value.code == "HierarchyTypeMismatchException"


def test_paths_are_read_one_level_or_all_the_way_down_page_by_page(aws: Any) -> None:
    for name in ("/a", "/a/b", "/a/b/c", "/ab/c", "x"):
        put(aws, name)
    by_path = aws.ssm.get_parameters_by_path
    assert [p["Name"] for p in by_path(Path="/a")["Parameters"]] == ["/a/b"]
    assert [p["Name"] for p in by_path(Path="/a", Recursive=True)["Parameters"]] == ["/a/b", "/a/b/c"]
    assert [p["Name"] for p in by_path(Path="/")["Parameters"]] == ["/a", "x"]
    first = by_path(Path="/", Recursive=True, MaxResults=2)
    rest = by_path(Path="/", Recursive=True, NextToken=first["NextToken"])
    assert [p["Name"] for p in first["Parameters"] + rest["Parameters"]] == ["/a", "/a/b", "/a/b/c", "/ab/c", "x"]
    with pytest.raises(AwsError, match=r"must begin with a forward slash"):
        by_path(Path="a")


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"Key": "Name", "Values": ["/app/a"]}, ["/app/a"]),
        ({"Key": "Name", "Option": "BeginsWith", "Values": ["/app"]}, ["/app/a", "/app/sub/b"]),
        ({"Key": "Name", "Option": "Contains", "Values": ["b"]}, ["/app/sub/b"]),
        ({"Key": "Path", "Values": ["/app"]}, ["/app/a"]),
        ({"Key": "Path", "Option": "Recursive", "Values": ["/app"]}, ["/app/a", "/app/sub/b"]),
        ({"Key": "Type", "Values": ["StringList"]}, ["list"]),
        ({"Key": "Tier", "Values": ["Advanced"]}, ["list"]),
        ({"Key": "tag:env", "Values": ["prod"]}, ["/app/a"]),
        ({"Key": "tag:env"}, ["/app/a"]),
    ],
)
def test_descriptions_are_filtered(aws: Any, filter: dict[str, Any], found: list[str]) -> None:
    put(aws, "/app/a", Tags=[{"Key": "env", "Value": "prod"}])
    put(aws, "/app/sub/b")
    put(aws, "list", "a,b", Type="StringList", Tier="Advanced")
    answer = aws.ssm.describe_parameters(ParameterFilters=[filter])
    assert [parameter["Name"] for parameter in answer["Parameters"]] == found


def test_an_unknown_filter_is_refused(aws: Any) -> None:
    with pytest.raises(AwsError) as error:
        aws.ssm.describe_parameters(ParameterFilters=[{"Key": "Colour", "Values": ["red"]}])
    assert error.value.code == "InvalidFilterKey"


def test_long_values_take_the_advanced_tier_and_there_is_no_way_back(aws: Any) -> None:
    with pytest.raises(AwsError, match=r"maximum parameter value of 4096 characters"):
        put(aws, "p", "x" * 4097)
    assert put(aws, "p", "x" * 4097, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    with pytest.raises(AwsError, match=r"You can't downgrade"):
        put(aws, "p", "x", Tier="Standard", Overwrite=True)
    with pytest.raises(AwsError, match=r"8192"):
        put(aws, "p", "x" * 8193, Overwrite=True)


def test_a_value_that_its_pattern_does_not_allow_is_refused(aws: Any) -> None:
    with pytest.raises(AwsError, match=r"cannot be validated against allowedPattern: \^\\d\+\$"):
        put(aws, "p", "x", AllowedPattern=r"^\d+$")


def test_a_parameter_expires_when_its_policy_says(aws: Any) -> None:
    at = "2025-07-15T00:00:00.000Z"
    policy = [{"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": at}}]
    put(aws, "p", Tier="Advanced", Policies=json.dumps(policy))
    aws.pass_time(29 * DAY_S)
    assert aws.ssm.get_parameter(Name="p")["Parameter"]["Value"] == "v"
    aws.pass_time(2 * DAY_S)
    with pytest.raises(AwsError) as error:
        aws.ssm.get_parameter(Name="p")
    assert error.value.code == "ParameterNotFound"


def test_secrets_are_read_as_parameters(aws: Any) -> None:
    aws.secretsmanager.create_secret(Name="db", SecretString="pw", ClientRequestToken="0" * 32)
    name = "/aws/reference/secretsmanager/db"
    with pytest.raises(AwsError, match=r"WithDecryption flag must be True"):
        aws.ssm.get_parameter(Name=name)
    parameter = aws.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert (parameter["Name"], parameter["Value"], parameter["Type"]) == (name, "pw", "SecureString")
    assert json.loads(parameter["SourceResult"])["name"] == "db"
    answer = aws.ssm.get_parameters(Names=[name, name + "x", "none"], WithDecryption=True)
    assert [p["Name"] for p in answer["Parameters"]] == [name]
    assert answer["InvalidParameters"] == [name + "x", "none"]
    with pytest.raises(AwsError, match=r"Secret aws/reference/secretsmanager/dbx not found\."):
        aws.ssm.get_parameter(Name=name + "x", WithDecryption=True)


def test_tags_belong_to_parameters_that_exist(aws: Any) -> None:
    put(aws, "p", Tags=[{"Key": "a", "Value": "1"}])
    which = {"ResourceType": "Parameter", "ResourceId": "p"}
    aws.ssm.add_tags_to_resource(**which, Tags=[{"Key": "b", "Value": "2"}])
    aws.ssm.remove_tags_from_resource(**which, TagKeys=["a"])
    assert aws.ssm.list_tags_for_resource(**which)["TagList"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(AwsError) as error:
        aws.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="q")
    assert error.value.code == "InvalidResourceId"


def test_several_are_deleted_at_once(aws: Any) -> None:
    put(aws, "p")
    assert aws.ssm.delete_parameters(Names=["p", "q"]) == {"DeletedParameters": ["p"], "InvalidParameters": ["q"]}
    with pytest.raises(AwsError) as error:
        aws.ssm.delete_parameter(Name="p")
    assert error.value.code == "ParameterNotFound"


def test_the_default_bus_is_told_of_every_change(aws: Any) -> None:
    queue = aws.sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:000000000000:q"
    aws.events.put_rule(Name="r", EventPattern='{"source": ["aws.ssm"], "detail": {"name": [{"prefix": "/app"}]}}')
    aws.events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail"}])
    put(aws, "/app/p", Description="d")
    put(aws, "/app/p", Overwrite=True)
    put(aws, "/other")
    aws.ssm.label_parameter_version(Name="/app/p", Labels=["live"])
    aws.ssm.delete_parameter(Name="/app/p")
    aws.settle()
    messages = aws.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    told = [json.loads(message["Body"]) for message in messages]
    assert {detail["operation"] for detail in told} == {"Create", "Update", "LabelParameterVersion", "Delete"}
    assert len(told) == 4
    assert {"operation": "Create", "name": "/app/p", "type": "String", "description": "d"} in told
