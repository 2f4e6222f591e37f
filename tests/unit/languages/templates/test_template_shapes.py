"""Templates of the wrong shape, references that lead nowhere, and orders that cannot be found."""

import pytest

from stratolite.languages.templates import Scope, Template, TemplateError, check, dependencies, line_of, parse, present
from stratolite.languages.templates.parameters import Parameter, split, values

TOPIC = {"Type": "AWS::SNS::Topic"}


def problem(document: dict) -> str:
    with pytest.raises(TemplateError) as error:
        check(Template.of(document))
    return error.value.message


# Source of the first eight: recorded answers (LocalStack: test_validations, _stacks, _mappings, _changesets).
@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "Template format error: At least one Resources member must be defined."),
        (
            {"Resources": {"A": {"Properties": {}}}},
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        ({"Resources": {"A": {**TOPIC, "Invalid": 10}}}, "Invalid template resource property 'Invalid'"),
        (
            {"Resources": {"A": TOPIC}, "Outputs": {"MyOutput": {"Value": None}}},
            "[/Outputs/MyOutput/Value] 'null' values are not allowed in templates",
        ),
        (
            {"Resources": {"A": TOPIC}, "Outputs": {"MyOutput": {}}},
            "Template format error: Every Outputs member must contain a Value object",
        ),
        ({"Resources": {"A": "text"}}, "Template format error: Any Resources member must be an object."),
        ({"Resources": {"a-b": TOPIC}}, "Template format error: Resource name a-b is non alphanumeric."),
        (
            {"Resources": {"A": TOPIC}, "Mappings": {"M": {"A": {"B": {"C": "d"}}}}},
            "Template format error: Every Mappings attribute must be a String or a List.",
        ),
        ({"Resources": {"A": TOPIC}, "Resource": {}}, "Invalid template property or properties [Resource]"),
        (
            {"Resources": {"A": TOPIC}, "Parameters": {"P": {"Type": "Text"}}},
            "Template format error: Unrecognized parameter type: Text",
        ),
        (
            {"Resources": {"A": {**TOPIC, "Properties": {"X": {"Ref": "InvalidRef"}}}}},
            "Template format error: Unresolved resource dependencies [InvalidRef] in the Resources block of the "
            "template",
        ),
        (
            {"Resources": {"A": {**TOPIC, "DependsOn": "Nobody"}}},
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        (
            {"Resources": {"A": TOPIC}, "Outputs": {"O": {"Value": {"Fn::Sub": "${B}"}}}},
            "Template format error: Unresolved resource dependencies [B] in the Outputs block of the template",
        ),
        (
            {"Resources": {"A": {**TOPIC, "Properties": {"X": {"Fn::GetAtt": ["B", "Arn"]}}}}},
            "Template error: instance of Fn::GetAtt references undefined resource B",
        ),
        (
            {"Resources": {"A": {**TOPIC, "Properties": {"X": {"Fn::Sub": "${B.Arn}"}}}}},
            "Template error: instance of Fn::Sub references invalid resource attribute B.Arn",
        ),
        (
            {"Resources": {"A": {**TOPIC, "Condition": "C"}}},
            "Template format error: Unresolved condition dependency C in the Resources block of the template",
        ),
    ],
)
def test_message(document, message):
    assert problem(document) == message


def test_a_mistake_leads_back_to_its_line():
    text = "Resources:\n  A:\n    Type: T\n    Properties:\n      TopicName: x\n      Sub:\n        - !Ref Nope\n"
    with pytest.raises(TemplateError) as error:
        check(Template.of(parse(text)))
    assert line_of(text, error.value.path) == 7


def ordered(resources: dict) -> dict[str, list[str]]:
    template = Template.of({"Resources": resources})
    check(template)
    return dependencies(present(template, Scope()))


def test_dependencies_come_from_every_kind_of_mention():
    assert ordered(
        {
            "A": {**TOPIC, "DependsOn": ["D"], "Properties": {"X": {"Ref": "B"}, "Y": {"Fn::GetAtt": ["C", "Arn"]}}},
            "B": {**TOPIC, "Properties": {"X": {"Fn::Sub": ["${v}${C}", {"v": {"Ref": "D"}}]}}},
            "C": TOPIC,
            "D": TOPIC,
        }
    ) == {"A": ["B", "C", "D"], "B": ["C", "D"], "C": [], "D": []}


def test_a_circle_is_named_without_those_who_only_wait_for_it():
    with pytest.raises(TemplateError, match=r"^Circular dependency between resources: \[A, B\]$"):
        ordered(
            {
                "A": {**TOPIC, "Properties": {"X": {"Ref": "B"}}},
                "B": {**TOPIC, "Properties": {"X": {"Ref": "A"}}},
                "C": {**TOPIC, "DependsOn": "A"},
                "D": TOPIC,
            }
        )


def conditional(properties: dict, outputs: dict | None = None) -> tuple[Template, Scope]:
    template = Template.of(
        {
            "Conditions": {"No": {"Fn::Equals": ["a", "b"]}},
            "Resources": {"A": {**TOPIC, "Properties": properties}, "B": {**TOPIC, "Condition": "No"}},
            "Outputs": outputs or {},
        }
    )
    check(template)
    return template, Scope(conditions=template.conditions)


def test_an_absent_resource_may_be_mentioned_in_the_branch_not_taken():
    found = present(*conditional({"X": {"Fn::If": ["No", {"Ref": "B"}, "c"]}}))
    assert list(found) == ["A"] and found["A"].properties == {"X": "c"}


def test_an_absent_resource_that_is_needed_is_refused():
    # Recorded: engine/test_conditions of LocalStack, both texts.
    with pytest.raises(
        TemplateError, match=r"^Template format error: Unresolved resource dependencies \[B\] in the Res"
    ):
        present(*conditional({"X": {"Ref": "B"}}))
    with pytest.raises(TemplateError, match=r"^Unresolved resource dependencies \[B\] in the Outputs block"):
        present(*conditional({}, {"O": {"Value": {"Ref": "B"}}}))


@pytest.mark.parametrize(
    ("declared", "value", "message"),
    [
        ({"Type": "Number"}, "x", "Parameter 'P' must be a number."),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
        ({"Type": "String", "MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
        ({"Type": "String", "MaxLength": "1"}, "ab", "Parameter 'P' must contain at most 1 characters"),
        ({"Type": "Number", "MaxValue": 5}, "6", "Parameter 'P' must be a number not greater than 5"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "ab1", "Parameter 'P' must match pattern [a-z]+"),
        (
            {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "lower case."},
            "A",
            "Parameter P failed to satisfy constraint: lower case.",
        ),
        ({"Type": "List<Number>"}, "1, x", "Parameter 'P' must be a number."),
    ],
)
def test_a_parameter_outside_its_bounds(declared, value, message):
    with pytest.raises(TemplateError) as error:
        values({"P": Parameter.of("P", declared)}, {"P": value})
    assert error.value.message == message


def test_parameters_are_given_kept_or_default():
    declared = {name: Parameter.of(name, {"Type": "String", "Default": 5}) for name in "ABC"}
    assert values(declared, {"A": "1", "B": None}, {"B": "2", "C": "9"}) == {"A": "1", "B": "2", "C": "5"}


def test_parameters_unknown_or_without_a_value_are_named():
    declared = {"A": Parameter.of("A", {"Type": "String"}), "B": Parameter.of("B", {"Type": "String"})}
    with pytest.raises(TemplateError, match=r"^Parameters: \[A, B\] must have values$"):
        values(declared, {})
    with pytest.raises(TemplateError, match=r"^Parameters: \[X\] do not exist in the template$"):
        values(declared, {"X": "1"})


def test_lists_are_split_at_commas_without_their_blanks():
    assert split("a, b ,c") == ["a", "b", "c"]
    assert Parameter.of("P", {"Type": "AWS::SSM::Parameter::Value<List<String>>"}).is_list
