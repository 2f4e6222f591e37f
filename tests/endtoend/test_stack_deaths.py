"""A stack through boto3, and through the death of the process in the middle of it."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from stratolite.testing.live import LiveCloud

TEMPLATE = {
    "Resources": {
        "First": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/first", "Type": "String", "Value": "1"}},
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle", "DependsOn": "First"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "300"},
        },
        "Last": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/last", "Type": "String", "Value": {"Fn::GetAtt": ["Wait", "Data"]}},
        },
    }
}


def test_a_stack_that_waits_goes_on_after_kill_9(tmp_path: Path) -> None:
    with LiveCloud(tmp_path / "state") as cloud:
        formation = cloud.client("cloudformation")
        formation.create_stack(StackName="waits", TemplateBody=json.dumps(TEMPLATE))
        assert formation.describe_stacks(StackName="waits")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
        for _ in range(2):
            cloud.kill()
            cloud.start()
        handle = formation.describe_stack_resource(StackName="waits", LogicalResourceId="Handle")
        url = handle["StackResourceDetail"]["PhysicalResourceId"]
        signal = json.dumps({"Status": "SUCCESS", "UniqueId": "me", "Data": "ready", "Reason": ""}).encode()
        with urllib.request.urlopen(urllib.request.Request(url, signal, method="PUT")) as answer:
            assert answer.status == 200
        waiter = formation.get_waiter("stack_create_complete")
        waiter.wait(StackName="waits", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        assert cloud.client("ssm").get_parameter(Name="/last")["Parameter"]["Value"] == '{"me":"ready"}'
        events = formation.describe_stack_events(StackName="waits")["StackEvents"]
        made = [each["LogicalResourceId"] for each in events if each["ResourceStatus"] == "CREATE_COMPLETE"]
        assert sorted(made) == ["First", "Handle", "Last", "Wait", "waits"]  # each once
        formation.delete_stack(StackName="waits")
        formation.get_waiter("stack_delete_complete").wait(StackName="waits")
        assert cloud.client("ssm").describe_parameters()["Parameters"] == []
