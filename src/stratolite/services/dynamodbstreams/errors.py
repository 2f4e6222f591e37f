"""The errors of streams, in AWS's words."""

from __future__ import annotations

from stratolite.kernel import AwsError


class ValidationException(AwsError):
    """The input fails to satisfy the constraints specified by an AWS service."""

    status = 400


class ResourceNotFoundException(AwsError):
    """Requested resource not found: Stream: {stream} not found"""


class ExpiredIteratorException(AwsError):
    """Iterator expired. The iterator was created at time {at} while right now it is {now} which is further in the past
    than the tolerated delay of 900000 milliseconds."""


class TrimmedDataAccessException(AwsError):
    """The operation attempted to read past the oldest stream record in a shard."""
