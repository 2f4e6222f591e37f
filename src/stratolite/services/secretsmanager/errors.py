# ruff: noqa: E501  (AWS's sentences, one to a line)
"""Errors: Secrets Manager's words."""

from stratolite.kernel import AwsError


class ResourceNotFoundException(AwsError):
    """Secrets Manager can't find the specified secret."""


class ResourceExistsException(AwsError):
    """The operation failed because the secret {name} already exists."""


class InvalidRequestException(AwsError):
    """The request isn't valid for the secret's current state."""


class InvalidParameterException(AwsError):
    """The parameter name or value is invalid."""


class InvalidNextTokenException(AwsError):
    """The NextToken value is invalid."""


class MalformedPolicyDocumentException(AwsError):
    """The resource policy has syntax errors."""


class PublicPolicyException(AwsError):
    """The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to the secret."""


class DecryptionFailure(AwsError):
    """Secrets Manager can't decrypt the protected secret text using the provided KMS key."""


class EncryptionFailure(AwsError):
    """Secrets Manager can't encrypt the protected secret text using the provided KMS key."""


class AccessDeniedException(AwsError):
    """Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com."""


class LimitExceededException(AwsError):
    """The request failed because it would exceed one of the Secrets Manager quotas."""


class ValidationException(AwsError):
    """Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"""
