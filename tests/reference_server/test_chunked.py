"""aws-chunked uploads, framed and signed here by hand. Ids are those of the behaviour catalogue."""

from __future__ import annotations

import hashlib
import hmac
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from reference_server.chunked import ChunkedReader
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Raw, Reply

UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = f"{SIGNED}-TRAILER"
EMPTY = hashlib.sha256(b"").hexdigest()
CRC32 = b64encode(zlib.crc32(b"hello world").to_bytes(4, "big")).decode()


def unsigned(data: bytes = b"hello world", trailer: str = "", size: int = 8192) -> bytes:
    """Unsigned chunks, the last chunk, trailing headers."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailer.encode() + b"\r\n"


def put(raw: Raw, path: str, body: bytes, decoded: int | str = 11, mode: str = UNSIGNED, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if decoded != "":
        named["x-amz-decoded-content-length"] = str(decoded)
    return raw("PUT", path, body, named, payload=mode)


@pytest.mark.parametrize("encoding", [None, "aws-chunked", "gzip, aws-chunked", "aws-chunked,gzip"])
def test_unsigned_chunks_with_a_trailer(raw: Raw, bucket: str, encoding: str | None) -> None:
    headers = {"Content_Encoding": encoding} if encoding else {}
    body = unsigned(trailer=f"x-amz-checksum-crc32:{CRC32}\r\n")
    reply = put(raw, f"/{bucket}/k", body, x_amz_trailer="x-amz-checksum-crc32", **headers)
    assert (reply.status, reply.headers["x-amz-checksum-crc32"]) == (200, CRC32)
    found = raw("GET", f"/{bucket}/k")
    assert found.body == b"hello world"
    assert found.headers.get("content-encoding") == ("gzip" if encoding and "gzip" in encoding else None)


def test_chnk_012_no_trailer_at_all(raw: Raw, bucket: str) -> None:
    assert "x-amz-checksum-crc64nvme" in put(raw, f"/{bucket}/k", unsigned()).headers
    assert put(raw, f"/{bucket}/k", b"0\r\n\r\n", 0).status == 200
    assert raw("HEAD", f"/{bucket}/k").headers["content-length"] == "0"


CRC = "x-amz-checksum-crc32"


@pytest.mark.parametrize(
    ("body", "decoded", "headers", "code"),
    [
        (unsigned(trailer=f"{CRC}:AAAAAA==\r\n"), 11, {"x_amz_trailer": CRC}, "BadDigest"),
        (unsigned(trailer=f"{CRC}:nonsense\r\n"), 11, {"x_amz_trailer": CRC}, "InvalidRequest"),
        (unsigned(), 11, {"x_amz_trailer": CRC}, "MalformedTrailerError"),
        (unsigned(trailer=f"{CRC}:{CRC32}\r\n"), 11, {"x_amz_trailer": "x-amz-checksum-sha1"}, "MalformedTrailerError"),
        (unsigned(trailer=f"{CRC}:{CRC32}\r\n"), 11, {}, "MalformedTrailerError"),
        (unsigned(), 11, {"x_amz_trailer": "x-amz-meta-x"}, "InvalidRequest"),
        (unsigned(), 11, {"x_amz_trailer": f"{CRC},x-amz-checksum-sha1"}, "InvalidRequest"),
        (unsigned(), 11, {"x_amz_trailer": CRC, "x_amz_checksum_crc32": CRC32}, "InvalidRequest"),
        (unsigned()[:-9], 11, {}, "IncompleteBody"),
        (unsigned()[:12], 11, {}, "IncompleteBody"),
        (unsigned().replace(b"\r\n", b"\n"), 11, {}, "IncompleteBody"),
        (unsigned(), 10, {}, "IncompleteBody"),
        (b"xyz\r\n" + unsigned(), 11, {}, "IncompleteBody"),
        (b"3\r\nhell\r\n0\r\n\r\n", 3, {}, "IncompleteBody"),
        (unsigned(), "", {}, "MissingContentLength"),
        (unsigned(), "many", {}, "MissingContentLength"),
    ],
)
def test_wrong_chunks_leave_the_old_object(
    raw: Raw, bucket: str, body: bytes, decoded: int | str, headers: dict[str, str], code: str
) -> None:
    raw("PUT", f"/{bucket}/k", b"old")
    reply = put(raw, f"/{bucket}/k", body, decoded, **headers)
    assert reply.code == code
    assert reply.status == (411 if code == "MissingContentLength" else 400)
    if decoded == 10:
        assert (reply.element("NumberBytesExpected"), reply.element("NumberBytesProvided")) == ("10", "11")
    assert raw("GET", f"/{bucket}/k").body == b"old"


def test_chnk_018_the_last_of_repeated_trailers_counts(raw: Raw, bucket: str) -> None:
    body = unsigned(trailer=f"{CRC}:AAAAAA==\r\n{CRC}:{CRC32}\r\n")
    assert put(raw, f"/{bucket}/k", body, x_amz_trailer=CRC).status == 200


def test_chnk_023_inside_chunked_transfer_coding(raw: Raw, bucket: str) -> None:
    body = unsigned(trailer=f"{CRC}:{CRC32}\r\n")
    headers = {"x-amz-trailer": CRC, "x-amz-decoded-content-length": "11", "Transfer-Encoding": "chunked"}
    signed = raw.sign("PUT", f"/{bucket}/k", headers, UNSIGNED)
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    with raw.connect() as sock:
        sock.sendall(f"PUT /{bucket}/k HTTP/1.1\r\n{lines}\r\n".encode())
        sock.sendall(b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    assert raw("GET", f"/{bucket}/k").body == b"hello world"
    plain = raw.sign("PUT", f"/{bucket}/k", {"Transfer-Encoding": "chunked"}, "UNSIGNED-PAYLOAD")
    lines = "".join(f"{name}: {value}\r\n" for name, value in plain.items())
    with raw.connect() as sock:
        sock.sendall(f"PUT /{bucket}/k HTTP/1.1\r\n{lines}\r\n1\r\nx\r\n0\r\n\r\n".encode())
        assert b"<Code>NotImplemented</Code>" in sock.recv(65536)


class Chain:
    """Chunk signatures computed from the specification, not by the server's code."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.previous = headers["Authorization"].rpartition("=")[2]
        self.stamp = headers["X-Amz-Date"]
        self.scope = f"{self.stamp[:8]}/us-east-1/s3/aws4_request"
        key = b"AWS4owner-secret"
        for step in self.scope.split("/"):
            key = hmac.new(key, step.encode(), "sha256").digest()
        self.key = key

    def sign(self, kind: str, *digests: str) -> str:
        text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", self.stamp, self.scope, self.previous, *digests])
        self.previous = hmac.new(self.key, text.encode(), "sha256").hexdigest()
        return self.previous


def signed_put(
    raw: Raw, path: str, chunks: list[bytes], trailer: str = "", break_at: int = -1, form: str = "%x;chunk-signature=%s"
) -> Reply:
    """Upload signed chunks; the signature number `break_at` is made wrong."""
    size = sum(map(len, chunks))
    headers = {"x-amz-decoded-content-length": str(size), "Content-Encoding": "aws-chunked"}
    if trailer:
        headers["x-amz-trailer"] = trailer.partition(":")[0]
    signed = raw.sign("PUT", path, headers, SIGNED_TRAILER if trailer else SIGNED)
    chain, body = Chain(signed), b""
    for number, chunk in enumerate([*chunks, b""]):
        signature = chain.sign("PAYLOAD", EMPTY, hashlib.sha256(chunk).hexdigest())
        signature = "0" * 64 if number == break_at else signature
        head = form % (len(chunk), signature) if "%s" in form else form % len(chunk)
        body += head.encode() + b"\r\n" + chunk + (b"\r\n" if chunk else b"")
    if trailer:
        signature = chain.sign("TRAILER", hashlib.sha256(f"{trailer}\n".encode()).hexdigest())
        signature = "0" * 64 if break_at == 99 else signature
        body += f"{trailer}\r\n".encode()
        if break_at != 98:
            body += f"x-amz-trailer-signature:{signature}\r\n".encode()
    return raw("PUT", path, body + b"\r\n", signed, sign=False)


LONG = b"x" * 8192


@pytest.mark.parametrize("chunks", [[LONG, LONG + b"y", b"tail"], [b"short"], []])
def test_signed_chunks(raw: Raw, bucket: str, chunks: list[bytes]) -> None:
    assert signed_put(raw, f"/{bucket}/k", chunks).status == 200
    assert raw("GET", f"/{bucket}/k").body == b"".join(chunks)
    assert signed_put(raw, f"/{bucket}/k", chunks, form="%x ; chunk-signature = %s").status == 200


def test_chunks_without_signatures_have_the_same_least_size(raw: Raw, bucket: str) -> None:
    """Of all but the last one; 8192 bytes are enough."""
    data = bytes(8192) + b"tail"
    assert put(raw, f"/{bucket}/k", unsigned(data), len(data)).status == 200
    reply = put(raw, f"/{bucket}/k", unsigned(data, size=8191), len(data))
    assert (reply.status, reply.code) == (403, "InvalidChunkSizeError")
    assert (reply.element("Chunk"), reply.element("BadChunkSize")) == ("2", "8191")


def test_signed_chunks_refused(raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/k"
    raw("PUT", path, b"old")
    for number in (0, 1, 2):
        reply = signed_put(raw, path, [LONG, b"tail"], break_at=number)
        assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")
    for form in ("%x", "%x;chunk-signature=", "%x;other=%s"):
        assert signed_put(raw, path, [LONG], form=form).code == "IncompleteBody"
    reply = signed_put(raw, path, [LONG, b"small", b"tail"])
    assert (reply.status, reply.code) == (403, "InvalidChunkSizeError")
    assert reply.element("BadChunkSize") == "5"
    assert raw("GET", path).body == b"old"


def test_chnk_020_signed_trailer(raw: Raw, bucket: str) -> None:
    path, trailer = f"/{bucket}/k", f"{CRC}:{CRC32}"
    assert signed_put(raw, path, [b"hello world"], trailer, break_at=99).code == "SignatureDoesNotMatch"
    assert signed_put(raw, path, [b"hello world"], trailer, break_at=98).code == "IncompleteBody"
    assert raw("HEAD", path).status == 404
    assert signed_put(raw, path, [b"hello world"], trailer).headers[CRC] == CRC32


def test_chnk_024_parts(raw: Raw, bucket: str) -> None:
    upload = raw("POST", f"/{bucket}/k?uploads").element("UploadId")
    reply = put(raw, f"/{bucket}/k?partNumber=1&uploadId={upload}", unsigned())
    assert reply.headers["etag"] == f'"{hashlib.md5(b"hello world").hexdigest()}"'


@pytest.mark.parametrize(
    ("start", "again", "code"),
    [
        pytest.param(b"0\r\n", b"x-amz-meta-a: v\r\n", "MalformedTrailerError", id="trailing headers"),
        pytest.param(b"0\r\n", b"x-amz-meta-a: v", "IncompleteBody", id="a trailing header"),
        pytest.param(b"4;chunk-signature=", b"0123456789", "IncompleteBody", id="the head of a chunk"),
    ],
)
def test_what_is_no_data_is_bounded(start: bytes, again: bytes, code: str) -> None:
    """Nothing else bounds it: it is part of a body that may have 5 GiB."""
    given = 0

    def blocks() -> Iterator[bytes]:
        nonlocal given
        yield start
        while given < 1_000_000:
            given += len(again)
            yield again

    with pytest.raises(S3Error, match=code):
        list(ChunkedReader(blocks(), None, trailer=True))
    assert 10_000 < given < 40_000
