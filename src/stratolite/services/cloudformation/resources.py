"""Resources of CloudFormation itself: custom ones, made by a function, and conditions to wait for.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource
from stratolite.languages.templates.parameters import text_of

from . import answers
from .kinds import CUSTOM

_PATIENCE_S = 3600.0  # how long AWS waits for a custom resource's answer, unless ServiceTimeout says less


class CustomResourceFailed(AwsError):
    """{message}"""

    code = "CustomResource"


@resource(CUSTOM, replaces={"ServiceToken"})
class CustomResource:
    """A resource that a function (or whoever listens to a topic) makes, and tells of by PUT to the URL it is given."""

    @staticmethod
    async def create(call: Call, wanted: Wanted) -> Made:
        return await _ask(call, "Create", _about(wanted), wanted.token)

    @staticmethod
    async def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        more = {"PhysicalResourceId": made_id, "OldResourceProperties": _texts(was)}
        return await _ask(call, "Update", {**_about(wanted), **more}, wanted.token)

    @staticmethod
    async def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        row = call.tx.one(
            """SELECT r.logical_id, r.type, s.id AS stack_id, p.token
                 FROM cloudformation_resource r
                 JOIN cloudformation_stack s ON s.key = r.stack
                 JOIN cloudformation_step p ON p.resource = r.key AND p.verb = 'remove' AND p.state = 'running'
                WHERE r.physical_id = ? ORDER BY r.key DESC LIMIT 1""",
            made_id,
        )
        assert row is not None, "only a step deletes"
        about = {
            "StackId": row["stack_id"],
            "LogicalResourceId": row["logical_id"],
            "ResourceType": row["type"],
            "PhysicalResourceId": made_id,
            "ResourceProperties": _texts(properties),
        }
        await _ask(call, "Delete", about, row["token"])


def _about(wanted: Wanted) -> dict[str, Any]:
    return {
        "StackId": wanted.stack_id,
        "LogicalResourceId": wanted.logical_id,
        "ResourceType": wanted.type,
        "ResourceProperties": _texts(wanted.properties.copy()),
    }


def _texts(value: Any) -> Any:
    """Every scalar as text: a custom resource never sees a number or a boolean."""
    if isinstance(value, Mapping):
        return {key: _texts(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_texts(each) for each in value]
    return text_of(value)


async def _ask(call: Call, kind: str, about: dict[str, Any], token: str) -> Made:
    """Send the request once, wait for the answer, and read it. Raises CustomResourceFailed."""
    properties = about["ResourceProperties"]
    service_token = properties.get("ServiceToken", "")
    if answers.asked_at(call, token) is None:
        event = {
            "RequestType": kind,
            "ServiceToken": service_token,
            "ResponseURL": answers.url(call, token),
            "RequestId": token,
            **about,
        }
        # One commit: a crash after it leaves the request on its way, a crash before it leaves nothing.
        with call.write() as c:
            answers.note_question(c, token)
            c.deliver(to=service_token, payload=json.dumps(event), source="cloudformation")
    begun = answers.asked_at(call, token)
    assert begun is not None
    patience = min(float(properties.get("ServiceTimeout", _PATIENCE_S)), _PATIENCE_S)
    told = await answers.received(call, token, 1, begun + patience)
    if not told:
        raise CustomResourceFailed(
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId "
            f"[{token}]. If you are using the Python cfn-response module, you may need to update your Lambda function "
            "code so that CloudFormation can attach the updated version."
        )
    answer = told[0]
    if answer.get("Status") != "SUCCESS":
        raise CustomResourceFailed(
            f"Received response status [{answer.get('Status')}] from custom resource. Message returned: "
            f"{answer.get('Reason', '')} (RequestId: {token})"
        )
    physical_id = answer.get("PhysicalResourceId") or about.get("PhysicalResourceId")
    if not physical_id:
        raise CustomResourceFailed("Invalid PhysicalResourceId")
    data = answer.get("Data") or {}
    return Made(str(physical_id), dict(data) if isinstance(data, Mapping) else {})


@resource("AWS::CDK::Metadata")
class Metadata:
    """What CDK puts into templates to be counted; AWS makes nothing of it either."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return _counted(wanted, wanted.token)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return _counted(wanted, made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        return None


def _counted(wanted: Wanted, made_id: str) -> Made:
    wanted.properties.get("Analytics")  # AWS reads no more into it
    return Made(made_id)


@resource("AWS::CloudFormation::WaitConditionHandle")
class WaitConditionHandle:
    """`Ref` is a URL; who is waited for PUTs `{"Status": "SUCCESS", "UniqueId": ..., "Data": ...}` there."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return Made(answers.url(call, wanted.token))

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        answers.forget(call, answers.token_of(made_id))


@resource("AWS::CloudFormation::WaitCondition")
class WaitCondition:
    """Ready when its handle has heard `Count` times of success."""

    @staticmethod
    async def create(call: Call, wanted: Wanted) -> Made:
        properties = wanted.properties
        if answers.asked_at(call, wanted.token) is None:
            with call.write() as c:
                answers.note_question(c, wanted.token)
        begun = answers.asked_at(call, wanted.token)
        assert begun is not None
        count, timeout = int(properties.get("Count", 1)), float(properties.get("Timeout", 0))
        token = answers.token_of(properties["Handle"])
        told = await answers.received(call, token, count, begun + timeout)
        failure = next((each for each in told if each.get("Status") != "SUCCESS"), None)
        if failure is not None:
            raise CustomResourceFailed(
                f"WaitCondition received failed message: '{failure.get('Reason', '')}' for uniqueId: "
                f"{failure.get('UniqueId', '')}"
            )
        if len(told) < count:
            raise CustomResourceFailed(
                f"WaitCondition timed out. Received {len(told)} conditions when expecting {count}"
            )
        data = {str(each.get("UniqueId", "")): each.get("Data", "") for each in told}
        name = f"{wanted.stack_id}/{wanted.logical_id}"
        return Made(name, {"Data": json.dumps(data, separators=(",", ":"))})

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        return None
