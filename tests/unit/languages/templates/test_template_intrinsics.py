"""What each intrinsic function stands for, and what it says when misused."""

import pytest

from stratolite.languages.templates import NO_VALUE, Scope, TemplateError, evaluate, prune

SCOPE_VALUES = {
    "AWS::Region": "eu-west-1",
    "AWS::StackName": "shop",
    "Env": "prod",
    "Size": "3",
    "Names": ["a", "b", "c"],
}


def scope(**more) -> Scope:
    return Scope(
        values=SCOPE_VALUES,
        mappings={"Map": {"prod": {"Size": 10, "Zones": ["x", "y"]}}},
        conditions={
            "IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
            "Never": {"Fn::Not": [{"Condition": "IsProd"}]},
            "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "Never"}]},
            "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "Never"}]},
            "Round": {"Fn::Not": [{"Condition": "About"}]},
            "About": {"Condition": "Round"},
        },
        ref=lambda name: f"id-of-{name}",
        attribute=lambda name, attribute: f"{name}/{attribute}",
        imported=lambda name: f"import:{name}",
        **more,
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": "Env"}, "prod"),
        ({"Ref": "Queue"}, "id-of-Queue"),
        ({"Ref": "AWS::NoValue"}, NO_VALUE),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "Table/Arn"),
        ({"Fn::GetAtt": "Nested.Outputs.Name"}, "Nested/Outputs.Name"),
        ({"Fn::GetAtt": ["Table", {"Ref": "Env"}]}, "Table/prod"),
        ({"Fn::Sub": "${Env}-${AWS::Region}-${Queue}-${Queue.Arn}-${!Literal}"}, None),
        ({"Fn::Sub": ["${a}-${Env}", {"a": {"Ref": "Size"}}]}, "3-prod"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Env"}, 5, True]]}, "a-prod-5-true"),
        ({"Fn::Join": [",", {"Ref": "Names"}]}, "a,b,c"),
        ({"Fn::Select": ["1", {"Ref": "Names"}]}, "b"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "eu-west-1a"),
        ({"Fn::Split": ["|", "a||b"]}, ["a", "", "b"]),
        ({"Fn::FindInMap": ["Map", {"Ref": "Env"}, "Size"]}, 10),
        ({"Fn::FindInMap": ["Map", "test", "Size", {"DefaultValue": {"Ref": "Size"}}]}, "3"),
        ({"Fn::If": ["IsProd", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Both", "yes", {"Fn::If": ["Either", "inner", "no"]}]}, "inner"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Env}-bus"}}, "import:prod-bus"),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::Cidr": ["192.168.0.0/24", 3, 5]}, ["192.168.0.0/27", "192.168.0.32/27", "192.168.0.64/27"]),
        ({"Fn::GetAZs": "us-east-1"}, ["us-east-1a", "us-east-1b", "us-east-1c"]),
        ({"Fn::Length": {"Ref": "Names"}}, 3),
        ({"Fn::ToJsonString": {"a": {"Ref": "Env"}, "b": [1, True]}}, '{"a":"prod","b":[1,true]}'),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}, 2]}, {"b": [1, 2]}),
        # An IAM statement's own Condition is no function.
        ({"Condition": {"StringEquals": {"a": {"Ref": "Env"}}}}, {"Condition": {"StringEquals": {"a": "prod"}}}),
    ],
)
def test_value(expression, value):
    if value is None:
        value = "prod-eu-west-1-id-of-Queue-Queue/Arn-${Literal}"
    assert evaluate(expression, scope()) == value


# Texts: recorded answers (validated snapshots of LocalStack) where the case is there, else AWS's as quoted in issues.
@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (
            {"Fn::Select": [9, {"Ref": "Names"}]},
            "Template error: Fn::Select cannot select nonexistent value at index 9",
        ),
        (
            {"Fn::Select": [9, ["a"]]},
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        (
            {"Fn::Select": ["x", ["a"]]},
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        (
            {"Fn::Join": ["-", "abc"]},
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
            "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
        ),
        (
            {"Fn::Split": ["", "abc"]},
            "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string "
            "to be split or a function that returns a string to be split.",
        ),
        ({"Fn::FindInMap": ["Map", "C", "Suffix"]}, "Template error: Unable to get mapping for Map::C::Suffix"),
        (
            {"Fn::FindInMap": ["Nope", "C", "Suffix"]},
            "Template error: Mapping named 'Nope' is not present in the 'Mappings' section of template.",
        ),
        ({"Fn::If": ["Missing", 1, 2]}, "Template error: unresolved condition dependency Missing in Fn::If"),
        ({"Fn::Equals": ["a"]}, "Template error: every Fn::Equals object requires a list of 2 string parameters."),
        (
            {"Fn::GetAtt": ["Table", ""]},
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
            "resource attribute",
        ),
        (
            {"Fn::Sub": "${not ok}"},
            "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, "
            "periods, and colons",
        ),
        ({"Fn::Base64": ["a"]}, "Template error: every Fn::Base64 object must have a String-typed value."),
        ({"Fn::If": ["Round", 1, 2]}, "Template error: circular dependency between conditions [Round, About]"),
    ],
)
def test_misuse(expression, message):
    with pytest.raises(TemplateError) as error:
        evaluate({"Resources": {"X": expression}}, scope())
    assert error.value.message == message
    assert error.value.path[0] in ("Resources", "Conditions")


def test_pruning_decides_ifs_and_leaves_everything_else():
    value = {
        "a": {"Fn::If": ["IsProd", {"Ref": "X"}, {"Ref": "Y"}]},
        "b": {"Fn::If": ["Never", 1, NO_REF]},
        "c": [NO_REF],
    }
    assert prune(value, scope()) == {"a": {"Ref": "X"}, "c": []}


NO_REF = {"Ref": "AWS::NoValue"}


def test_a_parameter_may_say_that_a_property_is_left_out() -> None:
    """LocalStack's `cloudformation/resources/test_logs.py`, validated on AWS: `Default: AWS::NoValue`."""
    left = Scope(values={"Name": "AWS::NoValue"})
    assert evaluate({"A": {"Ref": "Name"}, "B": "b"}, left, ("Resources", "R")) == {"B": "b"}
    assert evaluate({"Ref": "Name"}, left, ("Conditions", "C")) == "AWS::NoValue"
