"""Resources: buckets and their policies, as templates ask for them."""

from __future__ import annotations

import json
from typing import Any

from stratolite.kernel import AwsError, Call, Made, Wanted, resource

from . import buckets


@resource("AWS::S3::Bucket", replaces={"BucketName"})
class Bucket:
    """`Ref` is the bucket's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        name = wanted.properties.get("BucketName") or wanted.physical_name(63, lower=True)
        asked: dict[str, Any] = {"Bucket": name}
        if call.region != "us-east-1":
            asked["CreateBucketConfiguration"] = {"LocationConstraint": call.region}
        call.api("s3").create_bucket(**asked)
        _configure(call, name, wanted, {})
        return _made(call, name)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        _configure(call, made_id, wanted, was)
        return _made(call, made_id)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("s3").delete_bucket(Bucket=made_id)
        except AwsError as error:
            if error.code != "NoSuchBucket":
                raise


def _made(call: Call, name: str) -> Made:
    bucket = buckets.find(call, name)
    host = call.caller.host
    return Made(
        ref=name,
        attributes={
            "Arn": bucket.arn,
            "DomainName": f"{name}.s3.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{bucket.region}.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{bucket.region}.amazonaws.com",
            "WebsiteURL": f"{call.caller.scheme}://{name}.s3-website.{host}",
        },
    )


def _configure(call: Call, name: str, wanted: Wanted, was: dict[str, Any]) -> None:
    """What the template says of the bucket; what it no longer says goes back to what it was without."""
    s3, properties = call.api("s3"), wanted.properties
    if status := (properties.get("VersioningConfiguration") or {}).get("Status"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    elif was.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    tags = {key: value for key, value in wanted.tags.items() if not key.startswith("aws:")}
    tags |= {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags") or ()}
    if tags:
        s3.put_bucket_tagging(
            Bucket=name, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
        )
    else:
        s3.delete_bucket_tagging(Bucket=name)
    if notifications := _notifications(properties.get("NotificationConfiguration") or {}):
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notifications)
    elif was.get("NotificationConfiguration"):
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
    if encryption := properties.get("BucketEncryption"):
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=_encryption(encryption))
    elif was.get("BucketEncryption"):
        s3.delete_bucket_encryption(Bucket=name)
    if access := properties.get("PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=access)
    if ownership := properties.get("OwnershipControls"):
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=ownership)
    if cors := properties.get("CorsConfiguration"):
        s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [_cors(r) for r in cors["CorsRules"]]})
    elif was.get("CorsConfiguration"):
        s3.delete_bucket_cors(Bucket=name)


_CORS = {"ExposedHeaders": "ExposeHeaders", "MaxAge": "MaxAgeSeconds", "Id": "ID"}


def _cors(rule: dict[str, Any]) -> dict[str, Any]:
    return {_CORS.get(name, name): value for name, value in rule.items()}


def _encryption(given: dict[str, Any]) -> dict[str, Any]:
    rules = []
    for rule in given["ServerSideEncryptionConfiguration"]:
        spelled = dict(rule)
        if default := spelled.pop("ServerSideEncryptionByDefault", None):
            spelled["ApplyServerSideEncryptionByDefault"] = default
        rules.append(spelled)
    return {"Rules": rules}


_DESTINATIONS = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}


def _notifications(given: dict[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    for name, (member, arn, arn_member) in _DESTINATIONS.items():
        for each in given.get(name) or ():
            told: dict[str, Any] = {"Events": [each["Event"]], arn_member: each[arn]}
            if rules := ((each.get("Filter") or {}).get("S3Key") or {}).get("Rules"):
                told["Filter"] = {"Key": {"FilterRules": rules}}
            asked.setdefault(member, []).append(told)
    bus = given.get("EventBridgeConfiguration")
    if bus is not None and str(bus.get("EventBridgeEnabled", True)).lower() == "true":
        asked["EventBridgeConfiguration"] = {}
    return asked


@resource("AWS::S3::BucketPolicy", replaces={"Bucket"})
class BucketPolicy:
    """`Ref` is the bucket's name."""

    @staticmethod
    def create(call: Call, wanted: Wanted) -> Made:
        return _policy(call, wanted)

    @staticmethod
    def update(call: Call, made_id: str, wanted: Wanted, was: dict[str, Any]) -> Made:
        return _policy(call, wanted)

    @staticmethod
    def delete(call: Call, made_id: str, properties: dict[str, Any]) -> None:
        try:
            call.api("s3").delete_bucket_policy(Bucket=made_id)
        except AwsError as error:
            if error.code != "NoSuchBucket":
                raise


def _policy(call: Call, wanted: Wanted) -> Made:
    name, document = wanted.properties["Bucket"], wanted.properties["PolicyDocument"]
    text = document if isinstance(document, str) else json.dumps(document)
    call.api("s3").put_bucket_policy(Bucket=name, Policy=text)
    return Made(ref=name)
