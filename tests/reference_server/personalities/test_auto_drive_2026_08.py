"""The server as Auto Drive in August 2026: versions for ever, soft deletion, copies, metadata."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator

import pytest

from reference_server.personality import load
from tests.reference_server.conftest import OTHER, Raw, Running, run

UNSUPPORTED = "This S3 operation is not supported by Auto Drive."


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    yield from run(personality=load("auto-drive-2026-08"))


def test_a_deletion_hides_a_key_and_destroys_nothing(raw: Raw, bucket: str) -> None:
    cid = raw("PUT", f"/{bucket}/k", b"hidden").headers["x-amz-version-id"]
    deleted = raw("DELETE", f"/{bucket}/k")
    assert (deleted.status, deleted.body, deleted.headers["x-amz-delete-marker"]) == (204, b"", "true")
    assert re.fullmatch(r"dm-[0-9]{13}", deleted.headers["x-amz-version-id"])
    assert raw("GET", f"/{bucket}/k").status == 404
    assert raw("GET", f"/{bucket}?list-type=2").element("KeyCount") == "0"
    assert raw("GET", f"/{bucket}/k?versionId={cid}").body == b"hidden"
    again = raw("DELETE", f"/{bucket}/k")
    assert (again.status, "x-amz-delete-marker" in again.headers) == (204, False)


def test_deletions_need_an_api_key(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    assert raw("DELETE", f"/{bucket}/k", sign=False).status == 401
    assert raw("GET", f"/{bucket}/k").body == b"x"


def test_no_version_is_ever_destroyed(raw: Raw, bucket: str) -> None:
    cid = raw("PUT", f"/{bucket}/k", b"x").headers["x-amz-version-id"]
    reply = raw("DELETE", f"/{bucket}/k?versionId={cid}")
    assert (reply.status, reply.code) == (403, "AccessDenied")
    assert reply.element("Message").startswith("Versions are permanent and cannot be destroyed.")
    assert raw("GET", f"/{bucket}/k?versionId={cid}").body == b"x"


def test_the_version_of_an_object_is_its_cid(raw: Raw, bucket: str) -> None:
    first, second = (raw("PUT", f"/{bucket}/k", body).headers for body in (b"first", b"second"))
    assert first["x-amz-version-id"] == first["x-amz-meta-cid"] != second["x-amz-version-id"]
    assert raw("GET", f"/{bucket}/k").headers["x-amz-version-id"] == second["x-amz-meta-cid"]
    old = raw("GET", f"/{bucket}/k?versionId={first['x-amz-version-id']}")
    assert (old.body, old.headers["x-amz-meta-cid"]) == (b"first", first["x-amz-meta-cid"])
    assert raw("HEAD", f"/{bucket}/k?versionId={first['x-amz-version-id']}").headers["etag"] == first["etag"]
    missing = raw("GET", f"/{bucket}/k?versionId=none")
    assert (missing.status, json.loads(missing.body)) == (404, {"error": f"Object {bucket}/k not found"})


def test_all_versions_are_listed_newest_first(raw: Raw, bucket: str) -> None:
    cids = [raw("PUT", f"/{bucket}/k", body).headers["x-amz-version-id"] for body in (b"1", b"2", b"3")]
    other = raw("PUT", f"/{bucket}/l", b"other").headers["x-amz-version-id"]
    raw("DELETE", f"/{bucket}/l")
    reply = raw("GET", f"/{bucket}?versions")
    assert reply.body.startswith(b"<?xml version='1.0'?>\n<ListVersionsResult>")
    *versions, marker = reply.elements("VersionId")
    assert versions == [*reversed(cids), other]
    assert marker.startswith("dm-")
    assert reply.elements("IsLatest") == ["true", "false", "false", "false", "true"]
    page = raw("GET", f"/{bucket}?versions&max-keys=1")
    assert (page.element("IsTruncated"), page.element("NextKeyMarker")) == ("true", "k")
    assert len(page.elements("VersionId")) == 3
    rest = raw("GET", f"/{bucket}?versions&key-marker=k")
    assert (rest.elements("Key"), rest.element("IsTruncated")) == (["l", "l"], "false")
    assert raw("GET", f"/{bucket}?versions&prefix=none").elements("Key") == []


def test_versions_are_always_on_and_locked(raw: Raw, bucket: str) -> None:
    assert raw("GET", f"/{bucket}?versioning").element("Status") == "Enabled"
    lock = raw("GET", f"/{bucket}?object-lock")
    assert (lock.element("Mode"), lock.element("Years")) == ("COMPLIANCE", "100")
    for subresource in ("retention", "legal-hold"):
        missing = raw("GET", f"/{bucket}/k?{subresource}")
        assert (missing.status, missing.code, missing.element("Key")) == (404, "NoSuchKey", "k")
    raw("PUT", f"/{bucket}/k", b"x")
    retention = raw("GET", f"/{bucket}/k?retention")
    modified = raw("GET", f"/{bucket}?list-type=2").element("LastModified")
    until = f"{int(modified[:4]) + 100}{modified[4:]}"
    assert (retention.element("Mode"), retention.element("RetainUntilDate")) == ("COMPLIANCE", until)
    assert raw("GET", f"/{bucket}/k?legal-hold").element("Status") == "OFF"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PUT", "?versioning"),
        ("PUT", "?object-lock"),
        ("PUT", "/k?retention"),
        ("PUT", "/k?legal-hold"),
        ("PUT", "/k?partNumber=1&uploadId=x"),
        ("POST", "?delete"),
        ("GET", "/k?uploadId=x"),
        ("GET", "?uploads"),
    ],
)
def test_the_rest_is_not_implemented(raw: Raw, bucket: str, method: str, target: str) -> None:
    headers = {"x-amz-copy-source": "a/b"} if "partNumber" in target else {}
    reply = raw(method, f"/{bucket}{target}", b"<x/>", headers)
    assert (reply.status, reply.code, reply.element("Message")) == (501, "NotImplemented", UNSUPPORTED)


def test_metadata_and_headers_are_kept_as_sent(raw: Raw, bucket: str) -> None:
    sent = {
        "Content-Type": "text/plain",
        "Content-Encoding": "br",
        "Content-Disposition": "attachment",
        "Cache-Control": "no-store",
        "x-amz-meta-color": "red",
        "x-amz-meta-cid": "forged",
        "x-amz-meta-mtime": "1",
    }
    cid = raw("PUT", f"/{bucket}/k", b"not brotli", sent).headers["x-amz-meta-cid"]
    head = raw("GET", f"/{bucket}/k")
    shown = {name.lower(): value for name, value in sent.items()} | {"x-amz-meta-cid": cid}
    assert {name: head.headers.get(name) for name in shown} == shown
    assert head.body == b"not brotli"
    large = raw("PUT", f"/{bucket}/l", b"x", {"x-amz-meta-a": "x" * 2048})
    assert (large.status, large.code) == (400, "MetadataTooLarge")
    assert raw("GET", f"/{bucket}/l").status == 404


def test_a_copy_is_a_key_for_the_same_content(raw: Raw, bucket: str) -> None:
    put = raw("PUT", f"/{bucket}/a%20b", b"copied", {"x-amz-meta-color": "red"})
    copied = raw("PUT", f"/{bucket}/c", headers={"x-amz-copy-source": f"/{bucket}/a%20b"})
    assert (copied.status, copied.element("ETag")) == (200, put.headers["etag"])
    assert copied.headers["x-amz-meta-cid"] == copied.headers["x-amz-version-id"] == put.headers["x-amz-meta-cid"]
    read = raw("GET", f"/{bucket}/c")
    assert (read.body, read.headers["x-amz-meta-color"]) == (b"copied", "red")
    replacing = {"x-amz-copy-source": f"{bucket}/c", "x-amz-metadata-directive": "REPLACE", "x-amz-meta-size": "s"}
    assert raw("PUT", f"/{bucket}/c", headers=replacing).status == 200
    head = raw("HEAD", f"/{bucket}/c").headers
    assert (head["x-amz-meta-size"], "x-amz-meta-color" in head) == ("s", False)
    assert head["x-amz-meta-cid"] == put.headers["x-amz-meta-cid"]
    old = f"{bucket}/a%20b?versionId={put.headers['x-amz-version-id']}"
    raw("PUT", f"/{bucket}/a%20b", b"present")
    again = raw("PUT", f"/{bucket}/e", headers={"x-amz-copy-source": old})
    assert again.headers["x-amz-copy-source-version-id"] == put.headers["x-amz-meta-cid"]
    assert raw("GET", f"/{bucket}/e").body == b"copied"
    never = raw("PUT", f"/{bucket}/d", headers={"x-amz-copy-source": f"{bucket}/a%20b?versionId=never"})
    assert (never.status, never.code) == (404, "NoSuchVersion")
    missing = raw("PUT", f"/{bucket}/d", headers={"x-amz-copy-source": f"{bucket}/none"})
    assert (missing.status, missing.code, missing.element("Key")) == (404, "NoSuchKey", "none")


def test_an_upload_can_be_aborted(raw: Raw, bucket: str) -> None:
    upload = raw("POST", f"/{bucket}/m?uploads").element("UploadId")
    assert raw("DELETE", f"/{bucket}/m?uploadId={upload}").status == 204
    again = raw("DELETE", f"/{bucket}/m?uploadId={upload}")
    assert (again.status, again.code, again.element("UploadId")) == (404, "NoSuchUpload", upload)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("<Other/>", "Missing CompleteMultipartUpload root element"),
        ("", "Missing CompleteMultipartUpload root element"),
        ("<CompleteMultipartUpload", "Missing CompleteMultipartUpload root element"),
        ("<CompleteMultipartUpload/>", "CompleteMultipartUpload has no parts"),
        (
            "<CompleteMultipartUpload><Part><ETag>e</ETag></Part></CompleteMultipartUpload>",
            "Part is missing a valid PartNumber",
        ),
        (
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag/></Part></CompleteMultipartUpload>",
            "Part is missing a non-empty ETag",
        ),
    ],
)
def test_a_list_of_parts_must_be_one(raw: Raw, bucket: str, document: str, message: str) -> None:
    upload = raw("POST", f"/{bucket}/m?uploads").element("UploadId")
    reply = raw("POST", f"/{bucket}/m?uploadId={upload}", document.encode())
    assert (reply.status, reply.code, reply.element("Message")) == (400, "MalformedXML", message)


def test_etags_between_numeric_references_are_read(raw: Raw, bucket: str) -> None:
    upload = raw("POST", f"/{bucket}/m?uploads").element("UploadId")
    etag = raw("PUT", f"/{bucket}/m?partNumber=1&uploadId={upload}", b"1").headers["etag"].strip('"')
    part = f"<Part><PartNumber>1</PartNumber><ETag>&#34;{etag}&#34;</ETag></Part>"
    document = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>"
    done = raw("POST", f"/{bucket}/m?uploadId={upload}", document.encode())
    assert done.headers["etag"] == f'"{hashlib.md5(bytes.fromhex(etag)).hexdigest()}-1"'


def test_names_are_encoded_for_those_who_ask(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/a%20b/c%07", b"x")
    reply = raw("GET", f"/{bucket}?list-type=2&encoding-type=url&prefix=a%20b/")
    assert (reply.element("EncodingType"), reply.element("Key")) == ("url", "a%20b%2Fc%07")
    assert reply.element("Prefix") == "a%20b%2F"
    folded = raw("GET", f"/{bucket}?list-type=2&encoding-type=url&delimiter=/")
    assert folded.elements("Prefix")[-1] == "a%20b%2F"
    for listing in ("list-type=2", "versions"):
        refused = raw("GET", f"/{bucket}?{listing}")
        assert (refused.status, refused.code) == (400, "InvalidArgument")
        assert refused.element("ArgumentName") == "encoding-type"


def test_ranges_are_those_of_http(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"0123456789")
    assert raw("GET", f"/{bucket}/k", headers={"Range": "bytes=-2"}).body == b"89"
    assert raw("HEAD", f"/{bucket}/k", headers={"Range": "bytes=0-1"}).status == 206
    assert raw("HEAD", f"/{bucket}/k").status == 200
    reply = raw("GET", f"/{bucket}/k", headers={"Range": "bytes=12-15"})
    assert (reply.status, reply.code, reply.element("ActualObjectSize")) == (416, "InvalidRange", "10")


def test_each_user_has_buckets_of_their_own(running: Running, raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    other = running.raw(OTHER)
    assert bucket not in other("GET", "/").elements("Name")
    assert other("GET", f"/{bucket}/k").status == 404
    assert other("GET", f"/{bucket}?list-type=2").element("KeyCount") == "0"
    assert other("PUT", f"/{bucket}/c", headers={"x-amz-copy-source": f"{bucket}/k"}).status == 403
    assert other("DELETE", f"/{bucket}/k").status == 204
    stolen = other("PUT", f"/{bucket}/k", b"y")
    assert (stolen.status, json.loads(stolen.body)) == (403, {"error": f"Key {bucket}/k is owned by another user"})
    assert raw("GET", f"/{bucket}/k").body == b"x"


def test_a_copy_names_its_source(raw: Raw, bucket: str) -> None:
    reply = raw("PUT", f"/{bucket}/c", headers={"x-amz-copy-source": "/?versionId=1"})
    assert (reply.status, reply.code, reply.element("ArgumentName")) == (400, "InvalidArgument", "x-amz-copy-source")


def test_an_empty_key_is_hidden_like_any_other(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/", b"nameless")
    assert raw("DELETE", f"/{bucket}/").headers["x-amz-delete-marker"] == "true"
    assert raw("GET", f"/{bucket}/").status == 404
    assert raw("DELETE", f"/{bucket}/").status == 204
