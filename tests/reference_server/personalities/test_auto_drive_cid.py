"""Content identifiers: BLAKE3 against published values, and the tree of nodes against one that is built by hand."""

from __future__ import annotations

import base64

import pytest

from reference_server.personalities._autodrive_cid import LINKS, PIECE, cid_of
from reference_server.personalities._blake3 import blake3

#: By length of the input, whose bytes count from 0 to 250 again and again (BLAKE3 test_vectors.json, first 32 bytes).
VECTORS = {
    0: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    1023: "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
    1024: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    1025: "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
    2048: "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
    31744: "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47",
    102400: "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
}


def raw_cid(node: bytes) -> str:
    return "b" + base64.b32encode(b"\x01\x55\x1f\x20" + blake3(node)).decode().rstrip("=").lower()


def cid_bytes(text: str) -> bytes:
    return base64.b32decode(text[1:].upper() + "=" * (-len(text[1:]) % 8))


@pytest.mark.parametrize("length", VECTORS)
def test_blake3_is_that_of_its_authors(length: int) -> None:
    assert blake3(bytes(number % 251 for number in range(length))).hex() == VECTORS[length]


def test_a_small_file_is_one_node() -> None:
    """dag-pb with its data alone, in which are size (3), content (5) and empty upload options (6)."""
    message = b"\x18\x05" + b"\x2a\x05hello" + b"\x32\x00"
    assert cid_of([b"hel", b"lo"]) == raw_cid(b"\x0a" + bytes([len(message)]) + message)
    assert cid_of([b"hello"]) == "bafkr6ih6endlnpw7licriz63toxfcrxdyz6xu3isglugzjfewpwta44xdm"


def test_no_content_is_a_root_without_links() -> None:
    message = b"\x10\x01" + b"\x18\x00" + b"\x32\x00"  # depth 1, size 0
    assert cid_of([]) == cid_of([b""]) == raw_cid(b"\x0a\x06" + message)


def test_upload_options_are_part_of_the_identifier() -> None:
    message = b"\x18\x01" + b"\x2a\x01x" + b"\x32\x04\x0a\x00\x12\x00"
    assert cid_of([b"x"], compressed=True, encrypted=True) == raw_cid(b"\x0a" + bytes([len(message)]) + message)


def test_more_than_one_piece_is_a_root_with_links() -> None:
    content = bytes(PIECE) + b"!"
    length = bytes((PIECE & 0x7F | 0x80, PIECE >> 7 & 0x7F | 0x80, PIECE >> 14))
    leaves = []
    for piece, size in ((content[:PIECE], length), (b"!", b"\x01")):
        message = b"\x08\x02" + b"\x18" + size + b"\x2a" + size + piece
        leaves.append(cid_bytes(raw_cid(b"\x0a" + varint(len(message)) + message)))
    links = b"".join(b"\x12\x26\x0a\x24" + leaf for leaf in leaves)
    message = b"\x10\x01" + b"\x18" + varint(len(content)) + b"\x32\x00"
    assert cid_of([content]) == raw_cid(links + b"\x0a" + bytes([len(message)]) + message)


def varint(value: int) -> bytes:
    return bytes((value & 0x7F | 0x80,)) + varint(value >> 7) if value > 0x7F else bytes((value,))


def test_how_content_is_cut_into_blocks_does_not_matter() -> None:
    content = bytes(range(256)) * 1000
    assert cid_of([content]) == cid_of([content[:1], content[1:70_000], content[70_000:]])


def test_a_tree_grows_when_a_node_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (PIECE, LINKS) == (65_066, 1626)
    monkeypatch.setattr("reference_server.personalities._autodrive_cid.LINKS", 2)
    monkeypatch.setattr("reference_server.personalities._autodrive_cid.PIECE", 1)
    leaves = [cid_bytes(leaf(byte)) for byte in (b"a", b"b", b"c")]
    inner = [
        cid_bytes(node(links, b"\x08\x01\x10\x01\x18" + bytes([len(links)]))) for links in (leaves[:2], leaves[2:])
    ]
    assert cid_of([b"abc"]) == node(inner, b"\x10\x02\x18\x03\x32\x00")


def leaf(byte: bytes) -> str:
    return node([], b"\x08\x02\x18\x01\x2a\x01" + byte)


def node(links: list[bytes], message: bytes) -> str:
    return raw_cid(b"".join(b"\x12\x26\x0a\x24" + link for link in links) + b"\x0a" + bytes([len(message)]) + message)
