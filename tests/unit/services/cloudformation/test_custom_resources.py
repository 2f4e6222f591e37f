"""Resources that a function makes, and conditions that somebody signals."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from stratolite.kernel import Call, Delivery
from stratolite.server.hosts import Doors
from stratolite.wire.http1 import Headers, Request

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:maker"


class Maker:
    """The function behind a service token: what it was asked, and what it answers."""

    def __init__(self, bed: Any) -> None:
        self.bed = bed
        self.asked: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.doors = Doors(bed.cloud, lambda request: pytest.fail("not the control"))
        bed.cloud.target = lambda arn: (self.deliver, False)

    def deliver(self, call: Call, delivery: Delivery) -> None:
        event = json.loads(delivery.payload)
        self.asked.append(event)
        told = {"Status": "SUCCESS", "PhysicalResourceId": "made-1", **(self.answers.pop(0) if self.answers else {})}
        asyncio.get_running_loop().call_later(0.1, lambda: asyncio.ensure_future(self.put(event["ResponseURL"], told)))

    async def put(self, url: str, body: Any) -> int:
        path = url.split("/", 3)[3]
        host = url.split("/")[2]
        answer = self.doors(Request("PUT", f"/{path}", Headers([("host", host)]), json.dumps(body).encode()))
        return (await answer if asyncio.iscoroutine(answer) else answer).status  # type: ignore[no-any-return, union-attr]


@pytest.fixture
def maker(bed: Any) -> Maker:
    return Maker(bed)


def custom(**properties: Any) -> dict[str, Any]:
    return {"Type": "Custom::Thing", "Properties": {"ServiceToken": FUNCTION, **properties}}


def body(**properties: Any) -> dict[str, Any]:
    return {
        "Resources": {"Thing": custom(**properties)},
        "Outputs": {"Ref": {"Value": {"Ref": "Thing"}}, "Data": {"Value": {"Fn::GetAtt": ["Thing", "Size"]}}},
    }


def test_a_function_makes_changes_and_removes_it(bed: Any, maker: Maker) -> None:
    maker.answers.append({"Data": {"Size": "5"}})
    stack = bed.ask("create_stack", StackName="s", TemplateBody=body(Count=5, On=True))["StackId"]
    assert bed.stack()["StackStatus"] == "CREATE_COMPLETE"
    assert {each["OutputKey"]: each["OutputValue"] for each in bed.stack()["Outputs"]} == {"Ref": "made-1", "Data": "5"}
    (asked,) = maker.asked
    assert asked["ResponseURL"].startswith("http://localhost:4566/_aws/cloudformation-custom-resource/")
    del asked["ResponseURL"], asked["RequestId"]
    assert asked == {
        "RequestType": "Create",
        "ServiceToken": FUNCTION,
        "StackId": stack,
        "LogicalResourceId": "Thing",
        "ResourceType": "Custom::Thing",
        "ResourceProperties": {"ServiceToken": FUNCTION, "Count": "5", "On": "true"},
    }
    # Another id from an update: the old one is removed afterwards.
    maker.answers.append({"PhysicalResourceId": "made-2", "Data": {"Size": "6"}})
    bed.ask("update_stack", StackName="s", TemplateBody=body(Count=6))
    assert bed.status() == "UPDATE_COMPLETE"
    update, clean_up = maker.asked[1:]
    assert (update["RequestType"], update["PhysicalResourceId"]) == ("Update", "made-1")
    assert update["OldResourceProperties"]["Count"] == "5"
    assert (clean_up["RequestType"], clean_up["PhysicalResourceId"]) == ("Delete", "made-1")
    bed.ask("delete_stack", StackName="s")
    assert (maker.asked[-1]["RequestType"], maker.asked[-1]["PhysicalResourceId"]) == ("Delete", "made-2")
    assert bed.status(stack) == "DELETE_COMPLETE"
    assert bed.cloud.store.reader().value("SELECT count(*) FROM cloudformation_question") == 0
    assert bed.cloud.store.reader().value("SELECT count(*) FROM cloudformation_answer") == 0


def test_a_function_that_says_no_fails_the_stack_with_its_reason(bed: Any, maker: Maker) -> None:
    maker.answers.append({"Status": "FAILED", "Reason": "no luck"})
    bed.ask("create_stack", StackName="s", TemplateBody={"Resources": {"Thing": custom()}})
    assert bed.status() == "ROLLBACK_COMPLETE"
    reason = next(reason for _, status, reason in bed.events() if status == "CREATE_FAILED")
    assert reason.startswith(
        "Received response status [FAILED] from custom resource. Message returned: no luck (RequestId: "
    )


def test_a_function_that_says_nothing_is_given_up(bed: Any, maker: Maker) -> None:
    bed.cloud.target = lambda arn: (lambda call, delivery: None, False)
    bed.ask("create_stack", StackName="s", TemplateBody={"Resources": {"Thing": custom(ServiceTimeout=30)}})
    assert bed.stack()["StackStatus"] == "CREATE_IN_PROGRESS"
    bed.world.run(asyncio.sleep(31))
    assert bed.status() == "ROLLBACK_COMPLETE"
    reason = next(reason for _, status, reason in bed.events() if status == "CREATE_FAILED")
    assert reason.startswith("CloudFormation did not receive a response from your Custom Resource.")


WAITING = {
    "Resources": {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60", "Count": 2},
        },
    },
    "Outputs": {"Data": {"Value": {"Fn::GetAtt": ["Wait", "Data"]}}},
}


def test_a_condition_is_met_by_as_many_signals_as_it_counts(bed: Any, maker: Maker) -> None:
    bed.ask("create_stack", StackName="s", TemplateBody=WAITING)
    (handle,) = bed.ask("describe_stack_resources", StackName="s", LogicalResourceId="Handle")["StackResources"]
    for name in ("a", "a", "b"):
        assert bed.stack()["StackStatus"] == "CREATE_IN_PROGRESS"
        told = {"Status": "SUCCESS", "UniqueId": name, "Data": f"from {name}", "Reason": ""}
        assert bed.world.run(maker.put(handle["PhysicalResourceId"], told)) == 200
        bed.world.run(asyncio.sleep(0.1))
    assert bed.stack()["Outputs"] == [{"OutputKey": "Data", "OutputValue": '{"a":"from a","b":"from b"}'}]


def test_a_condition_nobody_meets_times_out(bed: Any) -> None:
    bed.ask("create_stack", StackName="s", TemplateBody=WAITING)
    bed.world.run(asyncio.sleep(61))
    assert bed.status() == "ROLLBACK_COMPLETE"
    assert "WaitCondition timed out. Received 0 conditions when expecting 2" in {
        reason for _, _, reason in bed.events()
    }
