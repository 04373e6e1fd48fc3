"""BLAKE3 in plain Python, for content identifiers: the standard library has none of its own.

Source: O'Connor, Aumasson, Neves, Wilcox-O'Hearn, "BLAKE3: one function, fast everywhere", §2. All chunks of an input
are compressed at once: word k of each is a lane of 64 bits in one large integer, whose upper half takes what an
addition or a shift carries over and is cut off after it. So 64 KiB take about 3 ms instead of 60.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK, _BLOCK = 1024, 64
_CHUNK_START, _CHUNK_END, _PARENT, _ROOT = 1, 2, 4, 8
_IV = (
    *(0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A),
    *(0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19),
)
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
#: Columns, then diagonals, of the state that one round mixes.
_MIXED = (
    *((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    *((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
)
_ROUNDS = 7


def blake3(data: bytes) -> bytes:
    """The hash of 32 bytes."""
    values = _chunks(data)
    while len(values) > 1:
        values = _parents(values)
    return b"".join(word.to_bytes(4, "little") for word in values[0])


def _chunks(data: bytes) -> list[tuple[int, ...]]:
    """The chaining value of each chunk; of the only one, the root's."""
    whole = max(len(data) - 1, 0) // _CHUNK
    values = _whole_chunks(data[: whole * _CHUNK], whole) if whole else []
    rest = data[whole * _CHUNK :]
    value: tuple[int, ...] = _IV
    for start in range(0, max(len(rest), 1), _BLOCK):
        block = rest[start : start + _BLOCK]
        last = start + _BLOCK >= len(rest)
        flags = _CHUNK_START * (start == 0) | _CHUNK_END * last | _ROOT * (last and not whole)
        value = _compress(value, _words(block.ljust(_BLOCK, b"\0")), (whole, len(block), flags), 1)
    return [*values, value]


def _whole_chunks(data: bytes, count: int) -> list[tuple[int, ...]]:
    """Chunks of full length, none of them the last, side by side."""
    ones = _packed([1] * count)
    words = _words(data)
    lanes = [_packed(words[number :: _CHUNK // 4]) for number in range(_CHUNK // 4)]
    counters = _packed(range(count))
    value = tuple(word * ones for word in _IV)
    for start in range(0, len(lanes), 16):
        flags = _CHUNK_START * (start == 0) | _CHUNK_END * (start + 16 == len(lanes))
        value = _compress(value, lanes[start : start + 16], (counters, _BLOCK * ones, flags * ones), ones)
    return _unpacked(value, count)


def _parents(values: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """One level up: each pair becomes its parent, a last single one stays as it is."""
    count = len(values) // 2
    ones = _packed([1] * count)
    pairs = [(*values[2 * number], *values[2 * number + 1]) for number in range(count)]
    words = [_packed([pair[number] for pair in pairs]) for number in range(16)]
    flags = _PARENT | _ROOT * (len(values) == 2)
    value = tuple(word * ones for word in _IV)
    parents = _unpacked(_compress(value, words, (0, _BLOCK * ones, flags * ones), ones), count)
    return parents + values[2 * count :]


def _compress(value: tuple[int, ...], words: list[int], extra: tuple[int, int, int], ones: int) -> tuple[int, ...]:
    """One compression in every lane; `extra` is counter, block length and flags."""
    low = 0xFFFFFFFF * ones
    counter, length, flags = extra
    state = [*value, *(word * ones for word in _IV[:4]), counter, 0, length, flags]
    for _ in range(_ROUNDS):
        for number, (a, b, c, d) in enumerate(_MIXED):
            for word, first, second in ((words[2 * number], 16, 12), (words[2 * number + 1], 8, 7)):
                state[a] = (state[a] + state[b] + word) & low
                state[d] = _rotated(state[d] ^ state[a], first, low)
                state[c] = (state[c] + state[d]) & low
                state[b] = _rotated(state[b] ^ state[c], second, low)
        words = [words[number] for number in _PERMUTATION]
    return tuple(left ^ right for left, right in zip(state[:8], state[8:], strict=True))


def _rotated(lanes: int, bits: int, low: int) -> int:
    return (lanes >> bits | lanes << (32 - bits)) & low


def _words(data: bytes) -> list[int]:
    return [*struct.unpack(f"<{len(data) // 4}I", data)]


def _packed(lanes: Sequence[int]) -> int:
    return int.from_bytes(struct.pack(f"<{len(lanes)}Q", *lanes), "little")


def _unpacked(value: tuple[int, ...], count: int) -> list[tuple[int, ...]]:
    """The lanes as one chaining value each."""
    columns = [word.to_bytes(8 * count, "little") for word in value]
    return [
        tuple(int.from_bytes(column[8 * lane : 8 * lane + 4], "little") for column in columns) for lane in range(count)
    ]
