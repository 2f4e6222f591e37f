"""Route: which service and which operation a request is for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

from stratolite.wire import models
from stratolite.wire.documents import form_document
from stratolite.wire.faults import RouteError, Unreadable
from stratolite.wire.http1 import BodyFile, Request
from stratolite.wire.paths import Leaf, Paths
from stratolite.wire.protocols import CBOR, JSON, QUERY, REST_JSON, REST_XML, SERVICES, Identity
from stratolite.wire.quirks import s3, sqs_query
from stratolite.wire.signatures import scope


class Route(NamedTuple):
    service: str
    operation: str
    protocol: str


def route(request: Request, services: Iterable[str]) -> Route:
    """The operation a request asks for, of the services that are here.

    The indicators, in order: the smithy-protocol header; X-Amz-Target; a form's Action; the signing name in the
    credential scope, the host, the path. Raises `RouteError` with what AWS answers to a request it cannot place.
    """
    return _router(services if isinstance(services, tuple | frozenset) else frozenset(services)).route(request)


@lru_cache(maxsize=64)
def _router(services: tuple[str, ...] | frozenset[str]) -> Router:
    return Router(services)


@cache
def paths(service: str) -> Paths:
    """The REST routes of a service."""
    return Paths(service)


FORM_BYTES = 8 * 1024 * 1024
"""No form is longer: ten messages of SQS, a mebibyte together, with every byte percent-encoded, and room."""


class Router:
    def __init__(self, services: Iterable[str]) -> None:
        self._here = [SERVICES[name] for name in sorted(services) if name in SERVICES]
        self._by_target = {row.target: row for row in self._here if row.target}
        self._targets: dict[str, Route] = {}
        """What was found by target: at most every operation there is."""
        self._by_version = {row.version: row for row in self._here if QUERY in row.protocols}
        self._by_signing: dict[str, list[Identity]] = {}
        for row in self._here:
            self._by_signing.setdefault(row.signing, []).append(row)
        self._by_endpoint = {row.endpoint: row for row in self._here}

    def route(self, request: Request) -> Route:
        headers = request.headers.lower()
        if "smithy-protocol" in headers:
            return self._cbor(request)
        target = headers.get("x-amz-target")
        if target is not None:
            return self._targets.get(target) or self._target(target)
        if (action := _action(request)) and (found := self._action(request, *action)):
            return found
        return self._rest(request)

    # smithy-protocol ----------------------------------------------------------------

    def _cbor(self, request: Request) -> Route:
        parts = request.raw_path.split("/")
        if request.headers["smithy-protocol"] != "rpc-v2-cbor" or len(parts) < 5 or parts[-4] != "service":
            raise RouteError("UnknownOperationException", None, 404, protocol=CBOR)
        row = self._by_target.get(parts[-3])
        if row is None or CBOR not in row.protocols or parts[-1] not in models.operations(row.name):
            raise RouteError(
                "UnknownOperationException",
                None,
                404,
                service=row.name if row else None,
                protocol=CBOR,
                operation=parts[-1],
            )
        return Route(row.name, parts[-1], CBOR)

    # X-Amz-Target ---------------------------------------------------------------------

    def _target(self, target: str) -> Route:
        prefix, _, operation = target.rpartition(".")
        row = self._by_target.get(prefix)
        if row is None:
            raise RouteError("UnknownOperationException", None, 400, protocol=JSON, operation=target)
        if operation not in models.operations(row.name):
            raise RouteError(
                "UnknownOperationException", None, 400, service=row.name, protocol=JSON, operation=operation
            )
        found = self._targets[target] = Route(row.name, operation, JSON)
        return found

    # Action ---------------------------------------------------------------------------

    def _action(self, request: Request, action: str, version: str | None) -> Route | None:
        """The query operation asked for, or None when the request is no query request after all."""
        credentials = scope(request)
        signed_for = self._by_signing.get(credentials.service, []) if credentials else []
        row = next((r for r in signed_for if QUERY in r.protocols), None)
        if row is None:
            if signed_for:
                return None  # a REST service whose body happens to look like a form
            row = self._by_version.get(version or "") or self._by_host(request)
            if row is None or QUERY not in row.protocols:
                having = [r for r in self._by_version.values() if action in models.operations(r.name)]
                if version is not None or len(having) != 1:
                    return None if version is None and not having else self._no_action(None, action, version)
                row = having[0]
        if (version is not None and version != row.version) or action not in models.operations(row.name):
            return self._no_action(row, action, version)
        if row.name == "sqs" and not sqs_query.is_valid_at(request.raw_path, action):
            return self._no_action(row, action, version)
        return Route(row.name, action, QUERY)

    def _no_action(self, row: Identity | None, action: str, version: str | None) -> Route:
        text = f"Could not find operation {action} for version {version or 'NO_VERSION_SPECIFIED'}"
        if row is not None and row.name == "sqs":
            text = f"The action {action} is not valid for this endpoint."
        raise RouteError(
            "InvalidAction",
            text,
            400,
            service=row.name if row else None,
            protocol=QUERY,
            operation=action,
        )

    # Signing name, host, path -----------------------------------------------------------

    def _rest(self, request: Request) -> Route:
        credentials = scope(request)
        if credentials is not None:
            rows = self._by_signing.get(credentials.service)
            if rows is None:
                raise RouteError(
                    "NotImplemented", f"The service '{credentials.service}' is not part of this cloud.", 501
                )
        elif (row := self._by_host(request)) is not None:
            rows = [row]
        else:
            rows = None
        if rows is not None:
            return self._match(request, rows)
        # Nothing but the path: whoever knows it, S3 (which knows them all) last.
        for row in self._here:
            if row.protocols[0] == REST_JSON and (found := paths(row.name).find(request)):
                return Route(row.name, found.operation, REST_JSON)
        if (s3_row := SERVICES["s3"]) in self._here:
            return self._match(request, [s3_row])
        raise RouteError("UnknownOperationException", None, 404, protocol=REST_JSON)

    def _match(self, request: Request, rows: list[Identity]) -> Route:
        if len(rows) == 1 and rows[0].protocols[0] in (REST_JSON, REST_XML):
            row = rows[0]
            if leaf := paths(row.name).find(request):
                return Route(row.name, leaf.operation, row.protocols[0])
            raise _nothing(request, row)
        found: list[tuple[Leaf, Identity]] = []
        for row in rows:
            if row.protocols[0] in (REST_JSON, REST_XML) and (leaf := paths(row.name).find(request)):
                found.append((leaf, row))
        if found:
            leaf, row = max(found, key=lambda pair: pair[0].literals)
            return Route(row.name, leaf.operation, row.protocols[0])
        raise _nothing(request, rows[0])

    def _by_host(self, request: Request) -> Identity | None:
        """The service whose endpoint the host is: sqs.us-east-1.amazonaws.com, bucket.s3.localhost."""
        host = request.host
        if "." not in host:
            return None
        first, _, rest = host.partition(".")
        for name in (f"{first}.{rest.partition('.')[0]}", first):  # `api.ecr` before `api`
            if (row := self._by_endpoint.get(name)) is not None:
                return row
        s3_row = self._by_endpoint.get("s3")
        return s3_row if s3_row is not None and s3.bucket_in_host(host) else None


def _action(request: Request) -> tuple[str, str | None] | None:
    """Action and Version of a form in the body or the query string."""
    if request.method == "POST" and (request.headers.get("content-type") or "").startswith(
        "application/x-www-form-urlencoded"
    ):
        body = request.body
        if isinstance(body, BodyFile):
            if body.size > FORM_BYTES:
                return None
            body = body.read()
        if b"Action=" in body:
            try:
                form = dict(form_document.pairs(form_document.text(body)))
            except Unreadable:
                return None
            if action := form.get("Action"):
                return action, form.get("Version")
    if "Action=" in request.query_string:
        query = dict(request.query)
        if action := query.get("Action"):
            return action, query.get("Version")
    return None


def _nothing(request: Request, row: Identity) -> RouteError:
    """What a service answers to a request that is none of its operations."""
    if row.name == "s3":
        error = RouteError(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
            405,
            service="s3",
            protocol=REST_XML,
        )
        error.fields = {"Method": request.method, "ResourceType": "OBJECT"}
        return error
    if row.protocols[0] == REST_JSON:
        if row.signing == "apigateway":
            return RouteError(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
                403,
                service=row.name,
                protocol=REST_JSON,
            )
        return RouteError(
            "AccessDeniedException",
            "Unable to determine service/operation name to be authorized",
            403,
            service=row.name,
            protocol=REST_JSON,
        )
    if row.name == "sqs" and request.method == "GET":
        return RouteError("UnknownOperationException", None, 404, service="sqs", protocol=QUERY)
    if row.protocols[0] == QUERY:
        return RouteError("MissingAction", None, 400, service=row.name, protocol=QUERY)
    return RouteError("UnknownOperationException", None, 404, service=row.name, protocol=row.protocols[0])
