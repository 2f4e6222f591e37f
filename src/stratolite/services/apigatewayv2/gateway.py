"""Gateway: the door that clients of HTTP APIs come through, and what happens to a request between it and the answer."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

from stratolite.kernel import Call, endpoint
from stratolite.wire.http1 import BodyFile, Request, Response

from . import answers, context, cors, grants, mappings, memory, parts, permits, throttle, tokens
from .backends import functions, http, subtypes
from .parts import Api
from .payloads import Exchange
from .permits import Denied
from .router import Deployed

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
PAYLOAD_BYTES = 10 * 1024 * 1024

_REQUEST_ID_BITS = 88  # as text, fifteen characters and "="


@endpoint(host=r"(?P<api_id>[a-z0-9]+)\.execute-api\.(?P<domain>.+)")
async def by_host(call: Call, request: Request, api_id: str, domain: str) -> Response:
    """`<api>.execute-api.<region>.amazonaws.com`, `<api>.execute-api.localhost`, whatever leads here."""
    return await execute(call, request, api_id, request.host)


@endpoint(path=r"/_aws/execute-api/(?P<api_id>[a-z0-9]+)(?P<rest>/.*)?")
async def by_path(call: Call, request: Request, api_id: str, rest: str | None) -> Response:
    """`/_aws/execute-api/<api>/...`, for clients that cannot choose the host; the function does not see the prefix."""
    query = request.query_string
    inner = replace(request, target=(rest or "/") + (f"?{query}" if query else ""))
    return await execute(call, inner, api_id, None)


async def execute(call: Call, request: Request, api_id: str, host: str | None) -> Response:
    """Answer one request to an API."""
    row = call.tx.one("SELECT * FROM apigatewayv2_api WHERE id = ?", api_id)
    if row is None:
        return answers.own(404)
    api = parts.api_of(row)
    call.caller = replace(call.caller, account=api.account, region=api.region)
    stage, path = _stage(call, api, request.raw_path)
    if stage is None or (host is not None and api.document.get("DisableExecuteApiEndpoint")):
        return answers.own(404)
    exchange = Exchange(
        request=request,
        account=api.account,
        api_id=api.id,
        region=api.region,
        stage=stage["StageName"],
        path=request.raw_path,
        now=call.world.now(),
        request_id=_request_id(call),
        trace=call.trace.header,
        host=host or f"{api.id}.execute-api.{api.region}.amazonaws.com",
        stage_variables=stage.get("StageVariables") or {},
    )
    call.annotate(request_id=exchange.request_id, api=api.document["Name"])
    deployed = _deployed(call, api, stage)
    response = await _respond(call, exchange, deployed, stage, path)
    if deployed is not None and deployed.cors and not cors.is_preflight(request):
        cors.add(deployed.cors, request, response)
    response.headers.set("apigw-requestid", exchange.request_id)
    _tell(call, exchange, stage, response)
    return response


def _stage(call: Call, api: Api, path: str) -> tuple[dict[str, Any] | None, str]:
    """The stage a path means and the path below it: the first segment's, if it is one, or `$default`."""
    segment, _, rest = path.removeprefix("/").partition("/")
    rows = call.tx.all(
        "SELECT id, document FROM apigatewayv2_part WHERE api = ? AND kind = 'Stage' AND id IN (?, '$default')",
        api.key,
        segment,
    )
    found = {row["id"]: row["document"] for row in rows}
    if segment in found and segment != "$default":
        return _read(found[segment]), f"/{rest}"
    return (_read(found["$default"]), path) if "$default" in found else (None, path)


@lru_cache(maxsize=1024)
def _read(document: str) -> dict[str, Any]:
    """A document by its text: the same stages are asked for again and again. Nobody changes what this gives."""
    return json.loads(document)  # type: ignore[no-any-return]


def _request_id(call: Call) -> str:
    bits = call.world.random.getrandbits(_REQUEST_ID_BITS)
    return base64.urlsafe_b64encode(bits.to_bytes(_REQUEST_ID_BITS // 8, "big")).decode()


def _deployed(call: Call, api: Api, stage: dict[str, Any]) -> Deployed | None:
    remembered = memory.of(call.cloud)
    key = (api.id, str(stage.get("DeploymentId")))
    if (found := remembered.deployed.get(key)) is not None:
        return found
    snapshot = call.tx.value("SELECT snapshot FROM apigatewayv2_deployment WHERE api = ? AND id = ?", api.key, key[1])
    return None if snapshot is None else remembered.keep(key, Deployed.of(json.loads(snapshot)))


async def _respond(
    call: Call, exchange: Exchange, deployed: Deployed | None, stage: dict[str, Any], path: str
) -> Response:
    request = exchange.request
    size = request.body.size if isinstance(request.body, BodyFile) else len(request.body)
    if size > PAYLOAD_BYTES:
        return answers.own(413)
    if deployed is None:
        return answers.own(404)
    if deployed.cors and cors.is_preflight(request):
        return cors.preflight(deployed.cors, request)
    match = deployed.match(request.method, path)
    if match is None:
        return answers.own(404)
    exchange.route_key, exchange.variables = match.route["RouteKey"], match.variables
    key = (exchange.api_id, exchange.stage, exchange.route_key)
    if not throttle.passes(memory.of(call.cloud), key, stage, exchange.route_key, call.world.now()):
        return answers.own(429)
    try:
        await _authorize(call, exchange, deployed, match.route)
    except Denied as denied:
        exchange.notes |= {"authorizer.error": str(denied), "error.message": answers.TEXTS[denied.status]}
        response = answers.own(denied.status)
        if denied.challenge:
            response.headers.set("www-authenticate", denied.challenge)
        return response
    integration = deployed.integration_of(match.route)
    if integration is None:
        return answers.own(500)
    return await _integrate(call, exchange, integration)


async def _authorize(call: Call, exchange: Exchange, deployed: Deployed, route: dict[str, Any]) -> None:
    match route["AuthorizationType"]:
        case "CUSTOM":
            await permits.ask(call, exchange, deployed.authorizers[route["AuthorizerId"]])
        case "JWT":
            authorizer = deployed.authorizers[route["AuthorizerId"]]
            await tokens.check(call, exchange, authorizer, route.get("AuthorizationScopes") or [])
        case "AWS_IAM":
            permits.signed(call, exchange)


async def _integrate(call: Call, exchange: Exchange, integration: dict[str, Any]) -> Response:
    source = grants.source_arn(exchange.region, exchange.account, exchange.api_id, exchange.stage, exchange.route_key)
    if integration.get("IntegrationSubtype"):
        return await subtypes.proxy(call, exchange, integration, source)
    if parameters := integration.get("RequestParameters"):
        seen = mappings.on_request(exchange, parameters)
    else:
        seen = exchange
    backend = functions.proxy if integration["IntegrationType"] == "AWS_PROXY" else http.proxy
    response = await backend(call, seen, integration, source)
    if rules := integration.get("ResponseParameters"):
        response = mappings.on_response(exchange, response, rules)
    return response


def _tell(call: Call, exchange: Exchange, stage: dict[str, Any], response: Response) -> None:
    """What the access log and the metrics say of the request."""
    now = call.world.now()
    latency_ms = round((now - exchange.now) * 1000)
    length = len(response.body) if isinstance(response.body, bytes) else 0
    dimensions = {"ApiId": exchange.api_id, "Stage": exchange.stage}
    call.metric("AWS/ApiGateway", "Count", 1, "Count", **dimensions)
    call.metric("AWS/ApiGateway", "Latency", latency_ms, "Milliseconds", **dimensions)
    if response.status >= 400:
        call.metric("AWS/ApiGateway", "5xx" if response.status >= 500 else "4xx", 1, "Count", **dimensions)
    call.annotate(status=response.status, route=exchange.route_key)
    settings = stage.get("AccessLogSettings")
    if not settings:
        return
    exchange.notes |= {
        "status": response.status,
        "responseLength": length,
        "responseLatency": latency_ms,
        "dataProcessed": length,
    }
    group = settings["DestinationArn"].partition(":log-group:")[2].removesuffix(":*")
    stream = hashlib.md5(f"{exchange.api_id}/{exchange.stage}".encode(), usedforsecurity=False).hexdigest()
    call.log(group, stream, [(now, context.line(exchange, settings["Format"]))])
