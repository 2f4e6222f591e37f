"""DynamoDB's errors, in AWS's words."""

from __future__ import annotations

from stratolite.kernel import AwsError


class ValidationException(AwsError):
    """The input fails to satisfy the constraints specified by an AWS service."""

    status = 400


class SerializationException(AwsError):
    """Start of structure or map found where not expected"""

    status = 400


class ResourceNotFoundException(AwsError):
    """Requested resource not found"""


class ResourceInUseException(AwsError):
    """Attempt to change a resource which is still in use: Table is already in use: {table}"""


class LimitExceededException(AwsError):
    """Subscriber limit exceeded: Only 20 global secondary indexes may be created per table"""


class ConditionalCheckFailedException(AwsError):
    """The conditional request failed"""


class TransactionCanceledException(AwsError):
    """Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"""


class IdempotentParameterMismatchException(AwsError):
    """Requests with the same client request token must have identical parameters"""


class DuplicateItemException(AwsError):
    """Duplicate primary key exists in table"""


class TableNotFoundException(AwsError):
    """Table not found: {table}"""
