"""S3: buckets in host names, and root elements the model does not name."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from typing import Any

from stratolite.wire.http1 import Request

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

# bucket.s3.region.anything, bucket.s3-region.anything; and bucket.localhost, which is what an SDK makes of a bare
# endpoint with virtual addressing.
_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-].+|(?P<local>(?!s3[.-])[a-z0-9][a-z0-9.-]+)\.localhost\Z")
_OWN_LABEL = re.compile(r"s3([.-]|\Z)")

# Elements around an answer, where they are not the output shape's own name.
ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotification": "NotificationConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}

# Operations the model keeps beside the ones that replaced them, at the same address.
REPLACED = frozenset(
    {
        "GetBucketLifecycle",
        "GetBucketNotification",
        "ListDirectoryBuckets",
        "PutBucketLifecycle",
        "PutBucketNotification",
    }
)


# Statuses where the model has another.
STATUSES = {"PutBucketPolicy": 204, "PutBucketTagging": 204}


def bucket_in_host(host: str) -> str | None:
    """The bucket a virtual-hosted request names in its host, if it does."""
    if match := _VIRTUAL_HOST.match(host):
        return match["bucket"] or match["local"]
    return None


def path(request: Request) -> str:
    """The raw path as if the bucket stood in it."""
    raw = request.raw_path
    host = request.host
    if "." in host and not _OWN_LABEL.match(host) and (bucket := bucket_in_host(host)):
        return f"/{bucket}{raw}"
    return raw


def status(result: dict[str, Any]) -> int | None:
    """The status the model does not have: part of an object is 206."""
    return 206 if result.get("ContentRange") is not None else None


def extended_id(request_id: str) -> str:
    """The second id of a request (x-amz-id-2, HostId), made of the first so that it needs no randomness."""
    return b64encode(hashlib.sha384(request_id.encode()).digest()).decode("ascii")
