"""Malformed bodies: what each protocol and service calls them."""

from __future__ import annotations

from stratolite.wire.faults import Malformed, Mismatch, Unreadable
from stratolite.wire.protocols import PROTOCOLS

_XML_MESSAGE = "The XML you provided was not well-formed or did not validate against our published schema"

# Java's names of what a JSON value could not be converted to.
_CLASSES = {
    "blob": "java.nio.ByteBuffer",
    "boolean": "java.lang.Boolean",
    "double": "java.lang.Double",
    "float": "java.lang.Float",
    "integer": "java.lang.Integer",
    "long": "java.lang.Long",
    "string": "java.lang.String",
    "timestamp": "java.util.Date",
}
_TARGETS = {
    "blob": "a Blob",
    "boolean": "a Boolean",
    "double": "a Double",
    "float": "a Float",
    "integer": "an Integer",
    "long": "a Long",
    "string": "a String",
    "timestamp": "milliseconds since epoch",
}
_DYNAMODB = "com.amazonaws.dynamodb.v20120810."


def fault(service: str, protocol: str, error: Unreadable) -> Malformed:
    """The error AWS answers when a request is not a document of its shape."""
    row = PROTOCOLS[protocol]
    if row.reads == "xml":
        return Malformed(row.malformed, _XML_MESSAGE)
    text = _WORDINGS.get(service, _worded)(error) if isinstance(error, Mismatch) else str(error)
    # A body that is no document at all is answered with a code and no word more.
    return Malformed(row.malformed, text or None)


def _token(value: object) -> str:
    match value:
        case bool():
            return "TRUE_VALUE" if value else "FALSE_VALUE"
        case str():
            return "STRING_VALUE"
        case _:
            return "NUMBER_VALUE"


def _worded(error: Mismatch) -> str:
    """Most services."""
    match error.value:
        case list():
            return "Start of list found where not expected"
        case dict():
            return "Start of structure or map found where not expected."
    match error.kind:
        case "list":
            return "Expected list or null"
        case "structure" | "map":
            return "Expected null"
    return f"{_token(error.value)} can not be converted to {_TARGETS[error.kind]}"


def _worded_by_dynamodb(error: Mismatch) -> str:
    """DynamoDB's parser: other words, and Java's types in full."""
    match error.value:
        case dict():
            return "Start of structure or map found where not expected"
        case list():
            return f"Unrecognized collection type {_java_type(error)}"
        case str() if error.kind == "blob":
            return _not_base64(error.value)
        case str() if error.kind == "boolean":
            return "Unexpected token received from parser"
    if error.kind in ("list", "map", "structure"):
        return "Unexpected value type in payload" if error.item else "Unexpected field type"
    if error.kind == "blob":
        return "only base-64-encoded strings are convertible to bytes"
    token = "DECIMAL_VALUE" if isinstance(error.value, float) else _token(error.value)
    return f"{token} cannot be converted to {error.kind.capitalize()}"


def _java_type(error: Mismatch) -> str:
    if error.kind == "map":
        return f"java.util.Map<java.lang.String, {_CLASSES.get(error.name) or _DYNAMODB + error.name}>"
    return f"class {_CLASSES.get(error.kind) or _DYNAMODB + error.name}"


def _not_base64(text: str) -> str:
    if len(text) % 4:
        return f"Base64 encoded length is expected a multiple of 4 bytes but found: {len(text)}"
    return "Invalid last non-pad Base64 character dectected"  # as DynamoDB spells it


def _worded_by_api_gateway(error: Mismatch) -> str:
    """API Gateway names the Java class it found."""
    if error.kind not in _TARGETS or isinstance(error.value, list | dict | str):
        return _worded(error)
    found = "java.lang.Boolean" if isinstance(error.value, bool) else _BIG_NUMBER
    return f"class {found} can not be converted to an {error.kind.capitalize()}"


_BIG_NUMBER = "com.amazon.coral.value.json.numbers.TruncatingBigNumber"

_WORDINGS = {
    "apigateway": _worded_by_api_gateway,
    "dynamodb": _worded_by_dynamodb,
    "dynamodbstreams": _worded_by_dynamodb,
}
