"""Server-side encryption: what requests may ask for, who may read, and what is answered."""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from typing import Any

import pytest

from reference_server.codec import Codec
from reference_server.errors import S3Error
from reference_server.model import service_model
from reference_server.rules import encryption
from reference_server.rules.encryption import DEFAULT_CONFIGURATION, Encryption, KeyRing

KEY, OTHER_KEY = b"1234567890abcdef1234567890abcdef", b"abcdef1234567890abcdef1234567890"
KEY_MD5 = "JMwgiexXqwuPqIPjYFmIZQ=="
ENABLED, DISABLED = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
REGION, ACCOUNT = "eu-west-1", "000000000000"
RING = KeyRing({ENABLED: True, DISABLED: False})
RESOLVE = partial(RING.resolve, region=REGION, account=ACCOUNT)
ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{ENABLED}"
HEADER = "x-amz-server-side-encryption"


def md5(key: bytes) -> str:
    return base64.b64encode(hashlib.md5(key).digest()).decode()


def customer(key: bytes = KEY, prefix: str = "", **members: Any) -> dict[str, Any]:
    """The three members of a customer key; a member of None is absent."""
    trio = {
        "SSECustomerAlgorithm": "AES256",
        "SSECustomerKey": base64.b64encode(key).decode(),
        "SSECustomerKeyMD5": md5(key),
        **members,
    }
    return {prefix + name: value for name, value in trio.items() if value is not None}


def blocking(*types: str) -> dict[str, Any]:
    """A rule that blocks encryption types and says nothing else."""
    return {"BlockedEncryptionTypes": {"EncryptionType": list(types)}}


def configuration(algorithm: str, bucket_key: bool | None = None, key_id: str | None = None) -> dict[str, Any]:
    default = {"SSEAlgorithm": algorithm, **({} if key_id is None else {"KMSMasterKeyID": key_id})}
    rule = {"ApplyServerSideEncryptionByDefault": default}
    return {"Rules": [rule if bucket_key is None else {**rule, "BucketKeyEnabled": bucket_key}]}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, None),
        ({"ServerSideEncryption": "AES256"}, None),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": ENABLED}, None),
        ({"ServerSideEncryption": "aws:kms:dsse"}, None),
        (customer(), KEY_MD5),
    ],
)
def test_encryption_headers_that_agree_pass(members: dict[str, Any], expected: str | None) -> None:
    assert encryption.check_headers(members) == expected


@pytest.mark.parametrize(
    ("members", "part", "value"),
    [
        (customer(ServerSideEncryption="AES256", SSECustomerAlgorithm="KMS"), "incompatible", "AES256"),
        (customer(SSECustomerAlgorithm=None), "a valid encryption algorithm", None),
        (customer(SSECustomerKey=None), "an appropriate secret key", None),
        (customer(SSECustomerKeyMD5=None), "the client calculated MD5", None),
        ({"SSECustomerKeyMD5": KEY_MD5}, "a valid encryption algorithm", None),
        (customer(KEY[:10]), "secret key was invalid", None),
        (customer(KEY * 2), "secret key was invalid", None),
        (customer(SSECustomerKey="not base64!"), "secret key was invalid", None),
        (customer(SSECustomerKeyMD5=md5(OTHER_KEY)), "did not match the hash", None),
        ({"ServerSideEncryption": "ROT13"}, "not supported", "ROT13"),
        ({"SSEKMSKeyId": ENABLED}, "requires HTTP header", "null"),
        ({"SSEKMSKeyId": ENABLED, "ServerSideEncryption": "AES256"}, "requires HTTP header", "AES256"),
    ],
)
def test_encryption_headers_that_disagree_are_refused(members: dict[str, Any], part: str, value: str | None) -> None:
    with pytest.raises(S3Error) as caught:
        encryption.check_headers(members)
    assert (caught.value.status, caught.value.code) == (400, "InvalidArgument")
    assert part in caught.value.message
    expected = {"ArgumentName": HEADER} if value is None else {"ArgumentName": HEADER, "ArgumentValue": value}
    assert caught.value.elements == expected


def test_a_refused_key_is_never_repeated() -> None:
    with pytest.raises(S3Error) as caught:
        encryption.check_headers(customer(KEY[:10]))
    assert base64.b64encode(KEY[:10]) not in caught.value.document("R", "H")


@pytest.mark.parametrize(
    "call",
    [
        encryption.check_headers,
        partial(encryption.check_key, KEY_MD5),
        partial(encryption.check_part, KEY_MD5),
    ],
)
def test_another_algorithm_has_an_error_of_its_own(call: Any) -> None:
    with pytest.raises(S3Error) as caught:
        call(customer(SSECustomerAlgorithm="KMS"))
    assert (caught.value.status, caught.value.code) == (400, "InvalidEncryptionAlgorithmError")
    assert caught.value.elements == {"ArgumentName": HEADER, "ArgumentValue": "KMS"}


@pytest.mark.parametrize("prefix", ["", "CopySource"])
def test_an_object_is_read_with_its_key(prefix: str) -> None:
    encryption.check_key(KEY_MD5, customer(prefix=prefix), prefix)
    encryption.check_key(None, {}, prefix)


@pytest.mark.parametrize("prefix", ["", "CopySource"])
@pytest.mark.parametrize(
    ("stored", "members", "status", "code"),
    [
        (KEY_MD5, {}, 400, "InvalidRequest"),
        (None, {"key": KEY}, 400, "InvalidRequest"),
        (KEY_MD5, {"key": OTHER_KEY}, 403, "AccessDenied"),
        # Recorded: on a read, a key of the wrong length is just another key.
        (KEY_MD5, {"key": KEY * 2}, 403, "AccessDenied"),
        (KEY_MD5, {"key": KEY, "SSECustomerKeyMD5": md5(OTHER_KEY)}, 400, "InvalidArgument"),
    ],
)
def test_an_object_is_not_read_otherwise(
    stored: str | None, members: dict[str, Any], status: int, code: str, prefix: str
) -> None:
    sent = customer(members.pop("key"), prefix, **members) if "key" in (members := dict(members)) else {}
    with pytest.raises(S3Error) as caught:
        encryption.check_key(stored, sent, prefix)
    assert (caught.value.status, caught.value.code) == (status, code)


def test_the_key_of_a_copy_source_is_not_that_of_the_target() -> None:
    with pytest.raises(S3Error) as caught:
        encryption.check_key(KEY_MD5, customer(), "CopySource")
    assert caught.value.code == "InvalidRequest"


def test_a_part_is_encrypted_as_its_upload() -> None:
    encryption.check_part(None, {})
    encryption.check_part(KEY_MD5, customer())


@pytest.mark.parametrize(
    ("upload", "members", "part"),
    [
        (None, customer(), "must include the appropriate encryption parameters"),
        (KEY_MD5, {}, "must include the appropriate encryption parameters"),
        (KEY_MD5, customer(OTHER_KEY), "did not match the ones used originally"),
    ],
)
def test_a_part_encrypted_otherwise_is_refused(upload: str | None, members: dict[str, Any], part: str) -> None:
    with pytest.raises(S3Error) as caught:
        encryption.check_part(upload, members)
    assert (caught.value.status, caught.value.code) == (400, "InvalidRequest")
    assert part in caught.value.message


@pytest.mark.parametrize("key_id", [ENABLED, ARN])
def test_a_key_is_known_by_id_and_arn(key_id: str) -> None:
    assert RING.resolve(key_id, REGION, ACCOUNT) == ARN


def test_every_account_has_one_managed_key_for_each_region() -> None:
    managed = KeyRing().resolve(None, REGION, ACCOUNT)
    assert managed.startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/")
    alias = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/s3"
    for name in ("alias/aws/s3", alias, managed, managed.rpartition("/")[2]):
        assert RING.resolve(name, REGION, ACCOUNT) == managed
    others = {RING.resolve(None, "us-east-1", ACCOUNT), RING.resolve(None, REGION, "111111111111")}
    assert len(others | {managed}) == 3


@pytest.mark.parametrize(
    ("key_id", "code", "message"),
    [
        ("fake-key-id", "KMS.NotFoundException", "Invalid keyId 'fake-key-id'"),
        (
            ENABLED.replace("1", "7"),
            "KMS.NotFoundException",
            f"Key '{ARN.replace(ENABLED, ENABLED.replace('1', '7'))}' does not exist",
        ),
        ("alias/mine", "KMS.NotFoundException", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:alias/mine is not found."),
        (ARN.replace(REGION, "us-east-1"), "KMS.NotFoundException", "Invalid arn us-east-1"),
        (
            ARN.replace(ACCOUNT, "111111111111"),
            "KMS.NotFoundException",
            f"Key '{ARN.replace(ACCOUNT, '111111111111')}' does not exist",
        ),
        (DISABLED, "KMS.DisabledException", f"{ARN.replace(ENABLED, DISABLED)} is disabled."),
    ],
)
def test_a_key_that_cannot_be_used_is_refused(key_id: str, code: str, message: str) -> None:
    with pytest.raises(S3Error) as caught:
        RING.resolve(key_id, REGION, ACCOUNT)
    assert (caught.value.status, caught.value.code, caught.value.message) == (400, code, message)


MANAGED = RESOLVE(None)


@pytest.mark.parametrize(
    ("members", "bucket", "expected"),
    [
        ({}, None, Encryption()),
        ({}, DEFAULT_CONFIGURATION, Encryption()),
        ({"ServerSideEncryption": "AES256"}, configuration("aws:kms", True, ENABLED), Encryption()),
        ({}, configuration("aws:kms", None, ENABLED), Encryption("aws:kms", ARN)),
        ({}, configuration("aws:kms", True, ENABLED), Encryption("aws:kms", ARN, True)),
        ({}, configuration("aws:kms"), Encryption("aws:kms", MANAGED)),
        ({}, configuration("aws:kms:dsse", True), Encryption("aws:kms:dsse", MANAGED)),
        ({"BucketKeyEnabled": False}, configuration("aws:kms", True), Encryption("aws:kms", MANAGED)),
        ({"BucketKeyEnabled": True}, None, Encryption()),
        ({"ServerSideEncryption": "aws:kms"}, configuration("aws:kms", False, ENABLED), Encryption("aws:kms", MANAGED)),
        (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": ENABLED, "BucketKeyEnabled": True},
            None,
            Encryption("aws:kms", ARN, True),
        ),
        (customer(), configuration("aws:kms", True), Encryption(customer_md5=KEY_MD5)),
        (customer(), {"Rules": [blocking("NONE")]}, Encryption(customer_md5=KEY_MD5)),
        ({}, {"Rules": [blocking("SSE-C")]}, Encryption()),
    ],
)
def test_an_object_is_stored_as_asked_else_as_the_bucket_says(
    members: dict[str, Any], bucket: dict[str, Any] | None, expected: Encryption
) -> None:
    assert encryption.effective(members, bucket, RESOLVE) == expected


def test_a_bucket_may_block_customer_keys() -> None:
    with pytest.raises(S3Error) as caught:
        encryption.effective(customer(), {"Rules": [blocking("SSE-C")]}, RESOLVE)
    assert (caught.value.status, caught.value.code) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (Encryption(), {"ServerSideEncryption": "AES256"}),
        (Encryption("aws:kms", ARN), {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": ARN}),
        (
            Encryption("aws:kms", ARN, True),
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": ARN, "BucketKeyEnabled": True},
        ),
        (Encryption(customer_md5=KEY_MD5), {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": KEY_MD5}),
    ],
)
def test_answers_tell_how_an_object_is_stored(stored: Encryption, expected: dict[str, Any]) -> None:
    assert stored.members() == expected


def test_the_members_are_headers_of_a_write() -> None:
    found = Codec(service_model().service).write("PutObject", Encryption("aws:kms", ARN, True).members()).headers
    assert found == [
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", ARN),
        ("x-amz-server-side-encryption-bucket-key-enabled", "true"),
    ]


@pytest.mark.parametrize(
    "document",
    [
        DEFAULT_CONFIGURATION,
        configuration("AES256"),
        configuration("aws:kms", True, ENABLED),
        configuration("aws:kms:dsse"),
        {"Rules": [blocking("SSE-C")]},
        {"Rules": [{**configuration("AES256")["Rules"][0], **blocking("NONE")}]},
    ],
)
def test_a_valid_document_passes(document: dict[str, Any]) -> None:
    encryption.check(document)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "MalformedXML"),
        ({"Rules": []}, "MalformedXML"),
        ({"Rules": [{"BucketKeyEnabled": True}]}, "MalformedXML"),
        ({"Rules": DEFAULT_CONFIGURATION["Rules"] * 2}, "MalformedXML"),
        (configuration("ROT13"), "MalformedXML"),
        ({"Rules": [{**configuration("ROT13")["Rules"][0], **blocking("SSE-C")}]}, "MalformedXML"),
        ({"Rules": [blocking("SSE-C")] * 2}, "MalformedXML"),
        (configuration("AES256", None, ENABLED), "InvalidArgument"),
    ],
)
def test_an_invalid_document_is_refused(document: dict[str, Any], code: str) -> None:
    with pytest.raises(S3Error) as caught:
        encryption.check(document)
    assert (caught.value.status, caught.value.code) == (400, code)
