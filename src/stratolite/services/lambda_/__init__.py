"""Lambda: functions, what invokes them, and what becomes of their events."""

from stratolite.kernel import Service

from . import (
    asynchronous,
    code,
    destinations,
    functions,
    invocations,
    layers,
    mappings,
    permissions,
    pollers,
    resources,
    sharing,
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
        sharing,
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
