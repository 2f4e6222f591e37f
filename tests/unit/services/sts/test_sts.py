"""STS: who asks, and sessions of roles.

The texts are AWS's as recorded in LocalStack's suite (tests/aws/services/sts).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stratolite.app import Config, build
from stratolite.kernel import AwsError, Caller
from stratolite.testing.sim import SimWorld

TRUST = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}'


@pytest.fixture
def role(aws: Any) -> str:
    return str(aws.iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Path="/p/")["Role"]["Arn"])


def as_session(aws: Any, credentials: dict[str, Any]) -> Any:
    principal = aws.cloud.principal(credentials["AccessKeyId"])
    other = aws.of(principal.account)
    other.caller = Caller(principal, principal.account)
    return other


def test_an_account_that_asks_is_its_root(aws: Any) -> None:
    assert aws.of("000000000002").sts.get_caller_identity() == {
        "UserId": "000000000002",
        "Account": "000000000002",
        "Arn": "arn:aws:iam::000000000002:root",
    }


def test_the_credentials_of_a_session_stand_for_the_role_even_from_another_account(aws: Any, role: str) -> None:
    answer = aws.of("000000000002").sts.assume_role(RoleArn=role, RoleSessionName="s", DurationSeconds=900)
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/r/s"
    assert answer["Credentials"]["Expiration"] == aws.now() + 900
    identity = as_session(aws, answer["Credentials"]).sts.get_caller_identity()
    assert identity == {
        "UserId": answer["AssumedRoleUser"]["AssumedRoleId"],
        "Account": "000000000000",
        "Arn": "arn:aws:sts::000000000000:assumed-role/r/s",
    }


def test_a_role_that_is_not_there_cannot_be_assumed(aws: Any) -> None:
    with pytest.raises(AwsError, match="is not authorized to perform: sts:AssumeRole on resource") as error:
        aws.sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/none", RoleSessionName="s")
    assert error.value.code == "AccessDenied"
    with pytest.raises(AwsError, match="arn:a:::something/test-role is invalid"):
        aws.sts.assume_role(RoleArn="arn:a:::something/test-role", RoleSessionName="s")


def test_transitive_tags_are_handed_on_and_not_overridden(aws: Any, role: str) -> None:
    tags = [{"Key": "Team", "Value": "a"}]
    with pytest.raises(AwsError, match="transitive tag key must be included"):
        aws.sts.assume_role(RoleArn=role, RoleSessionName="s", Tags=tags, TransitiveTagKeys=["Other"])
    with pytest.raises(AwsError, match="Tag keys are case insensitive"):
        aws.sts.assume_role(RoleArn=role, RoleSessionName="s", Tags=[*tags, {"Key": "team", "Value": "b"}])
    first = aws.sts.assume_role(RoleArn=role, RoleSessionName="s", Tags=tags, TransitiveTagKeys=["team"])
    session = as_session(aws, first["Credentials"])
    second = session.sts.assume_role(RoleArn=role, RoleSessionName="t")
    for asking in (session, as_session(aws, second["Credentials"])):
        with pytest.raises(AwsError, match="conflicts with a transitive tag key from the calling session"):
            asking.sts.assume_role(RoleArn=role, RoleSessionName="u", Tags=[{"Key": "TEAM", "Value": "b"}])


def test_a_session_outlives_a_restart(tmp_path: Path) -> None:
    world = SimWorld(1)

    async def one_life(key: str | None) -> str:
        cloud = build(Config(state=tmp_path), world)
        await cloud.start()
        if key is None:
            operation = cloud.operation("sts", "GetSessionToken")
            answer: Any = cloud.request(operation, Caller(), {}, "r")
            key = str((await answer)["Credentials"]["AccessKeyId"])
        principal = cloud.principal(key)
        await cloud.stop()
        assert principal.access_key == key
        return key

    world.run(one_life(world.run(one_life(None))))
