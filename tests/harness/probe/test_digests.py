"""Framing of uploads with trailing checksums."""

from __future__ import annotations

from harness.probe.digests import chunked, transfer_chunked
from harness.wire.checksums import checksum


def test_frames() -> None:
    """One chunk, an empty one, the trailer, an empty line; then the same as one chunk of HTTP."""
    content = b"0123456789ABCDEF"
    headers, framed = chunked(content, "crc32")
    value = checksum("CRC32", content).encode()
    assert framed == b"10\r\n0123456789ABCDEF\r\n0\r\nx-amz-checksum-crc32:" + value + b"\r\n\r\n"
    assert dict(headers)["x-amz-decoded-content-length"] == "16"
    assert dict(headers)["x-amz-trailer"] == "x-amz-checksum-crc32"
    assert transfer_chunked(framed) == b"%x\r\n" % len(framed) + framed + b"\r\n0\r\n\r\n"
    assert chunked(b"x", "crc32", "AAAAAA==")[1].endswith(b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n")
