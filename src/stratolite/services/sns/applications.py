"""Applications on phones and their endpoints; notifications to them go to the outbox."""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import Call, operation
from stratolite.kernel.store import Row

from . import outbox, topics
from .envelopes import Notice
from .errors import EndpointDisabledException, NotFoundException, ValidationError, invalid
from .pages import paged

PLATFORMS = frozenset({"ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "BAIDU", "GCM", "MACOS",
                       "MACOS_SANDBOX", "MPNS", "WNS"})  # fmt: skip
_SECRET = ("PlatformPrincipal", "PlatformCredential")
_OF_ENDPOINTS = frozenset({"CustomUserData", "Enabled", "Token"})
_DATA_BYTES = 2048


# ---------------------------------------------------------------------- applications


def _checked(attributes: dict[str, str]) -> None:
    if not attributes:
        raise ValidationError(path="attributes")


def _check_secrets(attributes: dict[str, str]) -> None:
    principal, credential = (name in attributes for name in _SECRET)
    if principal and not credential:
        raise invalid("Attributes", "PlatformPrincipal attribute provided without PlatformCredential")
    if credential and not principal:
        raise invalid("Attributes", "PlatformCredential attribute provided without PlatformPrincipal")


@operation
def create_platform_application(call: Call, name: str, platform: str, attributes: dict[str, str]) -> dict[str, Any]:
    """Its credentials are kept and never used: nothing leaves."""
    if not name:
        raise invalid("", "cannot be empty")
    if len(name) > 256:
        raise invalid(name, "must be at most 256 characters long")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise invalid(name, "must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'")
    if platform not in PLATFORMS:
        raise invalid("Platform", f"{platform} is not supported")
    _checked(attributes)
    _check_secrets(attributes)
    arn = f"arn:aws:sns:{call.region}:{call.account}:app/{platform}/{name}"
    call.tx.run(
        "INSERT OR REPLACE INTO sns_application (arn, account, region, attributes) VALUES (?, ?, ?, ?)",
        arn, call.account, call.region, json.dumps({"Enabled": "true", **attributes}),
    )  # fmt: skip
    return {"PlatformApplicationArn": arn}


def _application(call: Call, arn: str) -> Row:
    topics.parse(arn, "PlatformApplicationArn")
    row = call.tx.one("SELECT * FROM sns_application WHERE arn = ?", arn)
    if row is None:
        raise NotFoundException(kind="PlatformApplication")
    return row


def _shown(row: Row) -> dict[str, str]:
    return {name: value for name, value in json.loads(row["attributes"]).items() if name not in _SECRET}


@operation
def delete_platform_application(call: Call, platform_application_arn: str) -> None:
    topics.parse(platform_application_arn, "PlatformApplicationArn")
    call.tx.run("DELETE FROM sns_application WHERE arn = ?", platform_application_arn)


@operation
def list_platform_applications(call: Call, next_token: str | None = None) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT * FROM sns_application WHERE account = ? AND region = ? ORDER BY arn", call.account, call.region
    )
    page, token = paged(rows, next_token, "arn")
    found = [{"PlatformApplicationArn": row["arn"], "Attributes": _shown(row)} for row in page]
    return {"PlatformApplications": found, "NextToken": token}


@operation
def get_platform_application_attributes(call: Call, platform_application_arn: str) -> dict[str, Any]:
    return {"Attributes": _shown(_application(call, platform_application_arn))}


@operation
def set_platform_application_attributes(call: Call, platform_application_arn: str, attributes: dict[str, str]) -> None:
    topics.parse(platform_application_arn, "PlatformApplicationArn")
    _checked(attributes)
    row = _application(call, platform_application_arn)
    _check_secrets(attributes)
    call.tx.run(
        "UPDATE sns_application SET attributes = ? WHERE arn = ?",
        json.dumps({**json.loads(row["attributes"]), **attributes}), row["arn"],
    )  # fmt: skip


# ---------------------------------------------------------------------- endpoints


def _check_endpoint(attributes: dict[str, str]) -> None:
    for name, value in attributes.items():
        if name not in _OF_ENDPOINTS:
            raise invalid("Attributes", f"Invalid attribute name: {name}")
        if name == "CustomUserData" and len(value.encode()) > _DATA_BYTES:
            raise invalid(
                "Attributes",
                "Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in UTF-8 encoding",
            )


@operation
def create_platform_endpoint(
    call: Call,
    platform_application_arn: str,
    token: str,
    custom_user_data: str | None = None,
    attributes: dict[str, str] | None = None,
) -> dict[str, Any]:
    application = _application(call, platform_application_arn)
    wanted = dict(attributes or {})
    _check_endpoint(wanted)
    if custom_user_data:
        wanted.setdefault("CustomUserData", custom_user_data)
    wanted = {"Enabled": "true", **wanted, "Token": token}
    row = call.tx.one("SELECT * FROM sns_endpoint WHERE application = ? AND token = ?", application["arn"], token)
    if row is not None:
        if json.loads(row["attributes"]) != wanted:
            raise invalid(
                "Token", f"Endpoint {row['arn']} already exists with the same Token, but different attributes."
            )
        return {"EndpointArn": row["arn"]}
    arn = f"{application['arn'].replace(':app/', ':endpoint/')}/{call.world.id()}"
    call.tx.run(
        "INSERT INTO sns_endpoint (arn, application, token, attributes) VALUES (?, ?, ?, ?)",
        arn, application["arn"], token, json.dumps(wanted),
    )  # fmt: skip
    return {"EndpointArn": arn}


def look(call: Call, arn: str) -> Row | None:
    return call.tx.one("SELECT * FROM sns_endpoint WHERE arn = ?", arn)


def _endpoint(call: Call, arn: str) -> Row:
    parsed = topics.parse(arn, "EndpointArn")
    if parsed.resource.count("/") != 3:
        raise invalid("EndpointArn", "Wrong number of slashes in relative portion of the ARN.")
    row = look(call, arn)
    if row is None:
        raise NotFoundException(kind="Endpoint")
    return row


@operation
def delete_endpoint(call: Call, endpoint_arn: str) -> None:
    topics.parse(endpoint_arn, "EndpointArn")
    call.tx.run("DELETE FROM sns_endpoint WHERE arn = ?", endpoint_arn)


@operation
def list_endpoints_by_platform_application(
    call: Call, platform_application_arn: str, next_token: str | None = None
) -> dict[str, Any]:
    application = _application(call, platform_application_arn)
    rows = call.tx.all("SELECT * FROM sns_endpoint WHERE application = ? ORDER BY arn", application["arn"])
    page, token = paged(rows, next_token, "arn")
    found = [{"EndpointArn": row["arn"], "Attributes": json.loads(row["attributes"])} for row in page]
    return {"Endpoints": found, "NextToken": token}


@operation
def get_endpoint_attributes(call: Call, endpoint_arn: str) -> dict[str, Any]:
    return {"Attributes": json.loads(_endpoint(call, endpoint_arn)["attributes"])}


@operation
def set_endpoint_attributes(call: Call, endpoint_arn: str, attributes: dict[str, str]) -> None:
    row = _endpoint(call, endpoint_arn)
    _checked(attributes)
    _check_endpoint(attributes)
    after = {**json.loads(row["attributes"]), **attributes}
    call.tx.run(
        "UPDATE sns_endpoint SET attributes = ?, token = ? WHERE arn = ?", json.dumps(after), after["Token"], row["arn"]
    )


# ---------------------------------------------------------------------- notifications


def is_enabled(endpoint: Row) -> bool:
    return bool(json.loads(endpoint["attributes"]).get("Enabled", "true").lower() == "true")


def publish(call: Call, arn: str, notice: Notice) -> None:
    """To one endpoint. Raises InvalidParameter, EndpointDisabled."""
    topics.parse(arn, "TargetArn")
    endpoint = look(call, arn)
    if endpoint is None:
        raise invalid("TargetArn", "No endpoint found for the target arn specified")
    if not is_enabled(endpoint):
        raise EndpointDisabledException
    send(call, arn, notice)


def send(call: Call, arn: str, notice: Notice) -> None:
    platform = arn.split("/")[1]
    outbox.put(
        call,
        outbox.Letter(
            "application", arn, notice.id, notice.text(platform), notice.subject, notice.topic_arn or None,
            notice.attributes,
        ),
    )  # fmt: skip
