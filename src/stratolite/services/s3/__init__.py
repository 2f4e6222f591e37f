"""S3: buckets of objects, and the events that tell of them."""

from stratolite.kernel import Service

from . import (
    acls,
    buckets,
    deleting,
    listing,
    multipart,
    notifications,
    reading,
    resources,
    settings,
    tags,
    writing,
)

service = Service(
    "s3",
    modules=[
        buckets,
        settings,
        notifications,
        tags,
        acls,
        reading,
        writing,
        deleting,
        listing,
        multipart,
        resources,
    ],
    not_validated=("length", "range", "pattern", "enum"),
)
