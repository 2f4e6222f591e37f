"""What is accepted and has no effect here is said, and refused under strict."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from stratolite.testing import TestCloud

ALLOW = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


def template(**attributes: object) -> dict[str, object]:
    return {"Resources": {"Q": {"Type": "AWS::SQS::Queue", **attributes}}}


def test_policies_that_nobody_enforces_are_said_once_and_counted(cloud: TestCloud) -> None:
    iam = cloud.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=ALLOW)
    for name in ("a", "b"):
        iam.put_role_policy(RoleName="r", PolicyName=name, PolicyDocument=ALLOW)
    url = cloud.client("sqs").create_queue(QueueName="q", Attributes={"Policy": ALLOW})["QueueUrl"]
    assert url
    assert cloud.cloud.notices == {"iam: the enforcement of policies": 2, "sqs: the enforcement of queue policies": 1}


@pytest.mark.parametrize("attribute", ["CreationPolicy", "UpdatePolicy"])
def test_a_templates_policies_are_said_and_refused_under_strict(cloud: TestCloud, attribute: str) -> None:
    body = template(**{attribute: {"ResourceSignal": {"Count": 1}}})
    cloud.deploy(body)
    assert cloud.cloud.notices == {f"AWS::SQS::Queue {attribute}": 1}
    with TestCloud(strict=True) as strict, pytest.raises(AssertionError, match=attribute):
        strict.deploy(body)


def test_a_queues_key_is_said_and_refused_under_strict(cloud: TestCloud) -> None:
    attributes = {"KmsMasterKeyId": "alias/aws/sqs"}
    cloud.client("sqs").create_queue(QueueName="q", Attributes=attributes)
    assert cloud.cloud.notices == {"sqs KmsMasterKeyId": 1}
    with TestCloud(strict=True) as strict, pytest.raises(ClientError, match="not emulated"):
        strict.client("sqs").create_queue(QueueName="q", Attributes=attributes)
