"""YAML and JSON templates, their short forms, and the line of a mistake."""

import pytest

from stratolite.languages.templates import TemplateError, line_of, parse

YAML = """\
AWSTemplateFormatVersion: 2010-09-09
Mappings:
  Accounts:
    012345678901: {Name: prod}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-q"
      Tags:
        - Key: a
          Value: !GetAtt Topic.TopicName
        - !If [Prod, {Key: b, Value: !Ref Name}, !Ref AWS::NoValue]
"""


def test_short_forms_become_long_ones():
    properties = parse(YAML)["Resources"]["Queue"]["Properties"]
    assert properties["QueueName"] == {"Fn::Sub": "${AWS::StackName}-q"}
    assert properties["Tags"][0]["Value"] == {"Fn::GetAtt": ["Topic", "TopicName"]}
    assert properties["Tags"][1] == {
        "Fn::If": ["Prod", {"Key": "b", "Value": {"Ref": "Name"}}, {"Ref": "AWS::NoValue"}]
    }


def test_short_forms_nest():
    assert parse("a: !Join ['', [!Ref A, !Base64 b, !GetAtt [C, D.E], !Condition F]]")["a"] == {
        "Fn::Join": ["", [{"Ref": "A"}, {"Fn::Base64": "b"}, {"Fn::GetAtt": ["C", "D.E"]}, {"Condition": "F"}]]
    }


def test_dates_and_account_numbers_stay_text():
    document = parse(YAML)
    assert document["AWSTemplateFormatVersion"] == "2010-09-09"
    assert list(document["Mappings"]["Accounts"]) == ["012345678901"]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: b: c", "Template format error: YAML not well-formed. (line 1, column 5): mapping values are not allowed"),
        ("a:\n  - b\n c: d", "Template format error: YAML not well-formed. (line 3, column"),
        ('{"a": 1,\n "b": }', "Template format error: JSON not well-formed. (line 2, column 7): Expecting value"),
        ("just text", "Template format error: unsupported structure.: "),
        ("- a\n- b", "Template format error: unsupported structure.: "),
        ("", "Template format error: unsupported structure.: "),
    ],
)
def test_a_broken_template_names_the_line_and_the_reason(text, start):
    with pytest.raises(TemplateError) as error:
        parse(text)
    assert f"{error.value.message}: {error.value.detail}".startswith(start)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("Resources", "Queue"), 6),
        (("Resources", "Queue", "Properties", "QueueName", "Fn::Sub"), 9),
        (("Resources", "Queue", "Properties", "Tags", 1, "Fn::If", 1, "Value", "Ref"), 13),
        (("Resources", "Queue", "Nowhere"), 6),
        ((), 1),
    ],
)
def test_every_place_has_a_line(path, line):
    assert line_of(YAML, path) == line


def test_json_with_tabs_has_lines_too():
    assert line_of('{\n\t"a": {\n\t\t"b": 1\n\t}\n}', ("a", "b")) == 3
