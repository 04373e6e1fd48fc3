"""Uploads in signed and unsigned chunks: catalogue family CHNK."""

from __future__ import annotations

import gzip
import http.client
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from tests.reference_server.catalogue.sockets import exchange
from tests.reference_server.catalogue.steps import ALGORITHMS, ENABLED, Upload, checksum, md5, refusal
from tests.reference_server.signing import (
    SIGNED,
    SIGNED_TRAILER,
    UNSIGNED_TRAILER,
    Chain,
    Signer,
    signed_body,
    unsigned_body,
)

if TYPE_CHECKING:
    from conftest import Raw, Reply, Running

LONG = b"x" * 8192
CHUNKS = (LONG, b"y" * 20_000, b"tail")
WHOLE = b"".join(CHUNKS)
DATA = b"hello world"
CRC32 = "x-amz-checksum-crc32"
TRAILER = f"{CRC32}:{checksum('crc32', DATA)}"
INCOMPLETE = (400, "IncompleteBody")
MISMATCH = (403, "SignatureDoesNotMatch")


@pytest.fixture
def path(raw: Raw, bucket: str) -> str:
    """The path of an object that a failed upload must leave alone."""
    assert raw("PUT", f"/{bucket}/k", b"old").status == 200
    return f"/{bucket}/k"


def decoded(length: int) -> dict[str, str]:
    """The header that tells how long the data is without its framing."""
    return {"x-amz-decoded-content-length": str(length)}


def put_unsigned(raw: Raw, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    """Upload a body that is framed already."""
    return raw("PUT", path, body, headers, payload=UNSIGNED_TRAILER)


def put_signed(raw: Raw, path: str, *chunks: bytes, **framing: Any) -> Reply:
    """Upload these chunks with their signatures, framed as `signed_body` says; a trailer is declared."""
    signer, trailer = Signer(), framing.get("trailer", "")
    headers = {"Host": raw.host, "Content-Encoding": "aws-chunked", **decoded(sum(map(len, chunks)))}
    if trailer:
        headers["x-amz-trailer"] = trailer.partition(":")[0]
    sent = signer.headers("PUT", path, headers, SIGNED_TRAILER if trailer else SIGNED)
    cut = framing.pop("cut", 0)
    body = signed_body(Chain(signer, sent), *chunks, **framing)
    return raw("PUT", path, body[: len(body) - cut], sent, sign=False)


# Signed chunks


@pytest.mark.catalogue("CHNK-001")
def test_signed_chunks_become_one_object(raw: Raw, path: str) -> None:
    """Nothing of the framing is stored, counted or hashed."""
    reply = put_signed(raw, path, *CHUNKS)
    assert (reply.status, reply.headers["etag"]) == (200, f'"{md5(WHOLE)}"')
    found = raw("GET", path)
    assert (found.body, found.headers["content-length"]) == (WHOLE, str(len(WHOLE)))
    assert found.headers["etag"] == f'"{md5(WHOLE)}"'


@pytest.mark.catalogue("CHNK-003")
@pytest.mark.parametrize("wrong", range(4))
def test_every_chunk_signature_counts(raw: Raw, path: str, wrong: int) -> None:
    """One wrong signature, be it that of the empty chunk at the end, undoes the upload."""
    assert refusal(put_signed(raw, path, *CHUNKS, wrong=wrong)) == MISMATCH
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-004")
@pytest.mark.parametrize("head", ["{size:x}", "{size:x};chunk-signature="])
def test_a_chunk_without_a_signature_is_incomplete(raw: Raw, path: str, head: str) -> None:
    """A signed upload has a signature in the head of each chunk."""
    assert refusal(put_signed(raw, path, DATA, head=head)) == INCOMPLETE
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-005")
def test_only_the_last_signed_chunk_may_be_short(raw: Raw, path: str) -> None:
    """The chunk behind the short one is counted, the size is that of the short one."""
    reply = put_signed(raw, path, b"x" * 1024, b"y" * 4096, b"z" * 3072)
    assert refusal(reply, "Chunk", "BadChunkSize") == (403, "InvalidChunkSizeError", "2", "1024")
    reply = put_signed(raw, path, LONG, b"y" * 8191, b"z")
    assert refusal(reply, "Chunk", "BadChunkSize") == (403, "InvalidChunkSizeError", "3", "8191")
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-006")
def test_signed_chunks_need_not_be_alike(raw: Raw, path: str) -> None:
    """Chunks of any size from 8 KiB on may follow each other."""
    chunks = (b"x" * 15 * 1024, b"y" * 8 * 1024, b"z" * 16 * 1024)
    assert put_signed(raw, path, *chunks).status == 200
    assert raw("GET", path).body == b"".join(chunks)


@pytest.mark.catalogue("CHNK-007")
@pytest.mark.parametrize("head", ["{size:x} ; chunk-signature={signature}", "{size:x};chunk-signature = {signature} "])
def test_spaces_in_the_head_of_a_chunk_do_no_harm(raw: Raw, path: str, head: str) -> None:
    """They may stand around the semicolon and around the equals sign."""
    assert put_signed(raw, path, *CHUNKS, head=head).status == 200
    assert raw("GET", path).body == WHOLE


@pytest.mark.catalogue("CHNK-020")
def test_a_trailer_of_signed_chunks_is_signed(raw: Raw, path: str) -> None:
    """A wrong signature of the trailer is a mismatch, a missing one leaves the body incomplete."""
    signer = Signer()
    headers = {"Host": raw.host, "x-amz-trailer": CRC32, **decoded(len(DATA))}
    sent = signer.headers("PUT", path, headers, SIGNED_TRAILER)
    body = signed_body(Chain(signer, sent), DATA, trailer=TRAILER)
    start, _, end = body.partition(b"x-amz-trailer-signature:")
    assert len(end) == 64 + 4
    wrong = start + b"x-amz-trailer-signature:" + b"0" * 64 + b"\r\n\r\n"
    assert refusal(raw("PUT", path, wrong, sent, sign=False)) == MISMATCH
    assert refusal(raw("PUT", path, start + b"\r\n", sent, sign=False)) == INCOMPLETE
    assert raw("GET", path).body == b"old"
    reply = raw("PUT", path, body, sent, sign=False)
    assert (reply.status, reply.headers[CRC32]) == (200, TRAILER.partition(":")[2])
    assert raw("GET", path).body == DATA


# Framing


@pytest.mark.catalogue("CHNK-008")
def test_a_body_that_breaks_off_is_incomplete(raw: Raw, path: str) -> None:
    """Neither the last chunk nor the bytes that a chunk promises may be missing, signed or not."""
    body, last = unsigned_body(LONG, DATA), len("0\r\n\r\n")
    for cut in (last, last + 4):
        reply = put_unsigned(raw, path, body[:-cut], decoded(len(LONG + DATA)))
        assert (cut, *refusal(reply)) == (cut, *INCOMPLETE)
    last = len("0;chunk-signature=\r\n\r\n") + 64
    for cut in (last, last + 4):
        assert (cut, *refusal(put_signed(raw, path, *CHUNKS, cut=cut))) == (cut, *INCOMPLETE)
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-009")
@pytest.mark.parametrize("expected", [len(DATA) - 1, len(DATA) + 1, 0])
def test_the_decoded_length_must_be_that_of_the_data(raw: Raw, path: str, expected: int) -> None:
    """Too many bytes and too few are refused with both figures."""
    found = refusal(
        put_unsigned(raw, path, unsigned_body(DATA), decoded(expected)), "NumberBytesExpected", "NumberBytesProvided"
    )
    assert found == (*INCOMPLETE, str(expected), str(len(DATA)))
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-010")
@pytest.mark.parametrize("headers", [{}, {"x-amz-decoded-content-length": "many"}])
@pytest.mark.parametrize("mode", [UNSIGNED_TRAILER, SIGNED])
def test_the_decoded_length_must_be_told(raw: Raw, path: str, headers: dict[str, str], mode: str) -> None:
    """The length of the framed body does not stand in for it."""
    reply = raw("PUT", path, unsigned_body(DATA), headers, payload=mode)
    assert refusal(reply) == (411, "MissingContentLength")
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-019")
def test_lines_end_with_both_characters(raw: Raw, path: str) -> None:
    """A line feed alone does not end a line."""
    body = unsigned_body(DATA).replace(b"\r\n", b"\n")
    assert refusal(put_unsigned(raw, path, body, decoded(len(DATA)))) == INCOMPLETE
    body = unsigned_body(DATA, trailers=[TRAILER]).replace(f"{TRAILER}\r\n\r\n".encode(), f"{TRAILER}\n\n".encode())
    headers = {**decoded(len(DATA)), "x-amz-trailer": CRC32}
    assert refusal(put_unsigned(raw, path, body, headers)) == INCOMPLETE
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-021")
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("aws-chunked", None),
        ("gzip, aws-chunked", "gzip"),
        ("aws-chunked, gzip", "gzip"),
        ("gzip,aws-chunked", "gzip"),
        ("gzip", "gzip"),
    ],
)
def test_only_the_codings_of_the_object_are_stored(raw: Raw, path: str, sent: str, kept: str | None) -> None:
    """aws-chunked was how the object travelled; what remains is how it is coded."""
    packed = gzip.compress(DATA)
    headers = {**decoded(len(packed)), "Content-Encoding": sent}
    assert put_unsigned(raw, path, unsigned_body(packed), headers).status == 200
    for method in ("GET", "HEAD"):
        assert raw(method, path).headers.get("content-encoding") == kept
    assert raw("GET", path).body == packed


@pytest.mark.catalogue("CHNK-022")
def test_the_framing_is_known_by_the_payload_keyword(raw: Raw, path: str) -> None:
    """Without any Content-Encoding the chunks are decoded all the same."""
    assert put_unsigned(raw, path, unsigned_body(DATA), decoded(len(DATA))).status == 200
    found = raw("GET", path)
    assert (found.body, found.headers.get("content-encoding")) == (DATA, None)


@pytest.mark.catalogue("CHNK-023")
def test_chunks_of_http_may_contain_chunks_of_aws(raw: Raw, path: str) -> None:
    """Transfer-Encoding: chunked is taken off first, wherever it cuts; the decoded length is needed then too."""
    body = unsigned_body(DATA, trailers=[TRAILER])
    sent = b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + 7]), body[at : at + 7]) for at in range(0, len(body), 7))
    framing = {"Transfer-Encoding": "chunked", "x-amz-trailer": CRC32, "Connection": "close"}
    for headers, status in ((decoded(len(DATA)), 200), ({}, 411)):
        signed = raw.sign("PUT", path, {**framing, **headers}, UNSIGNED_TRAILER)
        lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        head, _ = exchange(raw, f"PUT {path} HTTP/1.1\r\n{lines}\r\n".encode() + sent + b"0\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert raw("GET", path).body == DATA


@pytest.mark.catalogue("CHNK-024")
def test_parts_can_be_uploaded_in_chunks(raw: Raw, path: str) -> None:
    """Signed chunks, unsigned ones and refusals are the same for a part as for an object."""
    upload = Upload(raw, path)
    target = f"{path}?partNumber=1&uploadId={upload.id}"
    assert refusal(put_signed(raw, target, *CHUNKS, wrong=1)) == MISMATCH
    assert refusal(put_unsigned(raw, target, unsigned_body(DATA), decoded(1))) == INCOMPLETE
    assert upload.listed().elements("PartNumber") == []
    reply = put_signed(raw, target, *CHUNKS)
    assert (reply.status, reply.headers["etag"]) == (200, f'"{md5(WHOLE)}"')
    headers = {**decoded(len(DATA)), "x-amz-trailer": CRC32}
    reply = put_unsigned(raw, target, unsigned_body(DATA, trailers=[TRAILER]), headers)
    assert (reply.status, reply.headers["etag"]) == (200, f'"{md5(DATA)}"')
    assert upload.complete([(1, reply.headers["etag"], "")]).status == 200
    assert raw("GET", path).body == DATA


@pytest.mark.catalogue("CHNK-025")
@pytest.mark.parametrize("signed", [False, True])
def test_an_upload_may_have_no_chunk_but_the_last(raw: Raw, path: str, signed: bool) -> None:
    """An empty object can be streamed too."""
    reply = put_signed(raw, path) if signed else put_unsigned(raw, path, unsigned_body(), decoded(0))
    assert (reply.status, reply.headers["etag"]) == (200, f'"{md5(b"")}"')
    assert raw("HEAD", path).headers["content-length"] == "0"


# Trailing checksums


@pytest.mark.catalogue("CHNK-011")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("separator", [":", ": "])
def test_a_trailing_checksum_is_verified_and_stored(raw: Raw, path: str, algorithm: str, separator: str) -> None:
    """What current SDKs send by default: the checksum follows the data, and comes back with it."""
    name, value = f"x-amz-checksum-{algorithm}", checksum(algorithm, DATA)
    headers = {**decoded(len(DATA)), "Content-Encoding": "aws-chunked", "x-amz-trailer": name}
    reply = put_unsigned(raw, path, unsigned_body(DATA, trailers=[f"{name}{separator}{value}"]), headers)
    assert (reply.status, reply.headers[name]) == (200, value)
    found = raw("GET", path, headers=ENABLED)
    assert (found.body, found.headers[name]) == (DATA, value)


@pytest.mark.catalogue("CHNK-012")
def test_without_a_trailer_the_server_takes_a_checksum(raw: Raw, path: str) -> None:
    """The keyword speaks of a trailer, but none is needed."""
    assert put_unsigned(raw, path, unsigned_body(DATA), decoded(len(DATA))).status == 200
    found = raw("GET", path, headers=ENABLED)
    assert (found.body, found.headers["x-amz-checksum-crc64nvme"]) == (DATA, checksum("crc64nvme", DATA))


@pytest.mark.catalogue("CHNK-013", "CHNK-026")
@pytest.mark.parametrize(
    ("value", "code"), [(checksum("crc32", b"other"), "BadDigest"), ("malformed", "InvalidRequest")]
)
def test_a_wrong_trailing_checksum_stores_nothing(raw: Raw, path: str, value: str, code: str) -> None:
    """Of other data it is a bad digest, malformed a bad request; the old object stays either way."""
    headers = {**decoded(len(DATA)), "x-amz-trailer": CRC32}
    reply = put_unsigned(raw, path, unsigned_body(DATA, trailers=[f"{CRC32}:{value}"]), headers)
    assert refusal(reply) == (400, code)
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-014")
@pytest.mark.parametrize(
    ("announced", "trailers"),
    [
        (CRC32, []),
        ("x-amz-checksum-crc32c", [TRAILER]),
        ("x-amz-checksum-crc32c", [TRAILER.replace("crc32", "unknown")]),
    ],
)
def test_the_trailer_is_the_one_announced(raw: Raw, path: str, announced: str, trailers: list[str]) -> None:
    """Neither none nor another will do."""
    headers = {**decoded(len(DATA)), "x-amz-trailer": announced}
    reply = put_unsigned(raw, path, unsigned_body(DATA, trailers=trailers), headers)
    assert refusal(reply) == (400, "MalformedTrailerError")
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-015")
@pytest.mark.parametrize("name", ["x-amz-meta-m", "content-md5", "x-amz-content-sha256", "x-amz-checksum-unknown"])
def test_only_checksums_may_trail(raw: Raw, path: str, name: str) -> None:
    """No other header can be announced to follow the data, sent or not."""
    headers = {**decoded(len(DATA)), "x-amz-trailer": name}
    reply = put_unsigned(raw, path, unsigned_body(DATA, trailers=[f"{name}:value"]), headers)
    assert refusal(reply) == (400, "InvalidRequest")
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-016")
def test_one_checksum_is_enough(raw: Raw, path: str) -> None:
    """Two trailing checksums are refused though both are right."""
    headers = {**decoded(len(DATA)), "x-amz-trailer": f"{CRC32}, x-amz-checksum-sha1"}
    trailers = [TRAILER, f"x-amz-checksum-sha1:{checksum('sha1', DATA)}"]
    assert refusal(put_unsigned(raw, path, unsigned_body(DATA, trailers=trailers), headers)) == (400, "InvalidRequest")
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-017")
def test_a_checksum_leads_or_trails(raw: Raw, path: str) -> None:
    """The same checksum in both places is refused though it is right."""
    headers = {**decoded(len(DATA)), "x-amz-trailer": CRC32, CRC32: checksum("crc32", DATA)}
    reply = put_unsigned(raw, path, unsigned_body(DATA, trailers=[TRAILER]), headers)
    assert refusal(reply) == (400, "InvalidRequest")
    assert raw("GET", path).body == b"old"


@pytest.mark.catalogue("CHNK-018")
def test_of_a_repeated_trailer_the_last_counts(raw: Raw, path: str) -> None:
    """A right value makes up for a wrong one before it, not the other way round."""
    headers = {**decoded(len(DATA)), "x-amz-trailer": CRC32}
    wrong = f"{CRC32}:{checksum('crc32', b'other')}"
    reply = put_unsigned(raw, path, unsigned_body(DATA, trailers=[TRAILER, wrong]), headers)
    assert refusal(reply) == (400, "BadDigest")
    assert raw("GET", path).body == b"old"
    assert put_unsigned(raw, path, unsigned_body(DATA, trailers=[wrong, TRAILER]), headers).status == 200
    assert raw("GET", path).body == DATA


@pytest.mark.catalogue("CHNK-026")
def test_a_failure_at_the_very_end_leaves_the_old_object(raw: Raw, path: str) -> None:
    """A large upload whose last signature is wrong is as if it never was."""
    assert refusal(put_signed(raw, path, b"x" * 300_000, b"tail", wrong=2)) == MISMATCH
    assert raw("GET", path).body == b"old"


# As recorded on AWS by Swift's suite, beyond the lines of the catalogue


@pytest.mark.parametrize("rest", [b"", b"\r\n", b"\r\n\r\n", b"\r\nmore: of it\r\n", b"\r\n\xff\xfe"])
@pytest.mark.parametrize("trailers", [[], [TRAILER]])
def test_the_empty_line_at_the_end_may_be_missing_and_what_follows_is_not_read(
    raw: Raw, path: str, trailers: list[str], rest: bytes
) -> None:
    """The last chunk and the trailers end the data; a client that sends less or more than an empty line is served."""
    body = unsigned_body(DATA, trailers=trailers).removesuffix(b"\r\n") + rest
    headers = {**decoded(len(DATA)), **({"x-amz-trailer": CRC32} if trailers else {})}
    assert put_unsigned(raw, path, body, headers).status == 200
    assert raw("GET", path).body == DATA


def test_an_empty_chunk_ends_the_data(raw: Raw, path: str) -> None:
    """Chunks behind it do not count, so that bytes are missing."""
    body = unsigned_body(DATA[:4]) + unsigned_body(DATA[4:])
    found = refusal(put_unsigned(raw, path, body, decoded(len(DATA))), "NumberBytesExpected", "NumberBytesProvided")
    assert found == (*INCOMPLETE, "11", "4")
    assert raw("GET", path).body == b"old"


@pytest.mark.parametrize("more", ["bonus:trailer", "x-amz-meta-m:v"])
def test_only_the_announced_trailer_may_follow(raw: Raw, path: str, more: str) -> None:
    """Any other beside it makes the trailers malformed."""
    headers = {**decoded(len(DATA)), "x-amz-trailer": CRC32}
    reply = put_unsigned(raw, path, unsigned_body(DATA, trailers=[TRAILER, more]), headers)
    assert refusal(reply) == (400, "MalformedTrailerError")
    assert raw("GET", path).body == b"old"


def test_a_trailer_is_not_announced_for_a_plain_body(raw: Raw, path: str) -> None:
    """What is not sent in chunks has no trailers."""
    reply = raw("PUT", path, DATA, {"x-amz-trailer": CRC32, "x-amz-sdk-checksum-algorithm": "CRC32"})
    assert refusal(reply) == (400, "MalformedTrailerError")
    assert raw("GET", path).body == b"old"


@pytest.mark.parametrize(("commas", "status"), [("{},", 200), ("{},,", 200), (",{}", 400), ("{}, ,", 400)])
def test_only_commas_at_the_end_of_an_announcement_are_ignored(raw: Raw, path: str, commas: str, status: int) -> None:
    """An empty name among the names is none that is supported."""
    headers = {**decoded(len(DATA)), "x-amz-trailer": commas.format(CRC32)}
    reply = put_unsigned(raw, path, unsigned_body(DATA, trailers=[TRAILER]), headers)
    assert refusal(reply) == (status, "InvalidRequest" if status == 400 else "")


# Real signers


class _Received:
    """A response as botocore reads it from urllib3."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> list[bytes]:
        return [self._body]


def test_what_boto3_streams_over_tls_is_accepted(running: Running, raw: Raw, bucket: str) -> None:
    """Only for https does boto3 put the checksum behind the data; here it is told so, and the bytes go out plain."""
    address, keywords = raw.address, []

    def send(request: Any, **_: object) -> AWSResponse:
        keywords.append(request.headers["X-Amz-Content-SHA256"].decode())
        url = urlsplit(request.url)
        headers = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
        }
        with closing(http.client.HTTPConnection(*address, timeout=5)) as connection:
            target = f"{url.path}?{url.query}" if url.query else url.path
            connection.request(request.method, target, request.body, headers, encode_chunked=True)
            response = connection.getresponse()
            return AWSResponse(request.url, response.status, response.headers, _Received(response.read()))

    client = boto3.client(
        "s3",
        endpoint_url=running.endpoint.replace("http:", "https:"),
        aws_access_key_id="OWNERKEY",
        aws_secret_access_key="owner-secret",
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-send.s3", send)
    with closing(client):
        put = client.put_object(Bucket=bucket, Key="a b+é", Body=WHOLE)
        created = client.create_multipart_upload(Bucket=bucket, Key="parts")
        part = client.upload_part(Bucket=bucket, Key="parts", UploadId=created["UploadId"], PartNumber=1, Body=DATA)
        client.head_object(Bucket=bucket, Key="a b+é")
    assert [keyword for keyword in keywords if keyword == UNSIGNED_TRAILER] == [UNSIGNED_TRAILER] * 2
    assert put["ETag"] == f'"{md5(WHOLE)}"'
    assert part["ETag"] == f'"{md5(DATA)}"'
    assert raw("GET", f"/{bucket}/a%20b%2B%C3%A9").body == WHOLE
