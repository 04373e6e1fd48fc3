"""CopyObject and UploadPartCopy: catalogue family COPY."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.reference_server.catalogue.steps import Upload, md5, md5_header, refusal, version

if TYPE_CHECKING:
    from conftest import Raw, Reply

DATA = b"0123456789"
ETAG = f'"{md5(DATA)}"'
CONDITION = "x-amz-copy-source-{}".format
RANGE = "x-amz-copy-source-range"


@pytest.fixture
def source(raw: Raw, bucket: str) -> str:
    """The path of an object with a type, metadata and a storage class."""
    headers = {"Content-Type": "text/x", "x-amz-meta-m": "old", "x-amz-storage-class": "STANDARD_IA"}
    assert raw("PUT", f"/{bucket}/source", DATA, headers).status == 200
    return f"/{bucket}/source"


@pytest.fixture
def target(bucket: str) -> str:
    return f"/{bucket}/target"


@pytest.fixture
def upload(raw: Raw, bucket: str) -> Upload:
    return Upload(raw, f"/{bucket}/parts")


def copy(raw: Raw, source: str, target: str, headers: dict[str, str] | None = None) -> Reply:
    """CopyObject between two paths."""
    return raw("PUT", target, headers={"x-amz-copy-source": source, **(headers or {})})


def told(reply: Reply) -> datetime:
    """The time in the answer to a copy."""
    return datetime.strptime(reply.element("LastModified"), "%Y-%m-%dT%H:%M:%S.000Z").replace(tzinfo=UTC)


def modified(raw: Raw, path: str) -> datetime:
    """When an object was changed."""
    return parsedate_to_datetime(raw("HEAD", path).headers["last-modified"])


def shifted(raw: Raw, path: str, seconds: int) -> str:
    """When an object was changed, moved, as a header."""
    return formatdate(modified(raw, path).timestamp() + seconds, usegmt=True)


def tags(raw: Raw, path: str) -> dict[str, str]:
    """The tags of an object."""
    reply = raw("GET", f"{path}?tagging")
    assert reply.status == 200
    return dict(zip(reply.elements("Key"), reply.elements("Value"), strict=True))


@pytest.mark.catalogue("COPY-001")
def test_the_answer_tells_tag_and_time_of_the_copy(raw: Raw, source: str, target: str) -> None:
    """The time is that of the copying, not of the source."""
    time.sleep(1.01)
    reply = copy(raw, source, target)
    assert (reply.status, reply.element("ETag")) == (200, ETAG)
    assert reply.body.rstrip().endswith(b"</CopyObjectResult>")
    assert told(reply) == modified(raw, target) > modified(raw, source)


@pytest.mark.catalogue("COPY-012")
def test_the_storage_class_is_not_inherited(raw: Raw, source: str, target: str) -> None:
    """A copy is STANDARD until its own request says otherwise."""
    assert raw("HEAD", source).headers["x-amz-storage-class"] == "STANDARD_IA"
    copy(raw, source, target)
    assert "x-amz-storage-class" not in raw("HEAD", target).headers
    copy(raw, source, target, {"x-amz-storage-class": "ONEZONE_IA"})
    assert raw("HEAD", target).headers["x-amz-storage-class"] == "ONEZONE_IA"


# Onto itself


@pytest.mark.catalogue("COPY-004")
def test_a_copy_onto_itself_without_a_change_is_refused(raw: Raw, source: str) -> None:
    """Nothing would be different afterwards."""
    assert refusal(copy(raw, source, source)) == (400, "InvalidRequest")
    assert refusal(copy(raw, source, source, {"x-amz-metadata-directive": "COPY"})) == (400, "InvalidRequest")


@pytest.mark.catalogue("COPY-005")
@pytest.mark.parametrize("headers", [{"x-amz-meta-m": "new"}, {"x-amz-acl": "private"}])
def test_what_a_copy_ignores_does_not_count_as_a_change(raw: Raw, source: str, headers: dict[str, str]) -> None:
    """Metadata without REPLACE is not taken over, and an ACL alone is no reason to write the object again."""
    assert refusal(copy(raw, source, source, headers)) == (400, "InvalidRequest")
    assert raw("HEAD", source).headers["x-amz-meta-m"] == "old"


@pytest.mark.catalogue("COPY-006")
@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"x-amz-metadata-directive": "REPLACE", "x-amz-meta-m": "new"}, {"x-amz-meta-m": "new"}),
        ({"x-amz-storage-class": "ONEZONE_IA"}, {"x-amz-storage-class": "ONEZONE_IA"}),
        ({"x-amz-server-side-encryption": "AES256"}, {"x-amz-server-side-encryption": "AES256"}),
        ({"x-amz-website-redirect-location": "/other"}, {"x-amz-website-redirect-location": "/other"}),
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_a_copy_onto_itself_may_change_settings(
    raw: Raw, source: str, headers: dict[str, str], shown: dict[str, str]
) -> None:
    """Each of these settings is a change, and shows afterwards."""
    assert copy(raw, source, source, headers).status == 200
    found = raw("GET", source)
    assert (found.body, {name: found.headers[name] for name in shown}) == (DATA, shown)


@pytest.mark.catalogue("COPY-006")
def test_a_copy_onto_itself_may_apply_the_bucket_encryption(raw: Raw, s3: Any, bucket: str, source: str) -> None:
    """A bucket with an encryption of its own choice may have its objects written again."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert copy(raw, source, source).status == 200


@pytest.mark.catalogue("COPY-006")
def test_a_copy_onto_itself_may_bring_back_a_version(raw: Raw, bucket: str, source: str) -> None:
    """An older version becomes the newest by being copied over it."""
    version(raw, bucket)
    raw("PUT", source, b"newer")
    assert copy(raw, f"{source}?versionId=null", source).status == 200
    assert raw("GET", source).body == DATA


# What is copied


@pytest.mark.catalogue("COPY-007")
def test_a_missing_source_is_named(raw: Raw, bucket: str, target: str) -> None:
    """The key is the decoded one of the source, and a missing bucket comes before any key."""
    found = refusal(copy(raw, f"/{bucket}/no%20such", target), "Key")
    assert found == (404, "NoSuchKey", "no such")
    assert refusal(copy(raw, "/no-such-bucket-here/k", target)) == (404, "NoSuchBucket")


@pytest.mark.catalogue("COPY-009")
@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("a/b", "a%2Fb"),
        ("a%252Fb", "a%252Fb"),
        ("100%25", "100%25"),
        ("a%20b", "a%20b"),
        ("%C3%A9/%F0%9F%98%80", "%C3%A9%2F%F0%9F%98%80"),
    ],
)
def test_a_source_is_decoded_once(raw: Raw, bucket: str, target: str, written: str, named: str) -> None:
    """One decoding gives the key, with and without a slash in front of the bucket."""
    raw("PUT", f"/{bucket}/{written}", DATA)
    for source in (f"/{bucket}/{named}", f"{bucket}/{named}"):
        assert copy(raw, source, target).status == 200
        assert raw("GET", target).body == DATA
        raw("DELETE", target)


@pytest.mark.catalogue("COPY-011")
def test_tags_are_kept_or_replaced(raw: Raw, bucket: str, target: str) -> None:
    """Without a directive and with COPY the tags come along; with REPLACE only those of the request count."""
    source, given = f"/{bucket}/tagged", {"x-amz-tagging": "c=3"}
    raw("PUT", source, DATA, {"x-amz-tagging": "a=1&b=2"})
    assert copy(raw, source, target).status == 200
    assert tags(raw, target) == {"a": "1", "b": "2"}
    assert copy(raw, source, target, {"x-amz-tagging-directive": "REPLACE", **given}).status == 200
    assert tags(raw, target) == {"c": "3"}
    assert copy(raw, source, target, {"x-amz-tagging-directive": "COPY"}).status == 200
    assert tags(raw, target) == {"a": "1", "b": "2"}
    assert copy(raw, source, target, {"x-amz-tagging-directive": "REPLACE"}).status == 200
    assert tags(raw, target) == {}


@pytest.mark.catalogue("COPY-013")
def test_locks_are_not_inherited(raw: Raw, bucket: str) -> None:
    """A copy of a locked object is free, though the bucket could lock it."""
    locked = f"/{bucket}-locked"
    assert raw("PUT", locked, headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 200
    locks = {
        "x-amz-object-lock-mode": "GOVERNANCE",
        "x-amz-object-lock-retain-until-date": time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 864000)),
        "x-amz-object-lock-legal-hold": "ON",
    }
    assert raw("PUT", f"{locked}/source", DATA, {**locks, **md5_header(DATA)}).status == 200
    assert locks.keys() <= raw("HEAD", f"{locked}/source").headers.keys()
    assert copy(raw, f"{locked}/source", f"{locked}/target").status == 200
    assert not locks.keys() & raw("HEAD", f"{locked}/target").headers.keys()


@pytest.mark.catalogue("COPY-014")
def test_a_version_can_be_copied(raw: Raw, bucket: str, target: str) -> None:
    """The version named is the one copied, and the answer repeats it."""
    version(raw, bucket)
    path = f"/{bucket}/versions"
    old, new = (raw("PUT", path, body).headers["x-amz-version-id"] for body in (b"old", b"new"))
    for name, body in ((old, b"old"), (new, b"new")):
        reply = copy(raw, f"{path}?versionId={name}", target)
        assert (reply.status, reply.headers["x-amz-copy-source-version-id"]) == (200, name)
        assert raw("GET", target).body == body


@pytest.mark.catalogue("COPY-015")
def test_a_delete_marker_cannot_be_copied(raw: Raw, bucket: str, target: str) -> None:
    """Met as the newest version it means that there is no object; named by its id it is a mistake."""
    version(raw, bucket)
    path = f"/{bucket}/deleted"
    raw("PUT", path, DATA)
    marker = raw("DELETE", path).headers["x-amz-version-id"]
    assert refusal(copy(raw, path, target)) == (404, "NoSuchKey")
    assert refusal(copy(raw, f"{path}?versionId={marker}", target)) == (400, "InvalidRequest")
    assert raw("HEAD", target).status == 404


@pytest.mark.catalogue("COPY-019")
def test_a_copy_takes_no_range(raw: Raw, source: str, target: str) -> None:
    """Range is for reading; a copy is of the whole."""
    assert refusal(copy(raw, source, target, {"Range": "bytes=0-1"})) == (400, "InvalidArgument")
    assert raw("HEAD", target).status == 404


@pytest.mark.catalogue("COPY-020")
def test_a_copy_takes_no_body(raw: Raw, source: str, target: str) -> None:
    """Bytes beside a source would contradict it."""
    assert refusal(raw("PUT", target, b"body", {"x-amz-copy-source": source})) == (400, "InvalidRequest")
    assert raw("HEAD", target).status == 404


# UploadPartCopy


@pytest.mark.catalogue("COPY-023")
def test_a_part_can_be_a_whole_object(raw: Raw, upload: Upload, source: str) -> None:
    """Without a range the part has all bytes of the source, and the answer tells its tag and time."""
    reply = upload.copy(1, source)
    assert (reply.status, reply.element("ETag")) == (200, ETAG)
    assert reply.body.rstrip().endswith(b"</CopyPartResult>")
    assert abs(told(reply).timestamp() - time.time()) < 60
    assert upload.complete([(1, ETAG, "")]).status == 200
    assert raw("GET", upload.path).body == DATA


@pytest.mark.catalogue("COPY-026")
def test_a_part_cannot_reach_past_its_source(upload: Upload, source: str) -> None:
    """An end behind the last byte is a wrong argument, a start there a wrong request."""
    for asked in ("bytes=0-10", "bytes=9-100"):
        assert refusal(upload.copy(1, source, {RANGE: asked})) == (400, "InvalidArgument")
    for asked in ("bytes=10-10", "bytes=50-60"):
        assert refusal(upload.copy(1, source, {RANGE: asked})) == (400, "InvalidRequest")


@pytest.mark.catalogue("COPY-027")
def test_a_part_is_not_copied_when_a_condition_fails(raw: Raw, upload: Upload, source: str) -> None:
    """Each condition on the source refuses under its own name, never with 304."""
    failing = {
        CONDITION("If-Match"): '"other"',
        CONDITION("If-None-Match"): ETAG,
        CONDITION("If-Modified-Since"): shifted(raw, source, 0),
        CONDITION("If-Unmodified-Since"): shifted(raw, source, -1),
    }
    for name, value in failing.items():
        found = refusal(upload.copy(1, source, {name.lower(): value}), "Condition")
        assert found == (412, "PreconditionFailed", name)
    assert upload.listed().elements("PartNumber") == []


@pytest.mark.catalogue("COPY-028")
def test_tags_outweigh_times_of_a_source(raw: Raw, upload: Upload, source: str) -> None:
    """A tag that fits makes up for a time that does not; one that must not fit is not made up for."""
    fits = {CONDITION("if-match"): ETAG, CONDITION("if-unmodified-since"): shifted(raw, source, -1)}
    assert upload.copy(1, source, fits).status == 200
    same = {CONDITION("if-none-match"): ETAG, CONDITION("if-modified-since"): shifted(raw, source, -1)}
    assert refusal(upload.copy(1, source, same)) == (412, "PreconditionFailed")
