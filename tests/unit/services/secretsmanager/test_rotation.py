"""Rotation: four steps by a function, now, on a schedule, or not at all.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from stratolite.kernel import AwsError, Call
from stratolite.kernel.service import Operation

DAY_S = 86400.0
TOKENS = [f"{n:032d}" for n in range(9)]
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:rotate"


class Function:
    """The function of AWS's rotation template, in a place where Lambda would be."""

    def __init__(self, aws: Any) -> None:
        self.steps: list[str] = []
        self.fails_at = ""
        real = aws.cloud.operation_by_method
        fakes = {
            ("lambda", "invoke"): _operation("Invoke", self.invoke, {"FunctionName": "name", "Payload": "payload"}),
            ("lambda", "get_function"): _operation("GetFunction", self.get, {"FunctionName": "name"}),
        }
        aws.cloud.operation_by_method = lambda service, method: fakes.get((service, method)) or real(service, method)

    def get(self, call: Call, name: str) -> dict[str, Any]:
        if name != FUNCTION:
            raise AwsError("no such function", code="ResourceNotFoundException")
        return {}

    async def invoke(self, call: Call, name: str, payload: bytes) -> dict[str, Any]:
        event = json.loads(payload)
        step, secret, token = event["Step"], event["SecretId"], event["ClientRequestToken"]
        self.steps.append(step)
        if step == self.fails_at:
            return {"FunctionError": "Unhandled", "Payload": b"{}"}
        with call.write() as c:
            api = c.api("secretsmanager")
            if step == "createSecret":
                api.put_secret_value(
                    SecretId=secret, ClientRequestToken=token, SecretString="new", VersionStages=["AWSPENDING"]
                )
            if step == "finishSecret":
                current = api.get_secret_value(SecretId=secret)["VersionId"]
                stage = {"SecretId": secret, "VersionStage": "AWSCURRENT"}
                api.update_secret_version_stage(**stage, RemoveFromVersionId=current, MoveToVersionId=token)
        return {"StatusCode": 200}


def _operation(name: str, fn: Any, parameters: dict[str, str]) -> Operation:
    return Operation("lambda", name, fn, name == "Invoke", False, parameters, frozenset(), ())


@pytest.fixture
def function(aws: Any) -> Function:
    aws.secretsmanager.create_secret(Name="s", SecretString="old", ClientRequestToken=TOKENS[0])
    return Function(aws)


def rotate(aws: Any, n: int = 1, **more: Any) -> Any:
    how = {"RotationLambdaARN": FUNCTION, "RotationRules": {"AutomaticallyAfterDays": 2}, **more}
    answer = aws.secretsmanager.rotate_secret(SecretId="s", ClientRequestToken=TOKENS[n], **how)
    aws.settle()
    return answer


def value(aws: Any, **which: str) -> str:
    return str(aws.secretsmanager.get_secret_value(SecretId="s", **which)["SecretString"])


def test_a_rotation_takes_four_steps_and_leaves_the_old_value_as_the_previous(aws: Any, function: Function) -> None:
    assert rotate(aws)["VersionId"] == TOKENS[1]
    assert function.steps == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    assert (value(aws), value(aws, VersionStage="AWSPREVIOUS")) == ("new", "old")
    told = aws.secretsmanager.describe_secret(SecretId="s")
    assert told["RotationEnabled"] and told["LastRotatedDate"] == pytest.approx(aws.now(), abs=1)
    assert told["NextRotationDate"] == pytest.approx(aws.now() + 2 * DAY_S, abs=1)


def test_a_rotation_that_fails_stays_pending_until_it_is_tried_again(aws: Any, function: Function) -> None:
    function.fails_at = "testSecret"
    rotate(aws)
    assert (value(aws), value(aws, VersionStage="AWSPENDING")) == ("old", "new")
    with pytest.raises(AwsError, match="A previous rotation isn't complete"):
        rotate(aws, 2)
    function.fails_at = ""
    aws.pass_time(2 * DAY_S + 1)
    assert value(aws) == "new"


def test_rotations_go_on_by_their_schedule_until_they_are_cancelled(aws: Any, function: Function) -> None:
    rotate(aws, RotationRules={"ScheduleExpression": "rate(10 days)"})
    aws.pass_time(21 * DAY_S)
    assert function.steps.count("finishSecret") == 3
    aws.secretsmanager.cancel_rotate_secret(SecretId="s")
    aws.pass_time(20 * DAY_S)
    assert function.steps.count("finishSecret") == 3
    assert not aws.secretsmanager.describe_secret(SecretId="s")["RotationEnabled"]


def test_a_rotation_for_later_only_tries_the_function(aws: Any, function: Function) -> None:
    rotate(aws, RotateImmediately=False)
    assert function.steps == ["testSecret"]
    assert value(aws) == "old"
    assert list(aws.secretsmanager.describe_secret(SecretId="s")["VersionIdsToStages"]) == [TOKENS[0]]


def test_who_rotates_needs_a_function_a_token_and_a_schedule_that_is_one(aws: Any, function: Function) -> None:
    with pytest.raises(AwsError, match="No Lambda rotation function ARN is associated"):
        aws.secretsmanager.rotate_secret(SecretId="s", ClientRequestToken=TOKENS[1])
    with pytest.raises(AwsError, match="cannot invoke the specified Lambda function"):
        rotate(aws, RotationLambdaARN=FUNCTION + "x")
    with pytest.raises(AwsError, match=r"Invalid ScheduleExpression\."):
        rotate(aws, RotationRules={"ScheduleExpression": "now and then"})
    with pytest.raises(AwsError, match="You must provide a ClientRequestToken") as error:
        aws.secretsmanager.rotate_secret(SecretId="s")
    assert error.value.code == "InvalidParameterException"
    assert "RotationEnabled" not in aws.secretsmanager.describe_secret(SecretId="s")
