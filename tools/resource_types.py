"""Writes services/cloudformation/types/*.json, the properties of each resource type, from the schemas cfn-lint ships.

Run in the development environment after an update of cfn-lint: `python tools/resource_types.py`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import cfnlint

SERVICES = {
    "ApiGateway",
    "ApiGatewayV2",
    "AppSync",
    "ApplicationAutoScaling",
    "CloudFormation",
    "CloudWatch",
    "CodeDeploy",
    "Cognito",
    "DynamoDB",
    "ECR",
    "Events",
    "IAM",
    "KMS",
    "Kinesis",
    "KinesisFirehose",
    "Lambda",
    "Logs",
    "Pipes",
    "S3",
    "SNS",
    "SQS",
    "SSM",
    "Scheduler",
    "SecretsManager",
    "StepFunctions",
    "XRay",
}
OUT = Path(__file__).parents[1] / "src/stratolite/services/cloudformation/types"
SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas"
KEPT = ("type", "properties", "patternProperties", "additionalProperties", "items", "required", "$ref", "enum")


def slim(schema: Any, top: bool = False) -> Any:
    """What the template engine reads of a schema: names, types, what is required; no descriptions, no patterns."""
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key in KEPT:
        if key not in schema or (key == "additionalProperties" and schema[key] is not False):
            continue
        value = schema[key]
        if key in ("properties", "patternProperties"):
            value = {name: slim(each) for name, each in value.items()}
        elif key == "items":
            value = slim(value)
        found[key] = value
    if top:
        found["definitions"] = {name: slim(each) for name, each in schema.get("definitions", {}).items()}
        for key in ("readOnlyProperties", "createOnlyProperties"):
            found[key] = [each.removeprefix("/properties/") for each in schema.get(key, [])]
    return found


def main() -> None:
    index = json.loads((SCHEMAS / "providers/us-east-1.json").read_text())
    services: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, file in sorted(index.items()):
        service = name.split("::")[1]
        if name.startswith("AWS::") and service in SERVICES:
            schema = json.loads((SCHEMAS / "resources" / f"{file}.json").read_text())
            services[service][name] = slim(schema, top=True)
    # cfn-lint lets any scalar pass here, since CloudFormation makes text of it; so do we.
    variables = services["Lambda"]["AWS::Lambda::Function"]["definitions"]["Environment"]["properties"]["Variables"]
    for pattern in variables["patternProperties"]:
        variables["patternProperties"][pattern] = {"type": "string"}
    for service, types in services.items():
        lines = (f"{json.dumps(name)}: {json.dumps(each, separators=(',', ':'))}" for name, each in types.items())
        (OUT / f"{service.lower()}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
