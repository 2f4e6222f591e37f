"""Connections: how API destinations are authorized. The secret parts live in Secrets Manager, as on AWS."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

from stratolite.kernel import Again, AwsError, Call, job, operation
from stratolite.languages import arns

from .errors import ResourceAlreadyExistsException, ResourceNotFoundException, ValidationException
from .pages import page

AUTHORIZING, AUTHORIZED, DEAUTHORIZED = "AUTHORIZING", "AUTHORIZED", "DEAUTHORIZED"
OAUTH = "OAUTH_CLIENT_CREDENTIALS"
AUTHORIZATION_DELAY_S = 5.0  # AWS answers AUTHORIZING first and asks for a token some seconds later
TOKEN_MARGIN_S = 30.0

# The member of AuthParameters that each kind of authorization needs.
_MEMBER = {"BASIC": "BasicAuthParameters", "API_KEY": "ApiKeyAuthParameters", OAUTH: "OAuthParameters"}


def connection_arn(row: Any) -> str:
    return f"arn:aws:events:{row['region']}:{row['account']}:connection/{row['name']}/{row['id']}"


def look(call: Call, name: str) -> Any:
    return call.tx.one(
        "SELECT * FROM events_connection WHERE account = ? AND region = ? AND name = ?",
        call.account, call.region, name,
    )  # fmt: skip


def by_arn(call: Call, arn: str) -> Any:
    """The connection an ARN names, or None."""
    parts = arns.parse(arn)
    name, _, unique = parts.name.partition("/")
    return call.tx.one(
        "SELECT * FROM events_connection WHERE account = ? AND region = ? AND name = ? AND id = ?",
        parts.account, parts.region, name, unique,
    )  # fmt: skip


def _find(call: Call, name: str, verb: str) -> Any:
    row = look(call, name)
    if row is None:
        raise ResourceNotFoundException(f"Failed to {verb} the connection(s). Connection '{name}' does not exist.")
    return row


# ---------------------------------------------------------------------- what is secret and what is shown

_HTTP = {
    "HeaderParameters": "header_parameters",
    "QueryStringParameters": "query_string_parameters",
    "BodyParameters": "body_parameters",
}


def _http_secret(parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        _HTTP[member]: [
            {
                "key": each["Key"],
                "value": each.get("Value", ""),
                "is_value_secret": bool(each.get("IsValueSecret", False)),
            }
            for each in items
            if each.get("Key")
        ]
        for member, items in parameters.items()
    }


def _http_shown(parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        member: [
            {name: value for name, value in each.items() if name != "Value" or not each.get("IsValueSecret")}
            for each in items
        ]
        for member, items in parameters.items()
    }


def _secret(kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The secret's text, in the keys AWS gives it; an update may leave out what stays."""
    given = parameters[_MEMBER[kind]]
    client = given.get("ClientParameters") or {}
    out: dict[str, Any] = {
        "BASIC": {"username": given.get("Username"), "password": given.get("Password")},
        "API_KEY": {"api_key_name": given.get("ApiKeyName"), "api_key_value": given.get("ApiKeyValue")},
        OAUTH: {
            "client_id": client.get("ClientID"),
            "client_secret": client.get("ClientSecret"),
            "authorization_endpoint": given.get("AuthorizationEndpoint"),
            "http_method": given.get("HttpMethod"),
        },
    }[kind]
    if "OAuthHttpParameters" in given:
        out["oauth_http_parameters"] = _http_secret(given["OAuthHttpParameters"])
    if "InvocationHttpParameters" in parameters:
        out["invocation_http_parameters"] = _http_secret(parameters["InvocationHttpParameters"])
    return {name: value for name, value in out.items() if value is not None}


def _shown(kind: str, parameters: dict[str, Any], secret: dict[str, Any]) -> dict[str, Any]:
    """What DescribeConnection tells: everything but the secret values."""
    out: dict[str, Any] = {
        "BASIC": {"Username": secret.get("username")},
        "API_KEY": {"ApiKeyName": secret.get("api_key_name")},
        OAUTH: {
            "ClientParameters": {"ClientID": secret.get("client_id")},
            "AuthorizationEndpoint": secret.get("authorization_endpoint"),
            "HttpMethod": secret.get("http_method"),
        },
    }[kind]
    given = parameters[_MEMBER[kind]]
    if "OAuthHttpParameters" in given:
        out["OAuthHttpParameters"] = _http_shown(given["OAuthHttpParameters"])
    whole = {_MEMBER[kind]: out}
    if "InvocationHttpParameters" in parameters:
        whole["InvocationHttpParameters"] = _http_shown(parameters["InvocationHttpParameters"])
    return whole


def _check(kind: str, parameters: dict[str, Any]) -> None:
    if _MEMBER[kind] not in parameters:
        raise ValidationException(f"Parameter AuthParameters is not valid. Reason: {_MEMBER[kind]} must be specified.")


# ---------------------------------------------------------------------- operations


@operation(ignores=["KmsKeyIdentifier", "InvocationConnectivityParameters"])
def create_connection(
    call: Call,
    name: str,
    authorization_type: str,
    auth_parameters: dict[str, Any],
    description: str | None = None,
    kms_key_identifier: str | None = None,
    invocation_connectivity_parameters: dict[str, Any] | None = None,
) -> dict[str, Any]:
    _check(authorization_type, auth_parameters)
    if look(call, name) is not None:
        raise ResourceAlreadyExistsException(f"Connection {name} already exists.")
    kept = _secret(authorization_type, auth_parameters)
    secret = call.api("secretsmanager").create_secret(
        Name=f"events!connection/{name}/{call.world.id()}",
        ClientRequestToken=call.world.id(),
        SecretString=json.dumps(kept),
    )
    call.tx.run(
        """INSERT INTO events_connection (account, region, name, id, description, kind, parameters, secret, kms_key,
                                          state, created_at, modified_at, authorized_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        call.account, call.region, name, call.world.id(), description, authorization_type,
        json.dumps(_shown(authorization_type, auth_parameters, kept)), secret["ARN"], kms_key_identifier,
        AUTHORIZING if authorization_type == OAUTH else AUTHORIZED, call.now, call.now, call.now,
    )  # fmt: skip
    row = look(call, name)
    if authorization_type == OAUTH:
        call.later("events.authorize", call.now + AUTHORIZATION_DELAY_S, None, None, connection=row["key"])
    return _changed(row, authorized=False)


def _changed(row: Any, authorized: bool = True) -> dict[str, Any]:
    out = {
        "ConnectionArn": connection_arn(row),
        "ConnectionState": row["state"],
        "CreationTime": row["created_at"],
        "LastModifiedTime": row["modified_at"],
    }
    return {**out, "LastAuthorizedTime": row["authorized_at"]} if authorized else out


@operation(ignores=["KmsKeyIdentifier", "InvocationConnectivityParameters"])
def update_connection(
    call: Call,
    name: str,
    description: str | None = None,
    authorization_type: str | None = None,
    auth_parameters: dict[str, Any] | None = None,
    kms_key_identifier: str | None = None,
    invocation_connectivity_parameters: dict[str, Any] | None = None,
) -> dict[str, Any]:
    row = _find(call, name, "update")
    kind = authorization_type or row["kind"]
    shown, state = row["parameters"], row["state"]
    if auth_parameters is not None:
        _check(kind, auth_parameters)
        kept = _secret(kind, auth_parameters)
        if kind == row["kind"]:
            kept = {**secret_of(call, row), **kept}
        call.api("secretsmanager").update_secret(
            SecretId=row["secret"], ClientRequestToken=call.world.id(), SecretString=json.dumps(kept)
        )
        shown = json.dumps(_shown(kind, auth_parameters, kept))
        state = AUTHORIZING if kind == OAUTH else AUTHORIZED
    call.tx.run(
        """UPDATE events_connection SET description = coalesce(?, description), kind = ?, parameters = ?, state = ?,
                  kms_key = coalesce(?, kms_key), modified_at = ?, authorized_at = ?, token = NULL WHERE key = ?""",
        description, kind, shown, state, kms_key_identifier, call.now, call.now, row["key"],
    )  # fmt: skip
    if state == AUTHORIZING:
        call.later("events.authorize", call.now + AUTHORIZATION_DELAY_S, None, None, connection=row["key"])
    return _changed(look(call, name))


@operation
def describe_connection(call: Call, name: str) -> dict[str, Any]:
    row = _find(call, name, "describe")
    return {
        **_listed(row),
        "Description": row["description"],
        "SecretArn": row["secret"],
        "KmsKeyIdentifier": row["kms_key"],
        "AuthParameters": json.loads(row["parameters"]),
    }


def _listed(row: Any) -> dict[str, Any]:
    return {**_changed(row), "Name": row["name"], "AuthorizationType": row["kind"]}


@operation
def list_connections(
    call: Call,
    name_prefix: str | None = None,
    connection_state: str | None = None,
    next_token: str | None = None,
    limit: int | None = None,
) -> dict[str, Any]:
    rows, token = page(
        lambda after, count: call.tx.all(
            """SELECT * FROM events_connection
                WHERE account = ? AND region = ? AND name > ? AND substr(name, 1, ?) = ? AND ? IN ('', state)
                ORDER BY name LIMIT ?""",
            call.account, call.region, after, len(name_prefix or ""), name_prefix or "", connection_state or "", count,
        ),
        limit, next_token, lambda row: row["name"],
    )  # fmt: skip
    return {"Connections": [_listed(row) for row in rows], "NextToken": token}


@operation
def deauthorize_connection(call: Call, name: str) -> dict[str, Any]:
    row = _find(call, name, "deauthorize")
    call.tx.run(
        "UPDATE events_connection SET state = ?, token = NULL, modified_at = ? WHERE key = ?",
        DEAUTHORIZED, call.now, row["key"],
    )  # fmt: skip
    return {**_changed(look(call, name)), "ConnectionState": "DEAUTHORIZING"}


@operation
def delete_connection(call: Call, name: str) -> dict[str, Any]:
    row = _find(call, name, "delete")
    call.api("secretsmanager").delete_secret(SecretId=row["secret"], ForceDeleteWithoutRecovery=True)
    call.tx.run("DELETE FROM events_connection WHERE key = ?", row["key"])
    # AWS: gone some seconds later. Here: at once.
    return {**_changed(row), "ConnectionState": "DELETING"}


# ---------------------------------------------------------------------- use


def secret_of(call: Call, row: Any) -> dict[str, Any]:
    """The secret parts, from Secrets Manager."""
    api = call.api("secretsmanager", account=row["account"], region=row["region"])
    secret: dict[str, Any] = json.loads(api.get_secret_value(SecretId=row["secret"])["SecretString"])
    return secret


def pairs(http: dict[str, Any], member: str) -> dict[str, str]:
    return {each["key"]: each["value"] for each in http.get(member, [])}


async def token_of(call: Call, row: Any, secret: dict[str, Any]) -> str:
    """An OAuth access token: the one there is, or a new one.

    Raises:
        OSError, ValueError: the authorization endpoint did not give one.
    """
    if row["token"] and row["token_until"] > call.now + TOKEN_MARGIN_S:
        return str(row["token"])
    http = secret.get("oauth_http_parameters", {})
    body = {
        "grant_type": "client_credentials",
        "client_id": secret["client_id"],
        "client_secret": secret["client_secret"],
        **pairs(http, "body_parameters"),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", **pairs(http, "header_parameters")}
    url = secret["authorization_endpoint"]
    query = urllib.parse.urlencode(pairs(http, "query_string_parameters"))
    if query:
        url += ("&" if "?" in url else "?") + query
    answer = await call.world.fetch(
        secret["http_method"].upper(), url, headers, urllib.parse.urlencode(body).encode(), timeout_s=5.0
    )
    if not 200 <= answer.status < 300:
        raise ValueError(f"the authorization endpoint answered {answer.status}")
    assert isinstance(answer.body, bytes)
    given = json.loads(answer.body)
    token, lasts_s = str(given["access_token"]), float(given.get("expires_in", 3600))
    with call.write() as c:
        c.tx.run(
            """UPDATE events_connection SET token = ?, token_until = ?, state = ?, authorized_at = ? WHERE key = ?""",
            token, c.now + lasts_s, AUTHORIZED, c.now, row["key"],
        )  # fmt: skip
    return token


AUTHORIZATION_ATTEMPTS = 3


@job
async def authorize(call: Call, connection: int) -> None:
    """Ask for the first token of an OAuth connection; its state tells how that went."""
    row = call.tx.one("SELECT * FROM events_connection WHERE key = ?", connection)
    if row is None or row["state"] != AUTHORIZING:
        return
    try:
        await token_of(call, row, secret_of(call, row))
    except (OSError, ValueError, KeyError, AwsError):
        if call.attempts < AUTHORIZATION_ATTEMPTS:
            raise Again(AUTHORIZATION_DELAY_S) from None
        with call.settle() as c:
            c.tx.run("UPDATE events_connection SET state = ? WHERE key = ?", DEAUTHORIZED, connection)
