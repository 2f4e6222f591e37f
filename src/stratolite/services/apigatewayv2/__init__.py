"""API Gateway v2: HTTP APIs, and the gateway that serves them."""

from stratolite.kernel import Service

from . import (
    apis,
    authorizers,
    deployments,
    gateway,
    imports,
    integrations,
    resources,
    routes,
    stages,
    tags,
)

service = Service(
    "apigatewayv2",
    modules=[
        apis,
        routes,
        integrations,
        authorizers,
        stages,
        deployments,
        imports,
        tags,
        gateway,
        resources,
    ],
)
