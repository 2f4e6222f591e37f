"""Errors: what a caller is told, what a job asks for, what a delivery gives up on."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar


class AwsError(Exception):
    """An error the caller is meant to see.

    A subclass is an error shape: its name is the shape's name in the service's model, its docstring AWS's sentence, in
    which `{field}` is filled from the keyword arguments. Keyword arguments that are members of the shape are sent too.
    """

    code: ClassVar[str | None] = None
    """The code on the wire, when it is neither the shape's name nor what the model says."""
    status: ClassVar[int | None] = None
    """The HTTP status, when the model does not say."""
    sender: ClassVar[bool] = True
    """Whose fault: True, the caller's; False, ours."""

    def __init__(
        self, message: str | None = None, /, *, code: str | None = None, status: int | None = None, **fields: Any
    ) -> None:
        if message is None:
            message = inspect.cleandoc(type(self).__doc__ or "").format(**fields)
        super().__init__(message)
        self.message = message
        self.fields = fields
        self.shape = type(self).__name__
        self._code, self._status = code or type(self).code, status or type(self).status
        self.is_named = self._code is not None
        """True when the code was given here rather than left to the model."""

    def __getattribute__(self, name: str) -> Any:
        # `code` and `status` are class-level declarations and instance-level answers under one name.
        if name == "code":
            return object.__getattribute__(self, "_code") or object.__getattribute__(self, "shape")
        if name == "status":
            return object.__getattribute__(self, "_status")
        return object.__getattribute__(self, name)

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later: our fault, or a throttle."""
        return not self.sender or (self.status or 400) >= 500 or self.code in THROTTLES


THROTTLES = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "LimitExceededException",
        "KmsThrottlingException",
        "EC2ThrottledException",
    }
)


class InternalFailure(AwsError):
    """The request processing has failed because of an unknown error, exception or failure."""

    status = 500
    sender = False


class NotImplementedHere(AwsError):
    """{service} {operation} is not implemented by Stratolite."""

    code = "NotImplemented"
    status = 501
    sender = False


class NotEmulated(AwsError):
    """{members} accepted by AWS, not emulated by Stratolite (refused because of --strict)."""

    code = "NotImplemented"
    status = 501
    sender = False


class UnrecognizedClientException(AwsError):
    """The security token included in the request is invalid."""

    status = 403


class Again(Exception):
    """Raised by a job that wants to be run again.

    Args:
        after_s: seconds from now.
        reason: what the trace will say.
    """

    def __init__(self, after_s: float, reason: str = "") -> None:
        super().__init__(reason or f"again in {after_s:g} s")
        self.after_s = after_s


class Park(Exception):
    """Raised by a job that has nothing to do until a signal comes. It must have looked in the same transaction.

    Args:
        key: the signal that wakes it.
        until: epoch seconds at which it looks again all the same; None, never.
    """

    def __init__(self, *key: Any, until: float | None = None) -> None:
        super().__init__("parked")
        self.key, self.until = key, until


class Undeliverable(Exception):
    """Raised by a target: this delivery failed.

    Args:
        code: AWS's error code, as a dead letter's metadata shows it.
        message: AWS's message.
        retry: whether the sender's retry policy applies; False goes to the dead letter at once.
        after_s: when the target says how long to wait before the next attempt.
    """

    def __init__(self, code: str, message: str, *, retry: bool, after_s: float | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.retry, self.after_s = code, message, retry, after_s


class Crash(SystemExit):
    """The process dies here; only what was committed survives.

    A SystemExit, since asyncio lets nothing else through a callback.
    """
