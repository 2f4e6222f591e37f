"""The summary of a deployment: endpoints, outputs, resources."""

from __future__ import annotations

import json
from typing import Any

import typer

from .running import Running


def collect(found: Running, described: dict[str, Any]) -> dict[str, Any]:
    """What a deployment gave, as data."""
    name = described["StackName"]
    listed = found.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    resources = [
        {"id": each["LogicalResourceId"], "type": each["ResourceType"], "name": each.get("PhysicalResourceId", "")}
        for each in listed
    ]
    return {
        "stack": name,
        "status": described["StackStatus"],
        "endpoints": [endpoint for each in resources for endpoint in _endpoints(found, each)],
        "outputs": {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])},
        "resources": resources,
    }


def _endpoints(found: Running, resource: dict[str, str]) -> list[dict[str, str]]:
    """The URLs that lead to a resource from this machine."""
    if resource["type"] != "AWS::ApiGatewayV2::Api":
        return []
    base = f"{found.endpoint}/_aws/execute-api/{resource['name']}"
    routes = found.client("apigatewayv2").get_routes(ApiId=resource["name"])["Items"]
    keys = sorted(each["RouteKey"] for each in routes)
    return [_endpoint(base, key, resource["id"]) for key in keys] or [{"api": resource["id"], "url": base}]


def _endpoint(base: str, key: str, api: str) -> dict[str, str]:
    method, _, path = key.partition(" ")
    return {"api": api, "method": method if path else "ANY", "url": f"{base}{path}"}


def show(found: Running, described: dict[str, Any], as_json: bool) -> None:
    """Print it."""
    summary = collect(found, described)
    if as_json:
        typer.echo(json.dumps(summary))
        return
    from .screen import screen, table

    console = screen()
    console.print(f"[bold]{summary['stack']}[/] {summary['status']} on {found.endpoint}")
    if summary["endpoints"]:
        console.print("\n[bold]Endpoints[/]")
        for each in summary["endpoints"]:
            console.print(f"  {each.get('method', ''):7}{each['url']}")
    if summary["outputs"]:
        console.print("\n[bold]Outputs[/]")
        for name, value in summary["outputs"].items():
            console.print(f"  {name} = {value}")
    rows = table("resource", "type", "name")
    for each in summary["resources"]:
        rows.add_row(each["id"], each["type"], each["name"])
    console.print("\n", rows, sep="")
