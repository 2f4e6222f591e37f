"""Content: what a message may hold, how large it is, and the digests that prove it arrived whole.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from hashlib import md5
from typing import Any

from .errors import (
    InvalidMessageContents,
    InvalidParameterValueException,
    MissingRequiredParameterException,
)

MessageAttributes = dict[str, dict[str, Any]]
"""Name to {"DataType", "StringValue" or "BinaryValue"}."""

MOST_ATTRIBUTES = 10

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[\w.-]{1,256}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TYPES = ("String", "Number", "Binary")


def check(body: str, attributes: MessageAttributes | None) -> None:
    if not body:
        raise MissingRequiredParameterException(name="MessageBody")
    if _NOT_XML.search(body):
        raise InvalidMessageContents()
    if attributes:
        _check_attributes(attributes)


def _check_attributes(attributes: MessageAttributes) -> None:
    if len(attributes) > MOST_ATTRIBUTES:
        raise InvalidParameterValueException(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
        )
    for name, attribute in attributes.items():
        if not _NAME.fullmatch(name):
            raise InvalidParameterValueException(
                "Message (user) attribute name can contain alphanumeric characters, hyphens, underscores, and periods "
                "only, and be 1 to 256 characters long."
            )
        if name.lower().startswith(("aws.", "amazon.")):
            raise InvalidParameterValueException(
                f"Message (user) attribute name '{name}' contains a reserved prefix: 'AWS.' or 'Amazon.'."
            )
        if name[0] == "." or name[-1] == "." or ".." in name:
            raise InvalidParameterValueException(
                f"Message (user) attribute name '{name}' cannot start or end with a period or contain successive "
                "periods."
            )
        kind = attribute.get("DataType") or ""
        if not kind:
            raise InvalidParameterValueException(
                f"The message (user) attribute '{name}' must contain a non-empty message attribute type."
            )
        base = kind.partition(".")[0]
        if base not in _TYPES or len(kind) > 256:
            raise InvalidParameterValueException(
                f"The type of message (user) attribute '{name}' is invalid. You must use only the following supported "
                "type prefixes: Binary, Number, String."
            )
        value = attribute.get("BinaryValue" if base == "Binary" else "StringValue")
        if not value:
            raise InvalidParameterValueException(
                f"Message (user) attribute '{name}' must contain a non-empty value of type '{base}'."
            )
        if base != "Binary" and (found := _NOT_XML.search(value)):
            raise InvalidParameterValueException(
                f"Invalid binary character '#x{ord(found[0]):X}' was found in the message (user) attribute '{name}' "
                "value. The supported unicode characters are #x9 | #xA | #xD | [#x20 to #xD7FF] | [#xE000 to #xFFFD] | "
                "[#x10000 to #x10FFFF]."
            )
        if base == "Number" and not _NUMBER.fullmatch(value.strip()):
            raise InvalidParameterValueException(
                f"Can't cast the value of message (user) attribute '{name}' to a number."
            )


def check_system(attributes: MessageAttributes | None) -> str | None:
    """The X-Ray header among a request's system attributes."""
    trace = None
    for name, attribute in (attributes or {}).items():
        if name != "AWSTraceHeader":
            raise InvalidParameterValueException(f"Message system attribute name '{name}' is invalid.")
        if attribute.get("DataType") != "String" or not attribute.get("StringValue"):
            raise InvalidParameterValueException(
                f"Message (system) attribute '{name}' must contain a non-empty value of type 'String'."
            )
        trace = attribute["StringValue"]
    return trace


def size(body: str, attributes: MessageAttributes | None) -> int:
    """Bytes of body and attributes, also of attributes nobody has checked yet."""
    total = len(body.encode())
    for name, attribute in (attributes or {}).items():
        total += len(name.encode()) + len((attribute.get("DataType") or "").encode()) + len(_value(attribute))
    return total


def _value(attribute: dict[str, Any]) -> bytes:
    if (attribute.get("DataType") or "").startswith("Binary"):
        return attribute.get("BinaryValue") or b""
    return (attribute.get("StringValue") or "").encode()


def digest(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def attributes_digest(attributes: MessageAttributes) -> str:
    """Name, type and value of each attribute, each with its length before it, in order of the names."""
    out = md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        for text in (name.encode(), attribute["DataType"].encode()):
            out.update(len(text).to_bytes(4, "big") + text)
        value = _value(attribute)
        transport = b"\2" if attribute["DataType"].startswith("Binary") else b"\1"
        out.update(transport + len(value).to_bytes(4, "big") + value)
    return out.hexdigest()


def packed(attributes: MessageAttributes | None) -> str | None:
    """As they are stored: JSON, binaries in base64."""
    if not attributes:
        return None
    kept = {}
    for name, attribute in attributes.items():
        value = {"DataType": attribute["DataType"]}
        if attribute["DataType"].startswith("Binary"):
            value["BinaryValue"] = base64.b64encode(attribute["BinaryValue"]).decode()
        else:
            value["StringValue"] = attribute["StringValue"]
        kept[name] = value
    return json.dumps(kept, separators=(",", ":"))


def unpacked(text: str | None) -> MessageAttributes:
    if not text:
        return {}
    found: MessageAttributes = json.loads(text)
    for attribute in found.values():
        if "BinaryValue" in attribute:
            attribute["BinaryValue"] = base64.b64decode(attribute["BinaryValue"])
    return found


def chosen(attributes: MessageAttributes, names: Iterable[str]) -> MessageAttributes:
    """Those a receiver asked for: by name, by prefix (`foo.*`), or all (`All`, `.*`)."""
    wanted = list(names)
    if not {"All", ".*", "*"}.isdisjoint(wanted):
        return attributes
    prefixes = tuple(name[:-2] for name in wanted if name.endswith(".*"))
    exact = set(wanted)
    return {
        name: value for name, value in attributes.items() if name in exact or (prefixes and name.startswith(prefixes))
    }
