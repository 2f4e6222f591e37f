"""What a template may ask of a topic: LocalStack's recorded `test_change_set_fn_get_attr`."""

from __future__ import annotations

import json
from pathlib import Path

from stratolite.testing import TestCloud


def test_a_topics_display_name_can_be_asked_for(cloud: TestCloud, tmp_path: Path) -> None:
    topics = {
        "One": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "shown"}},
        "Two": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["One", "DisplayName"]}}},
    }
    template = tmp_path / "template.json"
    outputs = {"Two": {"Value": {"Ref": "Two"}}}
    template.write_text(json.dumps({"Resources": topics, "Outputs": outputs}))
    arn = cloud.deploy(str(template))["Two"]
    assert cloud.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == "shown"
