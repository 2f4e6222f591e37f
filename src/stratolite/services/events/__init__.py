"""EventBridge: buses, the rules that listen to them, and what the rules set off."""

from stratolite.kernel import Service

from . import (
    archives,
    buses,
    connections,
    destinations,
    entries,
    permissions,
    replays,
    resources,
    routing,
    rules,
    tags,
    target,
    targets,
    ticks,
)

service = Service(
    "events",
    modules=[
        buses,
        permissions,
        tags,
        rules,
        targets,
        entries,
        routing,
        ticks,
        archives,
        replays,
        connections,
        destinations,
        target,
        resources,
    ],
)
