"""Lambda: functions, what invokes them, and what becomes of their events."""

from stratolite.kernel import Service

from . import (
    asynchronous,
    code,
    destinations,
    functions,
    invocations,
    layer_permissions,
    layers,
    mappings,
    permissions,
    pollers,
    resources,
    streams,
    tagging,
    target,
    versions,
)

service = Service(
    "lambda",
    modules=[
        functions,
        versions,
        layers,
        layer_permissions,
        permissions,
        destinations,
        tagging,
        invocations,
        asynchronous,
        mappings,
        pollers,
        streams,
        target,
        resources,
        code,
    ],
)
