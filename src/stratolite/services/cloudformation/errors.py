"""CloudFormation's errors, in its own words."""

from stratolite.kernel import AwsError


class ValidationError(AwsError):
    """{message}"""

    code = "ValidationError"
    status = 400


class AlreadyExistsException(AwsError):
    """Stack [{name}] already exists"""


class ChangeSetNotFoundException(AwsError):
    """ChangeSet [{name}] does not exist"""

    code = "ChangeSetNotFound"
    status = 404


class InsufficientCapabilitiesException(AwsError):
    """Requires capabilities : [{capabilities}]"""


class InvalidChangeSetStatusException(AwsError):
    """ChangeSet [{id}] cannot be executed in its current status of [{state}]"""

    code = "InvalidChangeSetStatus"
    status = 400


def no_stack(name: str) -> ValidationError:
    """What the operations that look at a stack say when there is none."""
    return ValidationError(f"Stack with id {name} does not exist")
