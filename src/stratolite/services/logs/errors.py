# ruff: noqa: E501  (AWS's sentences, one to a line)
"""Errors: CloudWatch Logs' words."""

from stratolite.kernel import AwsError


class ResourceNotFoundException(AwsError):
    """The specified {what} does not exist."""


class ResourceAlreadyExistsException(AwsError):
    """The specified {what} already exists"""


class InvalidParameterException(AwsError):
    """A parameter is specified incorrectly."""


class LimitExceededException(AwsError):
    """Resource limit exceeded."""


class TooManyTagsException(AwsError):
    """A resource can have no more than 50 tags."""


class AccessDeniedException(AwsError):
    """Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to create cross account lambda triggers."""


class ValidationException(AwsError):
    """LogGroup name and LogGroup ARN are mutually exclusive parameters."""
