"""The server as Auto Drive in the days of its guide: names, answers, ETags and CIDs, and what is refused for ever."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from reference_server.personalities import auto_drive as gateway
from reference_server.personalities._autodrive_cid import cid_of
from reference_server.personalities._autodrive_legacy import CONTENT
from reference_server.personality import load
from tests.reference_server.conftest import OTHER, Raw, Running, run
from tests.reference_server.personalities.auto_drive import listed, md5

if TYPE_CHECKING:
    pass

IMMUTABLE = "Auto Drive storage is immutable. Objects cannot be deleted from the Autonomys DSN."
UNSUPPORTED = "This S3 operation is not supported by Auto Drive."
HELLO_CID = "bafkr6ih6endlnpw7licriz63toxfcrxdyz6xu3isglugzjfewpwta44xdm"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    yield from run(personality=load("auto-drive"))


def parts_of(etags: list[str]) -> bytes:
    entries = [f"<Part><ETag>{e}</ETag><PartNumber>{n}</PartNumber></Part>" for n, e in enumerate(etags, 1)]
    return f"<CompleteMultipartUpload>{''.join(entries)}</CompleteMultipartUpload>".encode()


# Names


def test_a_bucket_appears_with_its_first_object(raw: Raw, bucket: str) -> None:
    empty = listed(raw, bucket)
    assert (empty.element("Name"), empty.element("KeyCount"), empty.element("IsTruncated")) == (bucket, "0", "false")
    assert bucket not in raw("GET", "/").elements("Name")
    assert raw("POST", f"/{bucket}/k?uploads").status == 200
    assert bucket not in raw("GET", "/").elements("Name")
    assert raw("PUT", f"/{bucket}/sub/k", b"x").status == 200
    assert raw("GET", "/").elements("Name").count(bucket) == 1
    assert listed(raw, bucket).elements("Key") == ["sub/k"]


def test_all_keys_see_all_buckets(running: Running, raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    other = running.raw(OTHER)
    assert bucket in other("GET", "/").elements("Name")
    assert other("GET", f"/{bucket}/k").body == b"x"


def test_a_path_without_a_slash_is_a_key_of_the_bucket_default(raw: Raw) -> None:
    assert raw("PUT", "/test.txt", b"flat").status == 200
    assert raw("GET", "/test.txt").body == raw("GET", "/default/test.txt").body == b"flat"
    assert "test.txt" in listed(raw, "default").elements("Key")
    assert "default" in raw("GET", "/").elements("Name")


def test_creating_a_bucket_stores_an_object_of_its_name(raw: Raw, bucket: str) -> None:
    assert raw("HEAD", f"/{bucket}").status == 404
    created = raw("PUT", f"/{bucket}")
    assert (created.status, created.headers["etag"]) == (200, f'"{md5(b"")}"')
    assert bucket not in raw("GET", "/").elements("Name")
    assert raw("HEAD", f"/{bucket}").status == 200
    assert raw("GET", f"/default/{bucket}").body == b""


def test_a_key_may_be_empty(raw: Raw, bucket: str) -> None:
    assert raw("PUT", f"/{bucket}/", b"nameless").status == 200
    assert raw("GET", f"/{bucket}/").body == b"nameless"
    assert raw("HEAD", f"/{bucket}/").headers["content-length"] == "8"
    assert raw("GET", f"/{bucket}?list-type=2").body.count(b"<Key/>") == 1


def test_no_bucket_is_taken_from_the_host(raw: Raw, bucket: str) -> None:
    raw("PUT", "/hosted", b"x", host=f"{bucket}.localhost")
    assert raw("GET", "/default/hosted").body == b"x"
    assert bucket not in raw("GET", "/").elements("Name")


@pytest.mark.parametrize("subresource", ["acl", "policy", "versioning", "lifecycle", "tagging"])
def test_sub_resources_are_not_looked_at(raw: Raw, bucket: str, subresource: str) -> None:
    """What is written to one is written to the object; what is read of one is the object."""
    assert raw("GET", f"/{bucket}?{subresource}").status == 404
    assert raw("PUT", f"/{bucket}/k?{subresource}", b"<Configuration/>").status == 200
    assert raw("GET", f"/{bucket}/k?{subresource}").body == b"<Configuration/>"
    assert raw("PUT", f"/{bucket}?{subresource}", b"of the bucket").status == 200
    assert raw("GET", f"/default/{bucket}").body == b"of the bucket"


# Answers


def test_documents_have_single_quotes_and_no_namespace(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/a&b", b"x")
    reply = listed(raw, bucket)
    assert reply.body.startswith(b"<?xml version='1.0'?>\n<ListBucketResult>\n    <Name>")
    assert b"xmlns" not in reply.body
    assert reply.headers["content-type"] == "application/xml; charset=utf-8"
    assert reply.headers["etag"].startswith('W/"')
    assert reply.element("Key") == "a&amp;b"


def test_listings_show_four_things_of_an_object(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"four")
    (entry,) = ET.fromstring(listed(raw, bucket).body).iter("Contents")  # noqa: S314 - of this server
    assert [child.tag for child in entry] == ["Key", "Size", "LastModified", "ETag"]
    assert [child.text for child in entry][::3] == ["k", f'"{md5(b"four")}"']


def test_what_is_missing_is_told_in_json(raw: Raw, bucket: str) -> None:
    reply = raw("GET", f"/{bucket}/none")
    assert (reply.status, json.loads(reply.body)) == (404, {"error": f"Object {bucket}/none not found"})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(raw("GET", f"/{bucket}").body) == {"error": f"Object default/{bucket} not found"}


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (None, "Missing authorization header"),
        ("Bearer abc", "Missing api key or invalid format"),
        ("AWS4-HMAC-SHA256 Credential=with-dash/x", "Missing api key or invalid format"),
        ("AWS4-HMAC-SHA256 Credential=NOBODY/x", "Failed to authenticate user"),
    ],
)
def test_who_is_not_known_has_401(raw: Raw, bucket: str, header: str | None, error: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    reply = raw("PUT", f"/{bucket}/k", b"x", headers, sign=False)
    assert (reply.status, json.loads(reply.body)) == (401, {"error": error})
    assert bucket not in raw("GET", "/").elements("Name")


def test_the_access_key_is_all_that_counts(running: Running, bucket: str) -> None:
    careless = Raw(running.endpoint, ("OWNERKEY", "any secret"), "some-region")
    assert careless("PUT", f"/{bucket}/k", b"x", payload="0" * 64).status == 200
    assert careless("GET", f"/{bucket}/k", headers={"x-amz-date": "20000101T000000Z"}).body == b"x"


def test_a_presigned_url_is_no_authorization(running: Running, bucket: str) -> None:
    client = running.client()
    url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    reply = running.raw()("GET", url.removeprefix(running.endpoint), sign=False)
    assert (reply.status, json.loads(reply.body)) == (401, {"error": "Missing authorization header"})


# Deletions, and what is not there


@pytest.mark.parametrize("sign", [True, False])
@pytest.mark.parametrize("target", ["/{}/k", "/{}/none", "/{}", "/{}/k?versionId=1", "/{}/k?tagging"])
def test_nothing_is_ever_deleted(raw: Raw, bucket: str, target: str, sign: bool) -> None:
    raw("PUT", f"/{bucket}/k", b"for ever")
    reply = raw("DELETE", target.format(bucket), sign=sign)
    assert (reply.status, reply.code, reply.element("Message")) == (403, "AccessDenied", IMMUTABLE)
    assert reply.headers["content-type"] == "application/xml; charset=utf-8"
    assert raw("GET", f"/{bucket}/k").body == b"for ever"


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("POST", "?delete", {}),
        ("POST", "/k", {}),
        ("POST", "/k?restore", {}),
        ("PUT", "/c", {"x-amz-copy-source": "b/k"}),
        ("GET", "/k?uploadId=x", {}),
        ("DELETE", "/k?uploadId=x", {}),
        ("GET", "?uploads", {}),
        ("PATCH", "/k", {}),
        ("OPTIONS", "/k", {}),
    ],
)
def test_the_rest_is_not_implemented(raw: Raw, bucket: str, method: str, target: str, headers: dict[str, str]) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    for sign in (True, False):
        reply = raw(method, f"/{bucket}{target}", headers=headers, sign=sign)
        assert (reply.status, reply.code, reply.element("Message")) == (501, "NotImplemented", UNSUPPORTED)
    assert raw("GET", f"/{bucket}/k").body == b"x"


def test_a_part_copy_stores_an_empty_part(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"source")
    upload = raw("POST", f"/{bucket}/c?uploads").element("UploadId")
    target = f"/{bucket}/c?partNumber=1&uploadId={upload}"
    reply = raw("PUT", target, headers={"x-amz-copy-source": f"{bucket}/k"})
    assert (reply.status, reply.headers["etag"]) == (200, f'"{md5(b"")}"')


# Objects


def test_an_object_has_its_md5_and_its_cid_wherever_it_is_shown(running: Running, raw: Raw, bucket: str) -> None:
    put = raw("PUT", f"/{bucket}/k", b"hello")
    for reply in (put, raw("GET", f"/{bucket}/k"), raw("HEAD", f"/{bucket}/k")):
        assert (reply.status, reply.headers["etag"]) == (200, f'"{md5(b"hello")}"')
        assert reply.headers["x-amz-meta-cid"] == HELLO_CID
    assert listed(raw, bucket).element("ETag") == f'"{md5(b"hello")}"'
    head = running.client().head_object(Bucket=bucket, Key="k")
    assert (head["ETag"], head["Metadata"]) == (f'"{md5(b"hello")}"', {"cid": HELLO_CID})


def test_equal_content_has_one_cid_whoever_brings_it(running: Running, raw: Raw, bucket: str) -> None:
    other = running.raw(OTHER)("PUT", f"/{bucket}/another", b"hello")
    assert other.headers["x-amz-meta-cid"] == HELLO_CID
    assert raw("PUT", f"/{bucket}/k", b"hello!").headers["x-amz-meta-cid"] != HELLO_CID


def test_the_same_key_again_is_a_new_object(raw: Raw, bucket: str) -> None:
    first, second = (raw("PUT", f"/{bucket}/k", body).headers for body in (b"first", b"second"))
    assert first["x-amz-meta-cid"] != second["x-amz-meta-cid"]
    assert raw("GET", f"/{bucket}/k").body == b"second"
    assert raw("HEAD", f"/{bucket}/k").headers["etag"] == second["etag"]
    assert listed(raw, bucket).elements("Key") == ["k"]


def test_what_no_claim_is_about_is_as_s3_has_it(raw: Raw, bucket: str) -> None:
    """Conditions, digests, storage classes, tags and headers that are kept."""
    sent = {"Cache-Control": "no-store", "Content-Type": "text/plain", "x-amz-tagging": "a=b"}
    raw("PUT", f"/{bucket}/k", b"x", {**sent, "x-amz-storage-class": "STANDARD_IA"})
    for headers, code in (
        ({"If-None-Match": "*"}, "PreconditionFailed"),
        ({"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "BadDigest"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest"),
        ({"x-amz-storage-class": "NONE"}, "InvalidStorageClass"),
    ):
        assert raw("PUT", f"/{bucket}/k", b"again", headers).code == code
    reply = raw("GET", f"/{bucket}/k")
    shown = {"cache-control": "no-store", "content-type": "text/plain", "x-amz-tagging-count": "1"}
    shown["x-amz-storage-class"] = "STANDARD_IA"
    assert {name: reply.headers.get(name) for name in shown} == shown
    assert raw("GET", f"/{bucket}/k", headers={"If-Match": '"none"'}).status == 412
    assert raw("GET", f"/{bucket}/k", headers={"If-None-Match": reply.headers["etag"]}).status == 304
    assert raw("GET", f"/{bucket}/k?response-content-type=a/b").headers["content-type"] == "a/b"
    assert {"x-amz-request-id", "x-amz-id-2"} <= {*raw("GET", f"/{bucket}/none").headers}


def test_user_metadata_and_acls_are_not_read(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x", {"x-amz-meta-color": "red", "x-amz-acl": "nobody-has-this"})
    reply = raw("GET", f"/{bucket}/k")
    assert [name for name in reply.headers if name.startswith("x-amz-meta-")] == ["x-amz-meta-cid"]


def test_an_object_is_described_as_a_file(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/dir/a%20b.txt", b"x")
    raw("PUT", f"/{bucket}/named", b"x", {"Content-Disposition": "attachment"})
    head = raw("HEAD", f"/{bucket}/dir/a%20b.txt").headers
    assert head["content-disposition"] == "inline; filename=\"a%20b.txt\"; filename*=UTF-8''a%20b.txt"
    assert (head["content-length"], "last-modified" in head) == ("1", True)
    assert raw("HEAD", f"/{bucket}/named").headers["content-disposition"] == "attachment"


def test_compression_and_encryption_are_remembered(raw: Raw, bucket: str) -> None:
    body = zlib.compress(b"compressed by the client")
    z = {"x-amz-meta-compression": "ZLIB"}
    both = {**z, "x-amz-meta-encryption": "AES_256_GCM"}
    cids = set()
    for key, headers in (("z", z), ("both", both), ("plain", {})):
        raw("PUT", f"/{bucket}/{key}", body, headers)
        reply = raw("GET", f"/{bucket}/{key}")
        cids.add(reply.headers["x-amz-meta-cid"])
        assert {name: reply.headers.get(name) for name in headers} == headers
        assert reply.body == body
    assert len(cids) == 3


@pytest.mark.parametrize(
    ("sent", "status", "body", "shown"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"012", "bytes 0-2/10"),
        ("bytes=0-1,5-6", 206, b"01", "bytes 0-1/10"),
        ("bytes=12-15", 206, b"", "bytes 12-9/10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=a-b", 200, b"0123456789", None),
    ],
)
def test_ranges_are_read_in_a_way_of_its_own(
    raw: Raw, bucket: str, sent: str, status: int, body: bytes, shown: str | None
) -> None:
    raw("PUT", f"/{bucket}/k", b"0123456789")
    reply = raw("GET", f"/{bucket}/k", headers={"Range": sent})
    assert (reply.status, reply.body, reply.headers.get("content-range")) == (status, body, shown)
    assert raw("HEAD", f"/{bucket}/k", headers={"Range": sent}).status == status


def test_framed_bodies_are_refused_and_others_kept_as_they_come(raw: Raw, bucket: str) -> None:
    assert raw("PUT", f"/{bucket}/k", b"x", {"Content-Encoding": "aws-chunked"}).status == 415
    raw("PUT", f"/{bucket}/k", b"no gzip", {"Content-Encoding": "gzip"})
    reply = raw("GET", f"/{bucket}/k")
    assert (reply.body, reply.headers["content-encoding"]) == (b"no gzip", "gzip")


def test_a_body_of_more_than_100_mb_is_refused_unread(raw: Raw, bucket: str) -> None:
    reply = raw("PUT", f"/{bucket}/k", headers={"Content-Length": str(100 * 1024**2 + 1)}, length=False)
    assert (reply.status, reply.headers["content-type"]) == (413, "text/html; charset=utf-8")


# Legacy objects


def test_a_legacy_object_has_no_etag_but_its_cid_in_listings(running: Running, raw: Raw) -> None:
    name = gateway.legacy(running.app)
    bucket, _, key = name.partition("/")
    cid = cid_of([CONTENT])
    for method in ("HEAD", "GET"):
        reply = raw(method, f"/{name}")
        assert (reply.status, reply.headers["x-amz-meta-cid"]) == (200, cid)
        assert "etag" not in reply.headers
    unchanged = raw("GET", f"/{name}", headers={"If-Modified-Since": reply.headers["last-modified"]})
    assert (unchanged.status, "etag" in unchanged.headers) == (304, False)
    assert listed(raw, bucket, f"&prefix={key}").element("ETag") == f'"{cid}"'
    assert raw("GET", f"/{key}").body == raw("GET", f"/{name}").body == CONTENT
    assert raw("PUT", f"/{name}", CONTENT).status == 200
    assert gateway.legacy(running.app) == name
    assert raw("HEAD", f"/{name}").headers["etag"] == f'"{md5(CONTENT)}"'
    assert listed(raw, bucket, f"&prefix={key}").element("ETag") == f'"{md5(CONTENT)}"'


# Multipart


def begin(raw: Raw, target: str, bodies: list[bytes], headers: dict[str, str] | None = None) -> tuple[str, list[str]]:
    upload = raw("POST", f"{target}?uploads", headers=headers or {}).element("UploadId")
    replies = [
        raw("PUT", f"{target}?partNumber={number}&uploadId={upload}", body) for number, body in enumerate(bodies, 1)
    ]
    assert [reply.status for reply in replies] == [200] * len(bodies)
    return upload, [reply.headers["etag"] for reply in replies]


def test_an_upload_of_small_parts_becomes_an_object(raw: Raw, bucket: str) -> None:
    target = f"/{bucket}/m"
    created = raw("POST", f"{target}?uploads")
    assert created.body.startswith(b"<?xml version='1.0'?>\n<CreateMultipartUploadResult>")
    assert (created.element("Bucket"), created.element("Key")) == (bucket, "m")
    upload, etags = begin(raw, target, [b"hel", b"lo"])
    assert etags == [f'"{md5(b"hel")}"', f'"{md5(b"lo")}"']
    done = raw("POST", f"{target}?uploadId={upload}", parts_of(etags))
    composite = f'"{md5(hashlib.md5(b"hel").digest() + hashlib.md5(b"lo").digest())}-2"'
    assert [done.element(name) for name in ("Bucket", "Key", "ETag")] == [bucket, "m", composite]
    assert done.element("Location") == f"http://{raw.host}{target}"
    for reply in (done, raw("GET", target), raw("HEAD", target)):
        assert (reply.headers["etag"], reply.headers["x-amz-meta-cid"]) == (composite, HELLO_CID)
    assert raw("GET", target).body == b"hello"
    assert listed(raw, bucket).element("ETag") == composite
    again = raw("POST", f"{target}?uploadId={upload}", parts_of(etags))
    assert (again.status, again.headers["content-type"]) == (500, "text/html; charset=utf-8")


def test_the_etag_is_of_what_the_client_lists_and_not_verified(raw: Raw, bucket: str) -> None:
    target = f"/{bucket}/m"
    upload, etags = begin(raw, target, [b"1", b"2"])
    reverse = f"<Part><PartNumber>2</PartNumber><ETag>{'b' * 32}</ETag></Part>"
    body = f"<x>{reverse}<Part><ETag>&quot;{'a' * 32}&quot;</ETag><PartNumber>1</PartNumber></Part></x>"
    done = raw("POST", f"{target}?uploadId={upload}", body.encode())
    assert done.headers["etag"] == f'"{md5(bytes.fromhex("a" * 32 + "b" * 32))}-2"'
    assert etags[0] != etags[1]
    assert raw("GET", target).body == b"12"


def test_etags_between_numeric_references_count_for_nothing(raw: Raw, bucket: str) -> None:
    """As the SDK of Go, and so rclone, wrote them."""
    upload, etags = begin(raw, f"/{bucket}/m", [b"1"])
    done = raw("POST", f"/{bucket}/m?uploadId={upload}", parts_of([etags[0].replace('"', "&#34;")]))
    assert done.headers["etag"] == '"d41d8cd98f00b204e9800998ecf8427e-1"'


def test_an_upload_completed_without_a_list_has_no_etag_but_its_cid(raw: Raw, bucket: str) -> None:
    upload, _ = begin(raw, f"/{bucket}/m", [b"hello"])
    done = raw("POST", f"/{bucket}/m?uploadId={upload}", b"no document")
    assert (done.status, done.headers["etag"]) == (200, f'"{HELLO_CID}"')
    assert "etag" not in raw("HEAD", f"/{bucket}/m").headers


def test_a_gap_between_parts_is_refused(raw: Raw, bucket: str) -> None:
    upload, _ = begin(raw, f"/{bucket}/m", [b"1"])
    late = raw("PUT", f"/{bucket}/m?partNumber=3&uploadId={upload}", b"3")
    dropped = raw("PUT", f"/{bucket}/m?partNumber=0&uploadId={upload}", b"0")
    assert (late.status, dropped.status) == (200, 400)
    reply = raw("POST", f"/{bucket}/m?uploadId={upload}", parts_of([late.headers["etag"]]))
    assert (reply.status, b"gap in sequence" in reply.body) == (400, True)
    assert raw("GET", f"/{bucket}/m").status == 404


def test_what_breaks_is_html(raw: Raw, bucket: str) -> None:
    for method, query in (("PUT", "partNumber=1&uploadId=none"), ("POST", "uploadId=none")):
        reply = raw(method, f"/{bucket}/m?{query}", b"x")
        assert (reply.status, reply.headers["content-type"]) == (500, "text/html; charset=utf-8")


def test_how_an_upload_was_compressed_is_told_at_its_beginning(raw: Raw, bucket: str) -> None:
    upload, etags = begin(raw, f"/{bucket}/m", [b"hello"], {"x-amz-meta-compression": "ZLIB"})
    done = raw("POST", f"/{bucket}/m?uploadId={upload}", parts_of(etags))
    head = raw("HEAD", f"/{bucket}/m").headers
    assert head["x-amz-meta-compression"] == "ZLIB"
    assert head["x-amz-meta-cid"] == done.headers["x-amz-meta-cid"] != HELLO_CID
