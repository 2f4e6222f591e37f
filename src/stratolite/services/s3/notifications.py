"""Notifications: what happens to objects, told to functions, queues, topics and the event bus."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from stratolite.kernel import AwsError, Call, operation
from stratolite.languages import arns
from stratolite.wire.quirks.s3 import extended_id

from . import buckets
from .buckets import Bucket
from .errors import invalid_argument, refused
from .objects import Version

KINDS = {
    "QueueConfigurations": ("QueueArn", "Queue", "queue"),
    "TopicConfigurations": ("TopicArn", "Topic", "topic"),
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "CloudFunction", "Lambda"),
}
"""Member to the member with the ARN, the argument's name in errors, and what is not there."""

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
EVENTS = frozenset(
    {
        "s3:TestEvent", "s3:ReducedRedundancyLostObject", "s3:ObjectCreated:*", "s3:ObjectCreated:Put",
        "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload",
        "s3:ObjectRemoved:*", "s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated", "s3:ObjectRestore:*",
        "s3:ObjectRestore:Post", "s3:ObjectRestore:Completed", "s3:ObjectRestore:Delete", "s3:Replication:*",
        "s3:Replication:OperationFailedReplication", "s3:Replication:OperationNotTracked",
        "s3:Replication:OperationMissedThreshold", "s3:Replication:OperationReplicatedAfterThreshold",
        "s3:LifecycleExpiration:*", "s3:LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated",
        "s3:LifecycleTransition", "s3:IntelligentTiering", "s3:ObjectTagging:*", "s3:ObjectTagging:Put",
        "s3:ObjectTagging:Delete", "s3:ObjectAcl:Put",
    }
)  # fmt: skip

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
BUS: dict[str, tuple[str, dict[str, str]]] = {
    "ObjectCreated:Put": ("Object Created", {"reason": "PutObject"}),
    "ObjectCreated:Post": ("Object Created", {"reason": "POST Object"}),
    "ObjectCreated:Copy": ("Object Created", {"reason": "CopyObject"}),
    "ObjectCreated:CompleteMultipartUpload": ("Object Created", {"reason": "CompleteMultipartUpload"}),
    "ObjectRemoved:Delete": (
        "Object Deleted",
        {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"},
    ),
    "ObjectRemoved:DeleteMarkerCreated": (
        "Object Deleted",
        {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"},
    ),
    "ObjectTagging:Put": ("Object Tags Added", {}),
    "ObjectTagging:Delete": ("Object Tags Deleted", {}),
    "ObjectAcl:Put": ("Object ACL Updated", {}),
}


# configuration


@operation
def put_bucket_notification_configuration(
    call: Call,
    bucket: str,
    notification_configuration: dict[str, Any],
    skip_destination_validation: bool | None = None,
) -> None:
    found = buckets.find(call, bucket)
    kept: dict[str, Any] = {}
    if "EventBridgeConfiguration" in notification_configuration:
        kept["EventBridgeConfiguration"] = {}
    for kind in KINDS:
        if given := notification_configuration.get(kind):
            kept[kind] = [_checked(call, kind, each) for each in given]
    if not skip_destination_validation:
        _check_destinations(call, kept)
        for kind, (arn, _, _) in KINDS.items():
            for each in kept.get(kind, ()):
                if kind != "LambdaFunctionConfigurations":
                    call.deliver(to=each[arn], payload=json.dumps(_test_event(call, found)), source="s3")
    if kept or "notifications" in found.settings:
        buckets.setting(call, found, "notifications", kept or None)


def _checked(call: Call, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """One configuration as it is kept. Raises InvalidArgument, MalformedXML."""
    member, argument, _ = KINDS[kind]
    arn = given.get(member)
    try:
        arns.parse(arn or "")
    except arns.ArnError:
        raise invalid_argument("The ARN could not be parsed", argument, arn) from None
    events = given.get("Events")
    if not events or not set(events) <= EVENTS:
        raise refused("MalformedXML")
    kept = {"Id": given.get("Id") or call.world.id(), member: arn, "Events": events}
    if given.get("Filter"):
        rules = ((given["Filter"] or {}).get("Key") or {}).get("FilterRules")
        if rules is None:
            raise refused("MalformedXML")
        kept["Filter"] = {"Key": {"FilterRules": [_rule(rule) for rule in rules]}}
    return kept


def _rule(rule: dict[str, Any]) -> dict[str, str]:
    if "Name" not in rule or "Value" not in rule:
        raise refused("MalformedXML")
    name = rule["Name"]
    if name.lower() not in ("prefix", "suffix"):
        raise invalid_argument("filter rule name must be either prefix or suffix", "FilterRule.Name", name)
    return {"Name": name.capitalize(), "Value": rule["Value"]}


def _check_destinations(call: Call, kept: dict[str, Any]) -> None:
    """Every queue, topic and function named must be there. Raises InvalidArgument, naming all that are not."""
    missing: list[tuple[str, str]] = []
    for kind, (member, _, noun) in KINDS.items():
        for each in kept.get(kind, ()):
            arn = each[member]
            if not _is_there(call, arn):
                missing.append((arn, f"The destination {noun} does not exist"))
    if missing:
        fields = {}
        for at, (arn, text) in enumerate(missing, 1):
            fields[f"ArgumentName{at}"], fields[f"ArgumentValue{at}"] = arn, text
        raise refused("InvalidArgument", "Unable to validate the following destination configurations", **fields)


def _is_there(call: Call, text: str) -> bool:
    arn = arns.parse(text)
    api = call.api(arn.service, account=arn.account, region=arn.region)
    try:
        match arn.service:
            case "sqs":
                api.get_queue_url(QueueName=arn.resource)
            case "sns":
                api.get_topic_attributes(TopicArn=text)
            case "lambda":
                api.get_function_configuration(FunctionName=text)
            case _:
                return False
    except AwsError as error:
        return error.code == "NotImplemented"
    return True


@operation
def get_bucket_notification_configuration(call: Call, bucket: str) -> dict[str, Any]:
    return dict(buckets.find(call, bucket).settings.get("notifications", {}))


# telling


def tell(call: Call, bucket: Bucket, event: str, version: Version) -> None:
    """Tell everyone the bucket's configuration names, in this transaction.

    Args:
        event: without `s3:` (`ObjectCreated:Put`).
    """
    wanted = bucket.settings.get("notifications")
    if not wanted:
        return
    sequencer = _sequencer(call, bucket)
    for kind, (member, _, _) in KINDS.items():
        for each in wanted.get(kind, ()):
            if _listens(each, event, version.name):
                record = _record(call, bucket, event, version, each["Id"], sequencer)
                context = {"trace_header": call.trace.header, "subject": "Amazon S3 Notification"}
                payload = json.dumps({"Records": [record]}, separators=(",", ":"))
                call.deliver(to=each[member], payload=payload, source="s3", context=context)
    if "EventBridgeConfiguration" in wanted:
        bus = f"arn:aws:events:{bucket.region}:{bucket.account}:event-bus/default"
        payload = json.dumps(_bus_event(call, bucket, event, version, sequencer))
        call.deliver(to=bus, payload=payload, source="s3")


def _listens(configuration: dict[str, Any], event: str, key: str) -> bool:
    full = f"s3:{event}"
    if not any(full == one or (one.endswith("*") and full.startswith(one[:-1])) for one in configuration["Events"]):
        return False
    rules = ((configuration.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ()
    fits = {"Prefix": key.startswith, "Suffix": key.endswith}
    return all(fits[rule["Name"]](rule["Value"]) for rule in rules)


def _sequencer(call: Call, bucket: Bucket) -> str:
    """Hexadecimal, and greater with each event of a bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    number = call.tx.value(
        "INSERT INTO s3_sequence (bucket, number) VALUES (?, 1)"
        " ON CONFLICT (bucket) DO UPDATE SET number = number + 1 RETURNING number",
        bucket.key,
    )
    return f"00{int(call.now):08X}{number:08X}"


def _instant(seconds: float, unit: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=unit).replace("+00:00", "Z")


def _identity(call: Call) -> str:
    return f"AWS:{call.principal.user_id or call.account}"


def _record(
    call: Call, bucket: Bucket, event: str, version: Version, configuration: str, sequencer: str
) -> dict[str, Any]:
    about: dict[str, Any] = {"key": quote_plus(version.name, safe="/*")}
    if event.startswith("ObjectCreated"):
        about |= {"size": version.size, "eTag": version.etag}
    elif event.startswith(("ObjectTagging", "ObjectAcl")):
        about["eTag"] = version.etag
    elif version.is_marker and event == "ObjectRemoved:DeleteMarkerCreated":
        about["eTag"] = "d41d8cd98f00b204e9800998ecf8427e"
    if version.version:
        about["versionId"] = version.version
    if not event.startswith(("ObjectTagging", "ObjectAcl")):
        about["sequencer"] = sequencer
    return {
        "eventVersion": "2.3" if event.startswith(("ObjectTagging", "ObjectAcl")) else "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": _instant(call.now, "milliseconds"),
        "eventName": event,
        "userIdentity": {"principalId": _identity(call)},
        "requestParameters": {"sourceIPAddress": call.caller.peer},
        "responseElements": {
            "x-amz-request-id": call.request_id,
            "x-amz-id-2": extended_id(call.request_id),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": buckets.owner(bucket.account)["ID"][:14].upper()},
                "arn": bucket.arn,
            },
            "object": about,
        },
    }


def _bus_event(call: Call, bucket: Bucket, event: str, version: Version, sequencer: str) -> dict[str, Any]:
    kind, further = BUS[event]
    about: dict[str, Any] = {"key": version.name}
    if kind == "Object Created":
        about["size"] = version.size
    if kind != "Object Deleted":
        about["etag"] = version.etag
    elif version.is_marker and event == "ObjectRemoved:DeleteMarkerCreated":
        about["etag"] = "d41d8cd98f00b204e9800998ecf8427e"
    if version.version:
        about["version-id"] = version.version
    if kind in ("Object Created", "Object Deleted"):
        about["sequencer"] = sequencer
    return {
        "version": "0",
        "id": call.world.id(),
        "detail-type": kind,
        "source": "aws.s3",
        "account": bucket.account,
        "time": _instant(call.now, "seconds"),
        "region": bucket.region,
        "resources": [bucket.arn],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": about,
            "request-id": call.request_id,
            "requester": call.account,
            "source-ip-address": call.caller.peer,
            **further,
        },
    }


def _test_event(call: Call, bucket: Bucket) -> dict[str, Any]:
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": _instant(call.now, "milliseconds"),
        "Bucket": bucket.name,
        "RequestId": call.request_id,
        "HostId": extended_id(call.request_id),
    }
