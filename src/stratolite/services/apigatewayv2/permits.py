"""Permits: whether a request may pass a route's Lambda authorizer, asked anew or remembered.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stratolite.kernel import Call

from . import context, grants, memory, payloads
from .backends import functions
from .payloads import Exchange


class Denied(Exception):
    """The request may not pass; `status` is the gateway's answer, `challenge` its `WWW-Authenticate`."""

    def __init__(self, status: int, reason: str, challenge: str = "") -> None:
        super().__init__(reason)
        self.status, self.challenge = status, challenge


def signed(call: Call, exchange: Exchange) -> None:
    """Let a request pass that is signed with AWS credentials. Raises Denied.

    AWS: the signature is verified and the caller's policies are asked. Here: it has to be there, and says who asks.
    """
    request = exchange.request
    header = request.headers.get("authorization") or ""
    if not header.startswith("AWS4-") and "X-Amz-Credential" not in dict(request.query):
        raise Denied(403, "the request is not signed")
    principal = call.principal
    exchange.authorizer = {
        "iam": {
            "accessKey": principal.access_key,
            "accountId": principal.account,
            "callerId": principal.user_id,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": principal.arn,
            "userId": principal.user_id,
        }
    }


async def ask(call: Call, exchange: Exchange, authorizer: Mapping[str, Any]) -> None:
    """Let a request pass, with what the authorizer says of it noted in the exchange; or raise Denied."""
    sources = authorizer.get("IdentitySource") or []
    identities = [context.selected(exchange, source) for source in sources]
    if any(identity in (None, "") for identity in identities):
        raise Denied(401, "an identity source is missing")
    texts = [identity if isinstance(identity, str) else json.dumps(identity) for identity in identities]
    ttl_s = authorizer["AuthorizerResultTtlInSeconds"]
    remembered = memory.of(call.cloud)
    key = (exchange.api_id, exchange.stage, authorizer["AuthorizerId"], *texts)
    answer = remembered.answer(key, call.world.now()) if ttl_s else None
    if answer is None:
        answer = await _invoke(call, exchange, authorizer, texts)
        if ttl_s:
            remembered.remember(key, answer, call.world.now() + ttl_s)
    else:
        call.annotate(authorizer="remembered")
    if not _allowed(answer, bool(authorizer["EnableSimpleResponses"]), exchange.route_arn):
        raise Denied(403, "the authorizer said no")
    exchange.authorizer = {"lambda": answer.get("context") or {}}
    exchange.principal_id = answer.get("principalId")


async def _invoke(call: Call, exchange: Exchange, authorizer: Mapping[str, Any], identities: list[str]) -> Any:
    event = payloads.AUTHORIZER[authorizer["AuthorizerPayloadFormatVersion"]](exchange, identities)
    function = grants.function_arn(authorizer["AuthorizerUri"], exchange.stage_variables)
    source = (
        f"arn:aws:execute-api:{exchange.region}:{exchange.account}:{exchange.api_id}"
        f"/authorizers/{authorizer['AuthorizerId']}"
    )
    try:
        with call.span("authorizer", authorizer=authorizer["Name"]) as inner:
            payload = await functions.invoke(
                inner,
                exchange,
                function,
                source,
                event,
                functions.TIMEOUT_S,
                authorizer.get("AuthorizerCredentialsArn"),
            )
    except functions.Failed as failure:
        if failure.message == "Unauthorized":  # the one error an authorizer may speak through
            raise Denied(401, "the authorizer raised Unauthorized") from None
        raise Denied(500, str(failure)) from None
    return _checked(payload, bool(authorizer["EnableSimpleResponses"]))


def _checked(payload: bytes, simple: bool) -> Any:
    """The authorizer's answer, if it is one in the form that was agreed on. Raises Denied with 500."""
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("context") or {}, dict):
        raise Denied(500, "the authorizer's answer is no object")
    if simple:
        if not isinstance(answer.get("isAuthorized"), bool):
            raise Denied(500, "isAuthorized is missing from the authorizer's answer")
        return answer
    policy = answer.get("policyDocument")
    if not isinstance(policy, dict) or not policy.get("Statement") or not answer.get("principalId"):
        raise Denied(500, "the authorizer's answer has no principalId or policyDocument")
    for value in (answer.get("context") or {}).values():
        if not isinstance(value, str | int | float | bool):
            raise Denied(500, "a value of the authorizer's context is neither text, number nor boolean")
    return answer


def _allowed(answer: Mapping[str, Any], simple: bool, arn: str) -> bool:
    if simple:
        return bool(answer["isAuthorized"])
    statements = answer["policyDocument"]["Statement"]
    effects = {
        statement.get("Effect")
        for statement in (statements if isinstance(statements, list) else [statements])
        if any(grants.like("execute-api:invoke", str(a).lower()) for a in _list(statement.get("Action")))
        and any(grants.like(arn, str(r)) for r in _list(statement.get("Resource")))
    }
    return effects == {"Allow"}


def _list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list) else [value]
