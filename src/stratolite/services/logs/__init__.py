"""CloudWatch Logs: lines by group and stream, kept, searched and passed on."""

from stratolite.kernel import Service

from . import (
    destinations,
    events,
    following,
    groups,
    metrics,
    policies,
    resources,
    streams,
    subscriptions,
    tags,
    target,
)

service = Service(
    "logs",
    modules=[
        groups,
        streams,
        events,
        subscriptions,
        metrics,
        following,
        policies,
        destinations,
        tags,
        target,
        resources,
    ],
)
