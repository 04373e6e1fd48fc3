"""Content identifiers of Auto Drive, computed anew: BLAKE3, and the tree of nodes whose root it hashes.

Sources: the BLAKE3 paper, §2; the multiformats specifications of CID, multihash and multibase; autonomys/auto-sdk at
b7c15983, packages/auto-dag-data (cid, ipld and metadata/onchain). Nothing here is taken from the reference server.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

CHUNK = 65_535 - 469
"""Bytes of content in a leaf: the largest node less what is set aside for its other fields."""
_FILE, _LEAF = 0, 2
_RAW, _BLAKE3 = 0x55, 0x1F
_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
_ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
_START, _END, _PARENT, _ROOT = 1, 2, 4, 8
_WORD = 0xFFFFFFFF


class Cid(NamedTuple):
    """What the text of an identifier says."""

    version: int
    codec: int
    hash: int
    length: int
    digest: bytes


AUTO_DRIVE = (1, _RAW, _BLAKE3, 32)
"""Version, codec, hash function and its length as Auto Drive has them. The registered code of BLAKE3 is 0x1e."""


def parse(text: str) -> Cid:
    """An identifier in multibase base32 (`b`, then lower-case letters and digits without padding).

    Raises:
        ValueError: it is none.
    """
    if not text.startswith("b") or text != text.lower():
        raise ValueError(f"{text!r} is not in base32")
    data = base64.b32decode(text[1:].upper() + "=" * (-(len(text) - 1) % 8))
    version, data = _read(data)
    codec, data = _read(data)
    function, data = _read(data)
    length, digest = _read(data)
    return Cid(version, codec, function, length, digest)


def of(content: bytes) -> str:
    """The identifier of content that is stored as it is, under no name.

    Raises:
        ValueError: empty content, of which the source says nothing; more than one node has links for.
    """
    pieces = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
    if not pieces or len(pieces) > CHUNK // 40:
        raise ValueError(f"no identifier is known of {len(content)} bytes")
    if len(pieces) == 1:
        return _text(_node([], _number(1, _FILE) + _number(3, len(content)) + _field(5, content) + _field(6, b"")))
    links = [_named(_node([], _number(1, _LEAF) + _number(3, len(one)) + _field(5, one))) for one in pieces]
    return _text(_node(links, _number(1, _FILE) + _number(2, 1) + _number(3, len(content)) + _field(6, b"")))


def _text(node: bytes) -> str:
    return "b" + base64.b32encode(_named(node)).decode().lower().rstrip("=")


def _named(node: bytes) -> bytes:
    digest = blake3(node)
    return bytes((1, _RAW, _BLAKE3, len(digest))) + digest


# --- dag-pb: links before data, in the wire format of protocol buffers ---


def _node(links: Sequence[bytes], data: bytes) -> bytes:
    return b"".join(_field(2, _field(1, link)) for link in links) + _field(1, data)


def _field(number: int, value: bytes) -> bytes:
    return _written(number << 3 | 2) + _written(len(value)) + value


def _number(number: int, value: int) -> bytes:
    """A number; zero is what is not said."""
    return _written(number << 3) + _written(value) if value else b""


def _written(value: int) -> bytes:
    return (bytes((value & 0x7F | 0x80,)) + _written(value >> 7)) if value > 0x7F else bytes((value,))


def _read(data: bytes) -> tuple[int, bytes]:
    """A number of seven bits to a byte at the beginning, and what follows it."""
    value = 0
    for index, byte in enumerate(data[:9]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, data[index + 1 :]
    raise ValueError("an identifier that ends before its digest")


# --- BLAKE3 ---


def blake3(data: bytes) -> bytes:
    """The hash of 32 bytes: chunks of 1 KiB are the leaves of a binary tree, each parent hashes its two children."""
    return struct.pack("<8I", *_subtree(data, 0, _ROOT))


def _subtree(data: bytes, first: int, root: int) -> tuple[int, ...]:
    """The chaining value of content whose first chunk has this number; the left half is the largest power of two."""
    chunks = max(1, -(-len(data) // 1024))
    if chunks == 1:
        return _chunk(data, first, root)
    left = 1 << (chunks - 1).bit_length() - 1
    children = _subtree(data[: left * 1024], first, 0) + _subtree(data[left * 1024 :], first + left, 0)
    return _compressed(_IV, children, 0, 64, _PARENT | root)


def _chunk(data: bytes, number: int, root: int) -> tuple[int, ...]:
    value: tuple[int, ...] = _IV
    blocks = list(_blocks(data))
    for index, block in enumerate(blocks):
        flags = _START if index == 0 else 0
        flags |= _END | root if index == len(blocks) - 1 else 0
        words = struct.unpack("<16I", block.ljust(64, b"\0"))
        value = _compressed(value, words, number, len(block), flags)
    return value


def _blocks(data: bytes) -> Iterator[bytes]:
    yield from (data[start : start + 64] for start in range(0, max(1, len(data)), 64))


def _compressed(value: Sequence[int], words: Sequence[int], counter: int, size: int, flags: int) -> tuple[int, ...]:
    state = [*value, *_IV[:4], counter & _WORD, counter >> 32, size, flags]
    message = list(words)
    for _ in range(7):
        for start in range(4):
            _mix(state, (start, 4 + start, 8 + start, 12 + start), message[2 * start], message[2 * start + 1])
        for start in range(4):
            corners = (start, 4 + (start + 1) % 4, 8 + (start + 2) % 4, 12 + (start + 3) % 4)
            _mix(state, corners, message[8 + 2 * start], message[9 + 2 * start])
        message = [message[index] for index in _ORDER]
    return tuple(low ^ high for low, high in zip(state[:8], state[8:], strict=True))


def _mix(state: list[int], corners: tuple[int, int, int, int], first: int, second: int) -> None:
    a, b, c, d = corners
    for word, right, further in ((first, 16, 12), (second, 8, 7)):
        state[a] = (state[a] + state[b] + word) & _WORD
        state[d] = _turned(state[d] ^ state[a], right)
        state[c] = (state[c] + state[d]) & _WORD
        state[b] = _turned(state[b] ^ state[c], further)


def _turned(word: int, bits: int) -> int:
    return (word >> bits | word << 32 - bits) & _WORD
