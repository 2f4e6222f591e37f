"""Faults: what AWS's front end answers before any operation is reached."""

from __future__ import annotations

from typing import Any


class WireError(Exception):
    """A request that cannot be routed, read or accepted; `errors.encode_error` writes it like any other error."""

    def __init__(
        self,
        code: str,
        message: str | None,
        status: int = 400,
        *,
        shape: str | None = None,
        sender: bool = True,
        fields: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.shape = shape
        self.sender = sender
        self.fields: dict[str, Any] = fields or {}


class Malformed(WireError):
    """A body, path, header or query string that is not what the operation's shape describes."""


class RouteError(WireError):
    """No service or no operation answers this request. `service` and `protocol` say how to spell the answer."""

    def __init__(
        self,
        code: str,
        message: str | None,
        status: int = 400,
        *,
        service: str | None = None,
        protocol: str = "json",
        operation: str | None = None,
    ) -> None:
        super().__init__(code, message, status)
        self.service = service
        self.protocol = protocol
        self.operation = operation


class Unreadable(Exception):
    """What no reader could make sense of; `decode` gives it the protocol's code. Without a text where AWS has none."""


class Mismatch(Unreadable):
    """A JSON value of another kind than its shape: services word it differently, so it carries what there is to say."""

    def __init__(self, value: object, kind: str, name: str = "", *, item: bool = False) -> None:
        super().__init__(f"{kind} expected")
        self.value = value
        self.kind = kind
        """The shape's `type_name`."""
        self.name = name
        """The name of a structure's shape; of a map, that of its values' kind or shape."""
        self.item = item
        """Found in a list or a map, not under a member's name."""
