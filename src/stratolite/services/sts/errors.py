"""Errors: STS's words."""

from stratolite.kernel import AwsError


class AccessDenied(AwsError):
    """User: {who} is not authorized to perform: sts:AssumeRole on resource: {role}"""

    status = 403


class ValidationError(AwsError):
    """{value} is invalid"""

    status = 400


class InvalidParameterValue(AwsError):
    """The specified transitive tag key must be included in the requested tags."""

    status = 400
