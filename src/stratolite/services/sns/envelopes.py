"""Envelopes: the shapes in which a message arrives.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stratolite.kernel import Call

from .content import MessageAttributes


@dataclass(frozen=True)
class Notice:
    """One message as its subscribers share it."""

    id: str
    topic_arn: str
    texts: dict[str, str]
    """By protocol, and `default`."""
    subject: str | None
    attributes: MessageAttributes
    at: float
    group: str | None = None
    dedup: str | None = None
    sequence: str | None = None

    def text(self, protocol: str) -> str:
        return self.texts.get(protocol, self.texts["default"])


def base(call: Call) -> str:
    """The cloud's address as whoever asked knows it."""
    return f"{call.caller.scheme}://{call.caller.host}"


def instant(at: float) -> str:
    """ISO 8601 to the millisecond, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unsubscribe_link(call: Call, subscription_arn: str) -> str:
    return f"{base(call)}/?Action=Unsubscribe&SubscriptionArn={subscription_arn}"


def unsigned(call: Call) -> dict[str, str]:
    """The fields of a signature, which does not verify: nobody here has AWS's key."""
    call.cloud.notice("sns: the signatures of messages (they do not verify)")
    return {
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "SigningCertURL": f"{base(call)}/SimpleNotificationService-00000000000000000000000000000000.pem",
    }


def attributes_shown(attributes: MessageAttributes) -> dict[str, dict[str, str]]:
    shown = {}
    for name, attribute in attributes.items():
        if "BinaryValue" in attribute and attribute["DataType"].startswith("Binary"):
            value = base64.b64encode(attribute["BinaryValue"]).decode()
        else:
            value = attribute["StringValue"]
        shown[name] = {"Type": attribute["DataType"], "Value": value}
    return shown


def notification(call: Call, notice: Notice, protocol: str, subscription_arn: str) -> str:
    """The JSON document of queues and HTTP endpoints."""
    fields: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": notice.id,
        "SequenceNumber": notice.sequence,
        "TopicArn": notice.topic_arn,
        "Subject": notice.subject,
        "Message": notice.text(protocol),
        "Timestamp": instant(notice.at),
    }
    if notice.sequence is None:  # messages of FIFO topics are not signed (recorded)
        fields |= unsigned(call)
    fields["UnsubscribeURL"] = unsubscribe_link(call, subscription_arn)
    fields["MessageAttributes"] = attributes_shown(notice.attributes) or None
    return printed({name: value for name, value in fields.items() if value is not None})


def record(call: Call, notice: Notice, subscription_arn: str) -> str:
    """The event of functions. https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html"""
    signature = unsigned(call)
    sns = {
        "Type": "Notification",
        "MessageId": notice.id,
        "TopicArn": notice.topic_arn,
        "Subject": notice.subject,
        "Message": notice.text("lambda"),
        "Timestamp": instant(notice.at),
        "SignatureVersion": signature["SignatureVersion"],
        "Signature": signature["Signature"],
        "SigningCertUrl": signature["SigningCertURL"],
        "UnsubscribeUrl": unsubscribe_link(call, subscription_arn),
        "MessageAttributes": attributes_shown(notice.attributes),
    }
    event = {
        "Records": [
            {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription_arn, "Sns": sns}
        ]
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def printed(fields: dict[str, Any]) -> str:
    """As AWS prints it: a line for each field, and one for each attribute."""
    lines = []
    for name, value in fields.items():
        if isinstance(value, dict):
            inner = ",\n".join(f"    {_text(key)} : {_text(each)}" for key, each in value.items())
            lines.append(f"  {_text(name)} : {{\n{inner}\n  }}")
        else:
            lines.append(f"  {_text(name)} : {_text(value)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
