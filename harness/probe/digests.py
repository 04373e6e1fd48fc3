"""Uploads with a trailing checksum as the SDKs send them, in one chunk."""

from __future__ import annotations

from harness.wire import checksums
from harness.wire.exchange import Headers

ALGORITHMS = ("crc32", "crc64nvme")
"""What SDKs send by default, older and newer ones."""


def chunked(body: bytes, algorithm: str, checksum: str = "") -> tuple[Headers, bytes]:
    """Headers and bytes of an upload with an unsigned trailing checksum, in one chunk.

    Args:
        body: the content.
        algorithm: a name of `ALGORITHMS`.
        checksum: what the trailer says instead of the truth.
    """
    name = f"x-amz-checksum-{algorithm}"
    value = checksum or checksums.checksum(algorithm.upper(), body)
    headers = [
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("Content-Encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", str(len(body))),
        ("x-amz-trailer", name),
        ("x-amz-sdk-checksum-algorithm", algorithm.upper()),
    ]
    return headers, b"%x\r\n%s\r\n0\r\n%s:%s\r\n\r\n" % (len(body), body, name.encode(), value.encode())


def transfer_chunked(framed: bytes) -> bytes:
    """Bytes as one chunk of HTTP's own chunked transfer coding."""
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(framed), framed)
