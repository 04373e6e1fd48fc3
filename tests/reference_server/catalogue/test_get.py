"""GetObject, HeadObject and GetObjectAttributes: catalogue family GET."""

from __future__ import annotations

import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import boto3
import pytest
from botocore.config import Config

from tests.reference_server.catalogue.sockets import answer
from tests.reference_server.catalogue.steps import (
    MIN_PART,
    Upload,
    md5,
    multipart_etag,
    names,
    object_attributes,
    refusal,
    tree,
    version,
)

if TYPE_CHECKING:
    from conftest import Raw, Reply, Running

TEN = b"0123456789"
PARTS = (b"a" * MIN_PART, b"tail")
OVERRIDES = {
    "response-content-type": "text/x",
    "response-content-language": "fr",
    "response-expires": "Thu, 01 Dec 1994 16:00:00 GMT",
    "response-cache-control": "max-age=1",
    "response-content-disposition": 'attachment; filename="a b.txt"',
    "response-content-encoding": "zip",
}
OF_ONE_ANSWER = {"date", "x-amz-request-id", "x-amz-id-2"}


@pytest.fixture
def ten(raw: Raw, bucket: str) -> str:
    """The path of an object of ten bytes."""
    assert raw("PUT", f"/{bucket}/ten", TEN).status == 200
    return f"/{bucket}/ten"


@pytest.fixture
def in_parts(raw: Raw, bucket: str) -> str:
    """The path of an object of two parts."""
    assert Upload(raw, f"/{bucket}/parts").finish(*PARTS).status == 200
    return f"/{bucket}/parts"


def lasting(reply: Reply) -> dict[str, str]:
    """The headers that do not change from answer to answer."""
    return {name: value for name, value in reply.headers.items() if name not in OF_ONE_ANSWER}


# Headers and what is missing


@pytest.mark.catalogue("GET-001")
def test_a_hit_is_described_and_head_says_the_same(raw: Raw, bucket: str) -> None:
    """The headers tell size, type, tag and time of the object, and HEAD differs from GET by the body alone."""
    path, before = f"/{bucket}/k", int(time.time())
    raw("PUT", path, TEN, {"Content-Type": "text/x"})
    got, head = raw("GET", path), raw("HEAD", path)
    assert (got.status, got.body, head.status) == (200, TEN, 200)
    found = {name: got.headers[name] for name in ("content-length", "etag", "accept-ranges", "content-type")}
    wanted = {"content-length": "10", "etag": f'"{md5(TEN)}"', "accept-ranges": "bytes", "content-type": "text/x"}
    assert found == wanted
    modified = time.strptime(got.headers["last-modified"], "%a, %d %b %Y %H:%M:%S GMT")
    assert time.strftime("%a, %d %b %Y %H:%M:%S GMT", modified) == got.headers["last-modified"]
    assert before - 1 <= parsedate_to_datetime(got.headers["last-modified"]).timestamp() <= time.time()
    assert lasting(head) == lasting(got)
    assert answer(raw, "HEAD", path) == (200, b"")


@pytest.mark.catalogue("GET-002")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_object_stored_without_a_type_is_binary(raw: Raw, ten: str, method: str) -> None:
    """Whoever names no Content-Type gets S3's own default back."""
    assert raw(method, ten).headers["content-type"] == "binary/octet-stream"


@pytest.mark.catalogue("GET-005")
def test_head_of_what_is_missing_has_no_body(raw: Raw, bucket: str) -> None:
    """A missing key and a missing bucket both answer 404, and nothing follows the head."""
    assert answer(raw, "HEAD", f"/{bucket}/missing") == (404, b"")
    assert answer(raw, "HEAD", "/no-such-bucket-here/k") == (404, b"")


# Ranges


@pytest.mark.catalogue("GET-010")
@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-12", "bytes=100-200"])
def test_a_range_from_the_end_on_is_refused(raw: Raw, ten: str, asked: str) -> None:
    """The first byte behind the object is as far out as any later one."""
    assert refusal(raw("GET", ten, headers={"Range": asked})) == (416, "InvalidRange")


@pytest.mark.catalogue("GET-015")
def test_head_answers_ranges_without_a_body(raw: Raw, ten: str) -> None:
    """HEAD tells which bytes GET would send, or that there are none."""
    reply = raw("HEAD", ten, headers={"Range": "bytes=2-5"})
    assert (reply.headers["content-range"], reply.headers["content-length"]) == ("bytes 2-5/10", "4")
    assert answer(raw, "HEAD", ten, {"Range": "bytes=2-5"}) == (206, b"")
    assert answer(raw, "HEAD", ten, {"Range": "bytes=10-"}) == (416, b"")


@pytest.mark.catalogue("GET-016")
def test_a_range_of_nothing_is_a_missing_key(raw: Raw, bucket: str) -> None:
    """Where there is no object no range of it can be wrong."""
    assert refusal(raw("GET", f"/{bucket}/missing", headers={"Range": "bytes=100-"})) == (404, "NoSuchKey")


@pytest.mark.catalogue("GET-017")
@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=0-0", "bytes=5-9"])
def test_an_empty_object_has_no_first_byte(raw: Raw, bucket: str, asked: str) -> None:
    """No range can begin in an object of no bytes."""
    raw("PUT", f"/{bucket}/empty")
    assert refusal(raw("GET", f"/{bucket}/empty", headers={"Range": asked})) == (416, "InvalidRange")


@pytest.mark.catalogue("GET-038")
def test_ranges_read_side_by_side_make_up_the_object(raw: Raw, bucket: str) -> None:
    """Pieces fetched in parallel, each of them twice, are the bytes of the object."""
    data = bytes(range(251)) * 4000
    raw("PUT", f"/{bucket}/big", data)
    starts = list(range(0, len(data), 90_001))

    def piece(start: int) -> bytes:
        return raw("GET", f"/{bucket}/big", headers={"Range": f"bytes={start}-{start + 90_000}"}).body

    with ThreadPoolExecutor(6) as pool:
        first, second = list(pool.map(piece, starts)), list(pool.map(piece, starts))
    assert b"".join(first) == b"".join(second) == data


# Parts


@pytest.mark.catalogue("GET-018")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_plain_object_is_its_own_first_part(raw: Raw, ten: str, method: str) -> None:
    """Part 1 of what was never uploaded in parts is the whole as partial content, without a count."""
    reply = raw(method, f"{ten}?partNumber=1")
    assert (reply.status, reply.headers["content-range"]) == (206, "bytes 0-9/10")
    assert reply.headers["content-length"] == "10"
    assert reply.body == (TEN if method == "GET" else b"")
    assert "x-amz-mp-parts-count" not in reply.headers


@pytest.mark.catalogue("GET-020")
def test_each_part_can_be_read_by_its_number(raw: Raw, in_parts: str) -> None:
    """A part number selects the bytes of that part, counts the parts and keeps the tag of the whole."""
    start, size = 0, sum(map(len, PARTS))
    for number, part in enumerate(PARTS, 1):
        for method in ("GET", "HEAD"):
            reply = raw(method, f"{in_parts}?partNumber={number}")
            assert reply.status == 206
            assert reply.body == (part if method == "GET" else b"")
            assert reply.headers["content-length"] == str(len(part))
            assert reply.headers["content-range"] == f"bytes {start}-{start + len(part) - 1}/{size}"
            assert reply.headers["x-amz-mp-parts-count"] == "2"
            assert reply.headers["etag"] == multipart_etag(*PARTS)
        start += len(part)


@pytest.mark.catalogue("GET-021")
def test_a_part_number_over_the_count_is_refused(raw: Raw, in_parts: str) -> None:
    """There is no third part of two."""
    assert refusal(raw("GET", f"{in_parts}?partNumber=3")) == (416, "InvalidPartNumber")


@pytest.mark.catalogue("GET-022")
def test_a_part_and_a_range_exclude_each_other(raw: Raw, ten: str) -> None:
    """A request selects bytes in one way only."""
    reply = raw("GET", f"{ten}?partNumber=1", headers={"Range": "bytes=0-1"})
    assert refusal(reply) == (400, "InvalidRequest")


# Overrides


@pytest.mark.catalogue("GET-024")
@pytest.mark.parametrize("parameter", sorted(OVERRIDES))
def test_an_override_replaces_one_header_of_one_answer(raw: Raw, bucket: str, parameter: str) -> None:
    """The header is the one asked for, all others are as stored, and so is everything in the next answer."""
    path, name = f"/{bucket}/k", parameter.removeprefix("response-")
    kept = {other.removeprefix("response-"): f"stored-{number}" for number, other in enumerate(OVERRIDES)}
    raw("PUT", path, TEN, kept)
    reply = raw("GET", f"{path}?{parameter}={quote(OVERRIDES[parameter], safe='')}")
    assert (reply.status, reply.body) == (200, TEN)
    assert {each: reply.headers[each] for each in kept} == {**kept, name: OVERRIDES[parameter]}
    after = raw("GET", path)
    assert {each: after.headers[each] for each in kept} == kept


@pytest.mark.catalogue("GET-026")
def test_an_unknown_override_is_refused(raw: Raw, ten: str) -> None:
    """Only the six documented headers can be replaced."""
    assert refusal(raw("GET", f"{ten}?response-nonsense=1")) == (400, "InvalidArgument")


@pytest.mark.catalogue("GET-027")
def test_an_override_must_fit_into_a_header(raw: Raw, ten: str) -> None:
    """Characters that ISO-8859-1 lacks cannot be sent in a header."""
    assert refusal(raw("GET", f"{ten}?response-cache-control=%E6%97%A5")) == (400, "InvalidArgument")


@pytest.mark.catalogue("GET-028")
def test_the_public_cannot_override_headers(raw: Raw, s3: Any, bucket: str, ten: str) -> None:
    """Who may read without a signature still may not choose the headers."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert raw("GET", ten, sign=False).body == TEN
    assert refusal(raw("GET", f"{ten}?response-content-type=text/x", sign=False)) == (400, "InvalidRequest")


# Stored settings


@pytest.mark.catalogue("GET-029")
def test_stored_headers_come_back_and_the_body_is_not_decoded(raw: Raw, bucket: str) -> None:
    """What was stored as gzip is sent as the same gzip bytes, with its headers letter by letter."""
    body = gzip.compress(b"text" * 100)
    headers = {
        "Content-Encoding": "gzip",
        "Content-Disposition": 'attachment; filename="A b.txt"',
        "Content-Language": "de-DE, en",
        "Cache-Control": "No-Cache, max-age=0",
    }
    raw("PUT", f"/{bucket}/k", body, headers)
    reply = raw("GET", f"/{bucket}/k", headers={"Accept-Encoding": "identity"})
    assert (reply.status, reply.body) == (200, body)
    assert {name: reply.headers[name.lower()] for name in headers} == headers


@pytest.mark.catalogue("GET-031")
@pytest.mark.parametrize(
    "storage_class",
    ["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_only_the_standard_storage_class_goes_unnamed(raw: Raw, bucket: str, storage_class: str, method: str) -> None:
    """Every class but STANDARD is named in the answer."""
    raw("PUT", f"/{bucket}/k", TEN, {"x-amz-storage-class": storage_class})
    reply = raw(method, f"/{bucket}/k")
    assert reply.status == 200
    assert reply.headers.get("x-amz-storage-class") == (None if storage_class == "STANDARD" else storage_class)


@pytest.mark.catalogue("GET-032")
@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_cannot_be_read(raw: Raw, bucket: str, storage_class: str) -> None:
    """The refusal names the class that keeps the bytes out of reach."""
    assert raw("PUT", f"/{bucket}/k", TEN, {"x-amz-storage-class": storage_class}).status == 200
    found = refusal(raw("GET", f"/{bucket}/k"), "StorageClass")
    assert found == (403, "InvalidObjectState", storage_class)


@pytest.mark.catalogue("GET-033")
@pytest.mark.parametrize("storage_class", ["TEPID", "OUTPOSTS"])
def test_an_unknown_storage_class_is_refused_by_name(raw: Raw, bucket: str, storage_class: str) -> None:
    """The refusal repeats what was asked for, and nothing is stored."""
    reply = raw("PUT", f"/{bucket}/k", TEN, {"x-amz-storage-class": storage_class})
    assert refusal(reply, "StorageClassRequested") == (400, "InvalidStorageClass", storage_class)
    assert raw("HEAD", f"/{bucket}/k").status == 404


# Addresses and times


@pytest.mark.catalogue("GET-035")
def test_the_bucket_may_be_named_by_path_or_by_host(
    running: Running, raw: Raw, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both forms of address give the same object and headers, to a raw request and to boto3."""
    port, key = raw.address[1], "a%20b%2Bc/%C3%A9%25"
    raw("PUT", f"/{bucket}/{key}", TEN, {"x-amz-meta-m": "v"})
    by_path = raw("GET", f"/{bucket}/{key}")
    by_host = raw("GET", f"/{key}", host=f"{bucket}.localhost:{port}")
    assert (by_host.status, by_host.body) == (by_path.status, by_path.body) == (200, TEN)
    assert lasting(by_host) == lasting(by_path)

    resolve = socket.getaddrinfo
    # Not every resolver knows RFC 6761, which gives all names below localhost to this machine.
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **named: resolve("127.0.0.1", *rest, **named))
    client = boto3.client(
        "s3",
        endpoint_url=f"http://localhost:{port}",
        aws_access_key_id="OWNERKEY",
        aws_secret_access_key="owner-secret",
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "virtual"}, retries={"total_max_attempts": 1}, proxies={}),
    )
    sent: list[str] = []
    client.meta.events.register("before-send.s3.GetObject", lambda request, **_: sent.append(request.url))
    found = client.get_object(Bucket=bucket, Key="a b+c/é%")
    client.close()
    assert sent == [f"http://{bucket}.localhost:{port}/{key}"]
    assert (found["Body"].read(), found["Metadata"], found["ETag"]) == (TEN, {"m": "v"}, f'"{md5(TEN)}"')


@pytest.mark.catalogue("GET-036")
def test_every_answer_has_its_own_id_and_the_date(raw: Raw, bucket: str, ten: str) -> None:
    """Success and failure, with and without a body: each answer can be told apart and dated."""
    answers = [
        raw("GET", ten),
        raw("HEAD", ten),
        raw("GET", ten, headers={"If-None-Match": f'"{md5(TEN)}"'}),
        raw("GET", ten, headers={"Range": "bytes=99-"}),
        raw("GET", f"/{bucket}/missing"),
        raw("HEAD", f"/{bucket}/missing"),
        raw("GET", "/no-such-bucket-here/k"),
        raw("GET", ten, sign=False),
        raw("DELETE", ten),
    ]
    assert [reply.status for reply in answers] == [200, 200, 304, 416, 404, 404, 404, 403, 204]
    ids = {reply.headers["x-amz-request-id"] for reply in answers}
    assert len(ids) == len(answers)
    assert "" not in ids
    for reply in answers:
        assert abs(parsedate_to_datetime(reply.headers["date"]).timestamp() - time.time()) < 60


@pytest.mark.catalogue("GET-037")
def test_listing_and_reading_agree_on_the_second(raw: Raw, bucket: str, ten: str) -> None:
    """The time of an object has no fraction, and is the same wherever it is told."""
    listed = raw("GET", f"/{bucket}?list-type=2").element("LastModified")
    moment = time.strptime(listed, "%Y-%m-%dT%H:%M:%S.000Z")
    written = time.strftime("%a, %d %b %Y %H:%M:%S GMT", moment)
    assert raw("GET", ten).headers["last-modified"] == raw("HEAD", ten).headers["last-modified"] == written


# GetObjectAttributes


@pytest.mark.catalogue("GET-039")
def test_attributes_come_in_one_order(raw: Raw, in_parts: str) -> None:
    """The order of the document does not follow the order of the question."""
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    for asked in (wanted, wanted[::-1], sorted(wanted)):
        assert names(object_attributes(raw, in_parts, ",".join(asked))) == wanted


@pytest.mark.catalogue("GET-040")
def test_attributes_are_only_those_asked_for(raw: Raw, bucket: str, ten: str) -> None:
    """Nothing comes unasked, the time is a header, and a version is named where there are versions."""
    asked = {"x-amz-object-attributes": "ObjectSize,StorageClass"}
    reply = raw("GET", f"{ten}?attributes", headers=asked)
    assert reply.status == 200
    assert [(child.tag, child.text) for child in tree(reply)] == [("StorageClass", "STANDARD"), ("ObjectSize", "10")]
    assert reply.headers["last-modified"] == raw("HEAD", ten).headers["last-modified"]
    assert "x-amz-version-id" not in reply.headers
    version(raw, bucket)
    stored = raw("PUT", ten, b"new").headers["x-amz-version-id"]
    reply = raw("GET", f"{ten}?attributes", headers={"x-amz-object-attributes": "ETag"})
    assert [(child.tag, child.text) for child in tree(reply)] == [("ETag", md5(b"new"))]
    assert reply.headers["x-amz-version-id"] == stored
