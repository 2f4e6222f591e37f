"""Desires: what a caller wants a stack to be, checked before anything is made."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from stratolite.kernel import AwsError, Call
from stratolite.languages.templates import (
    Scope,
    Template,
    TemplateError,
    check,
    check_functions,
    dependencies,
    parse,
    present,
    transforms,
)
from stratolite.languages.templates.parameters import Parameter, echoed, split, values

from . import kinds
from .errors import InsufficientCapabilitiesException, ValidationError
from .transforms import TransformError, applied

_IAM_NAMES = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
_IAM_OTHERS = {"AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::UserToGroupAddition"}


@dataclass(frozen=True)
class Desire:
    """Everything that makes a stack what it is; stored as JSON with the stack and with each change set."""

    body: str
    document: dict[str, Any]
    parameters: dict[str, str] = field(default_factory=dict)
    looked_up: dict[str, str] = field(default_factory=dict)
    """The values of parameters of an SSM type."""
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    notification_arns: list[str] = field(default_factory=list)
    role_arn: str | None = None
    disable_rollback: bool = False

    @cached_property
    def template(self) -> Template:
        return Template.of(self.document)

    def text(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    @lru_cache(maxsize=64)
    def read(text: str) -> Desire:
        return Desire(**json.loads(text))

    def echoed_parameters(self) -> list[dict[str, Any]]:
        """The parameters as an answer shows them."""
        declared = self.template.parameters
        found = []
        for name, value in self.parameters.items():
            shown = {"ParameterKey": name, "ParameterValue": echoed(declared.get(name), value)}
            if name in self.looked_up:
                shown["ResolvedValue"] = echoed(declared.get(name), self.looked_up[name])
            found.append(shown)
        return found

    def tag_list(self) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]


def pseudo_parameters(
    account: str, region: str, stack_name: str, stack_id: str, notification_arns: Iterable[str] = ()
) -> dict[str, Any]:
    """`AWS::...` as a template sees them."""
    china = region.startswith("cn-")
    return {
        "AWS::AccountId": account,
        "AWS::NotificationARNs": list(notification_arns),
        "AWS::Partition": "aws-cn" if china else "aws-us-gov" if region.startswith("us-gov-") else "aws",
        "AWS::Region": region,
        "AWS::StackId": stack_id,
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": "amazonaws.com.cn" if china else "amazonaws.com",
    }


def typed(declared: Mapping[str, Parameter], texts: Mapping[str, str]) -> dict[str, Any]:
    """Parameters as expressions see them: lists are lists."""
    return {name: split(text) if name in declared and declared[name].is_list else text for name, text in texts.items()}


async def build(
    call: Call,
    *,
    stack_name: str,
    stack_id: str,
    template_body: str | None,
    use_previous_template: bool | None = False,
    parameters: list[dict[str, Any]] | None = None,
    tags: list[dict[str, str]] | None = None,
    capabilities: list[str] | None = None,
    notification_arns: list[str] | None = None,
    role_arn: str | None = None,
    disable_rollback: bool | None = None,
    previous: Desire | None = None,
    by_change_set: bool = False,
) -> Desire:
    """The desire a request describes.

    Raises ValidationError, InsufficientCapabilitiesException and, when a transform fails, TransformError.
    """
    if use_previous_template and previous is not None:
        template_body = previous.body
    if template_body is None:
        raise ValidationError("Either Template URL or Template Body must be specified.")
    try:
        document = parse(template_body)
        declared = {name: Parameter.of(name, each) for name, each in (document.get("Parameters") or {}).items()}
        given = {
            each.get("ParameterKey", ""): None if each.get("UsePreviousValue") else each.get("ParameterValue", "")
            for each in parameters or ()
        }
        texts = values(declared, given, previous.parameters if previous else None)
        looked_up = await _look_up(call, declared, texts)
        seen = {
            **typed(declared, {**texts, **looked_up}),
            **pseudo_parameters(call.account, call.region, stack_name, stack_id, notification_arns or ()),
        }
        asked = transforms(document)
        if asked:
            if not by_change_set and "CAPABILITY_AUTO_EXPAND" not in (capabilities or ()):
                raise InsufficientCapabilitiesException(capabilities="CAPABILITY_AUTO_EXPAND")
            _check_shape(document)
            scope = Scope(values=seen, mappings=document.get("Mappings") or {})
            document = await applied(call, document, seen, scope)
        template = Template.of(document)
        check(template)
        scope = Scope(values=seen, mappings=template.mappings, conditions=template.conditions)
        resources = present(template, scope)
        check_functions(resources, scope)
        dependencies(resources)
    except TemplateError as error:
        raise ValidationError(error.message) from error
    unknown = sorted({each.type for each in template.resources.values() if kinds.find(call, each.type) is None})
    if unknown:
        raise ValidationError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    _check_capabilities(template, capabilities or [])
    return Desire(
        body=template_body,
        document=document,
        parameters=texts,
        looked_up=looked_up,
        tags={each["Key"]: each["Value"] for each in tags} if tags is not None else (previous.tags if previous else {}),
        capabilities=list(capabilities or []),
        notification_arns=list(notification_arns or []),
        role_arn=role_arn or (previous.role_arn if previous else None),
        disable_rollback=bool(disable_rollback),
    )


def _check_shape(document: Mapping[str, Any]) -> None:
    """What AWS says of a template before it hands it to a transform."""
    if not document.get("Resources"):
        raise TemplateError("Template format error: At least one Resources member must be defined.")


async def _look_up(call: Call, declared: Mapping[str, Parameter], texts: Mapping[str, str]) -> dict[str, str]:
    """The SSM parameters that parameters of type `AWS::SSM::Parameter::Value<...>` name."""
    found: dict[str, str] = {}
    for name, text in texts.items():
        if declared[name].ssm_type is None:
            continue
        try:
            answer = call.api("ssm").get_parameter(Name=text)
            answer = await answer if inspect.isawaitable(answer) else answer
        except AwsError as error:
            # The recorded text, for a name that was given and leads nowhere.
            raise ValidationError(f"Parameter {name} should either have input value or default value") from error
        found[name] = answer["Parameter"]["Value"]
        declared[name].check(found[name])
    return found


def required_capabilities(template: Template) -> list[str]:
    """What a caller must acknowledge, because the template makes identities."""
    types = [(each.type, each.properties) for each in template.resources.values()]
    if any(kind in _IAM_NAMES and _IAM_NAMES[kind] in properties for kind, properties in types):
        return ["CAPABILITY_NAMED_IAM"]
    if any(kind in _IAM_NAMES or kind in _IAM_OTHERS for kind, _ in types):
        return ["CAPABILITY_IAM"]
    return []


def _check_capabilities(template: Template, given: list[str]) -> None:
    for needed in required_capabilities(template):
        # Whoever may name identities may make nameless ones.
        if needed not in given and "CAPABILITY_NAMED_IAM" not in given:
            raise InsufficientCapabilitiesException(capabilities=needed)


__all__ = ["Desire", "TransformError", "build", "pseudo_parameters", "required_capabilities", "typed"]
