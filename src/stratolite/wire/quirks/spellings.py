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

# Where no shape says what the message is called: `Message` is the older spelling.
_MESSAGE_KEYS = {"lambda": "Message", "kms": "message", "secretsmanager": "Message", "xray": "Message"}


def type_name(service: str | None, name: str, modelled: bool) -> str:
    """The `__type` of an error."""
    if service in ("dynamodb", "dynamodbstreams", "sqs", "cloudwatch") and not modelled and name in _CORAL:
        return _CORAL[name] + name
    if service in ("dynamodb", "dynamodbstreams", "sqs", "cloudwatch") and modelled:
        return _PACKAGES[service] + name
    return name


def message_key(service: str | None, shape: Shape | None) -> str:
    """`message` or `Message`, as the error's shape has it."""
    if shape is not None:
        for name in shape.members:
            if name.lower() == "message":
                return str(name)
    return _MESSAGE_KEYS.get(service or "", "message")
