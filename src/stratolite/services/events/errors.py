"""What EventBridge says when it refuses."""

from __future__ import annotations

from stratolite.kernel import AwsError


class ValidationException(AwsError):
    """Of a parameter or of how several go together; the sentence is given where the rule is."""


class ResourceNotFoundException(AwsError):
    """Of whatever is missing; the sentence is given where it was looked for."""


class ResourceAlreadyExistsException(AwsError):
    """{kind} {name} already exists."""


class LimitExceededException(AwsError):
    """The requested resource exceeds the maximum number allowed."""


class InvalidEventPatternException(AwsError):
    """Event pattern is not valid. Reason: {reason}"""


class IllegalStatusException(AwsError):
    """Of a state in which the thing asked for is not possible."""


def invalid(parameter: str, reason: str | None = None) -> ValidationException:
    because = f" Reason: {reason}" if reason else ""
    return ValidationException(f"Parameter {parameter} is not valid.{because}")


def bus_missing(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Event bus {name} does not exist.")


def rule_missing(name: str, bus: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Rule {name} does not exist on EventBus {bus}.")
