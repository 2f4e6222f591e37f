"""Secrets, parameters, keys, logs and identities through sockets with boto3, and what a crash leaves of them."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest

TRUST = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}'


def test_what_was_acknowledged_survives_kill_9(live_cloud: Any) -> None:
    secrets, ssm, kms, logs = (live_cloud.client(name) for name in ("secretsmanager", "ssm", "kms", "logs"))
    secrets.create_secret(Name="db", SecretString="one")
    secrets.put_secret_value(SecretId="db", SecretBinary=b"\x00two")
    ssm.put_parameter(Name="/app/key", Value="hidden", Type="SecureString")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    line = {"timestamp": int(time.time() * 1000), "message": "last words"}
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[line])
    live_cloud.kill()
    live_cloud.start()
    assert secrets.get_secret_value(SecretId="db")["SecretBinary"] == b"\x00two"
    assert secrets.get_secret_value(SecretId="db", VersionStage="AWSPREVIOUS")["SecretString"] == "one"
    assert ssm.get_parameter(Name="/app/key", WithDecryption=True)["Parameter"]["Value"] == "hidden"
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    [event] = logs.filter_log_events(logGroupName="g", filterPattern='"last words"')["events"]
    assert (event["timestamp"], event["message"]) == (line["timestamp"], line["message"])


def test_a_role_session_is_who_it_says_before_and_after_a_crash(live_cloud: Any) -> None:
    role = live_cloud.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    given = live_cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
    session = boto3.client(
        "sts",
        endpoint_url=live_cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    arn = "arn:aws:sts::000000000000:assumed-role/r/me"
    assert session.get_caller_identity()["Arn"] == arn
    live_cloud.kill()
    live_cloud.start()
    assert session.get_caller_identity()["Arn"] == arn


def test_errors_are_boto3s_own_exceptions(live_cloud: Any) -> None:
    secrets, iam, logs = (live_cloud.client(name) for name in ("secretsmanager", "iam", "logs"))
    with pytest.raises(secrets.exceptions.ResourceNotFoundException, match="can't find the specified secret"):
        secrets.get_secret_value(SecretId="none")
    with pytest.raises(iam.exceptions.NoSuchEntityException) as error:
        iam.get_role(RoleName="none")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(logs.exceptions.InvalidParameterException, match="less than or equal to 10000"):
        logs.filter_log_events(logGroupName="g", limit=10_001)
