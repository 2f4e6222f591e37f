"""Errors: SQS's words, verbatim."""

from __future__ import annotations

from stratolite.kernel import AwsError, Call


class QueueDoesNotExist(AwsError):
    """The specified queue does not exist."""


def no_such_queue(call: Call) -> QueueDoesNotExist:
    """The query protocol kept its older sentence."""
    if call.caller.protocol == "query":
        return QueueDoesNotExist("The specified queue does not exist for this wsdl version.")
    return QueueDoesNotExist()


class QueueNameExists(AwsError):
    """A queue already exists with the same name and a different value for attribute {attribute}"""


class QueueDeletedRecently(AwsError):
    """You must wait 60 seconds after deleting a queue before you can create another with the same name."""


class PurgeQueueInProgress(AwsError):
    """Only one PurgeQueue operation on {queue} is allowed every 60 seconds."""

    status = 403


class InvalidAttributeName(AwsError):
    """Unknown Attribute {name}."""


class InvalidAttributeValue(AwsError):
    """Invalid value for the parameter {name}."""


class InvalidAddress(AwsError):
    """The address {address} is not valid for this endpoint."""

    status = 404


class InvalidParameterValueException(AwsError):
    """Value {value} for parameter {name} is invalid. Reason: {reason}"""

    code = "InvalidParameterValue"


class MissingRequiredParameterException(AwsError):
    """The request must contain the parameter {name}."""

    code = "MissingParameter"


class InvalidMessageContents(AwsError):
    """Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | \
#x10000 to #x10FFFF"""


class ReceiptHandleIsInvalid(AwsError):
    """The input receipt handle "{handle}" is not a valid receipt handle."""

    status = 404


class OverLimit(AwsError):
    """Too many messages in flight."""

    status = 403


class EmptyBatchRequest(AwsError):
    """There should be at least one {entry} in the request."""


class TooManyEntriesInBatchRequest(AwsError):
    """Maximum number of entries per request are 10. You have sent {sent}."""


class BatchEntryIdsNotDistinct(AwsError):
    """Id {id} repeated."""


class BatchRequestTooLong(AwsError):
    """Batch requests cannot be longer than {limit} bytes. You have sent {sent} bytes."""


class InvalidBatchEntryId(AwsError):
    """A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 \
letters long."""


class ResourceNotFoundException(AwsError):
    """The resource that you specified for the {parameter} parameter doesn't exist."""

    status = 404


def invalid(name: str, value: object, reason: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"Value {value} for parameter {name} is invalid. Reason: {reason}")
