"""Where two rules meet: slow bodies, rights that change meanwhile, numbers and names that nothing should accept."""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from reference_server.auth import account_of
from reference_server.store import Store
from tests.reference_server.conftest import OTHER, OWNER, Raw, Running

MIB = 1024**2


def allow(raw: Raw, bucket: str, *actions: str) -> None:
    """Let the other account do this to all objects."""
    statement = {
        "Effect": "Allow",
        "Principal": {"CanonicalUser": account_of(OTHER[0]).id},
        "Action": list(actions),
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()
    assert raw("PUT", f"/{bucket}?policy", text).status == 204


def grant_to_other() -> bytes:
    other = account_of(OTHER[0]).id
    grantee = (
        f'<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>{other}</ID>'
    )
    grant = f"<Grant>{grantee}</Grantee><Permission>FULL_CONTROL</Permission></Grant>"
    owner = f"<Owner><ID>{other}</ID></Owner>"
    return f"<AccessControlPolicy>{owner}<AccessControlList>{grant}</AccessControlList></AccessControlPolicy>".encode()


def test_a_right_over_an_object_ends_when_the_object_is_replaced(running: Running, raw: Raw) -> None:
    """The body of PutObjectAcl comes after the object got another owner: it sets nothing."""
    bucket = "corner-acl"
    raw("PUT", f"/{bucket}", headers={"x-amz-object-ownership": "ObjectWriter"})
    allow(raw, bucket, "s3:PutObject")
    other = running.raw(OTHER)
    assert other("PUT", f"/{bucket}/k", b"theirs").status == 200
    body = grant_to_other()
    request = other.bytes_of("PUT", f"/{bucket}/k?acl", body)
    with other.connect() as connection:
        connection.sendall(request[: -len(body)])
        assert raw("PUT", f"/{bucket}/k", b"ours").status == 200
        connection.sendall(body)
        assert connection.recv(4096).startswith(b"HTTP/1.1 403")
    assert other("GET", f"/{bucket}/k").status == 403
    assert raw("GET", f"/{bucket}/k").body == b"ours"


def test_a_copy_brings_tags_only_to_those_who_may_read_them(running: Running, raw: Raw, bucket: str) -> None:
    other = running.raw(OTHER)
    other("PUT", "/corner-copies")
    raw("PUT", f"/{bucket}/k", b"x", {"x-amz-tagging": "secret=yes"})
    allow(raw, bucket, "s3:GetObject")
    source = {"x-amz-copy-source": f"/{bucket}/k"}
    assert other("PUT", "/corner-copies/k", headers=source).status == 403
    assert other("PUT", "/corner-copies/k", headers={**source, "x-amz-tagging-directive": "REPLACE"}).status == 200
    allow(raw, bucket, "s3:GetObject", "s3:GetObjectTagging")
    assert other("PUT", "/corner-copies/k", headers=source).status == 200
    assert other("GET", "/corner-copies/k?tagging").element("Key") == "secret"


def test_numbers_beyond_the_model_are_refused(raw: Raw, bucket: str) -> None:
    """A lifecycle rule of a billion billion days would make every answer about its objects fail."""
    days = "<Expiration><Days>999999999999999999</Days></Expiration>"
    rule = f"<Rule><ID>r</ID><Filter><Prefix/></Filter><Status>Enabled</Status>{days}</Rule>"
    body = f"<LifecycleConfiguration>{rule}</LifecycleConfiguration>".encode()
    headers = {"x-amz-checksum-sha256": _sha256(body)}
    assert raw("PUT", f"/{bucket}?lifecycle", body, headers).code == "MalformedXML"
    assert raw("PUT", f"/{bucket}/k", b"x").status == 200


def _sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def test_nobody_makes_a_bucket_by_implication_without_a_signature(implicit: Running) -> None:
    raw = implicit.raw()
    assert raw("PUT", "/fresh/k", b"x", sign=False).status in (403, 404)
    assert raw("PUT", "/fresh/k", b"x").status == 200


@pytest.mark.parametrize("operation", ["list_objects", "get_bucket_acl", "list_bucket_metrics_configurations"])
def test_buckets_are_read_by_urls_presigned_with_version_2(running: Running, bucket: str, operation: str) -> None:
    """What is signed for a bucket ends in a slash that the URL does not have."""
    client = boto3.client(
        "s3",
        endpoint_url=running.endpoint,
        aws_access_key_id=OWNER[0],
        aws_secret_access_key=OWNER[1],
        region_name="us-east-1",
        config=Config(signature_version="s3", s3={"addressing_style": "path"}),
    )
    url = client.generate_presigned_url(operation, Params={"Bucket": bucket})
    client.close()
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.status == 200


@pytest.mark.parametrize("query", ["x-amz-meta-a%20b=1", "x-amz-meta-a%3A=1", "x-amz-meta-a=%00", "x-amz-meta-a=%0A"])
def test_metadata_that_no_header_can_carry_is_refused(raw: Raw, bucket: str, query: str) -> None:
    reply = raw("PUT", f"/{bucket}/k?{query}", b"x")
    assert (reply.status, reply.code) == (400, "InvalidArgument")


def test_an_empty_last_part_is_read_as_nothing(raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/k"
    upload = raw("POST", f"{path}?uploads").element("UploadId")
    parts = ""
    for number, body in ((1, b"x" * 5 * MIB), (2, b"")):
        etag = raw("PUT", f"{path}?partNumber={number}&uploadId={upload}", body).headers["etag"]
        parts += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    assert raw("POST", f"{path}?uploadId={upload}", document).status == 200
    reply = raw("GET", f"{path}?partNumber=2")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")
    assert "content-range" not in reply.headers
    assert reply.headers["x-amz-mp-parts-count"] == "2"


def test_an_upload_names_who_began_it(running: Running, raw: Raw) -> None:
    bucket = "corner-uploads"
    raw("PUT", f"/{bucket}")
    allow(raw, bucket, "s3:PutObject", "s3:ListMultipartUploadParts")
    upload = running.raw(OTHER)("POST", f"/{bucket}/k?uploads").element("UploadId")
    for reply in (raw("GET", f"/{bucket}?uploads"), raw("GET", f"/{bucket}/k?uploadId={upload}")):
        initiator, owner = (reply.body.decode().partition(f"<{name}><ID>")[2][:64] for name in ("Initiator", "Owner"))
        assert (initiator, owner) == (account_of(OTHER[0]).id, account_of(OWNER[0]).id)


def test_an_upload_is_forgotten_with_its_object(running: Running, raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/k"
    upload = raw("POST", f"{path}?uploads").element("UploadId")
    etag = raw("PUT", f"{path}?partNumber=1&uploadId={upload}", b"x").headers["etag"]
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
    assert raw("POST", f"{path}?uploadId={upload}", document).status == 200
    raw("DELETE", path)
    assert raw("POST", f"{path}?uploadId={upload}", document).code == "NoSuchUpload"
    assert running.store.row("SELECT 1 FROM upload WHERE id=?", upload) is None


def test_bodies_without_their_database_are_not_swept(tmp_path: Path) -> None:
    """A folder of another program, or a database that was moved away: nothing there is ours to delete."""
    foreign = tmp_path / "blobs" / ("a" * 32)
    foreign.parent.mkdir()
    foreign.write_bytes(b"precious")
    with pytest.raises(OSError, match="not empty"):
        Store(tmp_path)
    assert foreign.read_bytes() == b"precious"


def test_a_type_of_grantee_that_does_not_exist_is_refused(raw: Raw, bucket: str) -> None:
    grantee = '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="a&quot; b"><ID>x</ID></Grantee>'
    grants = f"<TargetGrants><Grant>{grantee}<Permission>READ</Permission></Grant></TargetGrants>"
    target = f"<TargetBucket>{bucket}</TargetBucket>{grants}<TargetPrefix/>"
    body = f"<BucketLoggingStatus><LoggingEnabled>{target}</LoggingEnabled></BucketLoggingStatus>".encode()
    assert raw("PUT", f"/{bucket}?logging", body).code == "MalformedXML"
