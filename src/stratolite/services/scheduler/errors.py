"""What EventBridge Scheduler says when it refuses."""

from __future__ import annotations

from stratolite.kernel import AwsError


class ValidationException(AwsError):
    """Of a member or of how several go together; the sentence is given where the rule is."""


class ResourceNotFoundException(AwsError):
    """{kind} {name} does not exist."""


class ConflictException(AwsError):
    """{kind} {name} already exists."""
