"""Errors: API Gateway's words."""

from stratolite.kernel import AwsError


class NotFoundException(AwsError):
    """Invalid {kind} identifier specified {id}"""


class BadRequestException(AwsError):
    """Invalid input."""


class ConflictException(AwsError):
    """The resource already exists."""
