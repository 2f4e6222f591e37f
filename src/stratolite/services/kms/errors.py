# ruff: noqa: E501  (AWS's sentences, one to a line)
"""Errors: KMS's words."""

from stratolite.kernel import AwsError


class NotFoundException(AwsError):
    """Key '{arn}' does not exist"""


class AlreadyExistsException(AwsError):
    """An alias with the name {arn} already exists"""


class NotAuthorizedException(AwsError):
    """"""


class DisabledException(AwsError):
    """{arn} is disabled."""


class KMSInvalidStateException(AwsError):
    """{arn} is {state}."""


class InvalidKeyUsageException(AwsError):
    """{arn} key usage is {usage} which is not valid for {operation}."""


class IncorrectKeyException(AwsError):
    """The key ID in the request does not identify a CMK that can perform this operation."""


class InvalidCiphertextException(AwsError):
    """"""


class KMSInvalidMacException(AwsError):
    """"""


class KMSInvalidSignatureException(AwsError):
    """"""


class InvalidImportTokenException(AwsError):
    """"""


class ExpiredImportTokenException(AwsError):
    """"""


class IncorrectKeyMaterialException(AwsError):
    """"""


class UnsupportedOperationException(AwsError):
    """"""


class LimitExceededException(AwsError):
    """The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: {arn}"""


class TagException(AwsError):
    """Duplicate tag keys"""


class DryRunOperationException(AwsError):
    """The request would have succeeded, but the DryRun option is set."""


class InvalidGrantIdException(AwsError):
    """Grant ID {id} not found"""


class InvalidMarkerException(AwsError):
    """Could not deserialize marker '{marker}'"""


class MalformedPolicyDocumentException(AwsError):
    """"""


class ValidationException(AwsError):
    """The input fails to satisfy the constraints specified by KMS."""
