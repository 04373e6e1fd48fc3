"""The server as Storj's Gateway-ST: its ways of saying no, its listings, its objects that expire, its limits."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from reference_server.personalities import _storj_listing
from reference_server.personalities._storj_listing import order
from reference_server.personality import load
from tests.reference_server.conftest import OTHER, Running, run
from tests.reference_server.personalities.storj import BUCKET, begun, completed, said

if TYPE_CHECKING:
    from tests.reference_server.conftest import Raw

NOT_IMPLEMENTED = "A header you provided implies functionality that is not implemented"
NO_LOCK = "Bucket is missing ObjectLockConfiguration"
MISSING_MD5 = (400, "MissingContentMD5", "Missing required header for this request: Content-Md5.")
REJECTED = (
    *("analytics&id=a", "inventory&id=a", "metrics&id=a", "intelligent-tiering&id=a", "ownershipControls"),
    "publicAccessBlock",
)
KEYS = ["a", "b", "B", "c/1", "c/2", "d-1", "d/e/f", "é", "z z"]


@pytest.fixture(scope="module")
def st() -> Iterator[Running]:
    yield from run(personality=load("storj-st"))


@pytest.fixture(scope="module")
def raw(st: Running) -> Raw:
    """Signed requests; the bucket exists, with an object `k`."""
    signed = st.raw()
    assert signed("PUT", BUCKET).status == 200
    assert signed("PUT", f"{BUCKET}/k", b"data").status == 200
    return signed


@pytest.fixture
def listed(raw: Raw) -> Iterator[str]:
    """A bucket with `KEYS`."""
    path = "/st-listed"
    raw("PUT", path)
    for key in KEYS:
        assert raw("PUT", f"{path}/{quote(key)}", b"x").status == 200
    yield path
    for key in KEYS:
        raw("DELETE", f"{path}/{quote(key)}")
    raw("DELETE", path)


def _md5(body: bytes) -> dict[str, str]:
    return {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}


def _encrypted_order(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: order(name.encode()))


# Four ways of saying no


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("query", REJECTED)
def test_rejected_requests_are_501_whatever_they_bring(raw: Raw, method: str, query: str) -> None:
    assert said(raw(method, f"{BUCKET}?{query}")) == (501, "NotImplemented", NOT_IMPLEMENTED)
    assert raw("GET", f"{BUCKET}/k").body == b"data"


@pytest.mark.parametrize("query", ["cors", "website", "logging", "accelerate", "requestPayment", "acl", "encryption"])
def test_more_settings_cannot_be_put(raw: Raw, query: str) -> None:
    assert said(raw("PUT", f"{BUCKET}?{query}", b"<A/>")) == (501, "NotImplemented", NOT_IMPLEMENTED)


@pytest.mark.parametrize(
    ("method", "query"),
    [
        *(("GET", name) for name in ("encryption", "lifecycle", "policy", "replication", "tagging", "versioning")),
        *(("DELETE", name) for name in ("encryption", "lifecycle", "policy", "replication", "tagging")),
        ("GET", "object-lock"),
    ],
)
def test_some_refusals_look_for_the_bucket_first(raw: Raw, method: str, query: str) -> None:
    assert said(raw(method, f"{BUCKET}?{query}")) == (501, "NotImplemented", NOT_IMPLEMENTED)
    assert raw(method, f"/st-absent?{query}").code == "NoSuchBucket"


def test_documents_are_read_before_they_are_refused(raw: Raw) -> None:
    tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    assert raw("PUT", f"{BUCKET}?tagging", tags).status == 501
    assert raw("PUT", f"{BUCKET}?tagging", b"<Tag").code == "MalformedXML"
    assert raw("PUT", f"{BUCKET}?policy", b"no policy").code == "MalformedPolicy"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::st-bucket/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()
    assert raw("PUT", f"{BUCKET}?policy", policy).status == 501
    versioning = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert raw("PUT", f"{BUCKET}?versioning", versioning).status == 501


@pytest.mark.parametrize("query", ["replication", "object-lock"])
def test_two_refusals_come_as_json(raw: Raw, query: str) -> None:
    reply = raw("PUT", f"{BUCKET}?{query}", b"<A/>")
    assert (reply.status, reply.headers["content-type"]) == (501, "application/json")
    said = json.loads(reply.body)
    assert (said["Code"], said["Message"], said["BucketName"]) == ("NotImplemented", NOT_IMPLEMENTED, "st-bucket")
    assert said["RequestId"] == reply.headers["x-amz-request-id"]


@pytest.mark.parametrize("query", ["retention", "legal-hold"])
def test_locks_of_objects_are_400(raw: Raw, query: str) -> None:
    expected = (400, "InvalidRequest", NO_LOCK)
    assert said(raw("GET", f"{BUCKET}/k?{query}")) == expected
    assert said(raw("PUT", f"{BUCKET}/k?{query}", b"<A/>", _md5(b"<A/>"))) == expected
    assert said(raw("PUT", f"{BUCKET}/k?{query}", b"<A/>")) == MISSING_MD5
    held = raw("PUT", f"{BUCKET}/held", b"x", {"x-amz-object-lock-legal-hold": "ON"})
    assert said(held) == expected


def test_restoring_is_403(raw: Raw) -> None:
    document = b"<RestoreRequest><Days>1</Days></RestoreRequest>"
    archived = "The operation is not valid for the current state of the object."
    assert said(raw("POST", f"{BUCKET}/k?restore", document)) == (403, "InvalidObjectState", archived)
    assert raw("POST", f"{BUCKET}/absent?restore", document).code == "NoSuchKey"
    assert said(raw("POST", f"{BUCKET}/k?restore"))[:2] == (400, "EmptyRequestBody")


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("accelerate", "AccelerateConfiguration"),
        ("logging", "BucketLoggingStatus"),
        ("requestPayment", "<Payer>BucketOwner</Payer>"),
        ("policyStatus", "<IsPublic>FALSE</IsPublic>"),
        ("acl", "<Permission>FULL_CONTROL</Permission>"),
    ],
)
def test_some_settings_have_a_fixed_answer(raw: Raw, query: str, answer: str) -> None:
    reply = raw("GET", f"{BUCKET}?{query}")
    assert reply.status == 200
    assert answer in reply.body.decode()
    assert raw("GET", f"/st-absent?{query}").code == "NoSuchBucket"


def test_acl_of_an_object_is_fixed_but_the_object_must_be_there(raw: Raw) -> None:
    assert raw("GET", f"{BUCKET}/k?acl").element("Permission") == "FULL_CONTROL"
    assert raw("GET", f"{BUCKET}/absent?acl").code == "NoSuchKey"
    assert raw("PUT", f"{BUCKET}/k?acl", headers={"x-amz-acl": "private"}).status == 501


def test_cors_and_website_are_never_configured(raw: Raw) -> None:
    assert said(raw("GET", f"{BUCKET}?cors"))[:2] == (404, "NoSuchCORSConfiguration")
    assert said(raw("GET", f"{BUCKET}?website"))[:2] == (404, "NoSuchWebsiteConfiguration")


def test_website_is_deleted_for_anybody_and_the_bucket_stays(raw: Raw) -> None:
    reply = raw("DELETE", f"{BUCKET}?website", sign=False)
    assert (reply.status, reply.body) == (200, b"")
    assert raw("DELETE", BUCKET, sign=False).status == 403
    assert raw("GET", f"{BUCKET}/k").body == b"data"


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", f"{BUCKET}?versions", {}),
        ("GET", f"{BUCKET}?notification", {}),
        ("GET", f"{BUCKET}/k?torrent", {}),
        ("POST", f"{BUCKET}/k?select&select-type=2", {}),
        ("PUT", f"{BUCKET}/part?partNumber=1&uploadId=x", {"x-amz-copy-source": "st-bucket/k"}),
    ],
)
def test_operations_that_are_not_implemented(raw: Raw, method: str, target: str, headers: dict[str, str]) -> None:
    assert said(raw(method, target, headers=headers)) == (501, "NotImplemented", NOT_IMPLEMENTED)


def test_what_has_no_route_is_taken_for_something_plain(raw: Raw) -> None:
    attributes = raw("GET", f"{BUCKET}/k?attributes", headers={"x-amz-object-attributes": "ETag"})
    assert (attributes.status, attributes.body) == (200, b"data")
    assert raw("POST", "/WriteGetObjectResponse", headers={"x-amz-request-route": "r"}).status == 404


@pytest.mark.parametrize(
    ("method", "query"), [("GET", "metadataTable"), ("POST", "metadataTable"), ("PUT", "abac"), ("GET", "session")]
)
def test_what_is_newer_than_the_gateway_is_refused_as_it_is_without_a_gateway(
    raw: Raw, method: str, query: str
) -> None:
    assert said(raw(method, f"{BUCKET}?{query}", b"<A/>" if method != "GET" else b""))[:2] == (501, "NotImplemented")
    assert raw("GET", f"{BUCKET}/k").body == b"data"


# What is offered, otherwise than S3


def test_a_bucket_that_exists_is_taken(raw: Raw) -> None:
    assert said(raw("PUT", BUCKET))[:2] == (409, "BucketAlreadyExists")
    assert raw("DELETE", BUCKET).code == "BucketNotEmpty"


@pytest.mark.parametrize("header", [{}, {"x-amz-checksum-crc32": "AAAAAA=="}])
def test_many_deletes_need_content_md5(raw: Raw, header: dict[str, str]) -> None:
    raw("PUT", f"{BUCKET}/gone", b"x")
    document = b"<Delete><Object><Key>gone</Key></Object></Delete>"
    assert said(raw("POST", f"{BUCKET}?delete", document, header)) == MISSING_MD5
    assert raw("GET", f"{BUCKET}/gone").status == 200
    assert raw("POST", f"{BUCKET}?delete", document, _md5(document)).element("Key") == "gone"
    assert raw("GET", f"{BUCKET}/gone").status == 404


def test_lifecycle_needs_content_md5_before_it_is_refused(raw: Raw) -> None:
    rule = "<Rule><ID>a</ID><Status>Enabled</Status><Filter></Filter><Expiration><Days>1</Days></Expiration></Rule>"
    document = f"<LifecycleConfiguration>{rule}</LifecycleConfiguration>".encode()
    assert said(raw("PUT", f"{BUCKET}?lifecycle", document)) == MISSING_MD5
    assert said(raw("PUT", f"{BUCKET}?lifecycle", document, _md5(document))) == (
        501,
        "NotImplemented",
        NOT_IMPLEMENTED,
    )
    assert raw("PUT", f"{BUCKET}?lifecycle", b"<L", _md5(b"<L")).code == "MalformedXML"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-storage-class": "REDUCED_REDUNDANCY"},
        {"x-amz-server-side-encryption": "AES256"},
        {"x-amz-server-side-encryption": "aws:kms"},
    ],
)
def test_other_storage_classes_and_encryption_are_501(raw: Raw, headers: dict[str, str]) -> None:
    assert raw("PUT", f"{BUCKET}/other", b"x", headers).status == 501
    assert raw("POST", f"{BUCKET}/other?uploads", headers=headers).status == 501
    assert raw("PUT", f"{BUCKET}/other", headers={"x-amz-copy-source": "st-bucket/k", **headers}).status == 501
    assert raw("GET", f"{BUCKET}/other").status == 404
    assert raw("PUT", f"{BUCKET}/other", b"x", {"x-amz-storage-class": "STANDARD"}).status == 200
    assert raw("DELETE", f"{BUCKET}/other").status == 204


def test_answers_do_not_tell_of_encryption_or_checksums(raw: Raw) -> None:
    put = raw("PUT", f"{BUCKET}/plain", b"x", {"x-amz-checksum-crc32": "AAAAAA=="})
    got = raw("GET", f"{BUCKET}/plain", headers={"x-amz-checksum-mode": "ENABLED"})
    assert (put.status, got.body) == (200, b"x")
    assert not [name for reply in (put, got) for name in reply.headers if "checksum" in name or "encryption" in name]
    assert "Checksum" not in raw("GET", f"{BUCKET}?list-type=2").body.decode()


@pytest.mark.parametrize("mode", ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"])
def test_trailers_are_not_known(raw: Raw, mode: str) -> None:
    sent = {"x-amz-decoded-content-length": "1", "x-amz-trailer": "x-amz-checksum-crc32"}
    body = b"1\r\nx\r\n0\r\nx-amz-checksum-crc32:jNxvsQ==\r\n\r\n"
    framed = raw("PUT", f"{BUCKET}/framed", body, sent, payload=mode)
    assert said(framed)[:2] == (400, "XAmzContentSHA256Mismatch")
    chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    unsized = raw(
        *("PUT", f"{BUCKET}/framed", chunked, sent),
        payload=mode,
        length=False,
        unsigned={"Transfer-Encoding": "chunked"},
    )
    assert said(unsized)[:2] == (411, "MissingContentLength")


def test_conditions_of_writes_acls_versions_and_parts_are_not_read(raw: Raw) -> None:
    raw("PUT", f"{BUCKET}/old", b"old")
    assert raw("PUT", f"{BUCKET}/old", b"new", {"If-None-Match": "*", "x-amz-acl": "public-read"}).status == 200
    assert raw("GET", f"{BUCKET}/old?versionId=any").body == b"new"
    assert raw("GET", f"{BUCKET}/old?partNumber=7").body == b"new"
    assert raw("GET", f"{BUCKET}/old", headers={"If-None-Match": '"x"'}).body == b"new"
    assert raw("GET", f"{BUCKET}/old", headers={"If-Match": '"x"'}).status == 412
    assert raw("DELETE", f"{BUCKET}/old", headers={"If-Match": '"x"'}).status == 204


def test_limits_of_keys_and_metadata(raw: Raw) -> None:
    assert raw("PUT", f"{BUCKET}/{'k' * 1024}", b"x").status == 200
    assert said(raw("PUT", f"{BUCKET}/{'k' * 1025}", b"x"))[:2] == (400, "KeyTooLongError")
    assert raw("PUT", f"{BUCKET}/m", b"x", {"x-amz-meta-a": "v" * 2047}).status == 200
    assert said(raw("PUT", f"{BUCKET}/m", b"x", {"x-amz-meta-a": "v" * 2048}))[:2] == (400, "MetadataTooLarge")
    assert raw("PUT", "/" + "b" * 64).code == raw("PUT", "/bb").code == "InvalidBucketName"


def test_owner_of_buckets_has_the_name_of_minio(raw: Raw) -> None:
    reply = raw("GET", "/?attribution")
    assert (reply.element("DisplayName"), "st-bucket" in reply.elements("Name")) == ("minio", True)
    assert "Attribution" not in reply.body.decode()


def test_an_account_has_a_hundred_buckets_at_most(st: Running) -> None:
    one, other = st.raw(), st.raw(OTHER)
    names = [f"/st-many-{number}" for number in range(100 - len(one("GET", "/").elements("Name")))]
    assert {one("PUT", name).status for name in names} == {200}
    assert said(one("PUT", "/st-many-more"))[:2] == (500, "InternalError")
    assert one("HEAD", "/st-many-more").status == 404
    assert one("PUT", names[0]).code == "BucketAlreadyExists"
    assert other("PUT", "/st-of-another").status == 200
    assert one("DELETE", names.pop()).status == 204
    assert one("PUT", "/st-many-more").status == 200
    for name in (*names, "/st-many-more"):
        one("DELETE", name)
    other("DELETE", "/st-of-another")


# Multipart uploads


def test_aborting_what_is_not_there_succeeds(raw: Raw) -> None:
    assert raw("DELETE", f"{BUCKET}/k?uploadId=none").status == 204
    assert raw("DELETE", "/st-absent/k?uploadId=none").code == "NoSuchBucket"
    upload = begun(raw, "aborted")
    assert raw("DELETE", f"{BUCKET}/aborted?uploadId={upload}").status == 204
    assert raw("GET", f"{BUCKET}/aborted?uploadId={upload}").code == "NoSuchUpload"


def test_completing_needs_all_parts(raw: Raw) -> None:
    upload = begun(raw, "whole")
    etags = {n: raw("PUT", f"{BUCKET}/whole?partNumber={n}&uploadId={upload}", b"x").headers["etag"] for n in (1, 2)}
    assert said(completed(raw, "whole", upload, {1: etags[1]}))[:2] == (400, "InvalidPart")
    assert completed(raw, "whole", upload, etags).code == "EntityTooSmall"
    assert completed(raw, "whole", upload, {2: etags[2], 1: etags[1]}).code == "InvalidPartOrder"
    raw("DELETE", f"{BUCKET}/whole?uploadId={upload}")


def test_parts_come_up_to_ten_thousand_on_a_page(raw: Raw) -> None:
    upload = begun(raw, "parts")
    for number in range(1, 1004):
        raw("PUT", f"{BUCKET}/parts?partNumber={number}&uploadId={upload}", b"")
    page = raw("GET", f"{BUCKET}/parts?uploadId={upload}")
    assert page.elements("PartNumber") == [str(number) for number in range(1, 1004)]
    assert (page.element("MaxParts"), page.element("IsTruncated")) == ("10000", "false")
    page = raw("GET", f"{BUCKET}/parts?uploadId={upload}&max-parts=1002")
    assert (len(page.elements("PartNumber")), page.element("IsTruncated")) == (1002, "true")
    assert page.element("NextPartNumberMarker") == "1002"
    page = raw("GET", f"{BUCKET}/parts?uploadId={upload}&max-parts=20000&part-number-marker=1001")
    assert page.elements("PartNumber") == ["1002", "1003"]
    assert page.element("MaxParts") == "10000"
    raw("DELETE", f"{BUCKET}/parts?uploadId={upload}")


@pytest.fixture
def uploads(raw: Raw) -> Iterator[list[str]]:
    """Unfinished uploads of some keys in the bucket, in the order of encrypted paths."""
    ids = {key: begun(raw, key) for key in ("u/a", "u/b", "u/c/1", "u/c/2", "v")}
    yield _encrypted_order([*ids])
    for key, upload in ids.items():
        raw("DELETE", f"{BUCKET}/{key}?uploadId={upload}")


def test_uploads_are_listed_by_encrypted_path(raw: Raw, uploads: list[str]) -> None:
    assert raw("GET", f"{BUCKET}?uploads").elements("Key") == uploads
    below = [key for key in uploads if key.startswith("u/")]
    folded = raw("GET", f"{BUCKET}?uploads&prefix=u%2F&delimiter=%2F")
    assert folded.elements("Key") == [key for key in below if "c" not in key]
    assert folded.elements("Prefix") == ["u/", "u/c/"]
    assert raw("GET", f"{BUCKET}?uploads&prefix=v").elements("Key") == ["v"]
    assert raw("GET", f"{BUCKET}?uploads&prefix=u").elements("Key") == []


def test_uploads_have_limited_delimiters_and_markers(raw: Raw, uploads: list[str]) -> None:
    assert said(raw("GET", f"{BUCKET}?uploads&delimiter=x")) == (501, "NotImplemented", 'Unsupported delimiter: "x"')
    assert said(raw("GET", f"{BUCKET}?uploads&prefix=u%2F&key-marker=v"))[:2] == (501, "NotImplemented")
    page = raw("GET", f"{BUCKET}?uploads&max-uploads=2")
    assert page.elements("Key") == uploads[:2]
    assert (page.element("NextKeyMarker"), page.element("NextUploadIdMarker")) == (uploads[1], "")
    page = raw("GET", f"{BUCKET}?uploads&key-marker={quote(uploads[1], safe='')}&upload-id-marker=any")
    assert page.elements("Key") == uploads[2:]
    assert page.element("UploadIdMarker") == "any"


# Listings


@pytest.mark.parametrize("query", ["", "delimiter=%2F", "prefix=c%2F", "prefix=d%2F&delimiter=%2F"])
@pytest.mark.parametrize("version", ["max-keys=1000", "list-type=2"])
def test_listings_with_slashes_come_by_encrypted_path(raw: Raw, listed: str, version: str, query: str) -> None:
    reply = raw("GET", f"{listed}?{version}{query and '&'}{query}")
    prefix = "c/" if "c%2F" in query else "d/" if "d%2F" in query else ""
    below = [key for key in KEYS if key.startswith(prefix)]
    folded = {key[: key.index("/", len(prefix)) + 1] for key in below if "/" in key[len(prefix) :]}
    if "delimiter" not in query:
        assert reply.elements("Key") == _encrypted_order(below) != sorted(below)
        return
    assert reply.elements("Key") == _encrypted_order([key for key in below if "/" not in key[len(prefix) :]])
    assert reply.elements("Prefix") == [prefix, *_encrypted_order([*folded])]


@pytest.mark.parametrize("query", ["prefix=d", "delimiter=-", "prefix=c&delimiter=%2F", "prefix=d&delimiter=e"])
def test_other_listings_come_by_key(raw: Raw, listed: str, query: str) -> None:
    reply = raw("GET", f"{listed}?{query}")
    for name in ("Key", "Prefix"):
        assert (found := reply.elements(name)) == sorted(found)
    assert reply.elements("Key") or reply.elements("Prefix")[1:]


@pytest.mark.parametrize("delimiter", ["", "%2F"])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_pages_bring_every_entry_once(raw: Raw, listed: str, size: int, delimiter: str) -> None:
    whole = raw("GET", f"{listed}?list-type=2&delimiter={delimiter}")
    expected = sorted(whole.elements("Key") + whole.elements("Prefix")[1:])
    found: list[str] = []
    token = ""
    while True:
        page = raw("GET", f"{listed}?list-type=2&max-keys={size}&delimiter={delimiter}{token}")
        found += page.elements("Key") + page.elements("Prefix")[1:]
        if page.element("IsTruncated") == "false":
            break
        token = f"&continuation-token={page.element('NextContinuationToken')}"
    assert sorted(found) == expected


def test_markers_are_places_in_the_order_of_the_listing(raw: Raw, listed: str) -> None:
    ordered = _encrypted_order(KEYS)
    assert raw("GET", f"{listed}?marker={quote(ordered[3])}").elements("Key") == ordered[4:]
    assert raw("GET", f"{listed}?list-type=2&start-after={quote(ordered[0])}").elements("Key") == ordered[1:]
    below = _encrypted_order(["c/1", "c/2"])
    assert raw("GET", f"{listed}?prefix=c%2F&marker=a").elements("Key") == below
    assert raw("GET", f"{listed}?prefix=c%2F&marker=d").elements("Key") == []
    assert raw("GET", f"{listed}?max-keys=0").element("IsTruncated") == "false"


def test_the_order_is_always_the_same() -> None:
    assert _encrypted_order(KEYS) == _encrypted_order(KEYS[::-1])
    assert order(b"a/b")[:1] == order(b"a/c")[:1] == order(b"a")


def test_too_many_keys_to_sort_are_501(raw: Raw, listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_storj_listing, "MOST", len(KEYS) - 1)
    refused = said(raw("GET", f"{listed}?list-type=2&delimiter=-"))
    assert refused[:2] == (501, "NotImplemented")
    assert refused[2].startswith("ListObjects(V2): listing too many items for gateway-side filtering")
    assert raw("GET", f"{listed}?list-type=2&prefix=c%2F1").elements("Key") == ["c/1"]
    assert raw("GET", f"{listed}?list-type=2").status == 200
