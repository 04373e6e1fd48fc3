"""CKS: flexible checksums of single objects."""

from __future__ import annotations

import hashlib
import http.client
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.reference_server.catalogue.steps import (
    ALGORITHMS,
    ENABLED,
    checksum,
    customer_key,
    fields,
    md5,
    md5_header,
    object_attributes,
    refusal,
    tree,
)

if TYPE_CHECKING:
    from conftest import Raw

TEN = b"0123456789"
# Recorded on AWS for the bytes "test data..".
KNOWN = {
    "crc32": "cZWHwQ==",
    "crc32c": "Pf4upw==",
    "sha1": "B++3uSfJMSHWToQMQ1g6lIJY5Eo=",
    "sha256": "2l26x0trnT0r2AvakoFk2MB7eKVKzYESLMxSAKAzoik=",
    "crc64nvme": "qUVrWYOrIAM=",
}


def shown(headers: dict[str, str]) -> dict[str, str]:
    """The checksum headers of an answer."""
    return {name: value for name, value in headers.items() if name.startswith("x-amz-checksum-")}


def whole(algorithm: str, data: bytes) -> dict[str, str]:
    """The checksum headers of an object of these bytes."""
    return {f"x-amz-checksum-{algorithm}": checksum(algorithm, data), "x-amz-checksum-type": "FULL_OBJECT"}


@pytest.mark.catalogue("CKS-003")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_recorded_values_are_accepted_and_returned(raw: Raw, bucket: str, algorithm: str) -> None:
    """The server agrees with AWS on all five checksums and the entity tag of the same bytes."""
    name = f"x-amz-checksum-{algorithm}"
    stored = raw("PUT", f"/{bucket}/k", b"test data..", {name: KNOWN[algorithm]})
    assert (stored.status, stored.headers[name]) == (200, KNOWN[algorithm])
    assert stored.headers["etag"] == '"e6d9226c2a86b7232933663c13467527"'
    assert raw("GET", f"/{bucket}/k", headers=ENABLED).headers[name] == KNOWN[algorithm]


@pytest.mark.catalogue("CKS-004")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_checksum_of_other_data_is_a_bad_digest(raw: Raw, bucket: str, algorithm: str) -> None:
    """The value has the right form, yet the bytes that arrived have another."""
    value = checksum(algorithm, b"else")
    reply = raw("PUT", f"/{bucket}/k", b"data", {f"x-amz-checksum-{algorithm}": value})
    assert refusal(reply) == (400, "BadDigest")
    assert raw("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.catalogue("CKS-005")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("value", ["not base64", "AAA=", "QUFB" * 20, ""])
def test_a_value_that_cannot_be_a_checksum_is_invalid(raw: Raw, bucket: str, algorithm: str, value: str) -> None:
    """Neither other text than base64 nor another number of bytes passes for a checksum."""
    reply = raw("PUT", f"/{bucket}/k", b"data", {f"x-amz-checksum-{algorithm}": value})
    assert refusal(reply) == (400, "InvalidRequest")
    assert raw("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.catalogue("CKS-010")
def test_the_algorithm_header_alone_means_nothing_on_a_write(raw: Raw, bucket: str) -> None:
    """Whatever x-amz-checksum-algorithm names, the default is computed and stored."""
    stored = raw("PUT", f"/{bucket}/k", TEN, {"x-amz-checksum-algorithm": "NONSENSE"})
    assert stored.status == 200
    assert shown(raw("HEAD", f"/{bucket}/k", headers=ENABLED).headers) == whole("crc64nvme", TEN)


@pytest.mark.catalogue("CKS-011")
@pytest.mark.parametrize("body", [b"", TEN, b"x" * 40_000])
def test_without_a_checksum_the_server_computes_crc64nvme(raw: Raw, bucket: str, body: bytes) -> None:
    """The write answers with it, and reading shows it as the checksum of the whole object."""
    stored = raw("PUT", f"/{bucket}/k", body)
    assert shown(stored.headers) == whole("crc64nvme", body)
    assert shown(raw("HEAD", f"/{bucket}/k", headers=ENABLED).headers) == whole("crc64nvme", body)


@pytest.mark.catalogue("CKS-012")
def test_a_form_upload_gets_the_default_checksum(raw: Raw, s3: Any, bucket: str) -> None:
    """A browser form without a checksum field is answered with CRC64NVME, and keeps it."""
    form = s3.generate_presigned_post(bucket, "k")
    pieces = [
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    ]
    file = '--limit\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n0123456789\r\n--limit--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=limit"}
    stored = raw("POST", urlsplit(form["url"]).path, "".join([*pieces, file]).encode(), kind, sign=False, unsigned=kind)
    assert stored.status == 204
    assert stored.headers["x-amz-checksum-crc64nvme"] == checksum("crc64nvme", TEN)
    assert shown(raw("HEAD", f"/{bucket}/k", headers=ENABLED).headers) == whole("crc64nvme", TEN)


@pytest.mark.catalogue("CKS-013")
def test_encryption_with_a_customer_key_keeps_the_default_checksum(raw: Raw, bucket: str) -> None:
    """CRC64NVME of the plain bytes is stored for SSE-C as for any other write."""
    stored = raw("PUT", f"/{bucket}/k", TEN, customer_key())
    assert stored.status == 200
    assert stored.headers["x-amz-checksum-crc64nvme"] == checksum("crc64nvme", TEN)
    found = raw("HEAD", f"/{bucket}/k", headers={**ENABLED, **customer_key()})
    assert shown(found.headers) == whole("crc64nvme", TEN)


@pytest.mark.catalogue("CKS-014")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_reading_shows_checksums_only_when_asked(raw: Raw, bucket: str, method: str, algorithm: str) -> None:
    """Without the checksum mode no header of the answer speaks of a checksum."""
    raw("PUT", f"/{bucket}/k", TEN, {f"x-amz-checksum-{algorithm}": checksum(algorithm, TEN)})
    assert shown(raw(method, f"/{bucket}/k").headers) == {}
    assert shown(raw(method, f"/{bucket}/k", headers=ENABLED).headers) == whole(algorithm, TEN)


@pytest.mark.catalogue("CKS-015")
@pytest.mark.parametrize("mode", ["ENABLED", "enabled", "Enabled", "eNaBlEd"])
def test_the_checksum_mode_may_be_in_any_letter_case(raw: Raw, bucket: str, mode: str) -> None:
    """Clients spell the value of the header in several ways."""
    raw("PUT", f"/{bucket}/k", TEN)
    found = raw("GET", f"/{bucket}/k", headers={"x-amz-checksum-mode": mode})
    assert (found.status, shown(found.headers)) == (200, whole("crc64nvme", TEN))


@pytest.mark.catalogue("CKS-017")
@pytest.mark.parametrize("header", ["bytes=0-100", "bytes=-15", "bytes=0-9"])
def test_a_range_of_all_bytes_carries_the_checksum(raw: Raw, bucket: str, header: str) -> None:
    """The answer is 206, but its bytes are those that the checksum is of."""
    raw("PUT", f"/{bucket}/k", TEN, {"x-amz-checksum-sha256": checksum("sha256", TEN)})
    found = raw("GET", f"/{bucket}/k", headers={"Range": header, **ENABLED})
    assert (found.status, found.body, shown(found.headers)) == (206, TEN, whole("sha256", TEN))


@pytest.mark.catalogue("CKS-018")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_attributes_document_has_the_value_and_the_type(raw: Raw, bucket: str, algorithm: str) -> None:
    """Its Checksum element holds one value and that it is of the full object."""
    raw("PUT", f"/{bucket}/k", TEN, {f"x-amz-checksum-{algorithm}": checksum(algorithm, TEN)})
    found = object_attributes(raw, f"/{bucket}/k", "Checksum").find("Checksum")
    assert found is not None
    value = {f"Checksum{algorithm.upper()}": checksum(algorithm, TEN)}
    assert fields(found) == {**value, "ChecksumType": "FULL_OBJECT"}


@pytest.mark.catalogue("CKS-019")
@pytest.mark.parametrize("asked", ["Colour", "ETag,Colour"])
def test_unknown_attributes_are_refused(raw: Raw, bucket: str, asked: str) -> None:
    """A name that S3 does not know is an error, also beside one that it knows."""
    raw("PUT", f"/{bucket}/k", TEN)
    reply = raw("GET", f"/{bucket}/k?attributes", headers={"x-amz-object-attributes": asked})
    assert refusal(reply) == (400, "InvalidArgument")


@pytest.mark.catalogue("CKS-020")
def test_attributes_may_be_asked_for_in_several_header_lines(raw: Raw, bucket: str) -> None:
    """Two lines of the header say the same as one line with a comma."""
    raw("PUT", f"/{bucket}/k", TEN)
    name = "x-amz-object-attributes"
    once = raw.bytes_of("GET", f"/{bucket}/k?attributes", headers={name: "ETag,ObjectSize"})
    line = f"{name}: ETag,ObjectSize".encode()
    assert line in once
    answers = []
    for request in (once, once.replace(line, f"{name}: ETag\r\n{name}: ObjectSize".encode())):
        with raw.connect() as sock:
            sock.sendall(request)
            response = http.client.HTTPResponse(sock)
            response.begin()
            answers.append((response.status, response.read()))
    assert answers[0] == answers[1]
    assert answers[0][0] == 200
    assert [element.text for element in ET.fromstring(answers[0][1])] == [md5(TEN), "10"]  # noqa: S314 - our own server


@pytest.mark.catalogue("CKS-021")
@pytest.mark.parametrize(("query", "entry"), [("list-type=2", "Contents"), ("versions", "Version")])
def test_listings_name_algorithm_and_type(raw: Raw, bucket: str, query: str, entry: str) -> None:
    """Every entry says which checksum its object has, but not the value."""
    for algorithm in ALGORITHMS:
        raw("PUT", f"/{bucket}/{algorithm}", TEN, {f"x-amz-checksum-{algorithm}": checksum(algorithm, TEN)})
    entries = tree(raw("GET", f"/{bucket}?{query}")).findall(entry)
    found = [[each.findtext(name) for name in ("Key", "ChecksumAlgorithm", "ChecksumType")] for each in entries]
    assert found == [[algorithm, algorithm.upper(), "FULL_OBJECT"] for algorithm in sorted(ALGORITHMS)]


@pytest.mark.catalogue("CKS-022")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_copy_keeps_the_algorithm_of_its_source(raw: Raw, bucket: str, algorithm: str) -> None:
    """Unless another is asked for, the copy is checked by what the source was checked by."""
    raw("PUT", f"/{bucket}/k", TEN, {f"x-amz-checksum-{algorithm}": checksum(algorithm, TEN)})
    copied = raw("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"/{bucket}/k"})
    assert copied.element(f"Checksum{algorithm.upper()}") == checksum(algorithm, TEN)
    assert shown(raw("HEAD", f"/{bucket}/copy", headers=ENABLED).headers) == whole(algorithm, TEN)


@pytest.mark.catalogue("CKS-023")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_copy_takes_the_algorithm_that_is_asked_for(raw: Raw, bucket: str, algorithm: str) -> None:
    """The header changes what the copy stores and what its answer shows."""
    source = "sha1" if algorithm == "crc32" else "crc32"
    raw("PUT", f"/{bucket}/k", TEN, {f"x-amz-checksum-{source}": checksum(source, TEN)})
    headers = {"x-amz-copy-source": f"/{bucket}/k", "x-amz-checksum-algorithm": algorithm.upper()}
    copied = raw("PUT", f"/{bucket}/copy", headers=headers)
    assert copied.element(f"Checksum{algorithm.upper()}") == checksum(algorithm, TEN)
    assert copied.element(f"Checksum{source.upper()}") == ""
    assert shown(raw("HEAD", f"/{bucket}/copy", headers=ENABLED).headers) == whole(algorithm, TEN)


@pytest.mark.catalogue("CKS-024")
@pytest.mark.parametrize("coding", ["aws-chunked", "gzip,aws-chunked"])
def test_the_checksum_is_of_the_decoded_bytes(raw: Raw, bucket: str, coding: str) -> None:
    """Neither the framing of the transfer nor the name of a content coding changes it."""
    value = checksum("crc32", TEN)
    body = b"a\r\n" + TEN + f"\r\n0\r\nx-amz-checksum-crc32:{value}\r\n\r\n".encode()
    headers = {
        "x-amz-decoded-content-length": "10",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "Content-Encoding": coding,
    }
    stored = raw("PUT", f"/{bucket}/k", body, headers, payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert (stored.status, stored.headers["x-amz-checksum-crc32"]) == (200, value)
    found = raw("GET", f"/{bucket}/k", headers=ENABLED)
    assert (found.body, shown(found.headers)) == (TEN, whole("crc32", TEN))


@pytest.mark.catalogue("CKS-025")
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (md5_header(b"else"), "XAmzContentSHA256Mismatch"),
        ({"x-amz-checksum-crc32": checksum("crc32", b"else")}, "XAmzContentSHA256Mismatch"),
        ({"Content-MD5": "no digest", "x-amz-checksum-crc32": checksum("crc32", b"else")}, "InvalidDigest"),
    ],
)
def test_of_several_wrong_digests_one_is_reported_first(
    raw: Raw, bucket: str, headers: dict[str, str], code: str
) -> None:
    """A malformed Content-MD5 comes before every mismatch, and the payload hash before the other mismatches."""
    reply = raw("PUT", f"/{bucket}/k", TEN, headers, payload=hashlib.sha256(b"else").hexdigest())
    assert refusal(reply) == (400, code)


@pytest.mark.catalogue("CKS-026")
@pytest.mark.parametrize(
    "headers",
    [
        md5_header(b"else"),
        {"Content-MD5": "no digest"},
        *({f"x-amz-checksum-{algorithm}": checksum(algorithm, b"else")} for algorithm in ALGORITHMS),
        {"x-amz-checksum-crc32": "no checksum"},
        {"x-amz-checksum-crc16": "AAA="},
    ],
)
def test_a_rejected_digest_leaves_the_earlier_object(raw: Raw, bucket: str, headers: dict[str, str]) -> None:
    """A write that fails its own check changes nothing of what the key held."""
    raw("PUT", f"/{bucket}/k", b"earlier", {"x-amz-meta-m": "v"})
    for body in (TEN, b"x" * 100_000):
        assert raw("PUT", f"/{bucket}/k", body, headers).status == 400
    assert raw("PUT", f"/{bucket}/k", TEN, payload=hashlib.sha256(b"else").hexdigest()).status == 400
    found = raw("GET", f"/{bucket}/k")
    assert (found.body, found.headers["x-amz-meta-m"]) == (b"earlier", "v")
    assert found.headers["etag"] == f'"{md5(b"earlier")}"'
