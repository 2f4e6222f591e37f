"""Stacks made, changed, removed and rolled back, event by event."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

TOPIC = {"Type": "AWS::SNS::Topic"}


def topic(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def template(outputs: dict[str, Any] | None = None, **resources: Any) -> dict[str, Any]:
    return {"Resources": resources, **({"Outputs": outputs} if outputs else {})}


def create(bed: Any, body: Any, **more: Any) -> str:
    bed.ask("create_stack", StackName="s", TemplateBody=body, **more)
    return bed.status()


def update(bed: Any, body: Any, **more: Any) -> str:
    bed.ask("update_stack", StackName="s", TemplateBody=body, **more)
    return bed.status()


def test_a_stack_is_made_in_the_order_of_its_dependencies(bed: Any) -> None:
    body = template(
        {"Name": {"Value": {"Fn::GetAtt": ["B", "TopicName"]}, "Description": "of B"}},
        A=topic(DisplayName={"Ref": "B"}),
        B=topic(TopicName="b"),
        C=queue(QueueName={"Fn::Sub": "${B.TopicName}-${AWS::StackName}"}),
    )
    bed.ask("create_stack", StackName="s", TemplateBody=body)
    assert bed.stack()["StackStatus"] == "CREATE_COMPLETE"  # the answer waited for it
    assert bed.journal == [("create", "B"), ("create", "A"), ("create", "C")]
    assert bed.stack()["Outputs"] == [{"OutputKey": "Name", "OutputValue": "b", "Description": "of B"}]
    made = {
        each["LogicalResourceId"]: each for each in bed.ask("describe_stack_resources", StackName="s")["StackResources"]
    }
    assert made["C"]["PhysicalResourceId"] == "b-s"
    assert made["A"]["ResourceStatus"] == "CREATE_COMPLETE"
    assert made["A"]["PhysicalResourceId"].split(":")[-1].startswith("s-A-")


# The sequence is recorded in LocalStack's test_stacks.snapshot.json (test_list_events_after_deployment).
def test_a_parameter_without_its_key_is_refused(bed: Any) -> None:
    error = bed.fails("create_stack", StackName="s", TemplateBody=template(A=topic()), Parameters=[{}])
    assert error.code == "ValidationError" and "do not exist in the template" in str(error)


def test_the_events_of_a_creation(bed: Any) -> None:
    create(bed, template(A=topic(TopicName="t")))
    assert bed.events() == [
        ("s", "CREATE_IN_PROGRESS", "User Initiated"),
        ("A", "CREATE_IN_PROGRESS", None),
        ("A", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("A", "CREATE_COMPLETE", None),
        ("s", "CREATE_COMPLETE", None),
    ]
    newest = bed.ask("describe_stack_events", StackName="s")["StackEvents"][1]
    assert newest["ResourceProperties"] == '{"TopicName":"t"}'
    assert newest["EventId"].startswith("A-CREATE_COMPLETE-2025-")


def test_a_creation_that_fails_is_rolled_back(bed: Any) -> None:
    bed.broken.add(("create", "B"))
    assert create(
        bed, template(A=topic(TopicName="a"), B={**TOPIC, "DependsOn": "A"}, C={**TOPIC, "DependsOn": "B"})
    ) == ("ROLLBACK_COMPLETE")
    assert bed.journal == [("create", "A"), ("create", "B"), ("delete", "a")]
    events = bed.events()
    failed = next(reason for name, status, reason in events if status == "CREATE_FAILED")
    assert failed.startswith('Resource handler returned message: "cannot create B" (RequestToken: ')
    assert failed.endswith("HandlerErrorCode: InvalidRequest)")
    assert (
        "s",
        "ROLLBACK_IN_PROGRESS",
        "The following resource(s) failed to create: [B]. Rollback requested by user.",
    ) in events
    assert "C" not in {name for name, _, _ in events}
    refused = bed.fails("update_stack", StackName="s", TemplateBody=template(A=TOPIC))
    assert refused.message == f"Stack:{bed.stack()['StackId']} is in ROLLBACK_COMPLETE state and can not be updated."


def test_a_creation_that_fails_stays_as_it_is_when_asked(bed: Any) -> None:
    bed.broken.add(("create", "B"))
    body = template(A=TOPIC, B={**TOPIC, "DependsOn": "A"})
    assert create(bed, body, DisableRollback=True) == "CREATE_FAILED"
    assert bed.stack()["StackStatusReason"] == "The following resource(s) failed to create: [B]. "
    assert [verb for verb, _ in bed.journal] == ["create", "create"]


def test_on_failure_delete_leaves_nothing(bed: Any) -> None:
    bed.broken.add(("create", "B"))
    stack = bed.ask("create_stack", StackName="s", TemplateBody=template(B=TOPIC), OnFailure="DELETE")["StackId"]
    assert bed.status(stack) == "DELETE_COMPLETE"


def test_what_does_not_change_is_left_alone_and_what_changes_is_updated(bed: Any) -> None:
    create(bed, template(A=topic(DisplayName="1"), B=topic(DisplayName="1")))
    bed.journal.clear()
    assert update(bed, template(A=topic(DisplayName="2"), B=topic(DisplayName="1"))) == "UPDATE_COMPLETE"
    assert bed.journal == [("update", "A")]
    assert bed.events()[-4:] == [
        ("A", "UPDATE_IN_PROGRESS", None),
        ("A", "UPDATE_COMPLETE", None),
        ("s", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", None),
        ("s", "UPDATE_COMPLETE", None),
    ]


def test_a_replacement_makes_the_new_one_first_and_removes_the_old_one_last(bed: Any) -> None:
    create(bed, template(A=topic(TopicName="old"), B=topic(DisplayName={"Ref": "A"})))
    bed.journal.clear()
    assert update(bed, template(A=topic(TopicName="new"), B=topic(DisplayName={"Ref": "A"}))) == "UPDATE_COMPLETE"
    assert bed.journal == [("create", "A"), ("update", "B"), ("delete", "old")]
    events = bed.events()
    assert (
        "A",
        "UPDATE_IN_PROGRESS",
        "Requested update requires the creation of a new physical resource; hence creating one.",
    ) in events
    assert events[-3:] == [
        ("A", "DELETE_IN_PROGRESS", None),
        ("A", "DELETE_COMPLETE", None),
        ("s", "UPDATE_COMPLETE", None),
    ]


def test_a_replaced_resource_is_kept_when_its_policy_says_so(bed: Any) -> None:
    kept = {**topic(TopicName="old"), "UpdateReplacePolicy": "Retain"}
    create(bed, template(A=kept))
    update(bed, template(A={**topic(TopicName="new"), "UpdateReplacePolicy": "Retain"}))
    assert ("delete", "old") not in bed.journal
    assert ("A", "DELETE_SKIPPED", None) in bed.events()


def test_a_resource_that_left_the_template_is_removed_in_the_clean_up(bed: Any) -> None:
    create(bed, template(A=topic(TopicName="a"), B=topic(TopicName="b")))
    update(bed, template(A=topic(TopicName="a")))
    assert bed.journal[-1] == ("delete", "b")
    listed = bed.ask("list_stack_resources", StackName="s")["StackResourceSummaries"]
    assert [each["LogicalResourceId"] for each in listed] == ["A"]


def test_an_update_that_fails_goes_back_to_what_was(bed: Any) -> None:
    create(
        bed,
        template(
            {"Name": {"Value": {"Fn::GetAtt": ["R", "TopicName"]}}},
            A=topic(DisplayName="1"),
            R=topic(TopicName="old"),
        ),
    )
    bed.journal.clear()
    bed.broken.add(("create", "Z"))
    status = update(
        bed,
        template(
            {"Name": {"Value": {"Fn::GetAtt": ["R", "TopicName"]}}},
            A=topic(DisplayName="2"),
            N=topic(TopicName="n"),
            R=topic(TopicName="new"),
            Z={**TOPIC, "DependsOn": ["A", "N", "R"]},
        ),
    )
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert bed.journal[:4] == [("update", "A"), ("create", "N"), ("create", "R"), ("create", "Z")]
    assert bed.journal[4] == ("update", "A")  # back again
    assert sorted(bed.journal[5:]) == [("delete", "n"), ("delete", "new")]
    assert bed.stack()["Outputs"] == [{"OutputKey": "Name", "OutputValue": "old"}]
    listed = bed.ask("list_stack_resources", StackName="s")["StackResourceSummaries"]
    assert [each["LogicalResourceId"] for each in listed] == ["A", "R"]
    statuses = [status for name, status, _ in bed.events() if name == "s"]
    assert statuses[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    bed.broken.clear()
    bed.journal.clear()
    assert update(bed, template(A=topic(DisplayName="3"), R=topic(TopicName="old"))) == "UPDATE_COMPLETE"
    assert bed.journal == [("update", "A")]


def test_a_stack_is_removed_against_the_order_it_was_made_in(bed: Any) -> None:
    stack = create(bed, template(A=topic(TopicName="a"), B={**topic(TopicName="b"), "DependsOn": "A"}))
    stack = bed.stack()["StackId"]
    bed.ask("delete_stack", StackName="s")
    assert bed.journal[-2:] == [("delete", "b"), ("delete", "a")]
    assert bed.fails("describe_stacks", StackName="s").message == "Stack with id s does not exist"
    assert bed.stack(stack)["StackStatus"] == "DELETE_COMPLETE"
    bed.ask("delete_stack", StackName="s")  # once more is no error
    assert create(bed, template(A=TOPIC)) == "CREATE_COMPLETE"


def test_a_resource_is_kept_when_its_policy_says_so(bed: Any) -> None:
    create(bed, template(A={**topic(TopicName="a"), "DeletionPolicy": "Retain"}, B=topic(TopicName="b")))
    stack = bed.stack()["StackId"]
    bed.ask("delete_stack", StackName="s")
    assert ("delete", "a") not in bed.journal and ("delete", "b") in bed.journal
    assert ("A", "DELETE_SKIPPED", None) in bed.events(stack)


def test_a_removal_that_fails_can_leave_that_resource_behind(bed: Any) -> None:
    create(bed, template(A=topic(TopicName="a"), B=topic(TopicName="b")))
    stack = bed.stack()["StackId"]
    bed.broken.add(("delete", "a"))
    bed.ask("delete_stack", StackName="s")
    assert bed.status() == "DELETE_FAILED"
    assert bed.stack()["StackStatusReason"] == "The following resource(s) failed to delete: [A]. "
    assert ("delete", "b") in bed.journal
    bed.ask("delete_stack", StackName="s", RetainResources=["A"])
    assert bed.status(stack) == "DELETE_COMPLETE"


def test_termination_protection(bed: Any) -> None:
    create(bed, template(A=TOPIC), EnableTerminationProtection=True)
    refused = bed.fails("delete_stack", StackName="s")
    assert refused.message == "Stack [s] cannot be deleted while TerminationProtection is enabled"
    bed.ask("update_termination_protection", StackName="s", EnableTerminationProtection=False)
    bed.ask("delete_stack", StackName="s")
    assert bed.fails("describe_stacks", StackName="s").code == "ValidationError"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            {"Resources": {"A": {"Type": "AWS::Nope::Thing"}, "B": {"Type": "Nope"}}},
            "ValidationError",
            "Template format error: Unrecognized resource types: [AWS::Nope::Thing, Nope]",
        ),
        ("a: b: c", "ValidationError", "Template format error: YAML not well-formed. (line 1, column 5)"),
        (
            {"Resources": {"A": topic(DisplayName={"Ref": "B"}), "B": topic(DisplayName={"Ref": "A"})}},
            "ValidationError",
            "Circular dependency between resources: [A, B]",
        ),
        (
            {"Parameters": {"P": {"Type": "String"}}, "Resources": {"A": TOPIC}},
            "ValidationError",
            "Parameters: [P] must have values",
        ),
        (
            {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"A": TOPIC}},
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_AUTO_EXPAND]",
        ),
    ],
)
def test_a_template_that_cannot_be_is_refused_before_anything_is_made(
    bed: Any, body: Any, code: str, message: str
) -> None:
    refused = bed.fails("create_stack", StackName="s", TemplateBody=body)
    assert refused.code == code and refused.message.startswith(message)
    assert bed.ask("describe_stacks")["Stacks"] == []


def test_an_unknown_property_fails_the_resource(bed: Any) -> None:
    assert create(bed, template(A=topic(Colour="red"))) == "ROLLBACK_COMPLETE"
    reason = next(reason for _, status, reason in bed.events() if status == "CREATE_FAILED")
    assert reason == "Property validation failure: [Encountered unsupported properties in {/}: [Colour]]"
    assert bed.journal == []


def test_an_ignored_property_is_said(bed: Any) -> None:
    create(bed, template(A=topic(SignatureVersion="2", FifoTopic=False)))
    assert set(bed.cloud.notices) == {"AWS::SNS::Topic SignatureVersion", "AWS::SNS::Topic FifoTopic"}


def test_an_update_without_changes_is_refused(bed: Any) -> None:
    create(bed, template(A=TOPIC))
    refused = bed.fails("update_stack", StackName="s", TemplateBody=template(A=TOPIC))
    assert (refused.code, refused.message) == ("ValidationError", "No updates are to be performed.")
    assert (
        bed.fails("update_stack", StackName="x", TemplateBody=template(A=TOPIC)).message == "Stack [x] does not exist"
    )


def test_a_stack_of_that_name_exists(bed: Any) -> None:
    create(bed, template(A=TOPIC))
    refused = bed.fails("create_stack", StackName="s", TemplateBody=template(A=TOPIC))
    assert (refused.code, refused.message) == ("AlreadyExistsException", "Stack [s] already exists")


def test_secrets_are_not_shown(bed: Any) -> None:
    body = {
        "Parameters": {"Word": {"Type": "String", "NoEcho": True}},
        **template(A=topic(DisplayName={"Ref": "Word"})),
    }
    create(bed, body, Parameters=[{"ParameterKey": "Word", "ParameterValue": "hush"}])
    assert bed.stack()["Parameters"] == [{"ParameterKey": "Word", "ParameterValue": "****"}]
    assert "hush" not in str(bed.ask("describe_stack_events", StackName="s"))
    name = bed.cloud.store.reader().value("SELECT attributes FROM cloudformation_resource")
    assert "hush" in name  # the resource itself has it


def test_exports_join_stacks_and_hold_them_together(bed: Any) -> None:
    out = {"O": {"Value": {"Ref": "A"}, "Export": {"Name": "shared"}}}
    create(bed, template(out, A=topic(TopicName="a")))
    imported = template(B=topic(DisplayName={"Fn::ImportValue": "shared"}))
    bed.ask("create_stack", StackName="user", TemplateBody=imported)
    assert bed.status("user") == "CREATE_COMPLETE"
    assert bed.ask("list_exports")["Exports"][0]["Value"].endswith(":a")
    assert bed.ask("list_imports", ExportName="shared")["Imports"] == ["user"]
    refused = bed.fails("delete_stack", StackName="s")
    assert refused.message == "Export shared cannot be deleted as it is in use by user"
    assert update(bed, template(out, A=topic(TopicName="other"))) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Export shared cannot be updated as it is in use by user" in {reason for _, _, reason in bed.events()}
    bed.ask("delete_stack", StackName="user")
    bed.ask("delete_stack", StackName="s")
    assert bed.ask("list_exports")["Exports"] == []


def test_an_import_of_nothing_fails_the_stack(bed: Any) -> None:
    assert create(bed, template(B=topic(DisplayName={"Fn::ImportValue": "nope"}))) == "ROLLBACK_COMPLETE"
    assert ("B", "CREATE_FAILED", "No export named nope found.") in bed.events()


def test_dynamic_references_are_looked_up_and_not_shown(bed: Any) -> None:
    bed.ask("put_parameter", service="ssm", Name="word", Value="hush", Type="String")
    create(bed, template(A=topic(DisplayName="<{{resolve:ssm:word}}>")))
    assert "<hush>" in bed.cloud.store.reader().value("SELECT attributes FROM cloudformation_resource")
    assert "hush" not in str(bed.ask("describe_stack_events", StackName="s"))


def test_parameters_of_an_ssm_type_are_looked_up(bed: Any) -> None:
    bed.ask("put_parameter", service="ssm", Name="/name", Value="found", Type="String")
    body = {
        "Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/name"}},
        **template(A=topic(TopicName={"Ref": "P"})),
    }
    create(bed, body)
    assert bed.stack()["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "/name", "ResolvedValue": "found"}]


def test_many_slow_resources_are_made_side_by_side(bed: Any) -> None:
    start = bed.world.now()
    bed.ask("create_stack", StackName="s", TemplateBody=template(**{f"Q{n}": queue() for n in range(20)}))
    assert bed.stack()["StackStatus"] == "CREATE_COMPLETE"
    assert bed.world.now() - start < 1.0  # 0.3 s each


def test_a_stack_goes_on_after_the_process_died_in_the_middle(bed: Any) -> None:
    body = template(A=topic(TopicName="a"), Q={**queue(QueueName="q"), "DependsOn": "A"}, B={**TOPIC, "DependsOn": "Q"})
    task = bed._ask("cloudformation", "create_stack", {"StackName": "s", "TemplateBody": body})

    under_way: list[Any] = []

    async def die_under_way() -> None:
        under_way.append(asyncio.ensure_future(task))
        await asyncio.sleep(0.15)  # the queue exists and is not ready

    bed.world.run(die_under_way())
    assert bed.journal == [("create", "A"), ("create", "Q")]
    bed.world.reborn()
    bed.begin()
    bed.world.run(asyncio.sleep(1.0))
    assert bed.status() == "CREATE_COMPLETE"
    assert bed.journal == [("create", "A"), ("create", "Q"), ("create", "B")]
