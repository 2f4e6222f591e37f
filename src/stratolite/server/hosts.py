"""Hosts: which door a request takes: the cloud's control, an endpoint of a service, or AWS's API."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

from ..kernel import Call, Cloud
from ..kernel.cloud import REQUEST_FAULTS
from ..kernel.service import Endpoint
from ..wire.http1 import Headers, Request, Response
from .aws import Aws, caller_of

log = logging.getLogger("stratolite.server")

Control = Callable[[Request], Response | Awaitable[Response]]

CONTROL_PREFIX = "/_strato/"

_LOCAL = re.compile(r"(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1|\[::1\]")


class Doors:
    """The server's handler.

    Args:
        cloud: whose endpoints and operations these are.
        control: answers `/_strato/...`.
        hosts: names besides `localhost` under which the control may be reached.
    """

    def __init__(self, cloud: Cloud, control: Control, hosts: Iterable[str] = ()) -> None:
        self._cloud = cloud
        self._aws = Aws(cloud)
        self._control = control
        self._hosts = frozenset(host.lower() for host in hosts)

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        path = request.raw_path
        if path.startswith(CONTROL_PREFIX):
            return self._control(request) if self.is_local(request) else _foreign()
        door = self._cloud.endpoint(request.host, path)
        if door is not None:
            return self._enter(request, *door)
        return self._aws(request)

    def is_local(self, request: Request) -> bool:
        """Whether a control request comes from a program of this machine, or a page that it serves itself.

        A page elsewhere on the web reaches 127.0.0.1 by a name of its own that resolves to it (DNS rebinding), and then
        the Host is that name; or directly, and then the Origin is the page's.
        """
        if not self._is_local_name(request.host):
            return False
        origin = request.headers.get("origin")
        if origin is None:
            return True
        try:
            name = urlsplit(origin).netloc.rpartition("@")[2]
        except ValueError:
            return False
        return self._is_local_name(re.sub(r":\d*\Z", "", name).lower())

    def _is_local_name(self, host: str) -> bool:
        return _LOCAL.fullmatch(host) is not None or host in self._hosts

    # ---- endpoints

    def _enter(
        self, request: Request, endpoint: Endpoint, groups: dict[str, str], service: str
    ) -> Response | Awaitable[Response]:
        cloud = self._cloud
        caller = caller_of(cloud, request)
        call = cloud.call_for(caller, caller.trace, "http", f"{service} {request.method} {request.raw_path}")
        if fault := cloud.world.fault("request", REQUEST_FAULTS, service=service, operation=request.method):
            call.end_span(None)
            return _INJECTED[fault](call)
        if endpoint.is_async:
            return self._wait(endpoint, call, request, groups)
        try:
            with cloud.store.write() as tx:
                call.tx = tx
                answer: Response = endpoint.fn(call, request, **groups)
        except Exception as failure:
            return _broken(call, request, failure)
        call.end_span(None)
        return self._once_committed(answer) if cloud.store.in_turn else answer

    async def _once_committed(self, answer: Response) -> Response:
        await self._cloud.store.committed()
        return answer

    async def _wait(self, endpoint: Endpoint, call: Call, request: Request, groups: dict[str, str]) -> Response:
        try:
            answer: Response = await endpoint.fn(call, request, **groups)
            await self._cloud.store.committed()
        except Exception as failure:
            return _broken(call, request, failure)
        except BaseException as failure:
            call.end_span(failure)
            raise
        call.end_span(None)
        return answer


def _broken(call: Call, request: Request, failure: Exception) -> Response:
    log.error("%s %s", request.method, request.target, exc_info=failure)
    call.end_span(failure)
    return _said(call, 500, "Internal Server Error")


def _said(call: Call, status: int, message: str) -> Response:
    headers = Headers([("content-type", "application/json"), ("x-amzn-requestid", call.request_id)])
    return Response(status, headers, b'{"message":"%s"}' % message.encode())


_INJECTED: dict[str, Callable[[Call], Response]] = {
    "throttle": lambda call: _said(call, 429, "Too Many Requests"),
    "error": lambda call: _said(call, 500, "Internal Server Error"),
}


def _foreign() -> Response:
    text = b'{"message":"The control endpoints answer to localhost only: foreign Host or Origin."}\n'
    return Response(403, Headers([("content-type", "application/json")]), text)
