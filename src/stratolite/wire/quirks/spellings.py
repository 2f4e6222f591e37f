"""Spellings of errors: the namespace before a type's name, and the key its message stands under."""

from __future__ import annotations

from stratolite.wire.shapes import Shape

# Most services give a bare name. These write their package before it; SDKs cut it off at the `#`.
_PACKAGES = {
    "dynamodb": "com.amazonaws.dynamodb.v20120810#",
    "dynamodbstreams": "com.amazonaws.dynamodb.v20120810#",
    "sqs": "com.amazonaws.sqs#",
    "stepfunctions": "com.amazonaws.swf.service.v2.model#",
    "cloudwatch": "com.amazonaws.cloudwatch.v2010_08_01#",
}
_CORAL = {
    "AccessDeniedException": "com.amazon.coral.service#",
    "InternalFailure": "com.amazon.coral.service#",
    "InvalidParameterValueException": "com.amazon.coral.service#",
    "MissingRequiredParameterException": "com.amazon.coral.service#",
    "SerializationException": "com.amazon.coral.service#",
    "UnknownOperationException": "com.amazon.coral.service#",
    "UnrecognizedClientException": "com.amazon.coral.service#",
    "ValidationException": "com.amazon.coral.validate#",
}

# What AWS's common front end says, it says under `Message`.
_FRONT_END = frozenset(
    {"AccessDeniedException", "InternalFailure", "SerializationException", "UnknownOperationException"}
)

# Where no shape says what the message is called: `Message` is the older spelling.
_MESSAGE_KEYS = {"lambda": "Message", "kms": "message", "secretsmanager": "Message", "xray": "Message"}


def type_name(service: str | None, name: str) -> str:
    """The `__type` of an error."""
    package = _PACKAGES.get(service or "")
    return name if package is None else _CORAL.get(name, package) + name


def message_key(service: str | None, shape: Shape | None, code: str) -> str:
    """`message` or `Message`, as the error's shape has it."""
    if shape is not None:
        for name in shape.members:
            if name.lower() == "message":
                return str(name)
    return "Message" if code in _FRONT_END else _MESSAGE_KEYS.get(service or "", "message")
