"""Errors: Lambda's words, recorded on AWS (LocalStack's `test_lambda_api.snapshot.json`)."""

from __future__ import annotations

from typing import Any

from stratolite.kernel import AwsError


class _LambdaError(AwsError):
    def __init__(self, message: str | None = None, /, **fields: Any) -> None:
        super().__init__(message, **{"Type": "User" if type(self).sender else "Service", **fields})


class ResourceNotFoundException(_LambdaError):
    """The resource you requested does not exist."""


class ResourceConflictException(_LambdaError):
    """The resource already exists."""


class InvalidParameterValueException(_LambdaError):
    """One of the parameters in the request is not valid."""


class ValidationException(_LambdaError):
    """1 validation error detected: {detail}"""

    code = "ValidationException"
    status = 400


class InvalidRequestContentException(_LambdaError):
    """The request body could not be parsed as JSON."""


class RequestTooLargeException(_LambdaError):
    """Request must be smaller than {limit} bytes for the InvokeFunction operation"""


class RequestEntityTooLargeException(_LambdaError):
    """Request must be smaller than {limit} bytes for the {operation} operation"""

    code = "RequestEntityTooLargeException"
    status = 413


class CodeStorageExceededException(_LambdaError):
    """Code storage limit exceeded."""


class PreconditionFailedException(_LambdaError):
    """The Revision Id provided does not match the latest Revision Id. Call the {operation} API to retrieve the latest\
 Revision Id"""


class TooManyRequestsException(_LambdaError):
    """Rate Exceeded."""


class PolicyLengthExceededException(_LambdaError):
    """The final policy size ({size}) is bigger than the limit ({limit})."""


class ResourceInUseException(_LambdaError):
    """Cannot update the event source mapping because it is in use."""


class AccessDeniedException(AwsError):
    # AWS gives no message with it.
    code = "AccessDeniedException"
    status = 403


class ServiceException(_LambdaError):
    """An error occurred and the request cannot be processed."""

    sender = False
