"""KMS: keys, what they lock, their aliases, rotation and end.

The texts are AWS's as recorded in LocalStack's suite (tests/aws/services/kms).
"""

import sys
from typing import Any

import pytest

from stratolite.kernel import AwsError
from stratolite.services.kms import ciphers, pairs

DAY_S = 86400.0


def make(aws: Any, **more: Any) -> Any:
    return aws.kms.create_key(**more)["KeyMetadata"]


def test_what_a_key_locks_only_it_opens_and_only_in_its_context(aws: Any) -> None:
    key, other = make(aws), make(aws)
    context = {"purpose": "test"}
    sealed = aws.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"hello", EncryptionContext=context)
    assert b"hello" not in sealed["CiphertextBlob"] and sealed["KeyId"] == key["Arn"]
    opened = aws.kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"hello", key["Arn"])
    for broken in (sealed["CiphertextBlob"] + b"x", b"x" * 80, sealed["CiphertextBlob"][:20]):
        with pytest.raises(AwsError) as error:
            aws.kms.decrypt(CiphertextBlob=broken, EncryptionContext=context)
        assert error.value.code == "InvalidCiphertextException"
    with pytest.raises(AwsError) as error:
        aws.kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
    assert error.value.code == "InvalidCiphertextException"
    with pytest.raises(AwsError, match=r"does not identify a CMK that can perform"):
        aws.kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context, KeyId=other["KeyId"])


@pytest.mark.parametrize("length", [0, 1, 31, 4096])
def test_a_cipher_gives_back_what_it_took(length: int) -> None:
    plain = bytes(range(256)) * 17
    sealed = ciphers.seal("id", 7, b"k" * 32, b"n" * 16, plain[:length], {"a": "b"})
    read = ciphers.read(sealed)
    assert (read.key_id, read.material) == ("id", 7)
    assert ciphers.unseal(read, b"k" * 32, {"a": "b"}) == plain[:length]


def test_a_key_is_found_by_id_arn_alias_and_alias_arn(aws: Any) -> None:
    key = make(aws, Description="d")
    aws.kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    names = [key["KeyId"], key["Arn"], "alias/mine", "arn:aws:kms:us-east-1:000000000000:alias/mine"]
    assert [aws.kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] for name in names] == [key["KeyId"]] * 4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fake", "Invalid keyId 'fake'"),
        ("134f2428-cec1-4b25-a1ae-9048164dba47", "Key 'arn:aws:kms:us-east-1:000000000000:key/134f2428-"),
        ("alias/none", "Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found."),
        ("arn:aws:kms:eu-west-1:000000000000:key/134f2428-cec1-4b25-a1ae-9048164dba47", "Invalid arn eu-west-1"),
    ],
)
def test_what_is_not_there_is_said_in_awss_words(aws: Any, name: str, message: str) -> None:
    with pytest.raises(AwsError, match=message) as error:
        aws.kms.describe_key(KeyId=name)
    assert error.value.code == "NotFoundException"


def test_a_service_has_its_own_key_from_its_first_use_on(aws: Any) -> None:
    assert aws.kms.list_aliases()["Aliases"] == []
    key = aws.kms.describe_key(KeyId="alias/aws/sqs")["KeyMetadata"]
    assert key["KeyManager"] == "AWS"
    assert aws.kms.describe_key(KeyId="alias/aws/sqs")["KeyMetadata"] == key
    with pytest.raises(AwsError) as error:
        aws.kms.create_alias(AliasName="alias/aws/mine", TargetKeyId=key["KeyId"])
    assert error.value.code == "NotAuthorizedException"


def test_a_disabled_key_is_of_no_use_and_a_deleted_one_goes_after_its_wait(aws: Any) -> None:
    key = make(aws)
    aws.kms.disable_key(KeyId=key["KeyId"])
    with pytest.raises(AwsError, match=r"is disabled.") as error:
        aws.kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
    assert error.value.code == "DisabledException"
    aws.kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with pytest.raises(AwsError, match=r"is pending deletion."):
        aws.kms.schedule_key_deletion(KeyId=key["KeyId"])
    aws.kms.cancel_key_deletion(KeyId=key["KeyId"])
    aws.pass_time(8 * DAY_S)
    assert aws.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Disabled"
    aws.kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    aws.pass_time(7 * DAY_S + 1)
    with pytest.raises(AwsError, match=r"does not exist"):
        aws.kms.describe_key(KeyId=key["KeyId"])


def test_a_rotated_key_opens_what_it_locked_before(aws: Any) -> None:
    key = make(aws)
    sealed = aws.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"old")["CiphertextBlob"]
    aws.kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    aws.pass_time(91 * DAY_S)
    aws.kms.rotate_key_on_demand(KeyId=key["KeyId"])
    rotations = aws.kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]
    assert [rotation["RotationType"] for rotation in rotations] == ["AUTOMATIC", "ON_DEMAND"]
    assert (
        aws.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"] != key["CurrentKeyMaterialId"]
    )
    assert aws.kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"old"


def test_a_replica_opens_what_its_primary_locked(aws: Any) -> None:
    key = make(aws, MultiRegion=True)
    sealed = aws.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    aws.kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion="eu-west-1")
    there = aws.of(region="eu-west-1").kms
    assert there.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    configuration = there.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["MultiRegionConfiguration"]
    assert configuration["MultiRegionKeyType"] == "REPLICA"


def test_a_mac_is_verified_by_the_key_that_made_it(aws: Any) -> None:
    key = make(aws, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    how = {"KeyId": key["KeyId"], "MacAlgorithm": "HMAC_SHA_256"}
    mac = aws.kms.generate_mac(Message=b"m", **how)["Mac"]
    assert aws.kms.verify_mac(Message=b"m", Mac=mac, **how)["MacValid"]
    with pytest.raises(AwsError) as error:
        aws.kms.verify_mac(Message=b"other", Mac=mac, **how)
    assert error.value.code == "KMSInvalidMacException"
    with pytest.raises(AwsError, match=r"key usage is GENERATE_VERIFY_MAC which is not valid for Encrypt."):
        aws.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_tags_are_checked(aws: Any) -> None:
    key = make(aws, Tags=[{"TagKey": "b", "TagValue": "1"}, {"TagKey": "a", "TagValue": "2"}])
    assert [tag["TagKey"] for tag in aws.kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]] == ["a", "b"]
    for tags, message in (
        (["x", "x"], "Duplicate tag keys"),
        (["AWS:x"], "Tags beginning with aws: are reserved"),
        ([f"t{n}" for n in range(51)], "Too many tags"),
    ):
        with pytest.raises(AwsError, match=message):
            aws.kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": tag, "TagValue": ""} for tag in tags])


def test_a_grant_is_listed_until_it_is_retired_or_revoked(aws: Any) -> None:
    key = make(aws)["KeyId"]
    wanted = {"KeyId": key, "GranteePrincipal": "arn:aws:iam::000000000000:root", "Operations": ["Decrypt"]}
    first, second = aws.kms.create_grant(**wanted, Name="n"), aws.kms.create_grant(**wanted)
    assert aws.kms.create_grant(**wanted, Name="n") == first
    assert len(aws.kms.list_grants(KeyId=key)["Grants"]) == 2
    aws.kms.revoke_grant(KeyId=key, GrantId=first["GrantId"])
    aws.kms.retire_grant(GrantToken=second["GrantToken"])
    assert aws.kms.list_grants(KeyId=key)["Grants"] == []


def test_what_we_cannot_do_is_refused_by_name(aws: Any) -> None:
    for wanted in ({"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"}, {"Origin": "AWS_CLOUDHSM"}):
        with pytest.raises(AwsError, match="not emulated here") as error:
            make(aws, **wanted)
        assert error.value.code == "UnsupportedOperationException"


def test_without_the_library_of_pairs_they_are_refused_by_name(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    pairs._library.cache_clear()
    with pytest.raises(AwsError, match=r"pip install 'stratolite\[kms\]'") as error:
        make(aws, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    assert error.value.code == "UnsupportedOperationException"
    pairs._library.cache_clear()


def test_the_spec_and_the_usage_of_a_key_must_go_together(aws: Any) -> None:
    with pytest.raises(AwsError, match="KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048"):
        make(aws, KeySpec="RSA_2048", KeyUsage="KEY_AGREEMENT")
    with pytest.raises(AwsError, match="You must specify a KeyUsage value"):
        make(aws, KeySpec="HMAC_256")
