"""What AWS says to requests that are not what its models describe.

Sources: the answers recorded from AWS in LocalStack's test suite (tests/aws/services/*/*.snapshot.json; the test is
named beside the case), dynalite's recorded DynamoDB answers (test/helpers.js), and answers measured against AWS by
others where said.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from stratolite.wire import validate
from stratolite.wire.decode import decode
from stratolite.wire.faults import WireError
from stratolite.wire.http1 import Headers, Request

VIOLATIONS: list[tuple[str, str, str, dict[str, Any], str, str]] = [
    (  # kms: test_generate_random_invalid_number_of_bytes
        "kms",
        "GenerateRandom",
        "json",
        {"NumberOfBytes": 1025},
        "ValidationException",
        "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have "
        "value less than or equal to 1024",
    ),
    (  # kms: test_plaintext_size_for_encrypt; a sensitive value is not printed
        "kms",
        "Encrypt",
        "json",
        {"KeyId": "x", "Plaintext": b"x" * 4097},
        "ValidationException",
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less "
        "than or equal to 4096",
    ),
    (  # kms: test_create_key_with_invalid_tag_key
        "kms",
        "CreateKey",
        "json",
        {"Tags": [{"TagKey": "a" * 129, "TagValue": "v"}]},
        "ValidationException",
        f"1 validation error detected: Value '{'a' * 129}' at 'tags.1.member.tagKey' failed to satisfy constraint: "
        "Member must have length less than or equal to 128",
    ),
    (  # kms: test_invalid_generate_mac
        "kms",
        "GenerateMac",
        "json",
        {"Message": b"x", "KeyId": "x", "MacAlgorithm": "INVALID"},
        "ValidationException",
        "1 validation error detected: Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: Member must "
        "satisfy enum value set: [HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]",
    ),
    (  # events: test_create_connection_validations; the pattern before the length
        "events",
        "CreateConnection",
        "json",
        {"Name": "no spaces " * 7, "AuthorizationType": "INVALID", "AuthParameters": {}},
        "ValidationException",
        f"3 validation errors detected: Value '{'no spaces ' * 7}' at 'name' failed to satisfy constraint: Member must "
        rf"satisfy regular expression pattern: [\.\-_A-Za-z0-9]+; Value '{'no spaces ' * 7}' at 'name' failed to "
        "satisfy constraint: Member must have length less than or equal to 64; Value 'INVALID' at 'authorizationType' "
        "failed to satisfy constraint: Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]",
    ),
    (  # lambda: test_create_lambda_exceptions; of a list of scalars the list is named, and all its items must satisfy
        "lambda",
        "CreateFunction",
        "rest-json",
        {"FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Code": {}, "Architectures": ["X86_64"]},
        "ValidationException",
        "1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must "
        "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
    ),
    (  # lambda: test_create_lambda_exceptions
        "lambda",
        "CreateFunction",
        "rest-json",
        {"FunctionName": "f", "Role": "r1", "Code": {}},
        "ValidationException",
        "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular "
        r"expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
    ),
    (  # lambda: test_layer_exceptions; runtimes are those of today, not the model's
        "lambda",
        "PublishLayerVersion",
        "rest-json",
        {"LayerName": "l", "Content": {}, "CompatibleRuntimes": ["invalidruntime"], "CompatibleArchitectures": ["a"]},
        "ValidationException",
        "2 validation errors detected: Value '[invalidruntime]' at 'compatibleRuntimes' failed to satisfy constraint: "
        "Member must satisfy enum value set: [nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, "
        "nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, "
        "python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2]; "
        "Value '[a]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
    ),
    (  # lambda: test_invalid_vpc_config_subnet
        "lambda",
        "UpdateFunctionConfiguration",
        "rest-json",
        {"FunctionName": "f", "VpcConfig": {"SubnetIds": ["bad-subnet"]}},
        "ValidationException",
        "1 validation error detected: Value '[bad-subnet]' at 'vpcConfig.subnetIds' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length "
        "greater than or equal to 0, Member must satisfy regular expression pattern: subnet-[0-9a-z]*]",
    ),
    (  # lambda: test_notfound_and_invalid_routingconfigs
        "lambda",
        "UpdateAlias",
        "rest-json",
        {"FunctionName": "f", "Name": "a", "RoutingConfig": {"AdditionalVersionWeights": {"2": 2}}},
        "ValidationException",
        "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy "
        "constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must "
        "have value greater than or equal to 0.0, Member must not be null]",
    ),
    (  # lambda: test_notfound_and_invalid_routingconfigs
        "lambda",
        "UpdateAlias",
        "rest-json",
        {"FunctionName": "f", "Name": "a", "RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.5}}},
        "ValidationException",
        "1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to "
        "satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, "
        "Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]",
    ),
    (  # apigateway: test_update_method_response_negative_tests; the body is a member of its own
        "apigateway",
        "UpdateMethodResponse",
        "rest-json",
        {
            "restApiId": "a",
            "resourceId": "b",
            "httpMethod": "GET",
            "statusCode": "wrong",
            "patchOperations": [{"op": "wrong_op"}],
        },
        "ValidationException",
        "2 validation errors detected: Value 'wrong_op' at 'updateMethodResponseInput.patchOperations.1.member.op' "
        "failed to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]; "
        "Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        r"[1-5]\d\d",
    ),
    (  # events: test_create_api_destination_invalid_parameters
        "events",
        "CreateApiDestination",
        "json",
        {
            "Name": "n",
            "ConnectionArn": "invalid-arn",
            "InvocationEndpoint": "https://a",
            "HttpMethod": "INVALID_METHOD",
        },
        "ValidationException",
        "2 validation errors detected: Value 'invalid-arn' at 'connectionArn' failed to satisfy constraint: Member "
        r"must satisfy regular expression pattern: ^arn:aws([a-z]|\-)*:events:([a-z]|\d|\-)*:([0-9]{12})?:connection\/"
        r"[\.\-_A-Za-z0-9]+\/[\-A-Za-z0-9]+$; Value 'INVALID_METHOD' at 'httpMethod' failed to satisfy constraint: "
        "Member must satisfy enum value set: [HEAD, POST, PATCH, DELETE, PUT, GET, OPTIONS]",
    ),
    (  # apigateway: test_gateway_response_validation; twenty-one values, some in one bucket
        "apigateway",
        "GetGatewayResponse",
        "rest-json",
        {"restApiId": "a", "responseType": "FAKE_RESPONSE_TYPE"},
        "ValidationException",
        "1 validation error detected: Value 'FAKE_RESPONSE_TYPE' at 'responseType' failed to satisfy constraint: "
        "Member "
        "must satisfy enum value set: [REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, AUTHORIZER_CONFIGURATION_ERROR, "
        "MISSING_AUTHENTICATION_TOKEN, BAD_REQUEST_BODY, INVALID_SIGNATURE, INVALID_API_KEY, BAD_REQUEST_PARAMETERS, "
        "AUTHORIZER_FAILURE, UNAUTHORIZED, INTEGRATION_TIMEOUT, ACCESS_DENIED, DEFAULT_4XX, DEFAULT_5XX, WAF_FILTERED, "
        "QUOTA_EXCEEDED, THROTTLED, API_CONFIGURATION_ERROR, UNSUPPORTED_MEDIA_TYPE, INTEGRATION_FAILURE, "
        "EXPIRED_TOKEN]",
    ),
    (  # iam: test_invalid_update_parameters, test_user_match_id_mismatch; neither values nor what would be right
        "iam",
        "UpdateServiceSpecificCredential",
        "query",
        {"ServiceSpecificCredentialId": "totally-wrong-credential-id", "Status": "Invalid"},
        "ValidationError",
        "2 validation errors detected: Value at 'serviceSpecificCredentialId' failed to satisfy constraint: Member "
        "must "
        r"satisfy regular expression pattern: [\w]+; Value at 'status' failed to satisfy constraint: Member must "
        "satisfy enum value set",
    ),
    (  # sns: test_empty_or_wrong_message_attributes
        "sns",
        "PublishBatch",
        "query",
        {
            "TopicArn": "t",
            "PublishBatchRequestEntries": [{"Id": "1", "Message": "m", "MessageAttributes": {"attr1": {}}}],
        },
        "ValidationError",
        "1 validation error detected: Value null at "
        "'publishBatchRequestEntries.1.member.messageAttributes.attr1.member.dataType' failed to satisfy constraint: "
        "Member must not be null",
    ),
    (  # logs: test_get_log_events_limit_validation
        "logs",
        "GetLogEvents",
        "json",
        {"logGroupName": "g", "logStreamName": "s", "limit": 10001},
        "InvalidParameterException",
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value "
        "less than or equal to 10000",
    ),
    (  # logs: test_put_delivery_destination_invalid_format; newer operations have the usual code
        "logs",
        "PutDeliveryDestination",
        "json",
        {"name": "n", "outputFormat": "foobar"},
        "ValidationException",
        "1 validation error detected: Value 'foobar' at 'outputFormat' failed to satisfy constraint: Member must "
        "satisfy enum value set: [w3c, raw, json, plain, parquet]",
    ),
    (  # dynamodb: test_dynamodb_execute_statement_empy_parameter
        "dynamodb",
        "ExecuteStatement",
        "json",
        {"Statement": "SELECT", "Parameters": []},
        "ValidationException",
        "1 validation error detected: Value '[]' at 'parameters' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1",
    ),
    (  # stepfunctions: test_error_create_alias_invalid_router_configs
        "stepfunctions",
        "CreateStateMachineAlias",
        "json",
        {"name": "a", "routingConfiguration": [{"stateMachineVersionArn": f"arn{n}", "weight": n} for n in (1, 2, 3)]},
        "ValidationException",
        "1 validation error detected: Value '[RoutingConfigurationListItem(stateMachineVersionArn=arn1, weight=1), "
        "RoutingConfigurationListItem(stateMachineVersionArn=arn2, weight=2), "
        "RoutingConfigurationListItem(stateMachineVersionArn=arn3, weight=3)]' at 'routingConfiguration' failed to "
        "satisfy constraint: Member must have length less than or equal to 2",
    ),
    (  # cloudwatch: test_exception_serializing_with_no_shape_in_spec
        "cloudwatch",
        "SetAlarmState",
        "query",
        {"AlarmName": "a", "StateValue": "INVALID", "StateReason": "r"},
        "ValidationError",
        "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: Member must "
        "satisfy "
        "enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
    ),
    (  # sts: test_sts_invalid_parameters
        "sts",
        "AssumeRole",
        "query",
        {"RoleArn": "arn:aws:iam::000000000000:role/r", "RoleSessionName": "Session1:2"},
        "ValidationError",
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member "
        "must "
        r"satisfy regular expression pattern: [\w+=,.@-]*",
    ),
]


@pytest.mark.parametrize(("service", "operation", "protocol", "params", "code", "message"), VIOLATIONS)
def test_violated_constraints(
    service: str, operation: str, protocol: str, params: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(WireError) as caught:
        validate.check(service, operation, params, protocol)
    assert caught.value.message == message
    assert caught.value.code == code


def test_lambda_itself_judges_the_runtime_of_a_function() -> None:
    params = {"FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Code": {}, "Runtime": "python2000"}
    assert validate.violations("lambda", "CreateFunction", params) == []
    assert [v.path for v in validate.violations("lambda", "ListLayers", {"CompatibleRuntime": "python2000"})] == [
        "compatibleRuntime"
    ]


def test_a_service_may_judge_some_kinds_itself() -> None:
    params = {"Name": "no spaces", "AuthorizationType": "INVALID"}
    kinds = [v.kind for v in validate.violations("events", "CreateConnection", params)]
    assert kinds == ["pattern", "enum", "required"]
    left = validate.violations("events", "CreateConnection", params, frozenset({"pattern", "required"}))
    assert [v.kind for v in left] == ["enum"]
    assert validate.violations("events", "CreateConnection", params, frozenset(validate.KINDS)) == []


def said(service: str, operation: str, protocol: str, document: object, target: str = "/") -> tuple[str, str | None]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(WireError) as caught:
        decode(service, operation, Request("POST", target, Headers(), body), protocol)
    assert caught.value.status == 400
    return caught.value.code, caught.value.message


# Measured against AWS (Athena's front end, 2026) and quoted in SDK issues for SQS, X-Ray and CodeDeploy.
@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"DelaySeconds": "1"}, "STRING_VALUE can not be converted to an Integer"),
        ({"DelaySeconds": True}, "TRUE_VALUE can not be converted to an Integer"),
        ({"DelaySeconds": [1]}, "Start of list found where not expected"),
        ({"DelaySeconds": {"a": 1}}, "Start of structure or map found where not expected."),
        ({"QueueUrl": 1}, "NUMBER_VALUE can not be converted to a String"),
        ({"QueueUrl": False}, "FALSE_VALUE can not be converted to a String"),
        ({"MessageAttributes": "x"}, "Expected null"),
        ({"MessageAttributes": {"a": {"StringListValues": "x"}}}, "Expected list or null"),
        ({"MessageAttributes": {"a": {"StringListValues": [1]}}}, "NUMBER_VALUE can not be converted to a String"),
        ([], "Start of list found where not expected"),
        (b"{", None),
        (b"null", None),
        (b'{"QueueUrl":"x",}', None),
    ],
)
def test_json_of_the_wrong_kind(document: object, message: str | None) -> None:
    assert said("sqs", "SendMessage", "json", document) == ("SerializationException", message)


def test_fractions_are_cut_off() -> None:
    sent = Request("POST", "/", Headers(), b'{"DelaySeconds": 1.9}')
    assert decode("sqs", "SendMessage", sent, "json") == {"DelaySeconds": 1}


# dynalite: test/helpers.js, assertType
@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"TableName": True}, "TRUE_VALUE cannot be converted to String"),
        ({"TableName": 23}, "NUMBER_VALUE cannot be converted to String"),
        ({"TableName": 34.56}, "DECIMAL_VALUE cannot be converted to String"),
        ({"TableName": []}, "Unrecognized collection type class java.lang.String"),
        ({"TableName": {}}, "Start of structure or map found where not expected"),
        ({"ConsistentRead": "23"}, "Unexpected token received from parser"),
        ({"ConsistentRead": 23}, "NUMBER_VALUE cannot be converted to Boolean"),
        ({"Limit": "23"}, "STRING_VALUE cannot be converted to Integer"),
        ({"Limit": []}, "Unrecognized collection type class java.lang.Integer"),
        ({"AttributesToGet": "23"}, "Unexpected field type"),
        ({"KeyConditions": "23"}, "Unexpected field type"),
        (
            {"KeyConditions": []},
            "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.Condition>",
        ),
        ({"KeyConditions": {"a": "23"}}, "Unexpected value type in payload"),
        (
            {"ExclusiveStartKey": {"a": {"B": "23456"}}},
            "Base64 encoded length is expected a multiple of 4 bytes but found: 5",
        ),
        ({"ExclusiveStartKey": {"a": {"B": 1}}}, "only base-64-encoded strings are convertible to bytes"),
        ({"ExclusiveStartKey": {"a": {"L": ["x"]}}}, "Unexpected value type in payload"),
    ],
)
def test_dynamodb_words_it_differently(document: object, message: str) -> None:
    assert said("dynamodb", "Query", "json", document) == ("SerializationException", message)


# apigateway: test_put_integration_request_parameter_bool_type, test_integration_response_invalid_responsetemplates
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "class java.lang.Boolean can not be converted to an String"),
        (
            1,
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
        ),
    ],
)
def test_api_gateway_names_the_class(value: object, message: str) -> None:
    target = "/restapis/a/resources/b/methods/GET/integration/responses/200"
    got = said("apigateway", "PutIntegrationResponse", "rest-json", {"responseTemplates": {"a/b": value}}, target)
    assert got == ("SerializationException", message)


# s3: recorded for every malformed document
@pytest.mark.parametrize("body", [b"<", b"text", b"<Tagging><TagSet></Tagging>", b"\xff", b"<a/><b/>"])
def test_s3_says_one_thing_of_all_xml_it_cannot_read(body: bytes) -> None:
    assert said("s3", "PutBucketTagging", "rest-xml", body, "/b?tagging") == (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
