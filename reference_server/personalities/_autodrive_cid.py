"""Content identifiers as Auto Drive computes them: the root of a tree of nodes over the content.

Source: autonomys/auto-sdk, packages/auto-dag-data (cid/index.ts, ipld/chunker.ts, ipld/nodes.ts and its protobuf):
content is cut into pieces, each a dag-pb node whose data is an IPLDNodeData message; the identifier is a CIDv1 of codec
raw, with the BLAKE3 hash of the root node under multihash code 0x1f (the registered code of BLAKE3 is 0x1e), in base32.

Simplified: the library writes the name of a file into its root node. It is left out here, because the guide says that
the same content always has the same identifier, under whatever key ("Storage Characteristics").
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from reference_server.personalities._blake3 import blake3

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Bytes of content in one node: 65,535 less what the library sets aside for a node's own fields.
PIECE = 65_535 - 469
#: Links in one node, of 40 bytes each.
LINKS = PIECE // 40
_INLINK, _CHUNK = 1, 2
_PREFIX = bytes((1, 0x55, 0x1F, 32))  # CID version 1, codec raw, multihash 0x1f of 32 bytes


def cid_of(content: Iterable[bytes], *, compressed: bool = False, encrypted: bool = False) -> str:
    """The CIDv1 of content that comes in blocks of any size.

    Args:
        content: the bytes as stored.
        compressed: it was uploaded as compressed with ZLIB; that is written into the root node.
        encrypted: likewise, with AES_256_GCM.
    """
    pieces = _pieces(content)
    first, second = next(pieces, b""), next(pieces, None)
    options = _field(6, (_field(1, b"") if compressed else b"") + (_field(2, b"") if encrypted else b""))
    if second is None and first:
        return _text(_cid(_node([], _number(3, len(first)) + _field(5, first) + options)))
    size = len(first) + len(second or b"")
    links = [_leaf(piece) for piece in (first, second) if piece]
    for piece in pieces:
        size += len(piece)
        links.append(_leaf(piece))
    depth = 1
    while len(links) > LINKS:
        groups = [links[start : start + LINKS] for start in range(0, len(links), LINKS)]
        links = [
            _cid(_node(group, _number(1, _INLINK) + _number(2, depth) + _number(3, len(group)))) for group in groups
        ]
        depth += 1
    return _text(_cid(_node(links, _number(2, depth) + _number(3, size) + options)))


def _pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for block in content:
        waiting += block
        while len(waiting) >= PIECE:
            yield bytes(waiting[:PIECE])
            del waiting[:PIECE]
    if waiting:
        yield bytes(waiting)


def _leaf(piece: bytes) -> bytes:
    return _cid(_node([], _number(1, _CHUNK) + _number(3, len(piece)) + _field(5, piece)))


def _cid(node: bytes) -> bytes:
    return _PREFIX + blake3(node)


def _text(cid: bytes) -> str:
    """Multibase: `b` and lower-case base32 without padding."""
    return "b" + base64.b32encode(cid).decode().rstrip("=").lower()


# dag-pb and protobuf


def _node(links: list[bytes], data: bytes) -> bytes:
    """A dag-pb node: links, which have neither name nor size here, before data."""
    return b"".join(_field(2, _field(1, link)) for link in links) + _field(1, data)


def _field(number: int, value: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return bytes((number << 3,)) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
