"""Key pairs and imported key material, where the library for them is installed.

The texts are AWS's as recorded in LocalStack's suite (tests/aws/services/kms).
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from stratolite.kernel import AwsError

pytest.importorskip("cryptography")

DAY_S = 86400.0


def make(aws: Any, spec: str, usage: str, **more: Any) -> str:
    return str(aws.kms.create_key(KeySpec=spec, KeyUsage=usage, **more)["KeyMetadata"]["KeyId"])


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("ECC_NIST_P256", "ECDSA_SHA_256"),
        ("ECC_NIST_P521", "ECDSA_SHA_512"),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
        ("RSA_2048", "RSASSA_PSS_SHA_384"),
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"),
    ],
)
def test_what_a_key_signed_it_verifies_as_text_or_as_digest(aws: Any, spec: str, algorithm: str) -> None:
    how = {"KeyId": make(aws, spec, "SIGN_VERIFY"), "SigningAlgorithm": algorithm}
    signature = aws.kms.sign(Message=b"m", **how)["Signature"]
    digest = hashlib.new("sha" + algorithm[-3:], b"m").digest()
    assert aws.kms.verify(Message=digest, MessageType="DIGEST", Signature=signature, **how)["SignatureValid"]
    with pytest.raises(AwsError) as error:
        aws.kms.verify(Message=b"other", Signature=signature, **how)
    assert error.value.code == "KMSInvalidSignatureException"
    with pytest.raises(AwsError, match=f"Digest is invalid length for algorithm {algorithm}"):
        aws.kms.sign(Message=b"m", MessageType="DIGEST", **how)
    with pytest.raises(AwsError, match="key usage is SIGN_VERIFY which is not valid for Encrypt"):
        aws.kms.encrypt(KeyId=how["KeyId"], Plaintext=b"x")


def test_rsa_locks_as_much_as_its_padding_leaves_room_for(aws: Any) -> None:
    how = {"KeyId": make(aws, "RSA_2048", "ENCRYPT_DECRYPT"), "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    sealed = aws.kms.encrypt(Plaintext=b"x" * 190, **how)["CiphertextBlob"]
    assert aws.kms.decrypt(CiphertextBlob=sealed, **how)["Plaintext"] == b"x" * 190
    with pytest.raises(AwsError, match="and key spec RSA_2048 cannot encrypt data larger than 190 bytes"):
        aws.kms.encrypt(Plaintext=b"x" * 191, **how)
    with pytest.raises(AwsError) as error:
        aws.kms.decrypt(CiphertextBlob=sealed[:-1] + b"x", **how)
    assert error.value.code == "InvalidCiphertextException"


def test_two_keys_agree_on_one_secret(aws: Any) -> None:
    keys = [make(aws, "ECC_NIST_P256", "KEY_AGREEMENT") for _ in range(2)]
    halves = [aws.kms.get_public_key(KeyId=key)["PublicKey"] for key in keys]
    secrets = {
        aws.kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=half)["SharedSecret"]
        for key, half in zip(keys, reversed(halves), strict=True)
    }
    assert len(secrets) == 1
    with pytest.raises(AwsError) as error:
        aws.kms.derive_shared_secret(KeyId=keys[0], KeyAgreementAlgorithm="ECDH", PublicKey=b"none")
    assert error.value.code == "ValidationException"


def test_a_data_key_pair_is_locked_by_its_key(aws: Any) -> None:
    key = make(aws, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    pair = aws.kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    opened = aws.kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"]
    assert opened == pair["PrivateKeyPlaintext"]
    assert "PrivateKeyPlaintext" not in aws.kms.generate_data_key_pair_without_plaintext(
        KeyId=key, KeyPairSpec="ECC_NIST_P256"
    )


def test_imported_material_is_used_rotated_and_forgotten_when_its_time_is_over(aws: Any) -> None:
    key = make(aws, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", Origin="EXTERNAL")
    with pytest.raises(AwsError, match="is pending import"):
        aws.kms.encrypt(KeyId=key, Plaintext=b"x")
    with pytest.raises(AwsError, match="A validTo date must be set"):
        bring(aws, key, b"a" * 32)
    bring(aws, key, b"a" * 32, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
    old = aws.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with pytest.raises(AwsError, match="No available key material pending rotation"):
        aws.kms.rotate_key_on_demand(KeyId=key)
    bring(aws, key, b"b" * 32, ValidTo=aws.now() + DAY_S, ImportType="NEW_KEY_MATERIAL")
    with pytest.raises(AwsError, match="is pending rotation"):
        bring(aws, key, b"c" * 32, ValidTo=aws.now() + DAY_S, ImportType="NEW_KEY_MATERIAL")
    aws.kms.rotate_key_on_demand(KeyId=key)
    assert aws.kms.decrypt(CiphertextBlob=old)["Plaintext"] == b"x"
    aws.pass_time(DAY_S + 1)
    assert aws.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"


def bring(aws: Any, key: str, secret: bytes, **how: Any) -> Any:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    given = aws.kms.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    wrapped = serialization.load_der_public_key(given["PublicKey"]).encrypt(secret, oaep)
    return aws.kms.import_key_material(KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped, **how)
