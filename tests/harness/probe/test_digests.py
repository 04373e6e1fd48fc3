"""Checksums and framing against published values."""

from __future__ import annotations

import pytest

from harness.probe.context import b64
from harness.probe.digests import chunked, crc32, crc64nvme, transfer_chunked


def test_published_check_values() -> None:
    """The check values of the catalogue of CRC algorithms: nine digits."""
    digits = b"123456789"
    assert crc32(digits) == b64(bytes.fromhex("cbf43926"))
    assert crc64nvme(digits) == b64(bytes.fromhex("ae8b14860a799888"))
    assert crc64nvme(b"") == b64(bytes(8))


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 40])
def test_against_the_runtime_of_aws(body: bytes) -> None:
    """The library that the AWS CLI computes with."""
    checksums = pytest.importorskip("awscrt.checksums")
    assert crc64nvme(body) == b64(checksums.crc64nvme(body).to_bytes(8, "big"))


def test_frames() -> None:
    """One chunk, an empty one, the trailer, an empty line; then the same as one chunk of HTTP."""
    headers, framed = chunked(b"0123456789ABCDEF", "crc32")
    assert (
        framed
        == b"10\r\n0123456789ABCDEF\r\n0\r\nx-amz-checksum-crc32:" + crc32(b"0123456789ABCDEF").encode() + b"\r\n\r\n"
    )
    assert dict(headers)["x-amz-decoded-content-length"] == "16"
    assert dict(headers)["x-amz-trailer"] == "x-amz-checksum-crc32"
    assert transfer_chunked(framed) == b"%x\r\n" % len(framed) + framed + b"\r\n0\r\n\r\n"
    assert chunked(b"x", "crc32", "AAAAAA==")[1].endswith(b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n")
