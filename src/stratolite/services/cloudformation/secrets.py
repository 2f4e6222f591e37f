"""Secrets: what dynamic references stand for, looked up when a resource is made."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable

from stratolite.kernel import AwsError, Call
from stratolite.languages.templates.dynamic import DynamicReference


async def looked_up(call: Call, references: Iterable[DynamicReference]) -> dict[str, str]:
    """The value of each reference by its text. Raises AwsError."""
    return {each.text: await _LOOK_UP[each.service](call, each) for each in references}


async def _parameter(call: Call, reference: DynamicReference) -> str:
    name = f"{reference.name}:{reference.version}" if reference.version else reference.name
    answer = call.api("ssm").get_parameter(Name=name, WithDecryption=reference.service == "ssm-secure")
    answer = await answer if inspect.isawaitable(answer) else answer
    return str(answer["Parameter"]["Value"])


async def _secret(call: Call, reference: DynamicReference) -> str:
    asked = {"SecretId": reference.name}
    if reference.version:
        asked["VersionId"] = reference.version
    if reference.stage:
        asked["VersionStage"] = reference.stage
    answer = call.api("secretsmanager").get_secret_value(**asked)
    answer = await answer if inspect.isawaitable(answer) else answer
    text = str(answer.get("SecretString", ""))
    if reference.key is None:
        return text
    try:
        return str(json.loads(text)[reference.key])
    except (ValueError, KeyError, TypeError):
        raise AwsError(
            f"Could not find a value associated with JSONKey in SecretString of {reference.name}",
            code="ValidationError",
        ) from None


_LOOK_UP = {"ssm": _parameter, "ssm-secure": _parameter, "secretsmanager": _secret}
