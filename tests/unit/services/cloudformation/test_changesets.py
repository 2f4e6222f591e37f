"""Change sets as `aws cloudformation deploy` uses them, and what they say would change."""

from __future__ import annotations

import json
from typing import Any


def topic(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


def change_set(bed: Any, resources: dict[str, Any], kind: str = "UPDATE", **more: Any) -> dict[str, Any]:
    body = {"Resources": resources, **more.pop("sections", {})}
    made = bed.ask("create_change_set", StackName="s", ChangeSetName="c", ChangeSetType=kind, TemplateBody=body, **more)
    found: dict[str, Any] = bed.ask("describe_change_set", ChangeSetName=made["Id"], IncludePropertyValues=True)
    return found


def execute(bed: Any) -> str:
    bed.ask("execute_change_set", StackName="s", ChangeSetName="c")
    return str(bed.status())


# Shapes of the answers: LocalStack's recorded test_stack_description_lifecycle and test_change_set_ref.
def test_a_stack_is_reviewed_and_then_made(bed: Any) -> None:
    found = change_set(bed, {"A": topic(TopicName="a")}, "CREATE")
    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert [each["ResourceChange"]["Action"] for each in found["Changes"]] == ["Add"]
    assert bed.stack()["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert bed.stack()["StackStatusReason"] == "User Initiated"
    assert execute(bed) == "CREATE_COMPLETE"
    assert bed.stack()["ChangeSetId"] == found["ChangeSetId"]
    assert [status for name, status, _ in bed.events() if name == "s"] == [
        "REVIEW_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "CREATE_COMPLETE",
    ]


def test_an_import_that_nothing_exports_is_a_warning_about_values(bed: Any) -> None:
    """As recorded in LocalStack's `test_change_set_exports_imports.snapshot.json`, of a non existent export."""
    found = change_set(bed, {"A": topic(DisplayName={"Fn::ImportValue": "none"}, TopicName="a")}, "CREATE")
    assert json.loads(found["Changes"][0]["ResourceChange"]["AfterContext"]) == {
        "Properties": {"DisplayName": "{{changeSet:KNOWN_AFTER_APPLY}}", "TopicName": "a"}
    }
    assert (found["Status"], found["StatusReason"]) == (
        "CREATE_COMPLETE",
        "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation"
        " failed for resource [A] because: No export named none",
    )
    assert not bed.ask("describe_change_set", StackName="s", ChangeSetName="c").get("StatusReason")


def test_nothing_to_change_is_said_the_way_the_cli_looks_for_it(bed: Any) -> None:
    change_set(bed, {"A": topic()}, "CREATE")
    execute(bed)
    bed.ask("create_change_set", StackName="s", ChangeSetName="d", TemplateBody={"Resources": {"A": topic()}})
    found = bed.ask("describe_change_set", StackName="s", ChangeSetName="d")
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"] == (
        "The submitted information didn't contain changes. Submit different information to create a change set."
    )
    refused = bed.fails("execute_change_set", StackName="s", ChangeSetName="d")
    assert refused.code == "InvalidChangeSetStatus"
    assert refused.message == f"ChangeSet [{found['ChangeSetId']}] cannot be executed in its current status of [FAILED]"


def test_an_update_shows_what_is_modified_replaced_added_and_removed(bed: Any) -> None:
    change_set(bed, {"A": topic(DisplayName="1"), "B": topic(TopicName="b"), "C": topic()}, "CREATE")
    execute(bed)
    bed.ask("delete_change_set", StackName="s", ChangeSetName="nope")
    body = {"Resources": {"A": topic(DisplayName="2"), "B": topic(TopicName="bb"), "D": topic()}}
    bed.ask("create_change_set", StackName="s", ChangeSetName="d", TemplateBody=body)
    found = bed.ask("describe_change_set", StackName="s", ChangeSetName="d")["Changes"]
    changes = {each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"] for each in found}
    assert {name: (each["Action"], each.get("Replacement")) for name, each in changes.items()} == {
        "A": ("Modify", "False"),
        "B": ("Modify", "True"),
        "C": ("Remove", None),
        "D": ("Add", None),
    }
    assert changes["A"]["Details"] == [
        {
            "ChangeSource": "DirectModification",
            "Evaluation": "Static",
            "Target": {"Attribute": "Properties", "Name": "DisplayName", "RequiresRecreation": "Never"},
        }
    ]
    assert changes["B"]["PolicyAction"] == "ReplaceAndDelete"
    assert changes["C"]["PolicyAction"] == "Delete"


def test_a_change_tells_its_cause_and_its_values(bed: Any) -> None:
    sections = {"Parameters": {"Name": {"Type": "String"}}}
    resources = {"A": topic(TopicName={"Ref": "Name"}), "B": topic(DisplayName={"Fn::GetAtt": ["A", "TopicName"]})}

    def given(name: str) -> list[dict[str, str]]:
        return [{"ParameterKey": "Name", "ParameterValue": name}]

    change_set(bed, resources, "CREATE", sections=sections, Parameters=given("one"))
    execute(bed)
    body = {"Resources": resources, **sections}
    bed.ask("create_change_set", StackName="s", ChangeSetName="d", TemplateBody=body, Parameters=given("two"))
    found = bed.ask("describe_change_set", StackName="s", ChangeSetName="d", IncludePropertyValues=True)["Changes"]
    a, b = (each["ResourceChange"] for each in found)
    assert [(each["ChangeSource"], each.get("CausingEntity"), each["Evaluation"]) for each in a["Details"]] == [
        ("ParameterReference", "Name", "Static"),
        ("DirectModification", None, "Dynamic"),
    ]
    assert a["Details"][0]["Target"]["BeforeValue"] == "one" and a["Details"][0]["Target"]["AfterValue"] == "two"
    assert json.loads(a["AfterContext"]) == {"Properties": {"TopicName": "two"}}
    assert [(each["ChangeSource"], each["CausingEntity"]) for each in b["Details"]] == [
        ("ResourceAttribute", "A.TopicName")
    ]


def test_what_is_not_there_is_named(bed: Any) -> None:
    assert bed.fails("describe_change_set", ChangeSetName="c", StackName="s").message == "Stack [s] does not exist"
    change_set(bed, {"A": topic()}, "CREATE")
    missing = bed.fails("describe_change_set", ChangeSetName="x", StackName="s")
    assert (missing.code, missing.message) == ("ChangeSetNotFound", "ChangeSet [x] does not exist")
    assert bed.fails("describe_change_set", ChangeSetName="x").message == (
        "StackName must be specified if ChangeSetName is not specified as an ARN."
    )
    execute(bed)
    again = bed.fails(
        "create_change_set", StackName="s", ChangeSetName="e", ChangeSetType="CREATE",
        TemplateBody={"Resources": {"A": topic()}},
    )  # fmt: skip
    assert again.message == "Stack [s] already exists and cannot be created again with the changeSet [e]."


def test_a_summary_shows_metadata_but_not_as_json(bed: Any) -> None:
    """As recorded in LocalStack's `test_templates.snapshot.json`, test_get_template_summary."""
    body = "Metadata: {TopicName: simple}\nResources: {A: {Type: AWS::SNS::Topic}}"
    assert bed.ask("get_template_summary", TemplateBody=body)["Metadata"] == "{'TopicName': 'simple'}"


def test_templates_are_given_back_and_summed_up(bed: Any) -> None:
    parameter = "{Type: String, Default: x, NoEcho: true}"
    body = f"Description: d\nParameters: {{P: {parameter}}}\nResources: {{A: {{Type: AWS::SNS::Topic}}}}"
    bed.ask("create_stack", StackName="s", TemplateBody=body)
    assert bed.ask("get_template", StackName="s") == {
        "TemplateBody": body,
        "StagesAvailable": ["Original", "Processed"],
    }
    summary = bed.ask("get_template_summary", StackName="s")
    assert summary["ResourceTypes"] == ["AWS::SNS::Topic"] and summary["Description"] == "d"
    assert bed.ask("validate_template", TemplateBody=body)["Parameters"][0]["ParameterKey"] == "P"
    assert bed.fails("validate_template", TemplateBody="{}").message == (
        "Template format error: At least one Resources member must be defined."
    )
