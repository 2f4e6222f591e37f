"""Text messages: what they say of themselves, and who wants none."""

from __future__ import annotations

import json
import re
from typing import Any

from stratolite.kernel import Call, operation

from . import outbox
from .envelopes import Notice
from .errors import InvalidParameterException, invalid
from .pages import paged

_NAMES = frozenset(
    {
        "MonthlySpendLimit", "DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate", "DefaultSenderID",
        "DefaultSMSType", "UsageReportS3Bucket",
    }
)  # fmt: skip
"""https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html"""
_PHONE = re.compile(r"\+[0-9]{5,15}")
_DEFAULTS = {"MonthlySpendLimit": "1"}


def send(call: Call, number: str, notice: Notice) -> None:
    """Into the outbox, unless the number opted out."""
    if not _is_out(call, number):
        outbox.put(
            call,
            outbox.Letter(
                "sms", number, notice.id, notice.text("sms"), notice.subject, notice.topic_arn or None,
                notice.attributes,
            ),
        )  # fmt: skip


def _attributes(call: Call) -> dict[str, str]:
    text = call.tx.value("SELECT attributes FROM sns_sms WHERE account = ? AND region = ?", call.account, call.region)
    return {**_DEFAULTS, **(json.loads(text) if text else {})}


@operation(name="GetSMSAttributes")
def get_sms_attributes(call: Call, attributes: list[str] | None = None) -> dict[str, Any]:
    found = _attributes(call)
    return {"attributes": {name: value for name, value in found.items() if not attributes or name in attributes}}


@operation(name="SetSMSAttributes")
def set_sms_attributes(call: Call, attributes: dict[str, str]) -> dict[str, Any]:
    for name, value in attributes.items():
        if name not in _NAMES:
            raise InvalidParameterException(f"{name} is not a valid attribute")
        if name == "DefaultSMSType" and value not in ("Promotional", "Transactional"):
            raise InvalidParameterException(f"{name} is invalid")
        if name == "DefaultSenderID" and not re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9]{1,11}", value):
            raise InvalidParameterException(f"{name} is invalid")
    call.tx.run(
        "INSERT OR REPLACE INTO sns_sms (account, region, attributes) VALUES (?, ?, ?)",
        call.account, call.region, json.dumps({**_attributes(call), **attributes}),
    )  # fmt: skip
    return {}


def _is_out(call: Call, number: str) -> bool:
    return bool(
        call.tx.value(
            "SELECT 1 FROM sns_opted_out WHERE account = ? AND region = ? AND number = ?",
            call.account, call.region, number,
        )
    )  # fmt: skip


def _checked(number: str) -> str:
    if not _PHONE.fullmatch(number):
        raise invalid("PhoneNumber", "input incorrectly formatted")
    return number


@operation
def check_if_phone_number_is_opted_out(call: Call, phone_number: str) -> dict[str, Any]:
    return {"isOptedOut": _is_out(call, _checked(phone_number))}


@operation
def list_phone_numbers_opted_out(call: Call, next_token: str | None = None) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT number FROM sns_opted_out WHERE account = ? AND region = ? ORDER BY number", call.account, call.region
    )
    page, token = paged(rows, next_token, "number")
    return {"phoneNumbers": [row["number"] for row in page], "nextToken": token}


@operation
def opt_in_phone_number(call: Call, phone_number: str) -> dict[str, Any]:
    call.tx.run(
        "DELETE FROM sns_opted_out WHERE account = ? AND region = ? AND number = ?",
        call.account, call.region, _checked(phone_number),
    )  # fmt: skip
    return {}


@operation(name="GetSMSSandboxAccountStatus")
def get_sms_sandbox_account_status(call: Call) -> dict[str, Any]:
    return {"IsInSandbox": False}
