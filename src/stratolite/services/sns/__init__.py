"""SNS: topics that hand each message to everybody who subscribed."""

from stratolite.kernel import Service

from . import (
    applications,
    fanout,
    http,
    outbox,
    permissions,
    protection,
    publishing,
    resources,
    sms,
    subscriptions,
    tags,
    target,
    topics,
)

service = Service(
    "sns",
    modules=[
        topics,
        tags,
        permissions,
        protection,
        subscriptions,
        publishing,
        fanout,
        http,
        sms,
        applications,
        outbox,
        target,
        resources,
    ],
    not_validated=("length", "range", "pattern", "enum"),
)
