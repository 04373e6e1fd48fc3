"""The flexible checksums of S3 as the harness computes them, so that it shares no mistake with any server or SDK.

CRC-32C and CRC-64/NVME are computed byte by byte, about 8 MB in a second: for small bodies only.
Source: Amazon S3 User Guide, "Checking object integrity for data uploads"; RFC 3720 (CRC-32C); NVM Express NVM
Command Set Specification (CRC-64/NVME).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import zlib
from collections.abc import Callable

ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
"""Names as the service model has them. Newer ones of the model are not asked of an endpoint."""

DEFAULT = "CRC64NVME"
"""What S3 computes when the client sends nothing."""

JOINABLE = ("CRC32", "CRC32C", "CRC64NVME")
"""Those that a multipart upload can have of the whole object (FULL_OBJECT)."""

COMPOSITE = ("CRC32", "CRC32C", "SHA1", "SHA256")
"""Those that a multipart upload can have of the checksums of its parts (COMPOSITE)."""

_CRC32C = 0x82F63B78
_CRC64NVME = 0x9A6C9329AC4BC9B5
"""Polynomials, reflected."""


def header(algorithm: str) -> str:
    """The header that carries a value: `x-amz-checksum-crc32`."""
    return f"x-amz-checksum-{algorithm.lower()}"


def member(algorithm: str) -> str:
    """The member of the service model that carries a value: `ChecksumCRC32`."""
    return f"Checksum{algorithm}"


def digest(algorithm: str, data: bytes) -> bytes:
    """The raw value, most significant byte first."""
    return _FUNCTIONS[algorithm](data)


def checksum(algorithm: str, data: bytes) -> str:
    """The value as headers and documents have it: base64 of the raw value."""
    return base64.b64encode(digest(algorithm, data)).decode()


def composite(algorithm: str, *parts: bytes) -> str:
    """The composite checksum of an object completed from parts of these bytes, see `composed`."""
    return composed(algorithm, *(checksum(algorithm, part) for part in parts))


def composed(algorithm: str, *values: str) -> str:
    """The composite checksum of parts with these values: checksum of their joined raw values, "-", their number."""
    raw = b"".join(base64.b64decode(value) for value in values)
    return f"{checksum(algorithm, raw)}-{len(values)}"


@functools.cache
def _table(polynomial: int) -> tuple[int, ...]:
    """What each byte does to a reflected CRC."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        table.append(value)
    return tuple(table)


def _crc(polynomial: int, width: int, data: bytes) -> bytes:
    """A reflected CRC of `width` bytes that begins, and is inverted at the end, with all bits set."""
    table, every = _table(polynomial), (1 << 8 * width) - 1
    value = every
    for byte in data:
        value = table[(value ^ byte) & 0xFF] ^ value >> 8
    return (value ^ every).to_bytes(width, "big")


_FUNCTIONS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": functools.partial(_crc, _CRC32C, 4),
    "CRC64NVME": functools.partial(_crc, _CRC64NVME, 8),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
