"""A JWT authorizer lets in who has a token of its issuer, for its audience, with a scope of the route.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from gateway_world import Api, Functions

from stratolite.testing.sim import START
from stratolite.wire.http1 import Headers, Response

ISSUER = "https://issuer.example"

# A 1,024-bit RSA key made for these tests.
P = 2**521 - 1
Q = 2**607 - 1
N, E = P * Q, 65537
D = pow(E, -1, (P - 1) * (Q - 1))


def coded(value: bytes | dict[str, Any]) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def number(value: int) -> str:
    return coded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def token(algorithm: str = "RS256", key_id: str = "one", **claims: Any) -> str:
    claims = {"iss": ISSUER, "aud": "shop", "exp": START + 60, "scope": "read write", "groups": ["a", "b"]} | claims
    signed = f"{coded({'alg': algorithm, 'kid': key_id})}.{coded(claims)}"
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    tail = prefix + hashlib.sha256(signed.encode()).digest()
    length = (N.bit_length() + 7) // 8
    padded = b"\x00\x01" + b"\xff" * (length - len(tail) - 3) + b"\x00" + tail
    return f"{signed}.{coded(pow(int.from_bytes(padded, 'big'), D, N).to_bytes(length, 'big'))}"


@pytest.fixture
def guarded(api: Api) -> Api:
    def answers(method: str, url: str, headers: dict[str, str], body: bytes) -> Response:
        documents = {
            f"{ISSUER}/.well-known/openid-configuration": {"jwks_uri": f"{ISSUER}/keys"},
            f"{ISSUER}/keys": {"keys": [{"kty": "RSA", "kid": "one", "n": number(N), "e": number(E)}]},
        }
        return Response(200, Headers(), json.dumps(documents[url]).encode())

    api.cloud.web(answers)
    made = api.gateway.create_authorizer(
        ApiId=api.id,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": ISSUER, "Audience": ["shop"]},
    )
    guard = {"AuthorizationType": "JWT", "AuthorizerId": made["AuthorizerId"]}
    api.route("GET /open", **guard)
    api.route("GET /scoped", AuthorizationScopes=["write", "admin"], **guard)
    api.route("GET /admin", AuthorizationScopes=["admin"], **guard)
    api.stage()
    return api


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def test_a_good_token_passes_with_its_claims(guarded: Api, functions: Functions) -> None:
    assert guarded.ask("GET", "/scoped", bearer(token())).status == 200
    found = functions.events["hello"][0]["requestContext"]["authorizer"]["jwt"]
    assert found["scopes"] == ["write", "admin"]
    assert (found["claims"]["aud"], found["claims"]["groups"]) == ("shop", "[a b]")


@pytest.mark.parametrize(
    "text",
    [
        token(iss="https://other.example"),
        token(aud="other"),
        token(exp=START - 1),
        token(nbf=START + 60),
        token(key_id="two"),
        token(algorithm="none"),
        token()[:-8] + "AAAAAAAA",
        token().replace(".", ".e30", 1),
        "a.b",
        "",
    ],
)
def test_a_bad_token_is_unauthorized(guarded: Api, text: str) -> None:
    answer = guarded.ask("GET", "/open", bearer(text))
    assert (answer.status, answer.body) == (401, b'{"message":"Unauthorized"}')
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_without_a_scope_of_the_route_is_forbidden(guarded: Api) -> None:
    assert guarded.ask("GET", "/admin", bearer(token())).status == 403


def test_an_issuer_that_cannot_be_reached_lets_nobody_in(guarded: Api) -> None:
    guarded.cloud.world.web = None
    assert guarded.ask("GET", "/open", bearer(token())).status == 401
