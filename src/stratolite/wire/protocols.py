"""Protocols: a row each, and which services speak which."""

from __future__ import annotations

from dataclasses import dataclass

JSON, QUERY, REST_JSON, REST_XML, CBOR = "json", "query", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"


@dataclass(frozen=True, slots=True)
class Protocol:
    name: str
    reads: str
    """The kind of document a request's body is: json, form, xml or cbor."""
    writes: str
    """The kind of document a response's body is."""
    content_type: str
    """Of responses; a `{version}` is the service's JSON version."""
    binds_http: bool = False
    """Members may travel in the path, the query string, headers and the status."""
    timestamp: str = "unixTimestamp"
    """How a body spells an instant unless the shape says otherwise."""
    malformed: str = "SerializationException"
    """The error code of a body that cannot be read."""


PROTOCOLS = {
    row.name: row
    for row in (
        Protocol(JSON, "json", "json", "application/x-amz-json-{version}"),
        Protocol(QUERY, "form", "xml", "text/xml", timestamp="iso8601", malformed="MalformedInput"),
        Protocol(REST_JSON, "json", "json", "application/json", binds_http=True),
        Protocol(
            REST_XML, "xml", "xml", "application/xml", binds_http=True, timestamp="iso8601", malformed="MalformedXML"
        ),
        Protocol(CBOR, "cbor", "cbor", "application/cbor"),
    )
}


@dataclass(frozen=True, slots=True)
class Identity:
    """How requests name a service. Kept here so that routing loads no model but the one it needs."""

    name: str
    protocols: tuple[str, ...]
    """The first is what an error is written in when nothing in the request says."""
    version: str
    signing: str
    """The service part of the credential scope."""
    endpoint: str
    """The first labels of the service's host names."""
    target: str | None = None
    """What stands before the dot in X-Amz-Target, and in the path of the CBOR protocol."""


SERVICES = {
    row.name: row
    for row in (
        Identity("apigateway", (REST_JSON,), "2015-07-09", "apigateway", "apigateway"),
        Identity("apigatewaymanagementapi", (REST_JSON,), "2018-11-29", "execute-api", "execute-api"),
        Identity("apigatewayv2", (REST_JSON,), "2018-11-29", "apigateway", "apigateway"),
        Identity(
            "application-autoscaling",
            (JSON,),
            "2016-02-06",
            "application-autoscaling",
            "application-autoscaling",
            "AnyScaleFrontendService",
        ),
        Identity("appsync", (REST_JSON,), "2017-07-25", "appsync", "appsync"),
        Identity("cloudformation", (QUERY,), "2010-05-15", "cloudformation", "cloudformation"),
        Identity(
            "cloudwatch", (JSON, CBOR, QUERY), "2010-08-01", "monitoring", "monitoring", "GraniteServiceVersion20100801"
        ),
        Identity(
            "cognito-idp", (JSON,), "2016-04-18", "cognito-idp", "cognito-idp", "AWSCognitoIdentityProviderService"
        ),
        Identity("dynamodb", (JSON,), "2012-08-10", "dynamodb", "dynamodb", "DynamoDB_20120810"),
        Identity("dynamodbstreams", (JSON,), "2012-08-10", "dynamodb", "streams.dynamodb", "DynamoDBStreams_20120810"),
        Identity("ecr", (JSON,), "2015-09-21", "ecr", "api.ecr", "AmazonEC2ContainerRegistry_V20150921"),
        Identity("events", (JSON,), "2015-10-07", "events", "events", "AWSEvents"),
        Identity("firehose", (JSON,), "2015-08-04", "firehose", "firehose", "Firehose_20150804"),
        Identity("iam", (QUERY,), "2010-05-08", "iam", "iam"),
        Identity("kinesis", (JSON,), "2013-12-02", "kinesis", "kinesis", "Kinesis_20131202"),
        Identity("kms", (JSON,), "2014-11-01", "kms", "kms", "TrentService"),
        Identity("lambda", (REST_JSON,), "2015-03-31", "lambda", "lambda"),
        Identity("logs", (JSON,), "2014-03-28", "logs", "logs", "Logs_20140328"),
        Identity("pipes", (REST_JSON,), "2015-10-07", "pipes", "pipes"),
        Identity(
            "resourcegroupstaggingapi",
            (JSON, CBOR),
            "2017-01-26",
            "tagging",
            "tagging",
            "ResourceGroupsTaggingAPI_20170126",
        ),
        Identity("s3", (REST_XML,), "2006-03-01", "s3", "s3"),
        Identity("scheduler", (REST_JSON,), "2021-06-30", "scheduler", "scheduler"),
        Identity("secretsmanager", (JSON,), "2017-10-17", "secretsmanager", "secretsmanager", "secretsmanager"),
        Identity("sns", (QUERY,), "2010-03-31", "sns", "sns"),
        Identity("sqs", (JSON, QUERY), "2012-11-05", "sqs", "sqs", "AmazonSQS"),
        Identity("ssm", (JSON,), "2014-11-06", "ssm", "ssm", "AmazonSSM"),
        Identity("stepfunctions", (JSON,), "2016-11-23", "states", "states", "AWSStepFunctions"),
        Identity("sts", (QUERY,), "2011-06-15", "sts", "sts"),
        Identity("xray", (REST_JSON,), "2016-04-12", "xray", "xray"),
    )
}
