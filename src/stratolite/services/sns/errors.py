"""Errors: SNS's words, verbatim."""

from __future__ import annotations

from stratolite.kernel import AwsError


class NotFoundException(AwsError):
    """{kind} does not exist"""


class InvalidParameterException(AwsError):
    """Invalid parameter: {name}"""


class InvalidParameterValueException(AwsError):
    """Of a message's attributes; the sentence is given where the rule is."""


class ResourceNotFoundException(AwsError):
    """Resource does not exist"""


class ValidationError(AwsError):
    """1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"""

    status = 400


class EndpointDisabledException(AwsError):
    """Endpoint is disabled"""


class TagLimitExceededException(AwsError):
    """Could not complete request: tag quota of per resource exceeded"""


class BatchEntryIdsNotDistinctException(AwsError):
    """Two or more batch entries in the request have the same Id."""


class BatchRequestTooLongException(AwsError):
    """The length of all the messages put together is more than the limit."""


class EmptyBatchRequestException(AwsError):
    """The batch request doesn't contain any entries."""


class TooManyEntriesInBatchRequestException(AwsError):
    """The batch request contains more entries than permissible."""


class InvalidBatchEntryIdException(AwsError):
    """The Id of a batch entry in the batch request {complaint}: {id}"""


def invalid(name: str, reason: str | None = None) -> InvalidParameterException:
    because = "" if reason is None else f" Reason: {reason}"
    return InvalidParameterException(f"Invalid parameter: {name}{because}")
