"""Copies. Ids are those of the behaviour catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Raw, Reply

SOURCE = "x-amz-copy-source"
EARLY, LATE = "Thu, 01 Jan 2015 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.fixture
def path(raw: Raw, bucket: str) -> str:
    headers = {"x-amz-meta-m": "v", "Content-Type": "text/x", "x-amz-checksum-crc32": "cZWHwQ=="}
    raw("PUT", f"/{bucket}/source", b"test data..", {**headers, "x-amz-storage-class": "STANDARD_IA"})
    return f"/{bucket}"


def copy(raw: Raw, path: str, key: str = "source", target: str = "target", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return raw("PUT", f"{path}/{target}", headers={SOURCE: f"{path}/{key}", **named})


@pytest.mark.catalogue("COPY-002", "COPY-021")
def test_a_copy_keeps_what_the_source_had_and_is_independent(raw: Raw, path: str) -> None:
    reply = copy(raw, path, x_amz_meta_other="ignored")
    assert reply.status == 200
    assert reply.element("ETag") == '"e6d9226c2a86b7232933663c13467527"'
    assert reply.element("LastModified").endswith(".000Z")
    assert reply.element("ChecksumCRC32") == "cZWHwQ=="
    raw("PUT", f"{path}/source", b"changed")
    raw("DELETE", f"{path}/source")
    found = raw("GET", f"{path}/target")
    assert (found.body, found.headers["x-amz-meta-m"]) == (b"test data..", "v")
    assert found.headers["content-type"] == "text/x"
    assert "x-amz-meta-other" not in found.headers
    assert "x-amz-storage-class" not in found.headers


def test_replace_takes_the_metadata_of_the_request(raw: Raw, path: str) -> None:
    headers = {"x_amz_metadata_directive": "REPLACE", "x_amz_meta_n": "w", "x_amz_checksum_algorithm": "SHA256"}
    reply = copy(raw, path, **headers)
    assert reply.element("ChecksumSHA256") == "2l26x0trnT0r2AvakoFk2MB7eKVKzYESLMxSAKAzoik="
    found = raw("HEAD", f"{path}/target").headers
    assert found["x-amz-meta-n"] == "w"
    assert "x-amz-meta-m" not in found
    assert found["content-type"] == "binary/octet-stream"
    assert copy(raw, path, x_amz_metadata_directive="MERGE").code == "InvalidArgument"
    assert copy(raw, path, x_amz_checksum_algorithm="CRC16").code == "InvalidRequest"


def test_copy_onto_itself_must_change_something(raw: Raw, path: str) -> None:
    for headers in ({}, {"x_amz_meta_m": "new"}, {"x_amz_acl": "private"}):
        assert copy(raw, path, target="source", **headers).code == "InvalidRequest"
    assert copy(raw, path, target="source", x_amz_storage_class="STANDARD").status == 200
    assert copy(raw, path, target="source", x_amz_metadata_directive="REPLACE").status == 200
    assert raw("GET", f"{path}/source").body == b"test data.."


@pytest.mark.catalogue("COPY-010")
def test_source_names_are_decoded_once(raw: Raw, path: str) -> None:
    raw("PUT", f"{path}/a%20b", b"space")
    raw("PUT", f"{path}/a%2Bb", b"plus")
    raw("PUT", f"{path}/a%252Fb", b"percent")
    for key, body in (("a%20b", b"space"), ("a+b", b"space"), ("a%2Bb", b"plus"), ("a%252Fb", b"percent")):
        assert copy(raw, path, key).status == 200
        assert raw("GET", f"{path}/target").body == body
    assert raw("PUT", f"{path}/t", headers={SOURCE: f"{path}/source".removeprefix("/")}).status == 200
    assert raw("PUT", f"{path}/t", headers={SOURCE: f"{path}/source?versionId=null"}).status == 200


@pytest.mark.catalogue("COPY-008")
def test_wrong_sources(raw: Raw, path: str) -> None:
    reply = copy(raw, path, "none%20such")
    assert (reply.status, reply.code, reply.element("Key")) == (404, "NoSuchKey", "none such")
    assert copy(raw, "/no-such-bucket-here").code == "NoSuchBucket"
    assert raw("PUT", f"{path}/t", headers={SOURCE: "/no-such-bucket-here/k"}).code == "NoSuchBucket"
    for wrong in ("no-slash", "/", "bucket/", "%FF/k"):
        reply = raw("PUT", f"{path}/t", headers={SOURCE: wrong})
        assert (reply.status, reply.code, reply.element("ArgumentName")) == (400, "InvalidArgument", SOURCE)
    assert copy(raw, path, Range="bytes=0-1").code == "InvalidArgument"
    assert raw("PUT", f"{path}/t", b"body", {SOURCE: f"{path}/source"}).code == "InvalidRequest"


@pytest.mark.catalogue("COPY-016", "COPY-017", "COPY-018")
def test_source_conditions_never_give_304(raw: Raw, path: str) -> None:
    head = raw("HEAD", f"{path}/source")
    etag, modified = head.headers["etag"], head.headers["last-modified"]
    name = "x_amz_copy_source_if_{}".format
    failing = {
        "x-amz-copy-source-If-Match": {name("match"): '"x"'},
        "x-amz-copy-source-If-None-Match": {name("none_match"): etag},
        "x-amz-copy-source-If-Modified-Since": {name("modified_since"): modified},
        "x-amz-copy-source-If-Unmodified-Since": {name("unmodified_since"): EARLY},
    }
    for condition, headers in failing.items():
        reply = copy(raw, path, **headers)
        assert (reply.status, reply.code, reply.element("Condition")) == (412, "PreconditionFailed", condition)
    assert copy(raw, path, **{name("match"): etag, name("unmodified_since"): EARLY}).status == 200
    assert copy(raw, path, **{name("modified_since"): LATE}).status == 200


def test_destination_conditions(raw: Raw, path: str) -> None:
    assert copy(raw, path, If_Match='"x"').code == "NoSuchKey"
    assert copy(raw, path, If_None_Match="*").status == 200
    assert copy(raw, path, If_None_Match="*").code == "PreconditionFailed"
    assert copy(raw, path, If_None_Match='"x"').code == "NotImplemented"


@pytest.mark.catalogue("ETAG-014", "COPY-024", "COPY-025")
def test_upload_part_copy(raw: Raw, path: str) -> None:
    upload = raw("POST", f"{path}/m?uploads").element("UploadId")
    part = f"m?partNumber=1&uploadId={upload}"
    reply = copy(raw, path, target=part)
    assert reply.element("ETag") == '"e6d9226c2a86b7232933663c13467527"'
    assert reply.element("LastModified") != ""
    copied = copy(raw, path, target=part, x_amz_copy_source_range="bytes=5-8").element("ETag")
    document = f"<Part><PartNumber>1</PartNumber><ETag>{copied}</ETag></Part>"
    for wrong in ("5-", "bytes=5-", "bytes=-5", "bytes=8-5", "5-8", "bytes=0-11"):
        reply = copy(raw, path, target=part, x_amz_copy_source_range=wrong)
        assert (reply.status, reply.code) == (400, "InvalidArgument")
        assert reply.element("ArgumentName") == "x-amz-copy-source-range"
    assert copy(raw, path, target=part, x_amz_copy_source_range="bytes=11-12").code == "InvalidRequest"
    assert copy(raw, path, target=part, x_amz_copy_source_if_match='"x"').code == "PreconditionFailed"
    assert copy(raw, path, target="m?uploadId=x").code == "MethodNotAllowed"
    assert copy(raw, path, target="m?partNumber=1&uploadId=x").code == "NoSuchUpload"
    done = raw(
        "POST", f"{path}/m?uploadId={upload}", f"<CompleteMultipartUpload>{document}</CompleteMultipartUpload>".encode()
    )
    assert done.status == 200
    assert raw("GET", f"{path}/m").body == b"data"
