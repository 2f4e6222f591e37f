"""DynamoDB: tables of items, found by their keys."""

from stratolite.kernel import Service

from . import (
    accounts,
    backups,
    batches,
    descriptions,
    global_tables,
    indexes,
    insights,
    items,
    lifetimes,
    reads,
    resources,
    source,
    statements,
    streams,
    tables,
    tags,
    transactions,
)

service = Service(
    "dynamodb",
    modules=[
        tables,
        descriptions,
        indexes,
        items,
        reads,
        batches,
        transactions,
        statements,
        lifetimes,
        streams,
        tags,
        accounts,
        backups,
        insights,
        source,
        resources,
        global_tables,
    ],
)
