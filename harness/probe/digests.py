"""Checksums as the SDKs send them, in headers and in trailers. Written for the harness alone."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable

from harness.probe.context import b64
from harness.wire.exchange import Headers

_NVME = 0x9A6C9329AC4BC9B5
"""The polynomial of CRC-64/NVME, reflected. Source: NVM Express NVM Command Set Specification."""
_ALL = (1 << 64) - 1


@functools.cache
def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_NVME if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc64nvme(data: bytes) -> str:
    """CRC-64/NVME as `x-amz-checksum-crc64nvme` has it."""
    value, table = _ALL, _table()
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return b64((value ^ _ALL).to_bytes(8, "big"))


def crc32(data: bytes) -> str:
    """CRC-32 as `x-amz-checksum-crc32` has it."""
    return b64(zlib.crc32(data).to_bytes(4, "big"))


ALGORITHMS: dict[str, Callable[[bytes], str]] = {"crc32": crc32, "crc64nvme": crc64nvme}


def chunked(body: bytes, algorithm: str, checksum: str = "") -> tuple[Headers, bytes]:
    """Headers and bytes of an upload with an unsigned trailing checksum, in one chunk.

    Args:
        body: the content.
        algorithm: a name of `ALGORITHMS`.
        checksum: what the trailer says instead of the truth.
    """
    name = f"x-amz-checksum-{algorithm}"
    value = checksum or ALGORITHMS[algorithm](body)
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
