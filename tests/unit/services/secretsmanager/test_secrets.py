"""Secrets: made, found, deleted, restored, listed.

The answers are AWS's as recorded in LocalStack's suite (tests/aws/services/secretsmanager), or as the API reference
says.
"""

from typing import Any

import pytest

from stratolite.kernel import AwsError

DAY_S = 86400.0
TOKENS = [f"{n:032d}" for n in range(200)]


def make(aws: Any, name: str = "app/key", **more: Any) -> Any:
    return aws.secretsmanager.create_secret(Name=name, ClientRequestToken=TOKENS[0], **{"SecretString": "one", **more})


def test_a_secret_is_found_by_name_by_arn_and_by_its_arn_without_the_suffix(aws: Any) -> None:
    arn = make(aws)["ARN"]
    assert arn[:-6] == "arn:aws:secretsmanager:us-east-1:000000000000:secret:app/key-"
    for secret_id in ("app/key", arn, arn[:-7]):
        assert aws.secretsmanager.get_secret_value(SecretId=secret_id)["SecretString"] == "one"


def test_a_name_that_ends_like_a_suffix_is_not_found_by_its_partial_arn(aws: Any) -> None:
    arn = make(aws, "name-a1b2c3")["ARN"]
    with pytest.raises(AwsError, match=r"can't find the specified secret") as error:
        aws.secretsmanager.get_secret_value(SecretId=arn[:-7])
    assert error.value.code == "ResourceNotFoundException"


@pytest.mark.parametrize("name", ["Inv Name", "Inv*Name?", "a]b"])
def test_a_name_with_other_characters_is_refused(aws: Any, name: str) -> None:
    with pytest.raises(AwsError, match=r"Invalid name. Must be a valid name") as error:
        aws.secretsmanager.describe_secret(SecretId=name)
    assert error.value.code == "ValidationException"


def test_the_same_creation_twice_makes_one_secret_and_another_value_is_a_conflict(aws: Any) -> None:
    assert make(aws) == make(aws)
    with pytest.raises(AwsError, match=r"You can't use ClientRequestToken"):
        make(aws, SecretString="two")
    with pytest.raises(AwsError, match=r"the secret app/key already exists"):
        aws.secretsmanager.create_secret(Name="app/key", ClientRequestToken=TOKENS[1])


def test_a_client_that_sends_no_token_is_told_so(aws: Any) -> None:
    with pytest.raises(AwsError, match=r"You must provide a ClientRequestToken value"):
        aws.secretsmanager.create_secret(Name="app/key")


def test_a_deleted_secret_can_be_restored_until_its_window_ends_and_is_gone_after_it(aws: Any) -> None:
    make(aws)
    deleted = aws.secretsmanager.delete_secret(SecretId="app/key", RecoveryWindowInDays=7)
    assert deleted["DeletionDate"] == pytest.approx(aws.now() + 7 * DAY_S)
    with pytest.raises(AwsError, match=r"it was marked for deletion"):
        aws.secretsmanager.get_secret_value(SecretId="app/key")
    with pytest.raises(AwsError, match=r"already scheduled for deletion"):
        make(aws)
    aws.pass_time(6 * DAY_S)
    aws.secretsmanager.restore_secret(SecretId="app/key")
    aws.pass_time(2 * DAY_S)
    assert aws.secretsmanager.get_secret_value(SecretId="app/key")["SecretString"] == "one"
    aws.secretsmanager.delete_secret(SecretId="app/key", RecoveryWindowInDays=7)
    aws.pass_time(7 * DAY_S + 1)
    with pytest.raises(AwsError, match=r"can't find"):
        aws.secretsmanager.describe_secret(SecretId="app/key")


def test_a_forced_deletion_is_at_once_and_asks_for_no_secret(aws: Any) -> None:
    make(aws)
    aws.secretsmanager.delete_secret(SecretId="app/key")
    aws.secretsmanager.delete_secret(SecretId="app/key", ForceDeleteWithoutRecovery=True)
    assert aws.secretsmanager.delete_secret(SecretId="app/key", ForceDeleteWithoutRecovery=True)["Name"] == "app/key"
    assert "VersionId" in make(aws)


@pytest.mark.parametrize("window", [{"RecoveryWindowInDays": 6}, {"RecoveryWindowInDays": 31}])
def test_the_recovery_window_is_7_to_30_days(aws: Any, window: dict[str, Any]) -> None:
    make(aws)
    with pytest.raises(AwsError, match=r"between 7 and 30 days"):
        aws.secretsmanager.delete_secret(SecretId="app/key", **window)


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("name", "/", ["/two", "/four"]),
        ("name", "!/", ["one", "three"]),
        ("description", "a", ["one", "/two", "three"]),
        ("description", "a secret", ["one", "/two"]),
        ("description", "!a", ["/four"]),
        ("description", "!c", ["one", "/two", "three", "/four"]),
        ("tag-key", "env", ["one"]),
        ("tag-value", "Pr", ["one"]),
        ("all", "prod", ["one"]),
    ],
)
def test_lists_are_filtered(aws: Any, key: str, value: str, found: list[str]) -> None:
    make(aws, "one", Description="a secret", Tags=[{"Key": "env", "Value": "Prod"}])
    make(aws, "/two", Description="an secret")
    make(aws, "three", Description="asecret")
    make(aws, "/four", Description="thesecret")
    answer = aws.secretsmanager.list_secrets(Filters=[{"Key": key, "Values": [value]}])
    assert [secret["Name"] for secret in answer["SecretList"]] == found


def test_lists_are_paged_either_way(aws: Any) -> None:
    for n in range(5):
        make(aws, f"s{n}")
    for order, expected in (("asc", "01234"), ("desc", "43210")):
        names, token = [], None
        while True:
            page = aws.secretsmanager.list_secrets(MaxResults=2, NextToken=token, SortOrder=order, SortBy="name")
            names += [secret["Name"][1] for secret in page["SecretList"]]
            if (token := page.get("NextToken")) is None:
                break
        assert "".join(names) == expected
    with pytest.raises(AwsError, match=r"NextToken value is invalid"):
        aws.secretsmanager.list_secrets(NextToken="nonsense")


def test_many_values_come_at_once_with_the_errors_of_those_that_did_not(aws: Any) -> None:
    make(aws, "a")
    make(aws, "b", SecretString=None)
    answer = aws.secretsmanager.batch_get_secret_value(SecretIdList=["a", "b", "c"])
    assert [value["Name"] for value in answer["SecretValues"]] == ["a"]
    assert {error["SecretId"]: error["ErrorCode"] for error in answer["Errors"]} == {
        "b": "ResourceNotFoundException",
        "c": "ResourceNotFoundException",
    }


def test_tags_once_set_are_told_even_when_none_is_left(aws: Any) -> None:
    make(aws)
    assert "Tags" not in aws.secretsmanager.describe_secret(SecretId="app/key")
    aws.secretsmanager.tag_resource(SecretId="app/key", Tags=[{"Key": "a", "Value": "1"}])
    aws.secretsmanager.untag_resource(SecretId="app/key", TagKeys=["a"])
    assert aws.secretsmanager.describe_secret(SecretId="app/key")["Tags"] == []


def test_a_secret_under_the_default_key_is_not_for_other_accounts(aws: Any) -> None:
    arn = make(aws)["ARN"]
    key = aws.kms.create_key()["KeyMetadata"]["Arn"]
    shared = make(aws, "shared", KmsKeyId=key)["ARN"]
    stranger = aws.of("000000000002").secretsmanager
    assert stranger.describe_secret(SecretId=arn)["ARN"] == arn
    with pytest.raises(AwsError, match=r"the default KMS service key"):
        stranger.get_secret_value(SecretId=arn)
    assert stranger.get_secret_value(SecretId=shared)["SecretString"] == "one"


def test_a_secret_cannot_be_read_while_its_key_is_disabled(aws: Any) -> None:
    key = aws.kms.create_key()["KeyMetadata"]["KeyId"]
    make(aws, KmsKeyId=key)
    aws.kms.disable_key(KeyId=key)
    with pytest.raises(AwsError) as error:
        aws.secretsmanager.get_secret_value(SecretId="app/key")
    assert error.value.code == "DecryptionFailure"


def test_a_replica_is_read_in_its_region_and_not_written_there(aws: Any) -> None:
    make(aws)
    answer = aws.secretsmanager.replicate_secret_to_regions(
        SecretId="app/key", AddReplicaRegions=[{"Region": "eu-west-1"}]
    )
    assert [(r["Region"], r["Status"]) for r in answer["ReplicationStatus"]] == [("eu-west-1", "InSync")]
    there = aws.of(region="eu-west-1").secretsmanager
    assert there.get_secret_value(SecretId="app/key")["ARN"].startswith("arn:aws:secretsmanager:eu-west-1:")
    with pytest.raises(AwsError, match=r"replica"):
        there.put_secret_value(SecretId="app/key", SecretString="x", ClientRequestToken=TOKENS[1])
    with pytest.raises(AwsError, match=r"replica regions"):
        aws.secretsmanager.delete_secret(SecretId="app/key")


def test_a_public_policy_is_refused_where_that_is_asked_for(aws: Any) -> None:
    make(aws)
    policy = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}'
    with pytest.raises(AwsError) as error:
        aws.secretsmanager.put_resource_policy(SecretId="app/key", ResourcePolicy=policy, BlockPublicPolicy=True)
    assert error.value.code == "PublicPolicyException"
    aws.secretsmanager.put_resource_policy(SecretId="app/key", ResourcePolicy=policy)
    assert aws.secretsmanager.get_resource_policy(SecretId="app/key")["ResourcePolicy"] == policy
    assert not aws.secretsmanager.validate_resource_policy(ResourcePolicy=policy)["PolicyValidationPassed"]


def test_a_password_has_every_kind_of_character_asked_for_and_none_excluded(aws: Any) -> None:
    password = aws.secretsmanager.get_random_password(
        PasswordLength=8, ExcludePunctuation=True, ExcludeCharacters="abc", IncludeSpace=True
    )["RandomPassword"]
    assert len(password) == 8
    assert all(any(test(c) for c in password) for test in (str.islower, str.isupper, str.isdigit, str.isspace))
    assert not set(password) & set("abc!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    with pytest.raises(AwsError, match=r"too short"):
        aws.secretsmanager.get_random_password(PasswordLength=3)
