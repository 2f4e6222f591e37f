"""Stages: where a deployment is served, how fast, and what is logged about it."""

from __future__ import annotations

import re

from stratolite.kernel import Call, operation

from . import deployments, memory, parts
from .errors import BadRequestException, ConflictException
from .parts import Api, Document, given

_NAME = re.compile(r"\$default|[A-Za-z0-9_-]{1,128}")
_LOG_GROUP = re.compile(r"arn:[\w-]+:logs:[^:]+:[^:]+:log-group:[^:]+(:\*)?")
_NO_DATA_TRACE = ["DefaultRouteSettings.DataTraceEnabled", "DefaultRouteSettings.LoggingLevel"]


@operation(ignores=_NO_DATA_TRACE)
def create_stage(
    call: Call,
    api_id: str,
    stage_name: str,
    access_log_settings: Document | None = None,
    auto_deploy: bool | None = None,
    default_route_settings: Document | None = None,
    deployment_id: str | None = None,
    description: str | None = None,
    route_settings: dict[str, Document] | None = None,
    stage_variables: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> Document:
    api = parts.find_api(call, api_id)
    if not _NAME.fullmatch(stage_name):
        raise BadRequestException("Stage name only allows a-zA-Z0-9_- or $default")
    if any(stage["StageName"] == stage_name for stage in parts.every(call, api, "Stage")):
        raise ConflictException("Stage already exists")
    document = given(
        StageName=stage_name,
        AccessLogSettings=access_log_settings,
        AutoDeploy=auto_deploy or False,
        DefaultRouteSettings={"DetailedMetricsEnabled": False} | (default_route_settings or {}),
        DeploymentId=deployment_id,
        Description=description,
        RouteSettings=route_settings or {},
        StageVariables=stage_variables or {},
    )
    _check(call, api, document)
    return deployments.add_stage(call, api, document, tags or {})


def _check(call: Call, api: Api, document: Document) -> None:
    if deployment_id := document.get("DeploymentId"):
        deployments.find(call, api, deployment_id)
    log = document.get("AccessLogSettings") or {}
    if (arn := log.get("DestinationArn")) is not None and not _LOG_GROUP.fullmatch(arn):
        raise BadRequestException("Invalid ARN specified in the request. A CloudWatch Log Group ARN is expected")
    if log and not (log.get("Format") and arn):
        raise BadRequestException("Both a destination ARN and a format are required for access logs")
    ids = ("$context.requestId", "$context.extendedRequestId")
    if log and not any(name in log["Format"] for name in ids):
        raise BadRequestException(f"Access Log format must contain {ids[0]} or {ids[1]}")


@operation
def get_stage(call: Call, api_id: str, stage_name: str) -> Document:
    return parts.find(call, parts.find_api(call, api_id), "Stage", stage_name)


@operation
def get_stages(call: Call, api_id: str, max_results: str | None = None, next_token: str | None = None) -> Document:
    return parts.page(parts.every(call, parts.find_api(call, api_id), "Stage"), max_results, next_token)


@operation(ignores=_NO_DATA_TRACE)
def update_stage(
    call: Call,
    api_id: str,
    stage_name: str,
    access_log_settings: Document | None = None,
    auto_deploy: bool | None = None,
    default_route_settings: Document | None = None,
    deployment_id: str | None = None,
    description: str | None = None,
    route_settings: dict[str, Document] | None = None,
    stage_variables: dict[str, str] | None = None,
) -> Document:
    api = parts.find_api(call, api_id)
    was = parts.find(call, api, "Stage", stage_name)
    if was["AutoDeploy"] and auto_deploy is not False and deployment_id is not None:
        raise BadRequestException("Deployment ID cannot be updated for a stage with AutoDeploy enabled")
    variables = was["StageVariables"] | (stage_variables or {})
    document = was | given(
        AccessLogSettings=access_log_settings,
        AutoDeploy=auto_deploy,
        DefaultRouteSettings=default_route_settings,
        DeploymentId=deployment_id,
        Description=description,
        RouteSettings=None if route_settings is None else was["RouteSettings"] | route_settings,
        StageVariables={name: value for name, value in variables.items() if value},
        LastUpdatedDate=call.now,
    )
    _check(call, api, document)
    parts.save(call, api, "Stage", stage_name, document)
    if document["AutoDeploy"] and not was["AutoDeploy"]:
        deployments.changed(call, api)
    return parts.find(call, api, "Stage", stage_name)


@operation
def delete_stage(call: Call, api_id: str, stage_name: str) -> None:
    parts.remove(call, parts.find_api(call, api_id), "Stage", stage_name)


@operation
def delete_access_log_settings(call: Call, api_id: str, stage_name: str) -> None:
    _without(call, api_id, stage_name, "AccessLogSettings")


@operation
def delete_route_settings(call: Call, api_id: str, stage_name: str, route_key: str) -> None:
    api = parts.find_api(call, api_id)
    stage = parts.find(call, api, "Stage", stage_name)
    stage["RouteSettings"].pop(route_key, None)
    parts.save(call, api, "Stage", stage_name, stage)


@operation
def reset_authorizers_cache(call: Call, api_id: str, stage_name: str) -> None:
    api = parts.find_api(call, api_id)
    parts.find(call, api, "Stage", stage_name)
    memory.of(call.cloud).forget_answers(api.id, stage_name)


def _without(call: Call, api_id: str, stage_name: str, member: str) -> None:
    api = parts.find_api(call, api_id)
    stage = parts.find(call, api, "Stage", stage_name)
    stage.pop(member, None)
    parts.save(call, api, "Stage", stage_name, stage)
