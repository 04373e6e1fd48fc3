"""AIStore: its redirects, its own routing with the dangerous fall-throughs, its buckets, keys, ETags and documents."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from reference_server.personality import load
from reference_server.server import Server
from tests.reference_server.conftest import run

if TYPE_CHECKING:
    from tests.reference_server.conftest import Raw, Reply, Running

DEFAULT_ETAG = re.compile(r'"v1-[0-9a-f]{16}-[0-9a-z]+"')
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01"


@pytest.fixture(scope="module")
def aistore() -> Iterator[Running]:
    """AIStore without a second listener: as with its feature S3-Reverse-Proxy."""
    yield from run(personality=load("aistore"))


@pytest.fixture
def raw(aistore: Running) -> Raw:
    return aistore.raw()


@pytest.fixture
def bucket(raw: Raw, request: pytest.FixtureRequest) -> str:
    """A bucket that the test has for itself."""
    name = hashlib.md5(request.node.name.encode()).hexdigest()
    assert raw("PUT", f"/{name}").status == 200
    return name


@pytest.fixture
def redirecting(serve: Callable[..., Iterator[Running]]) -> Iterator[tuple[Raw, str]]:
    """The gateway, and the address of its target."""
    for running in serve(personality=load("aistore")):
        target = Server(running.app)
        target.start()
        running.app.target = target.endpoint
        yield running.raw(), target.endpoint
        target.stop()


def followed(raw: Raw, reply: Reply, method: str, body: bytes = b"") -> Reply:
    """What the place says that an answer redirects to."""
    url = urlsplit(reply.headers["location"])
    raw.address, raw.host = (str(url.hostname), int(url.port or 0)), url.netloc
    return raw(method, f"{url.path}?{url.query}", body)


def upload(raw: Raw, bucket: str, *parts: bytes) -> str:
    """An upload of `m` with these parts; its id."""
    upload_id = raw("POST", f"/{bucket}/m?uploads").element("UploadId")
    for number, part in enumerate(parts, 1):
        assert raw("PUT", f"/{bucket}/m?partNumber={number}&uploadId={upload_id}", part).status == 200
    return upload_id


def complete(raw: Raw, bucket: str, upload_id: str, *numbers: int) -> Reply:
    listed = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>any</ETag></Part>" for number in numbers)
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    return raw("POST", f"/{bucket}/m?uploadId={upload_id}", document)


# Redirects


@pytest.mark.parametrize("root", ["", "/s3"])
def test_object_requests_go_to_the_target(redirecting: tuple[Raw, str], root: str) -> None:
    raw, target = redirecting
    assert raw("PUT", f"{root}/b").status == 200
    reply = raw("PUT", f"{root}/b/k%20?x=1", b"bytes")
    assert (reply.status, reply.code, reply.element("Message")) == (307, "TemporaryRedirect", "Redirect")
    assert reply.headers["location"].startswith(f"{target}{root}/b/k%20?x=1&pid=")
    assert reply.element("Endpoint") == reply.headers["location"].replace("&", "&amp;")
    assert reply.element("Bucket") == "b"
    assert (reply.headers["server"], reply.headers["content-type"]) == ("AIStore", "text/xml; charset=utf-8")
    assert followed(raw, reply, "PUT", b"bytes").status == 200
    assert raw("GET", f"{root}/b/k%20").body == b"bytes"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_every_method_of_objects_is_redirected(redirecting: tuple[Raw, str], method: str) -> None:
    raw, _ = redirecting
    raw("PUT", "/b")
    assert raw(method, "/b/k?uploads" if method == "POST" else "/b/k").status == 307
    assert raw(method, "/none/k?uploads" if method == "POST" else "/none/k").status == 404


def test_the_gateway_answers_for_buckets_itself(redirecting: tuple[Raw, str]) -> None:
    raw, _ = redirecting
    empty = b"<Delete></Delete>"
    asked = [("PUT", "/b"), ("HEAD", "/b"), ("GET", "/b"), ("GET", "/"), ("GET", "/b?versioning"), ("DELETE", "/b")]
    assert [raw(*request).status for request in asked] == [200] * 6
    raw("PUT", "/b")
    assert raw("POST", "/b?delete", empty).status == 200


# Routing


def test_nobody_is_asked_who_he_is(raw: Raw, bucket: str, aistore: Running) -> None:
    assert raw("PUT", f"/{bucket}/k", b"x", sign=False).status == 200
    assert aistore.raw(("NOBODY", "wrong"))("GET", f"/{bucket}/k").body == b"x"
    assert raw("GET", f"/{bucket}/k", headers={"Authorization": "Bearer x"}, sign=False).body == b"x"


@pytest.mark.parametrize("setting", ["acl", "cors", "lifecycle", "policy"])
def test_four_settings_are_not_implemented(raw: Raw, bucket: str, setting: str) -> None:
    for path in (bucket, f"{bucket}/k"):
        reply = raw("GET", f"/{path}?{setting}")
        assert (reply.status, reply.body) == (501, b"")
    assert raw("GET", f"/none?{setting}").code == "NoSuchBucket"


@pytest.mark.parametrize("setting", ["location", "tagging", "website", "encryption", "object-lock", "anything"])
def test_other_settings_are_read_as_a_listing(raw: Raw, bucket: str, setting: str) -> None:
    reply = raw("GET", f"/{bucket}?{setting}")
    assert (reply.status, reply.element("Name")) == (200, bucket)
    assert b"<ListBucketResult" in reply.body


@pytest.mark.parametrize("setting", ["acl", "cors", "policy", "tagging"])
def test_settings_are_written_as_a_new_bucket(raw: Raw, bucket: str, setting: str) -> None:
    reply = raw("PUT", f"/{bucket}?{setting}", b"<Any/>")
    assert (reply.status, reply.code) == (409, "BucketAlreadyExists")
    assert raw("PUT", f"/{bucket}-{setting}?{setting}", b"<Any/>").status == 200
    assert raw("HEAD", f"/{bucket}-{setting}").status == 200


@pytest.mark.parametrize("setting", ["policy", "cors", "lifecycle", "tagging"])
def test_deleting_a_setting_destroys_the_bucket(raw: Raw, bucket: str, setting: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    assert raw("DELETE", f"/{bucket}?{setting}").status == 200
    assert raw("HEAD", f"/{bucket}").status == 404


def test_writing_a_setting_overwrites_the_object(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"precious")
    assert raw("PUT", f"/{bucket}/k?tagging", b"<Tagging/>").status == 200
    assert raw("GET", f"/{bucket}/k?tagging").body == b"<Tagging/>"
    assert raw("DELETE", f"/{bucket}/k?tagging").status == 200
    assert raw("GET", f"/{bucket}/k").code == "NoSuchKey"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/{}"), ("POST", "/{}/k"), ("POST", "/{}?uploads"), ("HEAD", "/"), ("DELETE", "/")]
)
def test_other_requests_are_invalid(raw: Raw, bucket: str, method: str, path: str) -> None:
    assert raw(method, path.format(bucket)).status == 400


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
def test_other_methods_are_not_allowed(raw: Raw, bucket: str, method: str) -> None:
    reply = raw(method, f"/{bucket}")
    assert (reply.status, reply.headers["allow"]) == (405, "DELETE, GET, HEAD, POST, PUT")
    assert json.loads(reply.body)["status"] == 405


# Buckets


@pytest.mark.parametrize("name", ["B_1", "x", "with.dots-and_more"])
def test_names_of_buckets_are_free(raw: Raw, name: str) -> None:
    assert raw("PUT", f"/{name}", b"<CreateBucketConfiguration><LocationConstraint>nowhere").status == 200
    assert name in raw("GET", "/").elements("Name")
    assert raw("PUT", f"/{name}").element("Message") == (
        f"cannot create bucket &#34;{name}&#34; via S3 API: name already in use by ais://{name}"
    )


@pytest.mark.parametrize("name", ["a%20b", "a..b", "%C3%A9"])
def test_some_names_are_not(raw: Raw, name: str) -> None:
    assert raw("PUT", f"/{name}").status == 400


def test_buckets_are_described(raw: Raw, bucket: str) -> None:
    reply = raw("HEAD", f"/{bucket}")
    assert (reply.headers["server"], reply.headers["x-amz-bucket-region"]) == ("AIStore", "ais")
    listed = raw("GET", "/?prefix=none")
    assert bucket in listed.elements("Name")
    assert (listed.element("ID"), listed.element("String")) == ("1", "Provider: ais")
    assert listed.body.startswith(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListAllMyBucketsResult xmlns="{NAMESPACE}">'.encode()
    )


def test_a_bucket_goes_with_its_objects_and_uploads(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    upload(raw, bucket, b"part")
    reply = raw("DELETE", f"/{bucket}")
    assert (reply.status, reply.body) == (200, b"")
    assert raw("PUT", f"/{bucket}").status == 200
    assert raw("GET", f"/{bucket}").element("KeyCount") == "0"


def test_versioning_is_only_a_property(raw: Raw, bucket: str) -> None:
    assert raw("GET", f"/{bucket}?versioning").element("Status") == "Enabled"
    suspended = b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
    assert raw("PUT", f"/{bucket}?versioning", suspended).status == 200
    assert raw("GET", f"/{bucket}?versioning").element("Status") == "Suspended"
    assert "x-amz-version-id" not in raw("PUT", f"/{bucket}/k", b"x").headers


# Objects


def test_nothing_but_bytes_is_kept(raw: Raw, bucket: str) -> None:
    said = {"Content-Type": "text/plain", "x-amz-meta-a": "1", "Content-MD5": "wrong", "x-amz-checksum-crc32": "wrong"}
    assert raw("PUT", f"/{bucket}/k", b"hello", said).status == 200
    read = raw("GET", f"/{bucket}/k", headers={"If-None-Match": "*", "If-Match": "other"})
    assert (read.status, read.headers["content-type"]) == (200, "application/octet-stream")
    told = raw("HEAD", f"/{bucket}/k", headers={"Range": "bytes=0-0"})
    assert (told.status, told.headers["content-length"]) == (200, "5")
    assert "content-type" not in told.headers
    kept = {name for name in told.headers if name.startswith("x-amz-")}
    assert kept == {"x-amz-meta-ais-cksum-type", "x-amz-meta-ais-cksum-val"}


def test_the_default_etag_is_no_md5_and_changes_with_time(raw: Raw, bucket: str) -> None:
    first, second = (raw("PUT", f"/{bucket}/k", b"hello").headers["etag"] for _ in range(2))
    assert DEFAULT_ETAG.fullmatch(first)
    assert first.split("-")[1] == second.split("-")[1]
    assert first != second
    told = raw("HEAD", f"/{bucket}/k").headers
    assert (told["etag"], told["x-amz-meta-ais-cksum-type"]) == (second, "xxhash2")
    assert told["x-amz-meta-ais-cksum-val"] == second.split("-")[1]


def test_the_checksum_can_be_md5(raw: Raw, bucket: str) -> None:
    asked = json.dumps({"action": "set-bprops", "value": {"checksum": {"type": "md5"}}}).encode()
    assert raw("PATCH", f"/v1/buckets/{bucket}", asked).status == 200
    digest = hashlib.md5(b"hello").hexdigest()
    assert raw("PUT", f"/{bucket}/k", b"hello").headers["etag"] == f'"{digest}"'
    assert raw("HEAD", f"/{bucket}/k").headers["x-amz-meta-ais-cksum-type"] == "md5"
    copied = raw("PUT", f"/{bucket}/c", headers={"x-amz-copy-source": f"{bucket}/k"})
    assert copied.element("ETag") == digest
    assert raw("PATCH", "/v1/buckets/none", asked).code == "NoSuchBucket"
    assert raw("PATCH", f"/v1/buckets/{bucket}", b"{}").status == 400


def test_the_checksum_of_new_buckets_can_be_md5(serve: Callable[..., Iterator[Running]]) -> None:
    for running in serve(personality=load("aistore")):
        raw = running.raw()
        raw("PUT", "/old")
        raw("PUT", "/v1/cluster", b'{"action": "set-config", "value": {"checksum": {"type": "md5"}}}')
        raw("PUT", "/new")
        etags = [raw("PUT", f"/{name}/k", b"hello").headers["etag"] for name in ("old", "new")]
        assert DEFAULT_ETAG.fullmatch(etags[0])
        assert etags[1] == f'"{hashlib.md5(b"hello").hexdigest()}"'


@pytest.mark.parametrize(("written", "kept"), [("a//b", "a/b"), ("a/", "a"), ("a%2Fb", "a/b"), ("/a", "a")])
def test_slashes_are_joined(raw: Raw, bucket: str, written: str, kept: str) -> None:
    assert raw("PUT", f"/{bucket}/{written}", b"x").status == 200
    assert raw("GET", f"/{bucket}").elements("Key") == [kept]
    assert raw("GET", f"/{bucket}/{kept}").body == b"x"


@pytest.mark.parametrize("key", ["a/../b", "./a", "..", "~/a"])
def test_names_that_lead_elsewhere_are_refused(raw: Raw, bucket: str, key: str) -> None:
    assert raw("PUT", f"/{bucket}/{key}", b"x").status == 400


def test_a_missing_object_is_missing_for_deletes_too(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    assert [raw("DELETE", f"/{bucket}/k").status for _ in range(2)] == [200, 404]
    for method in ("GET", "DELETE"):
        reply = raw(method, f"/{bucket}/k")
        assert (reply.code, reply.element("Message")) == ("NoSuchKey", f"t[s3conform]: ais://{bucket}/k does not exist")
    assert raw("HEAD", f"/{bucket}/k").status == 404


def test_many_deletes_always_succeed(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    asked = b"<Delete><Quiet>true</Quiet><Object><Key>k</Key></Object><Object><Key>none</Key></Object></Delete>"
    reply = raw("POST", f"/{bucket}?delete", asked)
    assert reply.body.endswith(
        b"<DeleteResult><Deleted><Key>k</Key></Deleted><Deleted><Key>none</Key></Deleted></DeleteResult>"
    )
    assert raw("GET", f"/{bucket}/k").status == 404
    assert raw("POST", f"/{bucket}?delete", b"no XML").status == 400


def test_a_copy_reads_its_source_alone(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/a%20b", b"x")
    source = {"x-amz-copy-source": f"/{bucket}/a%20b", "x-amz-copy-source-if-match": "other"}
    reply = raw("PUT", f"/{bucket}/c", headers=source)
    assert (reply.status, reply.element("ETag")) == (200, "")
    assert b"<CopyObjectResult><LastModified>" in reply.body
    assert raw("GET", f"/{bucket}/c").body == b"x"
    assert raw("PUT", f"/{bucket}/c", headers={"x-amz-copy-source": f"/{bucket}/none"}).code == "NoSuchKey"
    assert raw("PUT", f"/{bucket}/c", headers={"x-amz-copy-source": "/none/k"}).code == "NoSuchBucket"
    assert raw("PUT", f"/{bucket}/c", headers={"x-amz-copy-source": bucket}).status == 400


@pytest.mark.parametrize(
    ("asked", "body"),
    [("1-5", b"12345"), ("4-", b"456789"), ("6-15", b"6789"), ("-7", b"3456789")],
)
def test_ranges(raw: Raw, bucket: str, asked: str, body: bytes) -> None:
    raw("PUT", f"/{bucket}/k", b"0123456789")
    reply = raw("GET", f"/{bucket}/k", headers={"Range": f"bytes={asked}"})
    assert (reply.status, reply.body) == (206, body)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=0-1,3-4", "bytes=x"])
def test_other_ranges_are_not_satisfiable(raw: Raw, bucket: str, asked: str) -> None:
    raw("PUT", f"/{bucket}/k", b"0123456789")
    reply = raw("GET", f"/{bucket}/k", headers={"Range": asked})
    assert (reply.status, reply.headers["content-range"]) == (416, "bytes */10")


def test_chunks_come_off_unverified(raw: Raw, bucket: str) -> None:
    chunked = b"5;chunk-signature=wrong\r\nhello\r\n0;chunk-signature=wrong\r\nx-amz-checksum-crc32:wrong\r\n\r\n"
    headers = {"x-amz-decoded-content-length": "5", "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}
    assert raw("PUT", f"/{bucket}/k", chunked, sign=False, headers=headers).status == 200
    assert raw("GET", f"/{bucket}/k").body == b"hello"


# Listings


def test_listings_are_one_document(raw: Raw, bucket: str) -> None:
    for key in ("a", "d/1", "d/2", "e"):
        raw("PUT", f"/{bucket}/{key}", b"x")
    reply = raw("GET", f"/{bucket}?list-type=2&max-keys=1&encoding-type=url&fetch-owner=true")
    assert reply.elements("Key") == ["a", "d/1", "d/2", "e"]
    assert [reply.element(name) for name in ("KeyCount", "MaxKeys", "IsTruncated")] == ["4", "1000", "false"]
    assert f'<ListBucketResult xmlns="{NAMESPACE}">'.encode() in reply.body
    assert b"Owner" not in reply.body
    assert raw("GET", f"/{bucket}?marker=d").elements("Key") == ["a", "d/1", "d/2", "e"]
    assert raw("GET", f"/{bucket}?start-after=d/1").elements("Key") == ["d/2", "e"]
    assert raw("GET", f"/{bucket}?continuation-token=d/1&start-after=e").elements("Key") == ["d/2", "e"]
    assert raw("GET", f"/{bucket}?prefix=d").elements("Key") == ["d/1", "d/2"]
    folded = raw("GET", f"/{bucket}?delimiter=1")
    assert (folded.elements("Key"), folded.elements("Prefix")) == (["a", "e"], ["", "d/"])


def test_headers_that_contradict_each_other(raw: Raw, bucket: str) -> None:
    said = {"Ais-Inv-Name": "inv", "Ais-Bucket-Inventory": "false"}
    reply = raw("GET", f"/{bucket}", headers=said)
    assert (reply.status, "conflicting headers" in reply.element("Message")) == (400, True)
    assert raw("GET", f"/{bucket}", headers={"Ais-Bucket-Inventory": "true"}).status == 200


@pytest.mark.parametrize(("style", "status"), [("path", 200), ("virtual-hosted", 200), ("other", 400)])
def test_presigned_requests_say_their_style(raw: Raw, bucket: str, style: str, status: int) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    headers = {"ais-s3-signed-request-style": style}
    assert raw("GET", f"/{bucket}/k?X-Amz-Signature=any", headers=headers, sign=False).status == status


# Multipart uploads


def test_an_upload(raw: Raw, bucket: str) -> None:
    upload_id = upload(raw, bucket, b"one", b"two")
    part = raw("PUT", f"/{bucket}/m?partNumber=2&uploadId={upload_id}", b"TWO")
    digests = [hashlib.md5(data) for data in (b"one", b"TWO")]
    assert part.headers["etag"] == f'"{digests[1].hexdigest()}"'
    listed = raw("GET", f"/{bucket}/m?uploadId={upload_id}")
    assert listed.elements("PartNumber") == ["1", "2"]
    assert b"Size" not in listed.body
    assert raw("GET", f"/{bucket}?uploads&prefix=other").elements("UploadId") == [upload_id]
    reply = complete(raw, bucket, upload_id, 2, 1)
    etag = hashlib.md5(b"".join(digest.digest() for digest in digests)).hexdigest() + "-2"
    assert (reply.status, reply.element("ETag")) == (200, f"&#34;{etag}&#34;")
    assert b"Location" not in reply.body
    assert raw("GET", f"/{bucket}/m").body == b"oneTWO"
    read = raw("GET", f"/{bucket}/m?partNumber=2")
    assert (read.status, read.body, "content-range" in read.headers) == (200, b"TWO", False)
    assert raw("GET", f"/{bucket}/m?partNumber=3").status == 404
    assert complete(raw, bucket, upload_id, 1, 2).code == "NoSuchUpload"


def test_an_upload_is_completed_whole(raw: Raw, bucket: str) -> None:
    upload_id = upload(raw, bucket, b"one", b"two")
    fewer = complete(raw, bucket, upload_id, 1)
    assert (fewer.status, fewer.element("Message")) == (
        400,
        "partial completion is not allowed: requested 1 parts, have 2",
    )
    assert complete(raw, bucket, upload_id, 1, 3).status == 400
    assert complete(raw, bucket, upload_id).element("Message") == "no parts"
    assert raw("PUT", f"/{bucket}/m?partNumber=3&uploadId={upload_id}").status == 400
    assert raw("PUT", f"/{bucket}/m?partNumber=0&uploadId={upload_id}", b"x").status == 400
    assert raw("DELETE", f"/{bucket}/m?uploadId={upload_id}").status == 204
    gone = raw("GET", f"/{bucket}/m?uploadId={upload_id}")
    assert (gone.status, gone.code, "s3cmd abortmp" in gone.element("Message")) == (404, "NoSuchUpload", True)


def test_a_part_cannot_be_copied(raw: Raw, bucket: str) -> None:
    upload_id = upload(raw, bucket)
    source = {"x-amz-copy-source": f"{bucket}/k"}
    reply = raw("PUT", f"/{bucket}/m?partNumber=1&uploadId={upload_id}", headers=source)
    assert (reply.status, reply.element("Message")) == (501, "UploadPartCopy not implemented yet")


def test_uploads_are_listed_by_id(raw: Raw, bucket: str) -> None:
    ids = [upload(raw, bucket) for _ in range(3)]
    page = raw("GET", f"/{bucket}?uploads&max-uploads=2&key-marker=z")
    assert (page.elements("UploadId"), page.element("IsTruncated")) == (ids[:2], "true")
    rest = raw("GET", f"/{bucket}?uploads&upload-id-marker={ids[1]}&max-uploads=x")
    assert (rest.elements("UploadId"), rest.element("IsTruncated")) == (ids[2:], "false")


# Errors


def test_errors_have_four_elements(raw: Raw) -> None:
    reply = raw("GET", "/none")
    assert reply.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchBucket</Code><Message>bucket &#34;none&#34; '
        b"does not exist</Message><Resource></Resource><RequestId></RequestId></Error>"
    )
    assert (reply.headers["content-type"], reply.headers["x-content-type-options"]) == ("application/xml", "nosniff")
    assert not {"x-amz-request-id", "x-amz-id-2", "server"} & set(reply.headers)
