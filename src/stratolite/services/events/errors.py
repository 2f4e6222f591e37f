"""What EventBridge says when it refuses."""

from __future__ import annotations

from stratolite.kernel import AwsError


class ValidationException(AwsError):
    """{reason}"""


class ResourceNotFoundException(AwsError):
    """{reason}"""


class ResourceAlreadyExistsException(AwsError):
    """{kind} {name} already exists."""


class LimitExceededException(AwsError):
    """The requested resource exceeds the maximum number allowed."""


class InvalidEventPatternException(AwsError):
    """Event pattern is not valid. Reason: {reason}"""


class IllegalStatusException(AwsError):
    """{reason}"""


def invalid(parameter: str, reason: str | None = None) -> ValidationException:
    because = f" Reason: {reason}" if reason else ""
    return ValidationException(reason=f"Parameter {parameter} is not valid.{because}")


def bus_missing(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(reason=f"Event bus {name} does not exist.")


def rule_missing(name: str, bus: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(reason=f"Rule {name} does not exist on EventBus {bus}.")
