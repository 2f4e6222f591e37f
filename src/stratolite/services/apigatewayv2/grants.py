"""Grants: whether a function's own policy lets API Gateway invoke it for one API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from stratolite.kernel import AwsError, Call

from . import memory

_GRANTED_S = 1.0
_GRANTS = 10_000
_SERVICE = "apigateway.amazonaws.com"
_URI = re.compile(r"arn:[\w-]+:apigateway:[^:]+:lambda:path/[\d-]+/functions/(?P<arn>.+)/invocations")
_FUNCTION = re.compile(
    r"(?P<function>arn:[\w-]+:lambda:(?P<region>[^:]+):(?P<account>\d+):function:[^:]+)(:(?P<q>.+))?"
)


def function_arn(uri: str, stage_variables: Mapping[str, str]) -> str:
    """The function that an integration's or authorizer's URI means."""
    uri = re.sub(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}", lambda m: stage_variables.get(m[1], ""), uri)
    match = _URI.fullmatch(uri)
    return match["arn"] if match else uri


def source_arn(region: str, account: str, api: str, stage: str, route_key: str) -> str:
    """What a route asks in the name of: its method (`*` for ANY) and its path with its variables."""
    if route_key == "$default":
        return f"arn:aws:execute-api:{region}:{account}:{api}/{stage}/$default"
    method, _, path = route_key.partition(" ")
    return f"arn:aws:execute-api:{region}:{account}:{api}/{stage}/{'*' if method == 'ANY' else method}{path}"


def may_invoke(call: Call, function: str, source: str, account: str) -> bool:
    """Whether the function's policy has a statement for API Gateway, this source and this account.

    AWS: a change of a policy takes effect within seconds. Here: a new statement at once, a removed one within one.
    """
    granted, now, key = memory.of(call.cloud).granted, call.world.now(), (function, source)
    if now < granted.get(key, 0.0):
        return True
    if not _has_statement(call, function, source, account):
        return False
    if len(granted) >= _GRANTS:
        granted.clear()
    granted[key] = now + _GRANTED_S
    return True


def _has_statement(call: Call, function: str, source: str, account: str) -> bool:
    if (parts := _FUNCTION.fullmatch(function)) is None:
        return False
    api = call.api("lambda", account=parts["account"], region=parts["region"])
    asked = {"FunctionName": parts["function"]} | ({"Qualifier": parts["q"]} if parts["q"] else {})
    try:
        policy = api.get_policy(**asked)["Policy"]
    except AwsError:
        return False
    return _allows(policy, source, account)


@lru_cache(maxsize=1024)
def _allows(policy: str, source: str, account: str) -> bool:
    effects = {s["Effect"] for s in json.loads(policy)["Statement"] if _applies(s, source, account)}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], source: str, account: str) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service") if isinstance(principal, Mapping) else principal
    if _SERVICE not in _list(services) and "*" not in _list(services):
        return False
    if not any(like("lambda:InvokeFunction", action) for action in _list(statement.get("Action"))):
        return False
    values = {"aws:sourcearn": source, "aws:sourceaccount": account}
    for operator, wanted in (statement.get("Condition") or {}).items():
        matches = like if operator.startswith(("ArnLike", "StringLike", "ArnEquals")) else str.__eq__
        for name, patterns in wanted.items():
            value = values.get(name.lower())
            if value is None or not any(matches(value, pattern) for pattern in _list(patterns)):
                return False
    return True


def _list(value: Any) -> list[str]:
    return [] if value is None else list(value) if isinstance(value, list) else [value]


def like(text: str, pattern: str) -> bool:
    """Whether a text is as a pattern of IAM says: `*` any characters, `?` one."""
    return _pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), re.DOTALL)
