"""Content: what a message may hold, and how large it is."""

from __future__ import annotations

import json
import re
from typing import Any

from .errors import InvalidParameterException, InvalidParameterValueException, ValidationError, invalid

MessageAttributes = dict[str, dict[str, Any]]
"""Name to {"DataType", "StringValue" or "BinaryValue"}."""

MAX_BYTES = 262_144
_NAME = re.compile(r"[A-Za-z0-9_.-]")
_TYPES = ("String", "Number", "Binary")
_SUBJECT = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,99}")


def check_message(message: str, subject: str | None) -> None:
    if not message:
        raise invalid("Empty message")
    if subject is not None and not _SUBJECT.fullmatch(subject):
        raise invalid("Subject")


def check_size(message: str, attributes: MessageAttributes) -> None:
    if size(message, attributes) > MAX_BYTES:
        raise invalid("Message too long")


def size(message: str, attributes: MessageAttributes) -> int:
    total = len(message.encode())
    for name, attribute in attributes.items():
        value = attribute.get("BinaryValue") or (attribute.get("StringValue") or "").encode()
        total += len(name.encode()) + len((attribute.get("DataType") or "").encode()) + len(value)
    return total


def structured(message: str, structure: str | None) -> dict[str, str]:
    """The texts of a message by protocol; `default` is always there. Raises InvalidParameter."""
    if structure is None:
        return {"default": message}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        found = json.loads(message)
    except ValueError:
        raise invalid("Message Structure - JSON message body failed to parse") from None
    if not isinstance(found, dict) or not isinstance(found.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    return {name: text for name, text in found.items() if isinstance(text, str)}


def check_attributes(attributes: MessageAttributes, path: str = "") -> None:
    """Raises ParameterValueInvalid, ValidationError; `path` is where the attributes stand in the request."""
    for name, attribute in attributes.items():
        _check_name(name)
        kind = attribute.get("DataType")
        if kind is None:
            raise ValidationError(path=f"{path}messageAttributes.{name}.member.dataType")
        base = kind.partition(".")[0]
        if base not in _TYPES or kind == f"{base}.":
            raise InvalidParameterValueException(
                f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
                "prefixes is Binary, Number, and String."
            )
        field = "Binary" if base == "Binary" else "String"
        other = "String" if field == "Binary" else "Binary"
        if not attribute.get(f"{field}Value"):
            if attribute.get(f"{other}Value"):
                raise InvalidParameterValueException(
                    f"The message attribute '{name}' with type '{kind}' must use field '{field}'."
                )
            raise InvalidParameterValueException(
                f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
                f"type '{kind}'."
            )
        if base == "Number":
            try:
                float(attribute["StringValue"])
            except ValueError:
                raise InvalidParameterValueException(
                    f"Could not cast message attribute '{name}' value to number."
                ) from None
        if kind == "String.Array":
            _check_array(name, attribute["StringValue"])


def _check_name(name: str) -> None:
    if not name:
        raise InvalidParameterException("Message attribute name can not be empty.")
    if len(name.encode()) > 256:
        raise InvalidParameterValueException("Length of message attribute name must be less than 256 bytes.")
    for letter in name:
        if not _NAME.fullmatch(letter):
            raise InvalidParameterValueException(
                f"Invalid non-alphanumeric character '#x{ord(letter):X}' was found in the message attribute name. Can "
                "only include alphanumeric characters, hyphens, underscores, or dots."
            )
    if name[0] == ".":
        raise InvalidParameterValueException("Invalid message attribute name starting with character '.' was found.")
    if name[-1] == ".":
        raise InvalidParameterValueException("Invalid message attribute name ending with character '.' was found.")
    if ".." in name:
        raise InvalidParameterValueException("Message attribute name can not have successive '.' character.")


def _check_array(name: str, text: str) -> None:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise InvalidParameterValueException(
            f"The message attribute '{name}' with type 'String.Array' must contain a JSON array."
        )
