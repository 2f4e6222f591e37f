"""AWS's API as a handler: a request's bytes to an operation of the cloud, its result or error to bytes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from ..kernel import AwsError, Caller, Cloud, InternalFailure, Principal, Trace
from ..kernel.call import DEFAULT_REGION, ROOT
from ..kernel.service import Operation
from ..wire.compression import Incompressible, folded, unfolded
from ..wire.decode import decode
from ..wire.encode import encode
from ..wire.errors import Error, encode_error
from ..wire.faults import Malformed, RouteError, WireError
from ..wire.http1 import Headers, Request, Response
from ..wire.protocols import SERVICES
from ..wire.route import Route, Router
from ..wire.signatures import scope
from ..wire.validate import check

log = logging.getLogger("stratolite.server")

NOT_EMULATED = "x-stratolite-not-emulated"
"""Names the members of a request that were accepted and have no effect here."""


CODING = "SerializationException"
"""The error of a body that is not of its Content-Encoding."""

MOST_BYTES = {"dynamodb": 16 * 1024 * 1024, "dynamodbstreams": 16 * 1024 * 1024}
"""Services that refuse a long request whatever it asks: a batch of 25 items of 400 KB is the longest there can be."""


def _length(request: Request) -> int:
    return len(request.body) if isinstance(request.body, bytes) else request.body.size


def caller_of(cloud: Cloud, request: Request, scheme: str = "http", protocol: str = "") -> Caller:
    """Who asks, for which region, under which trace: what the edge knows of any request."""
    credentials = scope(request)
    headers = request.headers.lower()
    principal = ROOT if credentials is None else cloud.principal(credentials.access_key)
    caller = _caller(
        principal,
        (credentials.region if credentials is not None else "") or DEFAULT_REGION,
        headers.get("host") or cloud.host,
        scheme,
        request.peer,
        headers.get("user-agent") or "",
        protocol,
    )
    # A function's own calls hang below its invocation, whatever segment its SDK says is their parent.
    trace = principal.trace or Trace.parse(headers.get("x-amzn-trace-id"))
    return caller if trace is None else replace(caller, trace=trace)


@lru_cache(maxsize=1024)
def _caller(principal: Principal, region: str, host: str, scheme: str, peer: str, agent: str, protocol: str) -> Caller:
    """The same for every request of a client."""
    return Caller(principal, principal.account, region, host, scheme, peer, None, agent, protocol)


class Aws:
    """Answers every request that is for no other door as AWS's API would.

    Every service the wire knows is routed, so that what is not here is refused by its name.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._router = Router(SERVICES)

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        cloud = self._cloud
        request_id = cloud.world.id()
        try:
            where = self._router.route(request)
            if where.service in MOST_BYTES and _length(request) > MOST_BYTES[where.service]:
                return Response(413, Headers([("x-amzn-RequestId", request_id)]))
            if where.service != "s3":  # an object keeps its coding
                request = unfolded(request)
        except RouteError as error:
            return encode_error(error.service, error.operation, error.protocol, error, request_id)
        except Incompressible as error:
            # DynamoDB itself answers 500 (ScyllaDB's test_compressed_request.py was run against it).
            fault = InternalFailure() if where.service in MOST_BYTES else Malformed(CODING, str(error))
            return _failure(where, fault, request_id)
        except Exception:
            log.exception("routing %s %s", request.method, request.target)
            return encode_error(None, None, "json", _spoken(InternalFailure()), request_id)
        caller = caller_of(cloud, request, protocol=where.protocol)
        not_emulated: list[str] = []
        try:
            operation = cloud.operation(where.service, where.operation)
            params = decode(where.service, where.operation, request, where.protocol, raw=operation.raw)
            check(where.service, where.operation, params, where.protocol, cloud.service(where.service).not_validated)
            result = cloud.perform(operation, caller, params, request_id, not_emulated)
        except Exception as error:
            return _failure(where, error, request_id)
        accept = _accepted(request)
        if not isinstance(result, dict | bytes):
            return _when_done(where, operation, result, request_id, not_emulated, accept)
        if not cloud.store.in_turn:
            return _success(where, operation, result, request_id, not_emulated, accept)
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def committed(failure: BaseException | None) -> None:
            if not answer.done():
                answer.set_result(
                    _success(where, operation, result, request_id, not_emulated, accept)
                    if failure is None
                    else _failure(where, InternalFailure(), request_id)
                )

        cloud.store.when_committed(committed)
        return answer


def _accepted(request: Request) -> str:
    """The Accept-Encoding that counts: DynamoDB looks at the first. Most SDKs want no coding, and say so."""
    accept = request.headers.get("accept-encoding")
    return "" if accept is None else request.headers.all("accept-encoding")[0]


def _success(
    where: Route,
    operation: Operation,
    result: dict[str, Any] | bytes,
    request_id: str,
    not_emulated: list[str],
    accept: str,
) -> Response:
    try:
        answer = encode(where.service, where.operation, result, where.protocol, request_id, raw=operation.raw)
    except Exception as error:
        return _failure(where, error, request_id)
    if not_emulated:
        answer.headers.add(NOT_EMULATED, ", ".join(not_emulated))
    return folded(where.service, accept, answer) if accept else answer


def _failure(where: Route, error: Exception, request_id: str) -> Response:
    if not isinstance(error, AwsError | WireError):
        log.error("%s %s failed", where.service, where.operation, exc_info=error)
        error = InternalFailure()
    return encode_error(where.service, where.operation, where.protocol, _spoken(error), request_id)


def _spoken(error: AwsError | WireError) -> Error:
    return cast(Error, error)  # AwsError declares `code` on the class and answers it on the instance


async def _when_done(
    where: Route,
    operation: Operation,
    result: Awaitable[dict[str, Any]],
    request_id: str,
    not_emulated: list[str],
    accept: str,
) -> Response:
    try:
        return _success(where, operation, await result, request_id, not_emulated, accept)
    except Exception as error:
        return _failure(where, error, request_id)
