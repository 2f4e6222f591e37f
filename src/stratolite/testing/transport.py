"""The transport of in-process tests: what botocore would send over a socket is answered by a cloud in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import botocore.awsrequest
import botocore.httpsession
from botocore.exceptions import ConnectionClosedError

from stratolite.wire.http1 import Headers, Request, Response

from . import inline

_original = botocore.httpsession.URLLib3Session.send
_users = 0


def install() -> None:
    """From now on botocore inside inline handlers reaches the cloud, and their `time.sleep` passes virtual time."""
    global _users
    _users += 1
    if _users == 1:
        setattr(botocore.httpsession.URLLib3Session, "send", _send)  # noqa: B010
        setattr(time, "sleep", inline.sleep)  # noqa: B010


def uninstall() -> None:
    global _users
    _users -= 1
    if _users == 0:
        setattr(botocore.httpsession.URLLib3Session, "send", _original)  # noqa: B010
        setattr(time, "sleep", inline._real_sleep)  # noqa: B010


def _send(session: Any, request: Any) -> Any:
    if (bridge := inline.current()) is None:
        return _original(session, request)
    return answered(request, bridge.ask("request", read(request)))


def through(ask: Callable[[Request], Response]) -> Callable[..., Any]:
    """A `before-send` hook of a botocore client that answers with `ask` instead of the network."""

    def hook(request: Any, **_: Any) -> Any:
        try:
            return answered(request, ask(read(request)))
        except ConnectionError as death:
            raise ConnectionClosedError(endpoint_url=request.url) from death

    return hook


def read(prepared: Any) -> Request:
    """botocore's prepared request as ours."""
    _, _, rest = prepared.url.partition("://")
    host, slash, path = rest.partition("/")
    headers = [(k, v.decode() if isinstance(v, bytes) else str(v)) for k, v in prepared.headers.items()]
    if not any(k.lower() == "host" for k, _ in headers):
        headers.insert(0, ("Host", host))
    body = prepared.body or b""
    if hasattr(body, "read"):
        body = body.read()
    return Request(
        prepared.method, slash + path or "/", Headers(headers), body.encode() if isinstance(body, str) else bytes(body)
    )


def answered(prepared: Any, response: Response) -> Any:
    """Our response as botocore's."""
    headers: Any = botocore.awsrequest.HeadersDict({k.lower(): v for k, v in response.headers.items()})
    return botocore.awsrequest.AWSResponse(prepared.url, response.status, headers, _Raw(response.body))


class _Raw:
    """As much of urllib3's response as botocore reads."""

    def __init__(self, body: Any) -> None:
        self._body = bytes(body)
        self._at = 0

    def read(self, amount: int | None = None, **_: Any) -> bytes:
        end = len(self._body) if amount is None else min(len(self._body), self._at + amount)
        part, self._at = self._body[self._at : end], end
        return part

    def stream(self, amount: int = 65536, **_: Any) -> Any:
        while part := self.read(amount):
            yield part

    def close(self) -> None:
        self._at = len(self._body)

    def release_conn(self) -> None:
        pass

    def tell(self) -> int:
        return self._at
