"""Functions by the API: answers and errors as recorded on AWS (LocalStack's `test_lambda_api.snapshot.json`)."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from lambda_world import ARN, ROLE, Lambda, packed

from stratolite.testing import TestCloud


def refused(do: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        do(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_created_function_is_pending_and_then_active(functions: Lambda) -> None:
    made = functions.make("f", Environment={"Variables": {"NAME": "value"}})
    assert made["State"] == "Pending" and made["StateReasonCode"] == "Creating"
    assert made["FunctionArn"] == ARN + "f" and made["Version"] == "$LATEST"
    assert made["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}
    assert made["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    found = functions.api.get_function(FunctionName="f")["Configuration"]
    assert found["State"] == "Active" and found["LastUpdateStatus"] == "Successful"
    assert found["RevisionId"] != made["RevisionId"]
    functions.api.get_waiter("function_active_v2").wait(FunctionName="f")


def test_the_hash_is_of_the_package(functions: Lambda) -> None:
    made = functions.make("f", Code={"ZipFile": packed(f="def handler(event, context): return 1")})
    body = packed(f="def handler(event, context): return 1")
    assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert made["CodeSize"] == len(body)


def test_a_package_can_be_fetched_from_where_get_function_says(functions: Lambda) -> None:
    body = packed(f="")
    functions.make("f", Code={"ZipFile": body})
    place = functions.api.get_function(FunctionName="f")["Code"]["Location"]
    assert functions.cloud.http("GET", place).body == body


@pytest.mark.parametrize(
    "name", ["f", ARN + "f", "000000000000:function:f", "function:f", "f:$LATEST", ARN + "f:$LATEST"]
)
def test_a_function_has_many_names(functions: Lambda, name: str) -> None:
    functions.make("f")
    assert functions.api.get_function_configuration(FunctionName=name)["FunctionName"] == "f"


def test_errors_in_the_words_of_aws(functions: Lambda) -> None:
    functions.make("f")
    api = functions.api
    assert refused(api.get_function, FunctionName="nope") == (
        "ResourceNotFoundException", f"Function not found: {ARN}nope"
    )  # fmt: skip
    assert refused(api.get_function, FunctionName="f", Qualifier="7") == (
        "ResourceNotFoundException", f"Function not found: {ARN}f:7"
    )  # fmt: skip
    assert refused(api.get_function, FunctionName="f:1", Qualifier="2") == (
        "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.",
    )
    assert refused(api.get_function, FunctionName="arn:aws:lambda:eu-west-1:000000000000:function:f") == (
        "ResourceNotFoundException",
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    )
    assert refused(api.delete_function, FunctionName="f:$LATEST") == (
        "InvalidParameterValueException",
        "$LATEST version cannot be deleted without deleting the function.",
    )
    made: dict[str, Any] = {
        "FunctionName": "g",
        "Role": ROLE,
        "Handler": "g.handler",
        "Code": {"ZipFile": packed(g="")},
    }
    assert refused(api.create_function, **made, Runtime="python3.7")[1].startswith(
        "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions."
    )
    assert refused(api.create_function, **{**made, "Code": {"ZipFile": b"no zip"}}, Runtime="python3.12") == (
        "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    )
    assert refused(api.create_function, **{**made, "FunctionName": "f"}, Runtime="python3.12") == (
        "ResourceConflictException",
        "Function already exist: f",
    )
    large = {"Variables": {"LARGE": "x" * 4096}}
    code, message = refused(api.create_function, **made, Runtime="python3.12", Environment=large)
    assert code == "InvalidParameterValueException"
    assert (
        "exceeded the 4KB limit. String measured: " + json.dumps(large["Variables"], separators=(",", ":")) in message
    )


def test_an_update_is_live_with_the_next_event(functions: Lambda) -> None:
    functions.make("f", "return 1")
    assert functions.cloud.invoke("f") == 1
    code = packed(f="import os\ndef handler(event, context): return os.environ.get('NAME', 2)")
    updated = functions.api.update_function_code(FunctionName="f", ZipFile=code)
    assert updated["LastUpdateStatus"] == "InProgress"
    functions.cloud.clock.settle()
    assert functions.cloud.invoke("f") == 2
    functions.api.update_function_configuration(FunctionName="f", Environment={"Variables": {"NAME": "three"}})
    functions.cloud.clock.settle()
    assert functions.cloud.invoke("f") == "three"


def test_a_file_saved_in_a_local_folder_is_live_with_the_next_event(functions: Lambda) -> None:
    (functions.folder / "app.py").write_text("def handler(event, context): return 1")
    where = {"S3Bucket": "__local__", "S3Key": str(functions.folder)}
    functions.make("f", Code=where, Handler="app.handler")
    assert functions.cloud.invoke("f") == 1
    (functions.folder / "app.py").write_text("def handler(event, context): return 22")
    assert functions.cloud.invoke("f") == 22


def test_packages_in_a_folder_of_their_own_are_importable(functions: Lambda) -> None:
    source, packages = functions.folder / "source", functions.folder / "packages"
    for folder in (source, packages):
        folder.mkdir()
    (packages / "dependency_of_ours.py").write_text("value = 7")
    (source / "app.py").write_text("import dependency_of_ours as d\ndef handler(event, context): return d.value")
    functions.make("f", Code={"S3Bucket": "__local__", "S3Key": f"{source}:{packages}"}, Handler="app.handler")
    assert functions.cloud.invoke("f") == 7


def test_versions_keep_what_was_published(functions: Lambda) -> None:
    functions.make("f", "return 1")
    first = functions.api.publish_version(FunctionName="f", Description="the first")
    assert first["Version"] == "1" and first["FunctionArn"] == ARN + "f:1"
    assert functions.api.publish_version(FunctionName="f")["Version"] == "1"
    functions.api.update_function_code(FunctionName="f", ZipFile=packed(f="def handler(event, context): return 2"))
    functions.cloud.clock.settle()
    assert functions.api.publish_version(FunctionName="f")["Version"] == "2"
    assert [functions.cloud.invoke(name) for name in ("f", "f:1", "f:2")] == [2, 1, 2]
    assert [v["Version"] for v in functions.api.list_versions_by_function(FunctionName="f")["Versions"]] == [
        "$LATEST", "1", "2"
    ]  # fmt: skip


def test_an_alias_moves_and_divides(functions: Lambda) -> None:
    functions.make("f", "return context.function_version")
    functions.api.publish_version(FunctionName="f")
    functions.api.update_function_configuration(FunctionName="f", Description="changed")
    functions.cloud.clock.settle()
    functions.api.publish_version(FunctionName="f")
    functions.api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert functions.cloud.invoke("f:live") == "1"
    functions.api.update_alias(FunctionName="f", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    assert {functions.cloud.invoke("f:live") for _ in range(20)} == {"1", "2"}
    assert refused(functions.api.delete_function, FunctionName="f:1")[0] == "ResourceConflictException"


def test_a_resource_policy_is_written_statement_by_statement(functions: Lambda) -> None:
    functions.make("f")
    statement = functions.api.add_permission(
        FunctionName="f", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::bucket",
    )["Statement"]  # fmt: skip
    assert json.loads(statement) == {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN + "f",
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}},
    }
    policy = json.loads(functions.api.get_policy(FunctionName="f")["Policy"])
    assert policy["Id"] == "default" and len(policy["Statement"]) == 1
    functions.api.remove_permission(FunctionName="f", StatementId="s3")
    assert refused(functions.api.get_policy, FunctionName="f")[0] == "ResourceNotFoundException"


def test_layers_lie_below_the_code_in_their_order(functions: Lambda) -> None:
    body = packed(**{"python/of_a_layer": "value = 'layer'"})
    layer = functions.api.publish_layer_version(LayerName="layer", Content={"ZipFile": body})
    assert layer["Version"] == 1 and layer["LayerVersionArn"].endswith(":layer:layer:1")
    functions.make("f", "import of_a_layer\nreturn of_a_layer.value", Layers=[layer["LayerVersionArn"]])
    assert functions.cloud.invoke("f") == "layer"


def test_a_layer_version_is_shared_statement_by_statement(functions: Lambda) -> None:
    functions.api.publish_layer_version(LayerName="layer", Content={"ZipFile": packed(x="")})
    version: dict[str, Any] = {"LayerName": "layer", "VersionNumber": 1}
    allow = {"Action": "lambda:GetLayerVersion", "Principal": "*"}
    assert refused(functions.api.get_layer_version_policy, **version) == (
        "ResourceNotFoundException", "No policy is associated with the given resource."
    )  # fmt: skip
    added = functions.api.add_layer_version_permission(**version, **allow, StatementId="s1")
    assert json.loads(added["Statement"])["Resource"].endswith(":layer:layer:1")
    wrong = {**version, **allow, "StatementId": "s2", "RevisionId": "wrong"}
    assert refused(functions.api.add_layer_version_permission, **wrong)[0] == "PreconditionFailedException"
    functions.api.add_layer_version_permission(**{**wrong, "RevisionId": added["RevisionId"]})
    functions.api.remove_layer_version_permission(**version, StatementId="s1")
    policy = json.loads(functions.api.get_layer_version_policy(**version)["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["s2"]


def test_reserved_concurrency_leaves_a_hundred_to_the_others(functions: Lambda) -> None:
    functions.make("f")
    functions.cloud.invoke("f")
    put = functions.api.put_function_concurrency
    assert put(FunctionName="f", ReservedConcurrentExecutions=900)["ReservedConcurrentExecutions"] == 900
    assert refused(put, FunctionName="f", ReservedConcurrentExecutions=901)[0] == "InvalidParameterValueException"
    put(FunctionName="f", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as caught:
        functions.api.invoke(FunctionName="f")
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_deleted_function_is_gone_with_all_that_was_its(functions: Lambda, tmp_path: Path) -> None:
    functions.make("f")
    functions.api.publish_version(FunctionName="f")
    functions.cloud.invoke("f")
    functions.api.delete_function(FunctionName="f")
    assert functions.api.list_functions()["Functions"] == []
    assert refused(functions.api.invoke, FunctionName="f:1")[0] == "ResourceNotFoundException"
    blobs = [path for path in (functions.cloud.folder / "blobs").rglob("*") if path.is_file()]
    assert blobs == []


def test_unpacked_code_that_is_no_longer_needed_goes_with_the_next_life(tmp_path: Path) -> None:
    def unpacked() -> list[Path]:
        return sorted((tmp_path / "state" / "code").iterdir())

    with TestCloud(folder=tmp_path, durable=True) as cloud:
        first = Lambda(cloud, tmp_path)
        for name in ("kept", "deleted"):
            first.make(name)
            cloud.invoke(name)
        first.api.delete_function(FunctionName="deleted")
        assert len(unpacked()) == 2
    with TestCloud(folder=tmp_path, durable=True) as cloud:
        cloud.invoke("kept")
        cloud.clock.advance(1)
        assert len(unpacked()) == 1


def test_a_layers_policy_refuses_what_is_not_there_and_what_already_is(functions: Lambda) -> None:
    """`test_layer_policy_exceptions`."""
    functions.api.publish_layer_version(LayerName="layer", Content={"ZipFile": packed(a="")})
    statement = {"StatementId": "s1", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    version: dict[str, Any] = {"LayerName": "layer", "VersionNumber": 1}
    add, remove = functions.api.add_layer_version_permission, functions.api.remove_layer_version_permission
    add(**version, **statement)
    assert refused(add, **version, **statement) == (
        "ResourceConflictException",
        "The statement id (s1) provided already exists. Please provide a new statement id,"
        " or remove the existing statement.",
    )
    assert refused(remove, **version, StatementId="s1", RevisionId="other") == (
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id."
        " Call the GetLayerPolicy API to retrieve the latest Revision Id",
    )
    assert refused(remove, **version, StatementId="s2")[1] == "Statement s2 is not found in resource policy."
    assert refused(add, LayerName="layer", VersionNumber=2, **statement) == (
        "ResourceNotFoundException",
        "Layer version arn:aws:lambda:us-east-1:000000000000:layer:layer:2 does not exist.",
    )


def test_an_aliass_revision_guards_its_first_permission(functions: Lambda) -> None:
    """`test_lambda_permission_fn_versioning`."""
    functions.make("f")
    functions.api.publish_version(FunctionName="f")
    alias = functions.api.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    permission = {"StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    add = functions.api.add_permission
    wrong = refused(add, FunctionName="f", Qualifier="live", RevisionId="wrong", **permission)
    assert wrong[0] == "PreconditionFailedException"
    add(FunctionName="f", Qualifier="live", RevisionId=alias["RevisionId"], **permission)


def test_a_function_of_another_account_is_not_made(functions: Lambda) -> None:
    """`test_function_arns`."""
    elsewhere = "arn:aws:lambda:us-east-1:123456789012:function:f"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        functions.make(elsewhere)


def test_a_few_errors_do_not_say_whose_fault_they_are(functions: Lambda) -> None:
    """`test_function_concurrency_limits`."""
    functions.make("f")
    with pytest.raises(ClientError) as caught:
        functions.api.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=901)
    assert "Type" not in caught.value.response
    with pytest.raises(ClientError) as caught:
        functions.api.put_function_concurrency(FunctionName="g", ReservedConcurrentExecutions=1)
    assert caught.value.response["Type"] == "User"


def test_a_published_version_shows_no_tags(functions: Lambda) -> None:
    """LocalStack's `cloudformation/resources/test_lambda.snapshot.json`, test_lambda_version."""
    functions.make("f", Tags={"a": "1"})
    functions.api.publish_version(FunctionName="f")
    assert functions.api.get_function(FunctionName="f")["Tags"] == {"a": "1"}
    assert "Tags" not in functions.api.get_function(FunctionName="f", Qualifier="1")


def test_layers_count_among_the_code_of_an_account(functions: Lambda) -> None:
    """`test_account_settings_total_code_size`."""

    def used() -> int:
        return int(functions.api.get_account_settings()["AccountUsage"]["TotalCodeSize"])

    functions.make("f")
    before, body = used(), packed(a="value = 1")
    functions.api.publish_layer_version(LayerName="layer", Content={"ZipFile": body})
    assert used() == before + len(body)


def test_a_request_too_large_as_a_whole_is_said_before_its_environment(functions: Lambda) -> None:
    """`test_oversized_request_create_lambda`."""
    refusal = refused(
        functions.api.create_function,
        FunctionName="f", Role=ROLE, Runtime="python3.12", Handler="f.handler", Code={"ZipFile": b"0" * 6_000_000},
        Environment={"Variables": {"LARGE": "x" * 63_000_000}},
    )  # fmt: skip
    assert refusal == (
        "RequestEntityTooLargeException",
        "Request must be smaller than 70167211 bytes for the CreateFunction operation",
    )


@pytest.mark.parametrize(("name", "session"), [("f", "f@lambda_function"), ("fn", "fn")])
def test_a_function_acts_as_a_session_of_its_role(functions: Lambda, name: str, session: str) -> None:
    """`test_assume_role`: a session's name has two characters at least."""
    keys = "aws_access_key_id", "aws_secret_access_key", "aws_session_token"
    functions.make(
        name,
        f"import os, boto3\nkeys = {{key: os.environ[key.upper()] for key in {keys}}}\n"
        "return boto3.client('sts', **keys).get_caller_identity()['Arn']",
    )
    assert functions.cloud.invoke(name) == f"arn:aws:sts::000000000000:assumed-role/role/{session}"
