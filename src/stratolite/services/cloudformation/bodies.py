"""Bodies: the templates themselves, given back, summed up, checked."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.languages.templates import Template, TemplateError, check, parse, transforms
from stratolite.languages.templates.parameters import Parameter

from . import changesets, rows
from .desire import Desire, required_capabilities
from .errors import ValidationError, no_stack
from .transforms import SERVERLESS, translator

_REASONS = {
    "CAPABILITY_IAM": "The following resource(s) require capabilities: [{types}]",
    "CAPABILITY_NAMED_IAM": "The following resource(s) require capabilities: [{types}]",
    "CAPABILITY_AUTO_EXPAND": "The following transform(s) require capabilities: [{types}]",
}


@operation
def get_template(
    call: Call,
    stack_name: str | None = None,
    change_set_name: str | None = None,
    template_stage: str | None = None,
) -> dict[str, Any]:
    if change_set_name is not None:
        if stack_name is None and not change_set_name.startswith("arn:"):
            raise ValidationError("StackName is a required parameter.")
        desire = Desire.read(changesets.found(call, change_set_name, stack_name)["asked"])
    elif stack_name is None:
        raise ValidationError("StackName is required if ChangeSetName is not specified.")
    else:
        stack = rows.stack(call, stack_name)
        if stack is None or stack["status"] == "REVIEW_IN_PROGRESS":
            raise no_stack(stack_name)
        desire = Desire.read(stack["asked"])
    is_transformed = bool(transforms(parse(desire.body)))
    body: Any = desire.body
    if template_stage == "Processed" and is_transformed:
        body = json.dumps(desire.document)
    return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}


@operation
def get_template_summary(call: Call, template_body: str | None = None, stack_name: str | None = None) -> dict[str, Any]:
    if stack_name is not None:
        stack = rows.live_stack(call, stack_name)
        if stack["status"] == "REVIEW_IN_PROGRESS":
            raise ValidationError("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
        template_body = Desire.read(stack["asked"]).body
    if template_body is None:
        raise ValidationError("Either Template URL or Template Body must be specified.")
    document, summary = _read(template_body)
    resources = document.get("Resources") or {}
    types = [each["Type"] for each in resources.values() if isinstance(each, dict) and "Type" in each]
    parameters = [
        {
            "ParameterKey": each.name,
            "DefaultValue": each.default,
            "ParameterType": each.type,
            "NoEcho": each.no_echo,
            "Description": each.description,
            "ParameterConstraints": {"AllowedValues": list(each.allowed_values)} if each.allowed_values else {},
        }
        for each in _parameters(document)
    ]
    return {
        **summary,
        "Parameters": parameters,
        "ResourceTypes": types,
        "Version": document.get("AWSTemplateFormatVersion", "2010-09-09"),  # the only one there is
        "Metadata": None if "Metadata" not in document else str(document["Metadata"]),  # not JSON
        "ResourceIdentifierSummaries": [
            {"ResourceType": kind, "LogicalResourceIds": [n for n, e in resources.items() if e.get("Type") == kind]}
            for kind in dict.fromkeys(types)
        ],
    }


@operation
def validate_template(call: Call, template_body: str | None = None) -> dict[str, Any]:
    if template_body is None:
        raise ValidationError("Either Template URL or Template Body must be specified.")
    document, summary = _read(template_body)
    parameters = [
        {
            "ParameterKey": each.name,
            "DefaultValue": each.default,
            "NoEcho": each.no_echo,
            "Description": each.description,
        }
        for each in _parameters(document)
    ]
    return {**summary, "Parameters": parameters}


def _parameters(document: dict[str, Any]) -> list[Parameter]:
    return [Parameter.of(name, each) for name, each in (document.get("Parameters") or {}).items()]


def _read(body: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A template's document, and what both summaries say of it. Raises ValidationError."""
    try:
        document = parse(body)
        asked = transforms(document)
        if not document.get("Resources"):
            raise TemplateError("Template format error: At least one Resources member must be defined.")
        capabilities, types = [], []
        if not asked:
            template = Template.of(document)
            check(template)
            capabilities = required_capabilities(template)
            types = sorted(n for n, e in template.resources.items() if e.type.startswith("AWS::IAM::"))
        elif SERVERLESS in asked:
            capabilities, types = ["CAPABILITY_AUTO_EXPAND"], asked
            translator.warm()  # who asks for a summary deploys next
        _parameters(document)
    except TemplateError as error:
        raise ValidationError(error.message) from error
    summary: dict[str, Any] = {"Description": document.get("Description")}
    if capabilities:
        summary["Capabilities"] = capabilities
        summary["CapabilitiesReason"] = _REASONS[capabilities[0]].format(types=", ".join(types))
    if asked:
        summary["DeclaredTransforms"] = asked
    return document, summary
