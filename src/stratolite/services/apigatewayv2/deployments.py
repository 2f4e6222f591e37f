"""Deployments: an API as it was at one moment, and the stages that serve it."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import Call, operation

from . import parts
from .errors import BadRequestException, ConflictException, NotFoundException
from .parts import Api, Document

_AUTO = "Automatic deployment triggered by changes to the Api configuration"
_AUTO_MESSAGE = "Successfully deployed stage with deployment ID '{}'"


@operation
def create_deployment(
    call: Call, api_id: str, description: str | None = None, stage_name: str | None = None
) -> Document:
    api = parts.find_api(call, api_id)
    stage = None if stage_name is None else parts.find(call, api, "Stage", stage_name)
    if stage is not None and stage.get("AutoDeploy"):
        raise BadRequestException("Deployment cannot be created for a stage with AutoDeploy enabled")
    if not parts.every(call, api, "Route"):
        raise BadRequestException(f"At least one route is required before deploying the Api. API: {api_id}")
    document = _add(call, api, description, auto=False)
    if stage is not None:
        serve(call, api, stage, document["DeploymentId"])
    return document


def _add(call: Call, api: Api, description: str | None, auto: bool) -> Document:
    snapshot: dict[str, Any] = {kind: parts.every(call, api, kind) for kind in ("Route", "Integration", "Authorizer")}
    snapshot["Cors"] = api.document.get("CorsConfiguration")
    document = parts.given(
        DeploymentId=parts.random_id(call, 6),
        DeploymentStatus="DEPLOYED",
        Description=description,
        AutoDeployed=auto,
        CreatedDate=call.now,
    )
    call.tx.run(
        "INSERT INTO apigatewayv2_deployment (api, id, auto, document, snapshot) VALUES (?, ?, ?, ?, ?)",
        api.key,
        document["DeploymentId"],
        auto,
        json.dumps(document),
        json.dumps(snapshot),
    )
    return document


def changed(call: Call, api: Api) -> None:
    """Something of the API changed: its stages that deploy by themselves do."""
    stages = [stage for stage in parts.every(call, api, "Stage") if stage.get("AutoDeploy")]
    if not stages:
        return
    deployment = _add(call, parts.find_api(call, api.id), _AUTO, auto=True)["DeploymentId"]
    for stage in stages:
        serve(call, api, stage, deployment)
    # AWS keeps the automatic deployments nobody serves any more. Here they go: each holds the whole API.
    call.tx.run(
        """DELETE FROM apigatewayv2_deployment
           WHERE api = ? AND auto AND id NOT IN (
               SELECT coalesce(json_extract(document, '$.DeploymentId'), '')
               FROM apigatewayv2_part
               WHERE api = ? AND kind = 'Stage')
        """,
        api.key,
        api.key,
    )


def serve(call: Call, api: Api, stage: Document, deployment: str) -> None:
    """Let a stage serve a deployment."""
    stage["DeploymentId"] = deployment
    stage["LastUpdatedDate"] = call.now
    if stage.get("AutoDeploy"):
        stage["LastDeploymentStatusMessage"] = _AUTO_MESSAGE.format(deployment)
    parts.save(call, api, "Stage", stage["StageName"], stage)


def add_stage(call: Call, api: Api, document: Document, tags: dict[str, str]) -> Document:
    """Keep a stage, and deploy the API to it if it does that by itself."""
    now = {"CreatedDate": call.now, "LastUpdatedDate": call.now, "Tags": tags}
    parts.add(call, api, "Stage", document["StageName"], document | now)
    if document.get("AutoDeploy"):
        changed(call, api)
    return parts.find(call, api, "Stage", document["StageName"])


def find(call: Call, api: Api, deployment_id: str) -> Document:
    """Raises NotFoundException."""
    text = call.tx.value(
        "SELECT document FROM apigatewayv2_deployment WHERE api = ? AND id = ?", api.key, deployment_id
    )
    if text is None:
        raise NotFoundException(kind="Deployment", id=deployment_id)
    return json.loads(text)  # type: ignore[no-any-return]


@operation
def get_deployment(call: Call, api_id: str, deployment_id: str) -> Document:
    return find(call, parts.find_api(call, api_id), deployment_id)


@operation
def get_deployments(call: Call, api_id: str, max_results: str | None = None, next_token: str | None = None) -> Document:
    api = parts.find_api(call, api_id)
    rows: list[Any] = call.tx.all("SELECT document FROM apigatewayv2_deployment WHERE api = ? ORDER BY seq", api.key)
    return parts.page([json.loads(row["document"]) for row in rows], max_results, next_token)


@operation
def update_deployment(call: Call, api_id: str, deployment_id: str, description: str | None = None) -> Document:
    api = parts.find_api(call, api_id)
    document = find(call, api, deployment_id) | parts.given(Description=description)
    call.tx.run(
        "UPDATE apigatewayv2_deployment SET document = ? WHERE api = ? AND id = ?",
        json.dumps(document),
        api.key,
        deployment_id,
    )
    return document


@operation
def delete_deployment(call: Call, api_id: str, deployment_id: str) -> None:
    api = parts.find_api(call, api_id)
    find(call, api, deployment_id)
    if any(stage.get("DeploymentId") == deployment_id for stage in parts.every(call, api, "Stage")):
        raise ConflictException("Active stages pointing to this deployment must be moved or deleted")
    call.tx.run("DELETE FROM apigatewayv2_deployment WHERE api = ? AND id = ?", api.key, deployment_id)
