"""SQS: queues that hold messages until somebody deletes them."""

from stratolite.kernel import Service

from . import (
    batches,
    deadletters,
    expiry,
    moves,
    permissions,
    queues,
    receiving,
    resources,
    sending,
    source,
    tags,
    target,
)

service = Service(
    "sqs",
    modules=[
        queues,
        tags,
        permissions,
        sending,
        receiving,
        batches,
        deadletters,
        moves,
        expiry,
        target,
        source,
        resources,
    ],
    not_validated=("length", "range", "pattern", "enum"),
)
