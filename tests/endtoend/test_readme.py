"""README's example of a test, as written, in a process of its own and in a live cloud."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from stratolite.testing import LiveCloud, TestCloud

README = Path(__file__).parents[2] / "README.md"

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 60}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Store:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: store.handler
      CodeUri: src
      Environment: {Variables: {TABLE: !Ref Table}}
      Events: {Orders: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}
Outputs:
  Queue: {Value: !Ref Queue}
  Table: {Value: !Ref Table}
"""
CODE = """
import json, os, boto3

def handler(event, context):
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    for record in event["Records"]:
        table.put_item(Item={"id": record["messageId"], **json.loads(record["body"])})
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "store.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_passes_as_it_is_written(project: Path, cloud: TestCloud) -> None:
    example = re.search(r"```python\n(def test_.*?)```", README.read_text(), re.DOTALL)
    assert example is not None
    names: dict[str, Any] = {}
    exec(example[1], names)
    names["test_an_order_is_stored"](cloud)


def test_a_live_cloud_takes_the_same_project_and_goes_on_after_a_kill(project: Path, live_cloud: LiveCloud) -> None:
    outputs = live_cloud.deploy("template.yaml")
    live_cloud.client("sqs").send_message(QueueUrl=outputs["Queue"], MessageBody='{"order": 1}')
    live_cloud.kill()
    live_cloud.start()
    table, end = live_cloud.resource("dynamodb").Table(outputs["Table"]), time.monotonic() + 60
    while table.scan()["Count"] == 0 and time.monotonic() < end:
        time.sleep(0.05)
    assert [item["order"] for item in table.scan()["Items"]] == [1]


def test_a_project_that_is_none_is_told(project: Path, live_cloud: LiveCloud) -> None:
    with pytest.raises(RuntimeError, match="no such file"):
        live_cloud.deploy("nowhere.yaml")
