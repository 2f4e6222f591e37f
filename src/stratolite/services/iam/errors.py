"""Errors: IAM's words."""

from stratolite.kernel import AwsError


class NoSuchEntityException(AwsError):
    """The {kind} with name {name} cannot be found."""


class EntityAlreadyExistsException(AwsError):
    """{kind} with name {name} already exists."""


class DeleteConflictException(AwsError):
    """Cannot delete entity, must {first}."""


class MalformedPolicyDocumentException(AwsError):
    """This policy contains invalid Json"""


class LimitExceededException(AwsError):
    """Cannot exceed quota for {what}: {limit}"""


class InvalidInputException(AwsError):
    """Custom suffix is not allowed for {service}"""


class UnmodifiableEntityException(AwsError):
    """Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"""


class NotEmulated(AwsError):
    """The document of AWS's own policy {arn} is not known here."""

    code = "NotImplemented"
    status = 501
    sender = False


class ValidationError(AwsError):
    """Invalid ARN:  Could not be parsed!"""

    status = 400
