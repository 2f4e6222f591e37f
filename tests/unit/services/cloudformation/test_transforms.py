"""Templates that are rewritten before they are read."""

from __future__ import annotations

import json
from typing import Any

AUTO = ["CAPABILITY_AUTO_EXPAND"]
SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Name: {Type: String, Default: letters}}
Resources:
  Letters:
    Type: AWS::Serverless::SimpleTable
    Properties: {TableName: !Ref Name, PrimaryKey: {Name: id, Type: String}}
"""


def test_sam_is_translated_by_the_published_translator(bed: Any) -> None:
    bed.ask("create_stack", StackName="s", TemplateBody=SAM, Capabilities=AUTO)
    assert bed.status() == "CREATE_COMPLETE"
    (made,) = bed.ask("describe_stack_resources", StackName="s")["StackResources"]
    assert (made["ResourceType"], made["PhysicalResourceId"]) == ("AWS::DynamoDB::Table", "letters")
    processed = json.loads(bed.ask("get_template", StackName="s", TemplateStage="Processed")["TemplateBody"])
    assert processed["Resources"]["Letters"]["Type"] == "AWS::DynamoDB::Table"
    assert bed.ask("get_template", StackName="s")["TemplateBody"] == SAM


def test_what_the_translator_refuses_is_told_in_its_words(bed: Any) -> None:
    body = SAM.replace("PrimaryKey: {Name: id, Type: String}", "PrimaryKey: 5")
    made = bed.ask("create_change_set", StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body)
    found = bed.ask("describe_change_set", ChangeSetName=made["Id"])
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"].startswith(
        "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. "
        "Number of errors found: 1. Resource with id [Letters] is invalid."
    )


def test_loops_are_written_out(bed: Any) -> None:
    body = """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Topics: [Name, [One, Two], {"Topic${Name}": {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Name}}}]
"""
    bed.ask("create_stack", StackName="s", TemplateBody=body, Capabilities=AUTO)
    assert bed.journal == [("create", "TopicOne"), ("create", "TopicTwo")]


def test_the_language_extensions_are_worked_out_where_no_resource_is_needed(bed: Any) -> None:
    body = """
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: "a,b"}}
Resources:
  Plain: {Type: AWS::SNS::Topic, Properties: {TopicName: plain}}
  Made:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Sub "n-${AWS::StackName}"
      DisplayName: {Fn::ToJsonString: {count: {Fn::Length: !Ref Names}}}
      Tags: [{Key: of, Value: {Fn::ToJsonString: [!GetAtt Plain.TopicName]}}]
"""
    bed.ask("create_stack", StackName="s", TemplateBody=body, Capabilities=AUTO)
    made = json.loads(bed.ask("get_template", StackName="s", TemplateStage="Processed")["TemplateBody"])["Resources"][
        "Made"
    ]
    assert made["Properties"]["DisplayName"] == '{"count":2}'
    assert made["Properties"]["Tags"][0]["Value"] == {"Fn::ToJsonString": [{"Fn::GetAtt": ["Plain", "TopicName"]}]}
    assert bed.status() == "CREATE_COMPLETE"


def test_an_unknown_transform_is_refused(bed: Any) -> None:
    body = {"Transform": "Mine", "Resources": {"A": {"Type": "AWS::SNS::Topic"}}}
    refused = bed.fails("create_stack", StackName="s", TemplateBody=body, Capabilities=AUTO)
    assert refused.message == "No transform named Mine found."


def test_a_transform_is_named_by_a_string(bed: Any) -> None:
    """As recorded in LocalStack's `test_template_engine.snapshot.json`, test_error_pass_macro_as_reference."""
    body = {"Transform": [{"Name": {"Ref": "Macro"}}], "Resources": {"A": {"Type": "AWS::SNS::Topic"}}}
    refused = bed.fails("create_stack", StackName="s", TemplateBody=body, Capabilities=AUTO)
    assert refused.message == "Key Name of transform definition must be a string."
