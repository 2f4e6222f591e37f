"""Values: versions, and the labels that move between them.

The moves are AWS's as recorded in LocalStack's suite (tests/aws/services/secretsmanager).
"""

from typing import Any

import pytest

from stratolite.kernel import AwsError

TOKENS = [f"{n:032d}" for n in range(200)]


def put(aws: Any, n: int, *stages: str) -> Any:
    more = {"VersionStages": list(stages)} if stages else {}
    return aws.secretsmanager.put_secret_value(SecretId="s", SecretString=f"S{n}", ClientRequestToken=TOKENS[n], **more)


def move(aws: Any, stage: str, was: int | None, to: int | None) -> Any:
    return aws.secretsmanager.update_secret_version_stage(
        SecretId="s",
        VersionStage=stage,
        RemoveFromVersionId=None if was is None else TOKENS[was],
        MoveToVersionId=None if to is None else TOKENS[to],
    )


def stages(aws: Any, deprecated: bool = False) -> dict[int, list[str]]:
    answer = aws.secretsmanager.list_secret_version_ids(SecretId="s", IncludeDeprecated=deprecated)
    return {int(version["VersionId"]): version.get("VersionStages", []) for version in answer["Versions"]}


@pytest.fixture(autouse=True)
def secret(aws: Any) -> None:
    aws.secretsmanager.create_secret(Name="s", SecretString="S0", ClientRequestToken=TOKENS[0])


def test_a_new_value_is_current_and_the_one_before_it_previous(aws: Any) -> None:
    put(aws, 1)
    put(aws, 2)
    assert stages(aws) == {1: ["AWSPREVIOUS"], 2: ["AWSCURRENT"]}
    assert stages(aws, deprecated=True) == {0: [], 1: ["AWSPREVIOUS"], 2: ["AWSCURRENT"]}


def test_a_pending_value_is_not_current_until_the_label_moves(aws: Any) -> None:
    put(aws, 1, "AWSPENDING")
    assert aws.secretsmanager.get_secret_value(SecretId="s")["SecretString"] == "S0"
    assert aws.secretsmanager.get_secret_value(SecretId="s", VersionStage="AWSPENDING")["SecretString"] == "S1"
    move(aws, "AWSCURRENT", 0, 1)
    assert stages(aws) == {0: ["AWSPREVIOUS"], 1: ["AWSCURRENT", "AWSPENDING"]}
    put(aws, 2)
    assert stages(aws) == {1: ["AWSPREVIOUS"], 2: ["AWSCURRENT"]}


def test_custom_labels_stay_where_they_are_put(aws: Any) -> None:
    assert put(aws, 1, "AWSCURRENT", "PUT0")["VersionStages"] == ["AWSCURRENT", "PUT0"]
    put(aws, 2, "AWSPENDING", "PUT1")
    move(aws, "AWSCURRENT", 1, 2)
    put(aws, 3, "AWSPENDING", "PUT2")
    move(aws, "AWSCURRENT", 2, 3)
    assert stages(aws) == {1: ["PUT0"], 2: ["AWSPREVIOUS", "PUT1"], 3: ["AWSCURRENT", "AWSPENDING", "PUT2"]}


def test_a_label_is_taken_from_the_version_that_has_it(aws: Any) -> None:
    put(aws, 1, "one", "two", "three")
    put(aws, 2, "one", "two", "four")
    assert stages(aws) == {0: ["AWSCURRENT"], 1: ["three"], 2: ["four", "one", "two"]}


def test_a_label_is_moved_only_by_who_knows_where_it_is(aws: Any) -> None:
    put(aws, 1, "AWSPENDING")
    with pytest.raises(AwsError, match=r"RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently"):
        move(aws, "AWSCURRENT", None, 1)
    with pytest.raises(AwsError, match=r"can't be completely removed|can only move"):
        move(aws, "AWSCURRENT", 0, None)
    move(aws, "AWSPENDING", 1, None)
    assert stages(aws) == {0: ["AWSCURRENT"]}


def test_the_same_put_twice_is_one_version_and_another_value_a_conflict(aws: Any) -> None:
    assert put(aws, 1) == put(aws, 1)
    assert len(stages(aws, deprecated=True)) == 2
    with pytest.raises(AwsError, match=r"already in use for a version") as error:
        aws.secretsmanager.put_secret_value(SecretId="s", SecretString="other", ClientRequestToken=TOKENS[1])
    assert error.value.code == "ResourceExistsException"


def test_a_hundred_versions_without_a_label_are_kept(aws: Any) -> None:
    for n in range(1, 130):
        put(aws, n)
    kept = stages(aws, deprecated=True)
    assert len(kept) == 102
    assert 129 in kept and 0 not in kept


def test_what_is_not_there_is_said_as_it_was_asked_for(aws: Any) -> None:
    with pytest.raises(AwsError, match=r"secret value for staging label: AWSPREVIOUS"):
        aws.secretsmanager.get_secret_value(SecretId="s", VersionStage="AWSPREVIOUS")
    with pytest.raises(AwsError, match=f"secret value for VersionId: {TOKENS[9]}"):
        aws.secretsmanager.get_secret_value(SecretId="s", VersionId=TOKENS[9])
    with pytest.raises(AwsError, match=r"not associated to the provided VersionId"):
        aws.secretsmanager.get_secret_value(SecretId="s", VersionId=TOKENS[0], VersionStage="AWSPREVIOUS")


def test_the_day_of_the_last_reading_is_remembered(aws: Any) -> None:
    assert "LastAccessedDate" not in aws.secretsmanager.describe_secret(SecretId="s")
    aws.secretsmanager.get_secret_value(SecretId="s")
    day = aws.now() - aws.now() % 86400
    assert aws.secretsmanager.describe_secret(SecretId="s")["LastAccessedDate"] == day


def test_an_update_without_a_value_makes_no_version(aws: Any) -> None:
    answer = aws.secretsmanager.update_secret(SecretId="s", Description="d", ClientRequestToken=TOKENS[1])
    assert "VersionId" not in answer
    assert stages(aws) == {0: ["AWSCURRENT"]}


def test_binary_values_come_back_as_they_were(aws: Any) -> None:
    aws.secretsmanager.put_secret_value(SecretId="s", SecretBinary=b"\x00\xff", ClientRequestToken=TOKENS[1])
    answer = aws.secretsmanager.get_secret_value(SecretId="s")
    assert answer["SecretBinary"] == b"\x00\xff" and "SecretString" not in answer
