"""ETAG: the entity tag of objects and parts, and Content-MD5."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.steps import (
    Upload,
    customer_key,
    md5,
    md5_header,
    object_attributes,
    refusal,
    tree,
)

if TYPE_CHECKING:
    from conftest import Raw, Reply


def put(raw: Raw, bucket: str, operation: str, body: bytes, headers: dict[str, str]) -> tuple[Reply, bool]:
    """The answer to PutObject or UploadPart, and whether anything was stored."""
    if operation == "PutObject":
        return raw("PUT", f"/{bucket}/k", body, headers), raw("HEAD", f"/{bucket}/k").status == 200
    upload = Upload(raw, f"/{bucket}/k")
    return upload.part(1, body, headers), upload.listed().elements("Part") != []


@pytest.mark.catalogue("ETAG-004")
def test_a_read_after_an_overwrite_sees_the_new_body_with_the_new_etag(raw: Raw, bucket: str) -> None:
    """Once the second write is answered, nothing of the first is ever served again."""
    for size in (10, 100_000, 10, 0, 200_000, 1):
        body = b"%d" % size + b"x" * size
        stored = raw("PUT", f"/{bucket}/k", body)
        found = raw("GET", f"/{bucket}/k")
        assert (found.body, found.headers["etag"]) == (body, f'"{md5(body)}"')
        assert stored.headers["etag"] == found.headers["etag"]


@pytest.mark.catalogue("ETAG-006")
def test_the_attributes_document_shows_the_etag_without_quotes(raw: Raw, bucket: str) -> None:
    """Headers and listings quote the entity tag, this one document does not."""
    raw("PUT", f"/{bucket}/k", b"data")
    assert object_attributes(raw, f"/{bucket}/k", "ETag").findtext("ETag") == md5(b"data")


@pytest.mark.catalogue("ETAG-008")
@pytest.mark.parametrize("operation", ["PutObject", "UploadPart"])
@pytest.mark.parametrize("value", ["not base64!", "c2hvcnQ=", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="])
def test_a_content_md5_that_is_no_digest_is_echoed_in_the_refusal(
    raw: Raw, bucket: str, operation: str, value: str
) -> None:
    """The value is neither base64 of 16 bytes, nor is the body stored."""
    reply, stored = put(raw, bucket, operation, b"data", {"Content-MD5": value})
    assert refusal(reply, "Content-MD5") == (400, "InvalidDigest", value)
    assert not stored


@pytest.mark.catalogue("ETAG-009")
@pytest.mark.parametrize("operation", ["PutObject", "UploadPart"])
def test_a_content_md5_of_other_data_keeps_the_body_out(raw: Raw, bucket: str, operation: str) -> None:
    """What arrived is not what was sent, so nothing of it is kept."""
    reply, stored = put(raw, bucket, operation, b"data", md5_header(b"else"))
    assert refusal(reply) == (400, "BadDigest")
    assert not stored


@pytest.mark.catalogue("ETAG-011")
def test_the_expected_digest_of_a_part_is_base64(raw: Raw, bucket: str) -> None:
    """UploadPart repeats the header as it came, where PutObject spells it in hex."""
    reply, _ = put(raw, bucket, "UploadPart", b"data", md5_header(b"else"))
    calculated = base64.b64encode(hashlib.md5(b"data").digest()).decode()
    found = refusal(reply, "ExpectedDigest", "CalculatedDigest")
    assert found == (400, "BadDigest", md5_header(b"else")["Content-MD5"], calculated)


@pytest.mark.catalogue("ETAG-015")
@pytest.mark.parametrize(
    ("write", "read"),
    [({"x-amz-server-side-encryption": "aws:kms"}, {}), (customer_key(), customer_key())],
    ids=["SSE-KMS", "SSE-C"],
)
def test_the_etag_of_an_encrypted_object_tells_nothing_of_its_bytes(
    raw: Raw, bucket: str, write: dict[str, str], read: dict[str, str]
) -> None:
    """It has the form of an MD5 and is the same on writing and reading, but is not the MD5 of the data."""
    stored = raw("PUT", f"/{bucket}/k", b"data", write)
    found = raw("HEAD", f"/{bucket}/k", headers=read)
    assert (stored.status, found.status) == (200, 200)
    assert stored.headers["etag"] == found.headers["etag"]
    assert re.fullmatch('"[0-9a-f]{32}"', found.headers["etag"])
    assert found.headers["etag"] != f'"{md5(b"data")}"'


@pytest.mark.catalogue("ETAG-017")
def test_a_part_sent_again_is_listed_once_as_it_came_last(raw: Raw, bucket: str) -> None:
    """A later body of the same number replaces the earlier one, unless it was cut off on the way."""
    upload = Upload(raw, f"/{bucket}/k")
    upload.part(1, b"first")
    upload.part(1, b"the second")
    cut = raw.bytes_of("PUT", f"/{bucket}/k?partNumber=1&uploadId={upload.id}", b"the third")[:-1]
    with raw.connect() as sock:
        sock.sendall(cut)
    (part,) = tree(upload.listed()).findall("Part")
    assert (part.findtext("ETag"), part.findtext("Size")) == (f'"{md5(b"the second")}"', "10")
