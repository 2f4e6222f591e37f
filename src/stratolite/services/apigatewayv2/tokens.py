"""Tokens: JSON Web Tokens, checked for a route's JWT authorizer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from stratolite.kernel import Call
from stratolite.languages import jwt

from . import context, memory
from .payloads import Exchange
from .permits import Denied

_KEYS_KEPT_S = 7200.0  # AWS: keys are remembered for two hours
_FETCH_S = 1.5  # AWS: the endpoints must answer within 1,500 ms


async def check(call: Call, exchange: Exchange, authorizer: Mapping[str, Any], scopes: Sequence[str]) -> None:
    """Let a request with a good token pass, its claims noted in the exchange; or raise Denied."""
    [source] = authorizer["IdentitySource"]
    text = context.selected(exchange, source)
    if not isinstance(text, str) or not text:
        raise Denied(401, "no token", challenge="Bearer")
    if text[:7].lower() == "bearer ":
        text = text[7:]
    configuration = authorizer["JwtConfiguration"]
    try:
        token = jwt.parse(text)
        key = await _key(call, configuration["Issuer"], token.key_id)
        token.verify(key)
        _judge(token.claims, configuration, call.world.wall())
    except (jwt.InvalidToken, OSError, TimeoutError, ValueError, KeyError) as error:
        challenge = f'Bearer scope="" error="invalid_token" error_description="{error}"'
        raise Denied(401, str(error), challenge=challenge) from None
    granted = str(token.claims.get("scope") or " ".join(token.claims.get("scp") or ())).split()
    if scopes and not set(scopes) & set(granted):
        raise Denied(
            403, "insufficient_scope", challenge=f'Bearer scope="{" ".join(scopes)}" error="insufficient_scope"'
        )
    claims = {name: _flat(value) for name, value in token.claims.items()}
    exchange.authorizer = {"jwt": {"claims": claims, "scopes": list(scopes) or None}}


def _judge(claims: Mapping[str, Any], configuration: Mapping[str, Any], now: float) -> None:
    if claims.get("iss") != configuration["Issuer"]:
        raise jwt.InvalidToken("the token has an invalid issuer")
    audience = claims.get("aud", claims.get("client_id"))
    wanted = configuration.get("Audience") or []
    if wanted and not set(audience if isinstance(audience, list) else [audience]) & set(wanted):
        raise jwt.InvalidToken("the token has an invalid audience")
    if float(claims.get("exp", 0)) <= now:
        raise jwt.InvalidToken("the token has expired")
    if float(claims.get("nbf", 0)) > now or float(claims.get("iat", 0)) > now:
        raise jwt.InvalidToken("the token is not valid yet")


async def _key(call: Call, issuer: str, key_id: str | None) -> jwt.Key:
    """The issuer's public key of this id; asked for anew when it is not among those remembered."""
    remembered = memory.of(call.cloud)
    at = ("keys", issuer)
    now = call.world.now()
    keys: dict[str, jwt.Key] | None = remembered.answer(at, now)
    if keys is None or (key_id or "") not in keys:
        configuration = await _document(call, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        keys = jwt.keys(await _document(call, configuration["jwks_uri"]))
        remembered.remember(at, keys, now + _KEYS_KEPT_S)
    if (key_id or "") not in keys:
        raise jwt.InvalidToken("signing key not found")
    return keys[key_id or ""]


async def _document(call: Call, url: str) -> Any:
    answer = await call.world.fetch("GET", url, timeout_s=_FETCH_S)
    if answer.status != 200 or not isinstance(answer.body, bytes):
        raise OSError("unable to get the issuer's keys")
    return json.loads(answer.body)


def _flat(value: Any) -> str:
    """A claim as events carry it: text, whatever it was."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(map(str, value))}]"
    return json.dumps(value)
