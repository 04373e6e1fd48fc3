"""Server-side encryption: catalogue family ENC."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from reference_server.rules.encryption import KeyRing
from tests.reference_server.catalogue.steps import (
    MIN_PART,
    Upload,
    customer_key,
    fields,
    md5,
    md5_header,
    object_attributes,
    put_document,
    refusal,
    tree,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Raw, Reply, Running

BODY = b"encrypted"
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SSE = "x-amz-server-side-encryption"
SSE_KEY = f"{SSE}-aws-kms-key-id"
CUSTOMER = f"{SSE}-customer-"
COPY_SOURCE = {f"x-amz-copy-source-{name.removeprefix('x-amz-')}": value for name, value in customer_key().items()}
ENABLED, DISABLED = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
SHOWN = {f"{CUSTOMER}algorithm": "AES256", f"{CUSTOMER}key-md5": md5_header(KEY)["Content-MD5"]}


def encryption(reply: Reply) -> dict[str, str]:
    """The headers of a reply that speak of encryption."""
    return {name: value for name, value in reply.headers.items() if name.startswith(SSE)}


def configure(raw: Raw, bucket: str, inside: str) -> Reply:
    """PutBucketEncryption with one rule."""
    document = f"<ServerSideEncryptionConfiguration><Rule>{inside}</Rule></ServerSideEncryptionConfiguration>"
    return put_document(raw, f"/{bucket}?encryption", document)


def default(algorithm: str, key: str = "", bucket_key: str = "") -> str:
    """The inside of a rule with a default."""
    named = f"<KMSMasterKeyID>{key}</KMSMasterKeyID>" if key else ""
    found = f"<SSEAlgorithm>{algorithm}</SSEAlgorithm>{named}"
    found = f"<ApplyServerSideEncryptionByDefault>{found}</ApplyServerSideEncryptionByDefault>"
    return found + (f"<BucketKeyEnabled>{bucket_key}</BucketKeyEnabled>" if bucket_key else "")


@pytest.fixture
def keyed(serve: Callable[..., Iterator[Running]]) -> Iterator[Running]:
    """A server that has two KMS keys, one of them disabled."""
    yield from serve(keys=KeyRing({ENABLED: True, DISABLED: False}))


@pytest.fixture
def vault(keyed: Running) -> str:
    """A bucket of that server."""
    name = f"vault-{os.urandom(6).hex()}"
    assert keyed.raw()("PUT", f"/{name}").status == 200
    return name


# SSE-S3 and the configuration


@pytest.mark.catalogue("ENC-001")
def test_encryption_is_on_whoever_asks_for_it(raw: Raw, bucket: str) -> None:
    """Writes and reads of every kind say so."""
    path = f"/{bucket}/k"
    upload = Upload(raw, f"/{bucket}/big")
    part = upload.part(1, BODY)
    replies = [
        raw("PUT", path, BODY),
        raw("PUT", path, BODY, {SSE: "AES256"}),
        raw("GET", path),
        raw("GET", path, headers={"Range": "bytes=0-1"}),
        raw("HEAD", path),
        raw("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": path}),
        raw("HEAD", f"/{bucket}/copy"),
        upload.created,
        part,
        upload.complete([(1, part.headers["etag"], "")]),
        raw("HEAD", f"/{bucket}/big"),
    ]
    for number, reply in enumerate(replies):
        assert (number, encryption(reply)) == (number, {SSE: "AES256"})
    assert raw("HEAD", path).headers["etag"] == f'"{md5(BODY)}"'


@pytest.mark.catalogue("ENC-002")
def test_the_default_configuration_is_one_rule(raw: Raw, bucket: str) -> None:
    """SSE-S3 without bucket keys; so it is again after a deletion."""
    path = f"/{bucket}?encryption"
    assert configure(raw, bucket, default("aws:kms", bucket_key="true")).status == 200
    assert tree(raw("GET", path)).findtext(".//SSEAlgorithm") == "aws:kms"
    assert raw("DELETE", path).status == 204
    for name in (bucket, f"{bucket}-new"):
        raw("PUT", f"/{name}")
        root = tree(raw("GET", f"/{name}?encryption"))
        assert (root.tag, len(root.findall("Rule"))) == ("ServerSideEncryptionConfiguration", 1)
        by_default = root.find("Rule/ApplyServerSideEncryptionByDefault")
        assert by_default is not None
        assert fields(by_default) == {"SSEAlgorithm": "AES256"}
        assert root.findtext("Rule/BucketKeyEnabled") == "false"


@pytest.mark.parametrize("inside", ["", default("rot13"), default("")])
def test_a_configuration_has_a_known_algorithm(raw: Raw, bucket: str, inside: str) -> None:
    """Anything else leaves the bucket as it was."""
    assert refusal(configure(raw, bucket, inside)) == (400, "MalformedXML")
    assert tree(raw("GET", f"/{bucket}?encryption")).findtext(".//SSEAlgorithm") == "AES256"


# Customer keys


def without(*names: str) -> dict[str, str]:
    """The headers of a customer key less some of them."""
    return {name: value for name, value in customer_key(KEY).items() if name.removeprefix(CUSTOMER) not in names}


def changed(name: str, value: str) -> dict[str, str]:
    """The headers of a customer key with one of them changed."""
    return {**customer_key(KEY), f"{CUSTOMER}{name}": value}


WRONG = [
    (without("algorithm"), "InvalidArgument"),
    (without("key"), "InvalidArgument"),
    (without("key-MD5"), "InvalidArgument"),
    (without("key", "key-MD5"), "InvalidArgument"),
    (changed("key", "no base64!"), "InvalidArgument"),
    (changed("key-MD5", md5_header(OTHER_KEY)["Content-MD5"]), "InvalidArgument"),
    (changed("key-MD5", "no digest"), "InvalidArgument"),
    (customer_key(b"short"), "InvalidArgument"),
    (changed("algorithm", "AES128"), "InvalidEncryptionAlgorithmError"),
    (changed("algorithm", "aws:kms"), "InvalidEncryptionAlgorithmError"),
    ({**customer_key(KEY), SSE: "AES256"}, "InvalidArgument"),
]


@pytest.mark.catalogue("ENC-003")
@pytest.mark.parametrize(("headers", "code"), WRONG)
def test_a_customer_key_comes_whole_and_right(raw: Raw, bucket: str, headers: dict[str, str], code: str) -> None:
    """For objects and uploads alike; nothing is stored."""
    assert refusal(raw("PUT", f"/{bucket}/k", BODY, headers)) == (400, code)
    assert refusal(raw("POST", f"/{bucket}/k?uploads", headers=headers)) == (400, code)
    assert raw("HEAD", f"/{bucket}/k").status == 404


@pytest.fixture
def sealed(raw: Raw, bucket: str) -> str:
    """The path of an object with a customer key."""
    reply = raw("PUT", f"/{bucket}/sealed", BODY, customer_key(KEY))
    assert (reply.status, encryption(reply)) == (200, SHOWN)
    return f"/{bucket}/sealed"


@pytest.mark.catalogue("ENC-004")
def test_a_customer_key_is_needed_to_read(raw: Raw, sealed: str) -> None:
    """Of the body, a range of it, the headers and the attributes."""
    asked = {"x-amz-object-attributes": "ETag"}
    for reply in (
        raw("GET", sealed),
        raw("GET", sealed, headers={"Range": "bytes=0-1"}),
        raw("GET", f"{sealed}?attributes", headers=asked),
        raw("PUT", f"{sealed}-copy", headers={"x-amz-copy-source": sealed}),
    ):
        assert refusal(reply) == (400, "InvalidRequest")
    head = raw("HEAD", sealed)
    assert (head.status, head.body) == (400, b"")
    for reply in (raw("GET", sealed, headers=customer_key(KEY)), raw("HEAD", sealed, headers=customer_key(KEY))):
        assert (reply.status, encryption(reply)) == (200, SHOWN)
    assert raw("GET", sealed, headers={**customer_key(KEY), "Range": "bytes=2-4"}).body == BODY[2:5]
    attributes = object_attributes(raw, sealed, "ObjectSize", customer_key(KEY))
    assert attributes.findtext("ObjectSize") == str(len(BODY))


@pytest.mark.catalogue("ENC-005")
def test_another_customer_key_is_denied(raw: Raw, sealed: str) -> None:
    """Of reads and of copies; and an object without a key takes none."""
    wrong = customer_key(OTHER_KEY)
    assert refusal(raw("GET", sealed, headers=wrong)) == (403, "AccessDenied")
    assert raw("HEAD", sealed, headers=wrong).status == 403
    copying = {f"x-amz-copy-source-{name.removeprefix('x-amz-')}": value for name, value in wrong.items()}
    copying["x-amz-copy-source"] = sealed
    assert refusal(raw("PUT", f"{sealed}-copy", headers=copying)) == (403, "AccessDenied")
    raw("PUT", f"{sealed}-plain", BODY)
    assert refusal(raw("GET", f"{sealed}-plain", headers=wrong)) == (400, "InvalidRequest")


@pytest.mark.catalogue("ENC-006")
def test_all_parts_have_the_key_of_their_upload(raw: Raw, bucket: str, sealed: str) -> None:
    """Uploaded or copied, and none where the upload has none."""
    upload = Upload(raw, f"/{bucket}/big", customer_key(KEY))
    assert encryption(upload.created) == SHOWN
    for headers in ({}, customer_key(OTHER_KEY)):
        assert refusal(upload.part(1, BODY, headers)) == (400, "InvalidRequest")
        assert refusal(upload.copy(1, sealed, {**headers, **COPY_SOURCE})) == (400, "InvalidRequest")
    assert refusal(Upload(raw, f"/{bucket}/plain").part(1, BODY, customer_key(KEY))) == (400, "InvalidRequest")
    first = upload.part(1, b"a" * MIN_PART, customer_key(KEY))
    assert (first.status, encryption(first)) == (200, SHOWN)
    second = upload.copy(2, sealed, {**customer_key(KEY), **COPY_SOURCE})
    assert (second.status, encryption(second)) == (200, SHOWN)
    assert upload.complete([(1, first.headers["etag"], ""), (2, second.element("ETag"), "")]).status == 200
    assert refusal(raw("GET", f"/{bucket}/big")) == (400, "InvalidRequest")
    found = raw("GET", f"/{bucket}/big?partNumber=2", headers=customer_key(KEY))
    assert (found.status, found.body) == (206, BODY)


def test_the_key_itself_is_never_shown(raw: Raw, sealed: str) -> None:
    """Neither in answers nor in errors."""
    secret = base64.b64encode(KEY).decode()
    for reply in (
        raw("GET", sealed, headers=customer_key(KEY)),
        raw("GET", sealed, headers=changed("key-MD5", "no digest")),
        raw("PUT", sealed, BODY, {**customer_key(KEY), SSE: "AES256"}),
        raw("PUT", sealed, BODY, changed("algorithm", "AES128")),
    ):
        assert secret not in str(reply.headers) + reply.body.decode()


def test_a_bucket_may_refuse_customer_keys(raw: Raw, bucket: str, sealed: str) -> None:
    """What is already there can be read on; everything new is refused."""
    blocked = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
    for inside in (blocked, default("AES256") + blocked):
        assert configure(raw, bucket, inside).status == 200
        for reply in (
            raw("PUT", f"/{bucket}/k", BODY, customer_key(KEY)),
            raw("POST", f"/{bucket}/k?uploads", headers=customer_key(KEY)),
            raw("PUT", f"/{bucket}/k", headers={**customer_key(KEY), **COPY_SOURCE, "x-amz-copy-source": sealed}),
        ):
            assert refusal(reply) == (403, "AccessDenied")
        assert encryption(raw("PUT", f"/{bucket}/k", BODY)) == {SSE: "AES256"}
        assert raw("GET", sealed, headers=customer_key(KEY)).body == BODY
    assert configure(raw, bucket, blocked.replace("SSE-C", "NONE")).status == 200
    assert raw("PUT", f"/{bucket}/k", BODY, customer_key(KEY)).status == 200


def test_boto3_seals_and_opens(s3: Any, bucket: str) -> None:
    """It makes the headers itself from the raw key, for all operations but one."""
    mine: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
    theirs: dict[str, Any] = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": OTHER_KEY}
    source: dict[str, Any] = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": KEY}
    named = {"Bucket": bucket, "Key": "k"}
    s3.put_object(**named, Body=BODY, **mine)
    assert s3.get_object(**named, **mine, Range="bytes=0-3")["Body"].read() == BODY[:4]
    assert s3.head_object(**named, **mine)["SSECustomerAlgorithm"] == "AES256"
    encoded = {"SSECustomerKey": base64.b64encode(KEY).decode(), "SSECustomerKeyMD5": md5_header(KEY)["Content-MD5"]}
    found = s3.get_object_attributes(**named, **mine | encoded, ObjectAttributes=["ObjectSize"])
    assert found["ObjectSize"] == len(BODY)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=named, **source, **theirs)
    assert s3.get_object(Bucket=bucket, Key="copy", **theirs)["Body"].read() == BODY
    s3.copy_object(**named, CopySource=named, **source, **theirs)  # the same object under another key
    assert s3.get_object(**named, **theirs)["Body"].read() == BODY
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big", **mine)
    part = {"Bucket": bucket, "Key": "big", "UploadId": upload["UploadId"], "PartNumber": 1}
    etag = s3.upload_part(**part, Body=BODY, **mine)["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=upload["UploadId"], MultipartUpload=parts, **mine)
    assert s3.get_object(Bucket=bucket, Key="big", **mine)["Body"].read() == BODY
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key="big", **theirs)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


# KMS


@pytest.mark.catalogue("ENC-007")
@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("00000000-0000-0000-0000-000000000000", "KMS.NotFoundException"),
        ("no-key", "KMS.NotFoundException"),
        ("alias/none", "KMS.NotFoundException"),
        (f"arn:aws:kms:eu-west-1:000000000000:key/{ENABLED}", "KMS.NotFoundException"),
        (DISABLED, "KMS.DisabledException"),
    ],
)
def test_a_kms_key_must_be_there_and_enabled(keyed: Running, vault: str, key: str, code: str) -> None:
    """Named by the request or by the bucket; nothing is stored."""
    raw, path = keyed.raw(), f"/{vault}/k"
    headers = {SSE: "aws:kms", SSE_KEY: key}
    assert refusal(raw("PUT", path, BODY, headers)) == (400, code)
    assert refusal(raw("POST", f"{path}?uploads", headers=headers)) == (400, code)
    assert configure(raw, vault, default("aws:kms", key)).status == 200
    assert refusal(raw("PUT", path, BODY)) == (400, code)
    assert raw("HEAD", path).status == 404


@pytest.mark.catalogue("ENC-008")
def test_an_object_shows_its_kms_key(keyed: Running, vault: str) -> None:
    """The ARN, whether the key was named by id, by ARN or not at all; the ETag is no MD5."""
    raw, path = keyed.raw(), f"/{vault}/k"
    first = raw("PUT", path, BODY, {SSE: "aws:kms", SSE_KEY: ENABLED})
    arn = first.headers[SSE_KEY]
    assert arn.startswith("arn:aws:kms:us-east-1:")
    assert arn.endswith(f":key/{ENABLED}")
    shown = {SSE: "aws:kms", SSE_KEY: arn}
    upload = Upload(raw, f"/{vault}/big", {SSE: "aws:kms", SSE_KEY: arn})
    part = upload.part(1, BODY)
    for reply in (
        first,
        raw("PUT", path, BODY, {SSE: "aws:kms", SSE_KEY: arn}),
        raw("GET", path),
        raw("HEAD", path),
        raw("PUT", f"/{vault}/copy", headers={**shown, "x-amz-copy-source": path}),
        upload.created,
        part,
        upload.complete([(1, part.headers["etag"], "")]),
        raw("HEAD", f"/{vault}/big"),
    ):
        assert (reply.status, encryption(reply)) == (200, shown)
    assert md5(BODY) not in raw("HEAD", path).headers["etag"]
    managed = encryption(raw("PUT", path, BODY, {SSE: "aws:kms"}))[SSE_KEY]
    assert managed.startswith("arn:aws:kms:us-east-1:")
    assert managed != arn
    assert encryption(raw("PUT", path, BODY, {SSE: "aws:kms", SSE_KEY: managed}))[SSE_KEY] == managed
    assert encryption(raw("PUT", path, BODY, {SSE: "aws:kms", SSE_KEY: "alias/aws/s3"}))[SSE_KEY] == managed


def test_a_bucket_chooses_for_those_who_do_not(keyed: Running, vault: str) -> None:
    """Its default counts for every write; a request may ask for something else."""
    raw, path = keyed.raw(), f"/{vault}/k"
    assert configure(raw, vault, default("aws:kms", ENABLED, "true")).status == 200
    arn = raw("PUT", path, BODY).headers[SSE_KEY]
    assert arn.endswith(ENABLED)
    by_default = {SSE: "aws:kms", SSE_KEY: arn, f"{SSE}-bucket-key-enabled": "true"}
    for reply in (
        raw("HEAD", path),
        raw("PUT", f"/{vault}/copy", headers={"x-amz-copy-source": path}),
        raw("HEAD", f"/{vault}/copy"),
        Upload(raw, f"/{vault}/big").created,
    ):
        assert (reply.status, encryption(reply)) == (200, by_default)
    assert encryption(raw("PUT", path, BODY, {SSE: "AES256"})) == {SSE: "AES256"}
    assert encryption(raw("PUT", path, BODY, customer_key(KEY))) == SHOWN
    declined = raw("PUT", path, BODY, {f"{SSE}-bucket-key-enabled": "false"})
    assert encryption(declined) == {SSE: "aws:kms", SSE_KEY: arn}
    assert encryption(raw("PUT", path, BODY, {SSE: "aws:kms:dsse", SSE_KEY: ENABLED})) == {
        SSE: "aws:kms:dsse",
        SSE_KEY: arn,
    }


@pytest.mark.parametrize("headers", [{SSE: "rot13"}, {SSE: "AES256", SSE_KEY: ENABLED}, {SSE_KEY: ENABLED}])
def test_a_kms_key_needs_its_algorithm(keyed: Running, vault: str, headers: dict[str, str]) -> None:
    """The error names the header of the algorithm."""
    reply = keyed.raw()("PUT", f"/{vault}/k", BODY, headers)
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", SSE)
