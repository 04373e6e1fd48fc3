"""The flexible checksums of S3: computing, spelling, joining parts.

Sources: Amazon S3 User Guide, "Checking object integrity for data uploads"; `ChecksumAlgorithm` of botocore's service
model.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from awscrt import checksums as crt

from reference_server.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Callable


class Running(Protocol):
    """A checksum being computed."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""

    def digest(self) -> bytes:
        """The raw value so far, big-endian; more bytes may follow."""


class _Crc:
    __slots__ = ("_step", "_value", "_width")

    def __init__(self, step: Callable[[bytes, int], int], width: int) -> None:
        self._step = step
        self._width = width
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


class _XxHash:
    """An xxHash of seed 0; awscrt gives the canonical form of the xxHash specification, which is big-endian."""

    __slots__ = ("_hash",)

    def __init__(self, new: Callable[[], crt.XXHash]) -> None:
        self._hash = new()

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        value: bytes = self._hash.finalize()
        return value


@dataclass(frozen=True)
class Algorithm:
    """One checksum algorithm.

    Args:
        name: as in the service model, `ChecksumAlgorithm`.
        size: bytes of the raw value.
        start: begins to compute.
        types: the types a multipart checksum can be of; the first is the one S3 takes when the client names none.
        combine: value of two pieces together from their values and the size of the second, where that is possible.
    """

    name: str
    size: int
    start: Callable[[], Running]
    types: tuple[str, ...] = ("COMPOSITE",)
    combine: Callable[[int, int, int], int] | None = None


_EITHER = ("COMPOSITE", "FULL_OBJECT")
# S3 joins part checksums to one of the whole for CRCs alone. MD5, SHA-512 and the xxHashes came in April 2026; the
# catalogue has no recording of them, their types follow from that documented rule.
_TABLE = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("CRC32", 4, lambda: _Crc(zlib.crc32, 4), _EITHER, crt.combine_crc32),
        Algorithm("CRC32C", 4, lambda: _Crc(crt.crc32c, 4), _EITHER, crt.combine_crc32c),
        Algorithm("CRC64NVME", 8, lambda: _Crc(crt.crc64nvme, 8), ("FULL_OBJECT",), crt.combine_crc64nvme),
        Algorithm("MD5", 16, hashlib.md5),
        Algorithm("SHA1", 20, hashlib.sha1),
        Algorithm("SHA256", 32, hashlib.sha256),
        Algorithm("SHA512", 64, hashlib.sha512),
        Algorithm("XXHASH3", 8, lambda: _XxHash(crt.XXHash.new_xxhash3_64)),
        Algorithm("XXHASH64", 8, lambda: _XxHash(crt.XXHash.new_xxhash64)),
        Algorithm("XXHASH128", 16, lambda: _XxHash(crt.XXHash.new_xxhash3_128)),
    )
}
#: Algorithms by the name in headers: x-amz-checksum-NAME.
ALGORITHMS = {name.lower(): name for name in _TABLE}
DEFAULT = "CRC64NVME"
#: Bytes of a raw value.
SIZES = {algorithm.name: algorithm.size for algorithm in _TABLE.values()}


def start(algorithm: str) -> Running:
    """Begin to compute."""
    return _TABLE[algorithm].start()


def named(text: str) -> str:
    """The algorithm of that name in any letter case (catalogue MPC-005, MPC-007).

    Raises:
        S3Error: InvalidRequest with the names that would do.
    """
    algorithm = ALGORITHMS.get(text.lower())
    if algorithm is None:
        known = ", ".join(sorted(_TABLE))
        message = "Checksum algorithm provided is unsupported. Please try again with any of the valid types:"
        raise S3Error("InvalidRequest", f"{message} [{known}]")
    return algorithm


def member(algorithm: str) -> str:
    """The member of the service model that carries the value."""
    return f"Checksum{algorithm}"


def encode(raw: bytes) -> str:
    """Base64, as in headers and documents."""
    return base64.b64encode(raw).decode()


def decode(algorithm: str, text: str) -> bytes | None:
    """The raw value; None if it is not base64 or has another length than the algorithm gives."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == SIZES[algorithm] else None


def default_type(algorithm: str) -> str:
    """The type of a multipart checksum when the client names none (catalogue MPC-001)."""
    return _TABLE[algorithm].types[0]


def allows(algorithm: str, checksum_type: str) -> bool:
    """Whether a multipart checksum of an algorithm can be of a type (catalogue MPC-002, MPC-003)."""
    return checksum_type in _TABLE[algorithm].types


def composite(algorithm: str, parts: list[str]) -> str:
    """Checksum of the raw part checksums, with the number of parts (catalogue MPC-020)."""
    running = start(algorithm)
    for part in parts:
        running.update(base64.b64decode(part))
    return f"{encode(running.digest())}-{len(parts)}"


def joined(algorithm: str, parts: list[tuple[str, int]]) -> str:
    """Checksum of the whole from (value, size) of its parts, without reading them again.

    Raises:
        ValueError: values of this algorithm cannot be joined; it does not allow FULL_OBJECT.
    """
    combine = _TABLE[algorithm].combine
    if combine is None:
        raise ValueError(f"{algorithm} of a whole cannot be computed from its parts")
    value = 0
    for text, size in parts:
        value = combine(value, int.from_bytes(base64.b64decode(text), "big"), size)
    return encode(value.to_bytes(SIZES[algorithm], "big"))
