"""An HTTP API in front of functions that are played: what they are sent is kept, what they answer is given."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from stratolite.kernel import AwsError
from stratolite.testing.cloud import TestCloud
from stratolite.wire.http1 import Response

ACCOUNT = "000000000000"


class ResourceNotFoundException(AwsError):
    """The resource you requested does not exist."""


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"


def uri(name: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn(name)}/invocations"


@dataclass
class Functions:
    """The played Lambda: answers by function name, events by function name, and who may invoke."""

    answers: dict[str, Any] = field(default_factory=dict)
    events: dict[str, list[Any]] = field(default_factory=dict)
    errors: dict[str, AwsError] = field(default_factory=dict)
    takes_s: dict[str, float] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)

    def invoke(self, name: str, payload: bytes) -> dict[str, Any]:
        event = json.loads(payload)
        self.events.setdefault(name, []).append(event)
        if name in self.errors:
            raise self.errors[name]
        answer = self.answers[name]
        answer = answer(event) if callable(answer) else answer
        if isinstance(answer, Exception):
            said = {"errorMessage": str(answer), "errorType": type(answer).__name__}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": json.dumps(said).encode()}
        return {"StatusCode": 200, "Payload": answer if isinstance(answer, bytes) else json.dumps(answer).encode()}

    def policy(self, name: str) -> str:
        sources = self.sources.get(name, [f"arn:aws:execute-api:us-east-1:{ACCOUNT}:*"])
        if not sources:
            raise ResourceNotFoundException
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"Service": "apigateway.amazonaws.com"},
                "Action": "lambda:InvokeFunction",
                "Resource": function_arn(name),
                "Condition": {"ArnLike": {"AWS:SourceArn": source}},
            }
            for source in sources
        ]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass
class Api:
    """One API of a cloud, as its maker and as its clients see it."""

    cloud: TestCloud
    gateway: Any
    id: str

    def integration(self, name: str = "hello", version: str = "2.0", **members: Any) -> str:
        made = self.gateway.create_integration(
            ApiId=self.id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=function_arn(name),
            PayloadFormatVersion=version,
            **members,
        )
        return f"integrations/{made['IntegrationId']}"

    def route(self, key: str, target: str | None = None, **members: Any) -> str:
        made = self.gateway.create_route(ApiId=self.id, RouteKey=key, Target=target or self.integration(), **members)
        return str(made["RouteId"])

    def authorizer(self, name: str = "guard", **members: Any) -> dict[str, str]:
        made = self.gateway.create_authorizer(
            **{
                "ApiId": self.id,
                "Name": name,
                "AuthorizerType": "REQUEST",
                "AuthorizerUri": uri(name),
                "AuthorizerPayloadFormatVersion": "2.0",
                "EnableSimpleResponses": True,
                "AuthorizerResultTtlInSeconds": 0,
                "IdentitySource": ["$request.header.x-key"],
            }
            | members
        )
        return {"AuthorizationType": "CUSTOM", "AuthorizerId": made["AuthorizerId"]}

    def stage(self, name: str = "$default", **members: Any) -> None:
        self.gateway.create_stage(ApiId=self.id, StageName=name, AutoDeploy=True, **members)

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | str = b"") -> Response:
        url = f"https://{self.id}.execute-api.us-east-1.amazonaws.com{path}"
        return self.cloud.http(method, url, headers, body)
