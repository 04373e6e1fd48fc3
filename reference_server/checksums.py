"""The flexible checksums of S3: computing, spelling, joining parts.

Source: Amazon S3 User Guide, "Checking object integrity".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
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
        """The raw value so far, big-endian."""


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


_MAKERS: dict[str, Callable[[], Running]] = {
    "CRC32": lambda: _Crc(zlib.crc32, 4),
    "CRC32C": lambda: _Crc(crt.crc32c, 4),
    "CRC64NVME": lambda: _Crc(crt.crc64nvme, 8),
    "SHA1": hashlib.sha1,
    "SHA256": hashlib.sha256,
}
_COMBINE: dict[str, Callable[[int, int, int], int]] = {
    "CRC32": crt.combine_crc32,
    "CRC32C": crt.combine_crc32c,
    "CRC64NVME": crt.combine_crc64nvme,
}
#: Algorithms by the name in headers: x-amz-checksum-NAME.
ALGORITHMS = {name.lower(): name for name in _MAKERS}
DEFAULT = "CRC64NVME"
SIZES = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}


def start(algorithm: str) -> Running:
    """Begin to compute."""
    return _MAKERS[algorithm]()


def named(text: str) -> str:
    """The algorithm of that name in any letter case (catalogue MPC-005, MPC-007).

    Raises:
        S3Error: InvalidRequest with the names that would do.
    """
    algorithm = ALGORITHMS.get(text.lower())
    if algorithm is None:
        known = ", ".join(sorted(_MAKERS))
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
    return "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"


def allows(algorithm: str, checksum_type: str) -> bool:
    """Whether an algorithm can be of a type: CRCs can be joined, CRC64NVME only so, SHAs never."""
    if checksum_type == "COMPOSITE":
        return algorithm != "CRC64NVME"
    return algorithm in _COMBINE


def composite(algorithm: str, parts: list[str]) -> str:
    """Checksum of the raw part checksums, with the number of parts (catalogue MPC-020)."""
    running = start(algorithm)
    for part in parts:
        running.update(base64.b64decode(part))
    return f"{encode(running.digest())}-{len(parts)}"


def joined(algorithm: str, parts: list[tuple[str, int]]) -> str:
    """Checksum of the whole from (value, size) of its parts, without reading them again."""
    combine = _COMBINE[algorithm]
    value = 0
    for text, size in parts:
        value = combine(value, int.from_bytes(base64.b64decode(text), "big"), size)
    return encode(value.to_bytes(SIZES[algorithm], "big"))
