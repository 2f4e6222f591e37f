"""Dynamic references found and replaced; loops unrolled."""

import pytest

from stratolite.languages.templates import Scope, TemplateError
from stratolite.languages.templates.dynamic import DynamicReference, found_in, substitute
from stratolite.languages.templates.loops import unroll

ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:db-AbCdEf"


@pytest.mark.parametrize(
    ("text", "name", "version", "key", "stage"),
    [
        ("{{resolve:ssm:/a/b}}", "/a/b", None, None, None),
        ("{{resolve:ssm-secure:/a/b:2}}", "/a/b", "2", None, None),
        ("{{resolve:secretsmanager:db}}", "db", None, None, None),
        ("{{resolve:secretsmanager:db:SecretString:password}}", "db", None, "password", None),
        ("{{resolve:secretsmanager:db:SecretString:password:AWSPREVIOUS}}", "db", None, "password", "AWSPREVIOUS"),
        ("{{resolve:secretsmanager:db:SecretString:::v1}}", "db", "v1", None, None),
        (f"{{{{resolve:secretsmanager:{ARN}:SecretString:user}}}}", ARN, None, "user", None),
    ],
)
def test_the_parts_of_a_reference(text, name, version, key, stage):
    service = text.split(":")[1]
    assert list(found_in({"a": [text]})) == [DynamicReference(text, service, name, version, key, stage)]


def test_references_are_replaced_where_they_stand():
    text = "postgres://{{resolve:ssm:user}}:{{resolve:ssm:word}}@host"
    answers = {"{{resolve:ssm:user}}": "me", "{{resolve:ssm:word}}": "{{secret}}"}
    assert substitute([{"Url": text}], answers) == [{"Url": "postgres://me:{{secret}}@host"}]


def test_a_malformed_reference_is_refused():
    with pytest.raises(TemplateError, match="Incorrect format"):
        list(found_in("{{resolve:ssm:a:1:2}}"))
    with pytest.raises(TemplateError, match="unsupported dynamic reference service s3"):
        list(found_in("{{resolve:s3:a}}"))


def test_loops_are_written_out_in_resources_and_inside_them():
    document = {
        "Resources": {
            "Fn::ForEach::Queues": [
                "Name",
                {"Ref": "Names"},
                {
                    "Queue&{Name}": {
                        "Type": "AWS::SQS::Queue",
                        "Properties": {"QueueName": {"Fn::Sub": "q-${Name}-${AWS::Region}"}, "Tag": {"Ref": "Name"}},
                    }
                },
            ]
        }
    }
    assert unroll(document, Scope(values={"Names": ["a-1", "b"]}))["Resources"] == {
        "Queuea1": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::Sub": "q-a-1-${AWS::Region}"}, "Tag": "a-1"},
        },
        "Queueb": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::Sub": "q-b-${AWS::Region}"}, "Tag": "b"},
        },
    }
