"""Objects: writing, reading, conditions, deleting. Ids are those of the behaviour catalogue."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from conftest import Raw, Running

VECTORS = json.loads((Path(__file__).parent / "data" / "checksums.json").read_text())
TEN = b"0123456789"


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@pytest.fixture
def ten(raw: Raw, bucket: str) -> str:
    """The path of an object of ten bytes."""
    assert raw("PUT", f"/{bucket}/ten", TEN).status == 200
    return f"/{bucket}/ten"


# Writing


@pytest.mark.catalogue("ETAG-001", "META-021")
def test_etag_001_etag_is_the_quoted_md5_everywhere(raw: Raw, bucket: str) -> None:
    put = raw("PUT", f"/{bucket}/k", b"some bytes")
    expected = f'"{md5(b"some bytes")}"'
    assert (put.status, put.body) == (200, b"")
    assert "content-type" not in put.headers
    replies = [put, raw("GET", f"/{bucket}/k"), raw("HEAD", f"/{bucket}/k")]
    assert [reply.headers["etag"] for reply in replies] == [expected] * 3


@pytest.mark.catalogue("ETAG-002")
def test_etag_002_empty_object(raw: Raw, bucket: str) -> None:
    assert raw("PUT", f"/{bucket}/empty").headers["etag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
    head = raw("HEAD", f"/{bucket}/empty")
    assert head.headers["content-length"] == "0"


@pytest.mark.catalogue("ETAG-007", "ETAG-010")
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (base64.b64encode(hashlib.md5(b"data").digest()).decode(), ""),
        (base64.b64encode(hashlib.md5(b"else").digest()).decode(), "BadDigest"),
        ("not base64!", "InvalidDigest"),
        ("c2hvcnQ=", "InvalidDigest"),
        ("", "InvalidDigest"),
    ],
)
def test_content_md5_is_held_to(raw: Raw, bucket: str, value: str, code: str) -> None:
    raw("PUT", f"/{bucket}/k", b"old")
    reply = raw("PUT", f"/{bucket}/k", b"data", {"Content-MD5": value})
    assert reply.code == code
    assert reply.status == (400 if code else 200)
    assert raw("GET", f"/{bucket}/k").body == (b"old" if code else b"data")
    if code == "InvalidDigest":
        assert reply.element("Content-MD5") == value
    if code == "BadDigest":
        assert reply.element("ExpectedDigest") == md5(b"else")
        assert reply.element("CalculatedDigest") == base64.b64encode(hashlib.md5(b"data").digest()).decode()


@pytest.mark.catalogue("CKS-001", "CKS-002")
@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
@pytest.mark.parametrize("text", ["test data..", "test-checksum"])
def test_cks_003_known_checksums_are_accepted_and_returned(raw: Raw, bucket: str, algorithm: str, text: str) -> None:
    name, value = f"x-amz-checksum-{algorithm}", VECTORS["checksums"][text][algorithm]
    put = raw("PUT", f"/{bucket}/k", text.encode(), {name: value})
    assert put.status == 200
    assert put.headers[name] == value
    assert put.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    assert name not in raw("GET", f"/{bucket}/k").headers
    for mode in ("ENABLED", "enabled"):
        assert raw("HEAD", f"/{bucket}/k", headers={"x-amz-checksum-mode": mode}).headers[name] == value
    wrong = VECTORS["checksums"]["test-checksum" if text == "test data.." else "test data.."][algorithm]
    assert raw("PUT", f"/{bucket}/k", text.encode(), {name: wrong}).code == "BadDigest"
    assert raw("PUT", f"/{bucket}/k", text.encode(), {name: "AAA="}).code == "InvalidRequest"


@pytest.mark.catalogue("CKS-006", "CKS-007", "CKS-008", "CKS-009")
@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-crc32": "cZWHwQ==", "x-amz-checksum-sha1": "B++3uSfJMSHWToQMQ1g6lIJY5Eo="},
        {"x-amz-checksum-crc16": "AAA="},
        {"x-amz-sdk-checksum-algorithm": "CRC32"},
        {"x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": "cZWHwQ=="},
    ],
)
def test_contradictory_checksum_headers_are_invalid(raw: Raw, bucket: str, headers: dict[str, str]) -> None:
    reply = raw("PUT", f"/{bucket}/k", b"test data..", headers)
    assert (reply.status, reply.code) == (400, "InvalidRequest")


def test_cks_011_crc64nvme_is_the_default(raw: Raw, bucket: str) -> None:
    put = raw("PUT", f"/{bucket}/k", b"test data..", {"x-amz-checksum-algorithm": "NONSENSE"})
    assert put.headers["x-amz-checksum-crc64nvme"] == VECTORS["checksums"]["test data.."]["crc64nvme"]


@pytest.mark.catalogue("AUTH-016", "AUTH-017")
def test_auth_017_payload_hash_of_other_data_stores_nothing(raw: Raw, bucket: str) -> None:
    wrong = hashlib.sha256(b"else").hexdigest()
    headers = {"Content-MD5": base64.b64encode(hashlib.md5(b"third").digest()).decode()}
    reply = raw("PUT", f"/{bucket}/k", b"data", headers, payload=wrong)
    assert (reply.status, reply.code) == (400, "XAmzContentSHA256Mismatch")
    assert reply.element("ClientComputedContentSHA256") == wrong
    assert reply.element("S3ComputedContentSHA256") == hashlib.sha256(b"data").hexdigest()
    assert raw("HEAD", f"/{bucket}/k").status == 404
    upper = hashlib.sha256(b"data").hexdigest().upper()
    assert raw("PUT", f"/{bucket}/k", b"data", payload=upper).status == 200
    assert raw("PUT", f"/{bucket}/k", b"data", payload="UNSIGNED-PAYLOAD").status == 200


@pytest.mark.catalogue("AUTH-020")
def test_auth_020_length_is_needed(raw: Raw, bucket: str) -> None:
    reply = raw("PUT", f"/{bucket}/k", length=False)
    assert (reply.status, reply.code) == (411, "MissingContentLength")


@pytest.mark.catalogue("META-022")
def test_too_large_is_refused_from_the_headers(raw: Raw, bucket: str) -> None:
    length = str(5 * 1024**3 + 1)
    reply = raw("PUT", f"/{bucket}/k", length=False, unsigned={"Content-Length": length})
    assert (reply.status, reply.code) == (400, "EntityTooLarge")


KEYS = [
    *("plain", "a b", "a+b", "a&b=c", "a@b#c:d,e~f", "[x](y){z}", "é", "日本", "😀/𝄞", "a%2Fb", "a%123", "%25"),
    *("a/", "a//", "a", "/lead", "a//b", "./x", "a/../b", "..", "x\ny", "q'\"<>&", "A", "a?b", "a;b", "\\", "tab\t"),
]


@pytest.mark.catalogue("META-009", "META-011")
def test_keys_round_trip_byte_for_byte(s3: Any, raw: Raw, bucket: str) -> None:
    for number, key in enumerate(KEYS):
        s3.put_object(Bucket=bucket, Key=key, Body=f"{number}".encode())
    for number, key in enumerate(KEYS):
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == f"{number}".encode(), key
        assert raw("GET", f"/{bucket}/{quote(key, safe='/-_.~')}").body == f"{number}".encode(), key
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == sorted(KEYS, key=str.encode)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in KEYS]})
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_control_characters_in_keys_survive_with_url_encoding(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/a%0Db%01c", b"x")
    assert raw("GET", f"/{bucket}?list-type=2&encoding-type=url").element("Key") == "a%0Db%01c"
    assert "a&#13;b" in raw("GET", f"/{bucket}?list-type=2").element("Key")


@pytest.mark.catalogue("META-018")
def test_meta_018_key_of_1024_bytes_is_the_longest(raw: Raw, bucket: str) -> None:
    assert raw("PUT", f"/{bucket}/{'k' * 1024}", b"x").status == 200
    reply = raw("PUT", f"/{bucket}/{'k' * 1025}", b"x")
    assert (reply.status, reply.code) == (400, "KeyTooLongError")
    assert (reply.element("Size"), reply.element("MaxSizeAllowed")) == ("1025", "1024")


def test_key_that_is_not_utf8_is_refused(raw: Raw, bucket: str) -> None:
    assert raw("PUT", f"/{bucket}/%FF", b"x").code == "InvalidURI"


@pytest.mark.catalogue("META-001", "META-003", "META-008", "META-023", "GET-030")
def test_metadata_and_stored_headers_come_back(raw: Raw, bucket: str) -> None:
    headers = {
        "x-amz-meta-Case": "Value, with; punctuation=1",
        "x-amz-meta-empty": "",
        "Content-Type": "Text/Plain; Charset=X",
        "Content-Encoding": "gzip",
        "Content-Disposition": 'attachment; filename="a b"',
        "Content-Language": "de",
        "Cache-Control": "no-cache",
        "Expires": "not a date",
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-website-redirect-location": "/elsewhere",
    }
    assert raw("PUT", f"/{bucket}/k", b"x", headers).status == 200
    for method in ("GET", "HEAD"):
        found = raw(method, f"/{bucket}/k").headers
        for name, value in headers.items():
            assert found[name.lower()] == value
    names = [name for name, _ in raw("GET", f"/{bucket}/k").raw_headers]
    assert "x-amz-meta-case" in names
    raw("PUT", f"/{bucket}/k", b"x")
    found = raw("GET", f"/{bucket}/k").headers
    assert not any(name.startswith("x-amz-meta-") for name in found)
    assert found["content-type"] == "binary/octet-stream"
    assert "x-amz-storage-class" not in found


@pytest.mark.catalogue("META-005", "META-006", "META-007")
@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        ("föö", "=?UTF-8?B?ZsO2w7Y=?="),
        ("=?utf-8?B?aGVsbG8=?=", "hello"),
        ("=?utf-8?Q?a_b=21?=", "a b!"),
        ("=?utf-8?B?aGVsbG8?=", "=?utf-8?B?aGVsbG8?="),
        ("=?nonsense?B?aGVsbG8=?=", "=?nonsense?B?aGVsbG8=?="),
    ],
)
def test_meta_005_metadata_beyond_ascii_is_rfc_2047(raw: Raw, bucket: str, sent: str, returned: str) -> None:
    with raw.connect() as sock:
        sock.sendall(raw.bytes_of("PUT", f"/{bucket}/k", b"x", {"x-amz-meta-m": sent}))
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    assert raw("HEAD", f"/{bucket}/k").headers["x-amz-meta-m"] == returned


@pytest.mark.catalogue("META-004")
def test_meta_004_metadata_is_bounded(raw: Raw, bucket: str) -> None:
    assert raw("PUT", f"/{bucket}/k", b"x", {"x-amz-meta-ab": "v" * 2046}).status == 200
    reply = raw("PUT", f"/{bucket}/k", b"x", {"x-amz-meta-ab": "v" * 2047})
    assert (reply.status, reply.code) == (400, "MetadataTooLarge")
    assert (reply.element("Size"), reply.element("MaxSizeAllowed")) == ("2049", "2048")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"x-amz-write-offset-bytes": "1"}, 501, "NotImplemented"),
        ({"x-amz-server-side-encryption": "rot13"}, 400, "InvalidArgument"),
        ({"x-amz-server-side-encryption-customer-algorithm": "AES256"}, 400, "InvalidArgument"),
        ({"x-amz-object-lock-legal-hold": "ON"}, 400, "InvalidRequest"),
        ({"x-amz-acl": "public-read"}, 400, "AccessControlListNotSupported"),
        ({"x-amz-grant-read": "id=1"}, 400, "AccessControlListNotSupported"),
        ({"x-amz-storage-class": "TEPID"}, 400, "InvalidStorageClass"),
        ({"x-amz-acl": "private"}, 200, ""),
        ({"x-amz-server-side-encryption": "AES256"}, 200, ""),
    ],
)
def test_what_is_not_offered_is_refused_not_ignored(
    raw: Raw, bucket: str, headers: dict[str, str], status: int, code: str
) -> None:
    reply = raw("PUT", f"/{bucket}/k", b"x", headers)
    assert (reply.status, reply.code) == (status, code)


def test_get_032_archived_objects_cannot_be_read(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x", {"x-amz-storage-class": "GLACIER"})
    reply = raw("GET", f"/{bucket}/k")
    assert (reply.status, reply.code, reply.element("StorageClass")) == (403, "InvalidObjectState", "GLACIER")
    assert raw("HEAD", f"/{bucket}/k").headers["x-amz-storage-class"] == "GLACIER"


@pytest.mark.catalogue("ETAG-004")
def test_parallel_writes_of_one_key_never_mix(running: Running, raw: Raw, bucket: str) -> None:
    bodies = [bytes([65 + n]) * (60_000 if n % 2 else 1000) for n in range(6)]
    raw("PUT", f"/{bucket}/k", bodies[0])
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        while not stop.is_set():
            reply = raw("GET", f"/{bucket}/k")
            if reply.body not in bodies or reply.headers["etag"] != f'"{md5(reply.body)}"':
                wrong.append((reply.status, reply.body[:100], reply.headers))

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        writers = [pool.submit(lambda: [raw("PUT", f"/{bucket}/k", body) for body in bodies * 4]) for _ in range(2)]
        for writer in writers:
            assert all(reply.status == 200 for reply in writer.result())
        stop.set()
        for reader in readers:
            reader.result()
    assert wrong == []


def test_overwritten_files_are_removed(running: Running, raw: Raw, bucket: str) -> None:
    folder = running.store.blobs._directory
    before = len(list(folder.iterdir()))
    for n in range(3):
        raw("PUT", f"/{bucket}/big", bytes([n]) * 100_000)
    assert len(list(folder.iterdir())) == before + 1
    raw("PUT", f"/{bucket}/big", b"x" * 100_000, {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="})
    assert len(list(folder.iterdir())) == before + 1
    raw("DELETE", f"/{bucket}/big")
    assert len(list(folder.iterdir())) == before


# Reading


@pytest.mark.catalogue("ETAG-003", "CKS-016", "GET-006", "GET-007", "GET-008", "GET-009")
@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("0-8", 0, 8), ("1-", 1, 9), ("-9", 1, 9), ("1-1", 1, 1), ("0-100", 0, 9), ("-15", 0, 9), ("9-9", 9, 9)],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_ranges(raw: Raw, ten: str, method: str, header: str, start: int, end: int) -> None:
    reply = raw(method, ten, headers={"Range": f"bytes={header}", "x-amz-checksum-mode": "ENABLED"})
    assert reply.status == 206
    assert reply.headers["content-range"] == f"bytes {start}-{end}/10"
    assert reply.headers["content-length"] == str(end - start + 1)
    assert reply.headers["etag"] == f'"{md5(TEN)}"'
    assert ("x-amz-checksum-crc64nvme" in reply.headers) == ((start, end) == (0, 9))
    assert reply.body == (TEN[start : end + 1] if method == "GET" else b"")


@pytest.mark.catalogue("GET-013")
@pytest.mark.parametrize("header", ["bytes=1-0", "0-1", "bytes=-", "bytes=--1", "bytes=a-b", "bytes=0-1,3-4"])
def test_get_013_unusable_ranges_are_ignored(raw: Raw, ten: str, header: str) -> None:
    reply = raw("GET", ten, headers={"Range": header})
    assert (reply.status, reply.body) == (200, TEN)
    assert "content-range" not in reply.headers


@pytest.mark.catalogue("GET-011")
def test_get_010_unsatisfiable_range(raw: Raw, ten: str, bucket: str) -> None:
    reply = raw("GET", ten, headers={"Range": "bytes=100-200"})
    assert (reply.status, reply.code) == (416, "InvalidRange")
    assert (reply.element("ActualObjectSize"), reply.element("RangeRequested")) == ("10", "bytes=100-200")
    head = raw("HEAD", ten, headers={"Range": "bytes=10-"})
    assert (head.status, head.body) == (416, b"")
    raw("PUT", f"/{bucket}/empty")
    assert raw("GET", f"/{bucket}/empty", headers={"Range": "bytes=0-"}).status == 416
    assert raw("GET", f"/{bucket}/missing", headers={"Range": "bytes=100-"}).code == "NoSuchKey"


@pytest.mark.catalogue("GET-019", "GET-023")
def test_part_numbers_of_a_plain_object(raw: Raw, ten: str) -> None:
    reply = raw("GET", f"{ten}?partNumber=1")
    assert (reply.status, reply.headers["content-range"]) == (206, "bytes 0-9/10")
    assert "x-amz-mp-parts-count" not in reply.headers
    reply = raw("GET", f"{ten}?partNumber=2")
    assert (reply.status, reply.code) == (416, "InvalidPartNumber")
    assert (reply.element("ActualPartCount"), reply.element("PartNumberRequested")) == ("1", "2")
    assert raw("GET", f"{ten}?partNumber=1", headers={"Range": "bytes=0-1"}).code == "InvalidRequest"
    assert raw("HEAD", f"{ten}?partNumber=x").status == 400
    assert raw("GET", f"{ten}?partNumber=0").status == 400


@pytest.mark.catalogue("GET-025")
def test_overrides_replace_headers_of_this_answer_only(raw: Raw, ten: str) -> None:
    overrides = {
        "response-content-type": "text/x",
        "response-content-language": "fr",
        "response-expires": "Thu, 01 Dec 1994 16:00:00 GMT",
        "response-cache-control": "max-age=1",
        "response-content-disposition": 'attachment; filename="ü.txt"',
        "response-content-encoding": "zip",
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in overrides.items())
    for method in ("GET", "HEAD"):
        found = raw(method, f"{ten}?{query}").headers
        for name, value in overrides.items():
            assert found[name.removeprefix("response-")] == value
    assert raw("GET", ten).headers["content-type"] == "binary/octet-stream"
    for wrong in ("response-nonsense=1", "response-cache-control=%E6%97%A5"):
        assert raw("GET", f"{ten}?{wrong}").code == "InvalidArgument"


def test_headers_cannot_be_split(raw: Raw, ten: str) -> None:
    found = raw("GET", f"{ten}?response-cache-control=a%0D%0AX-Evil%3A%20b").headers
    assert "x-evil" not in found


@pytest.mark.catalogue("ETAG-016", "CRD-002", "CRD-004", "CRD-005")
def test_conditions(raw: Raw, ten: str) -> None:
    head = raw("HEAD", ten)
    etag, modified = head.headers["etag"], head.headers["last-modified"]
    early = "Thu, 01 Jan 2015 00:00:00 GMT"
    future = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 86400))
    cases: list[tuple[dict[str, str], int, str]] = [
        ({"If-Match": etag}, 200, ""),
        ({"If-Match": etag.strip('"')}, 200, ""),
        ({"If-Match": '"other"'}, 412, "If-Match"),
        ({"If-None-Match": etag}, 304, ""),
        ({"If-None-Match": etag.strip('"')}, 304, ""),
        ({"If-None-Match": '"other"'}, 200, ""),
        ({"If-Modified-Since": modified}, 304, ""),
        ({"If-Modified-Since": early}, 200, ""),
        ({"If-Modified-Since": future}, 200, ""),
        ({"If-Unmodified-Since": modified}, 200, ""),
        ({"If-Unmodified-Since": early}, 412, "If-Unmodified-Since"),
        ({"If-Match": etag, "If-Unmodified-Since": early}, 200, ""),
        ({"If-None-Match": '"other"', "If-Modified-Since": modified}, 200, ""),
        ({"If-None-Match": etag, "If-Modified-Since": modified, "If-Match": '"x"'}, 412, "If-Match"),
        ({"If-None-Match": etag, "If-Unmodified-Since": early}, 412, "If-Unmodified-Since"),
        ({"If-None-Match": etag, "If-Modified-Since": modified}, 304, ""),
    ]
    for headers, status, condition in cases:
        for method in ("GET", "HEAD"):
            reply = raw(method, ten, headers=headers)
            assert reply.status == status, headers
            if status != 200:
                assert (reply.body == b"") == (method == "HEAD" or status == 304)
            if status == 304:
                assert reply.headers["etag"] == etag
            if method == "GET":
                assert reply.element("Condition") == condition


def test_versions_that_do_not_exist(raw: Raw, ten: str) -> None:
    assert raw("GET", f"{ten}?versionId=null").status == 200
    reply = raw("GET", f"{ten}?versionId=nonsense")
    assert (reply.code, reply.element("ArgumentName")) == ("InvalidArgument", "versionId")
    assert raw("GET", f"{ten}?versionId={'v' * 32}").code == "InvalidArgument"
    assert raw("DELETE", f"{ten}?versionId=nonsense").code == "InvalidArgument"


@pytest.mark.catalogue("GET-003", "GET-004")
def test_missing_things_are_named(raw: Raw, bucket: str) -> None:
    reply = raw("GET", f"/{bucket}/no%20key")
    assert (reply.status, reply.code, reply.element("Key")) == (404, "NoSuchKey", "no key")
    reply = raw("GET", "/no-such-bucket-here/key")
    assert (reply.status, reply.code, reply.element("BucketName")) == (404, "NoSuchBucket", "no-such-bucket-here")


@pytest.mark.catalogue("GET-034")
def test_get_034_body_of_a_get_is_ignored(raw: Raw, ten: str) -> None:
    assert raw("GET", ten, b"ignored").body == TEN


def test_large_objects_stream_and_ranges_reassemble(s3: Any, raw: Raw, bucket: str) -> None:
    data = bytes(range(256)) * 8192
    raw("PUT", f"/{bucket}/big", data)
    step = 300_001
    pieces = [
        s3.get_object(Bucket=bucket, Key="big", Range=f"bytes={at}-{at + step - 1}")["Body"].read()
        for at in range(0, len(data), step)
    ]
    assert b"".join(pieces) == data == raw("GET", f"/{bucket}/big").body


def test_a_reader_keeps_the_body_it_began(raw: Raw, bucket: str) -> None:
    data = b"a" * 8_000_000
    raw("PUT", f"/{bucket}/big", data)
    with raw.connect() as sock:
        sock.sendall(raw.bytes_of("GET", f"/{bucket}/big", headers={"Connection": "close"}))
        first = sock.recv(1000)
        raw("PUT", f"/{bucket}/big", b"b" * 8_000_000)
        raw("DELETE", f"/{bucket}/big")
        rest = b"".join(iter(lambda: sock.recv(1 << 20), b""))
    assert (first + rest).endswith(data)


# Conditional writes


@pytest.mark.catalogue("CWR-001", "CWR-003", "CWR-005", "CWR-007", "CWR-008")
def test_conditional_writes(raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/k"
    reply = raw("PUT", path, b"x", {"If-Match": '"abc"'})
    assert (reply.status, reply.code) == (404, "NoSuchKey")
    etag = raw("PUT", path, b"1", {"If-None-Match": "*"}).headers["etag"]
    reply = raw("PUT", path, b"2", {"If-None-Match": "*"})
    assert (reply.status, reply.code, reply.element("Condition")) == (412, "PreconditionFailed", "If-None-Match")
    assert raw("GET", path).body == b"1"
    assert raw("PUT", path, b"3", {"If-Match": etag}).status == 200
    reply = raw("PUT", path, b"4", {"If-Match": etag})
    assert (reply.status, reply.element("Condition")) == (412, "If-Match")
    for headers, name in [
        ({"If-None-Match": etag}, "If-None-Match"),
        ({"If-Match": "*"}, "If-Match"),
        ({"If-Match": etag, "If-None-Match": "*"}, "If-Match,If-None-Match"),
    ]:
        reply = raw("PUT", path, b"5", headers)
        assert (reply.status, reply.code, reply.element("Header")) == (501, "NotImplemented", name)
    assert raw("GET", path).body == b"3"


@pytest.mark.catalogue("CWR-020")
def test_cwr_020_one_of_many_creates(raw: Raw, bucket: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: raw("PUT", f"/{bucket}/k", b"%d" % n, {"If-None-Match": "*"}).status, range(16))
        statuses = sorted(found)
    assert statuses == [200] + [412] * 15


def test_conditional_deletes(raw: Raw, ten: str, bucket: str) -> None:
    assert raw("DELETE", f"/{bucket}/none", headers={"If-Match": '"x"'}).code == "NoSuchKey"
    assert raw("DELETE", ten, headers={"If-Match": '"x"'}).code == "PreconditionFailed"
    for name in ("x-amz-if-match-size", "x-amz-if-match-last-modified-time"):
        reply = raw("DELETE", ten, headers={name: "10"})
        assert (reply.status, reply.element("Header")) == (501, name)
    assert raw("DELETE", ten, headers={"If-Match": f'"{md5(TEN)}"'}).status == 204
    assert raw("HEAD", ten).status == 404


# Deleting


@pytest.mark.catalogue("DEL-002", "DEL-020")
def test_deletes(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/a", b"1")
    raw("PUT", f"/{bucket}/a/b", b"2")
    for _ in range(2):
        reply = raw("DELETE", f"/{bucket}/a")
        assert (reply.status, reply.body) == (204, b"")
    assert raw("GET", f"/{bucket}/a/b").body == b"2"
    assert raw("DELETE", "/no-such-bucket-here/a").code == "NoSuchBucket"


def delete(raw: Raw, bucket: str, document: bytes, headers: dict[str, str] | None = None) -> Any:
    digest = base64.b64encode(hashlib.md5(document).digest()).decode()
    return raw("POST", f"/{bucket}?delete", document, {"Content-MD5": digest} if headers is None else headers)


def test_delete_objects(raw: Raw, bucket: str) -> None:
    for key in ("a%252Fb", "dir/", "a%26%3Cb"):
        raw("PUT", f"/{bucket}/{key}", b"x")
    entries = ["a%2Fb", "dir/", "a&amp;&lt;b", "never"]
    document = "".join(f"<Object><Key>{key}</Key></Object>" for key in entries)
    reply = delete(raw, bucket, f"<Delete>{document}</Delete>".encode())
    assert reply.status == 200
    assert sorted(reply.elements("Key")) == sorted(entries)
    assert raw("GET", f"/{bucket}?list-type=2").element("KeyCount") == "0"


def test_delete_objects_reports_each_failure(raw: Raw, bucket: str) -> None:
    for key in ("keep", "version", "gone"):
        raw("PUT", f"/{bucket}/{key}", b"x")
    namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
    reply = delete(
        raw,
        bucket,
        f"<Delete {namespace}><Quiet>true</Quiet><Object><Key>keep</Key><ETag>other</ETag></Object>"
        "<Object><Key>version</Key><VersionId>bad</VersionId></Object><Object><Key>gone</Key></Object></Delete>".encode(),
    )
    assert reply.elements("Deleted") == []
    assert reply.elements("Code") == ["PreconditionFailed", "NoSuchVersion"]
    assert raw("HEAD", f"/{bucket}/keep").status == 200
    assert raw("HEAD", f"/{bucket}/gone").status == 404


def test_delete_objects_demands(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x")
    document = b"<Delete><Object><Key>k</Key></Object></Delete>"
    assert delete(raw, bucket, document, {}).code == "InvalidRequest"
    assert delete(raw, bucket, document, {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}).code == "BadDigest"
    assert delete(raw, bucket, document, {"x-amz-checksum-crc32": "AAAAAA=="}).code == "BadDigest"
    assert delete(raw, bucket, b"").code == "MissingRequestBodyError"
    for malformed in (b"<Delete></Delete>", b"<Delete>", b"nonsense", b"<Other><Object><Key>k</Key></Object></Other>"):
        assert delete(raw, bucket, malformed).code == "MalformedXML"
    entity = b'<!DOCTYPE d [<!ENTITY e "k">]><Delete><Object><Key>&e;</Key></Object></Delete>'
    assert delete(raw, bucket, entity).code == "MalformedXML"
    many = b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>"
    assert delete(raw, bucket, many).code == "MalformedXML"
    assert delete(raw, "no-such-bucket-here", document).code == "NoSuchBucket"
    assert raw("HEAD", f"/{bucket}/k").status == 200
    assert delete(raw, bucket, document, {"x-amz-checksum-sha256": sha256(document)}).elements("Key") == ["k"]


def sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
