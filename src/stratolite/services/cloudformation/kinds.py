"""Kinds: the resource types a stack may have, from every service here."""

from __future__ import annotations

from stratolite.kernel import Call
from stratolite.kernel.resources import ResourceType

CUSTOM = "AWS::CloudFormation::CustomResource"


def find(call: Call, type_name: str) -> ResourceType | None:
    """Who makes resources of a type; None for a type nobody here knows."""
    # `Custom::AnyName` is one type under many names.
    return call.cloud.resource(CUSTOM if type_name.startswith("Custom::") else type_name)
