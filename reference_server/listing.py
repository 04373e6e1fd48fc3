"""One page of keys: prefix, delimiter, marker, limit; one seek for each folded prefix.

The model: fold every key to an entry (the key, or its part up to the first delimiter after the prefix), drop
entries that are not greater than the marker, take the first `limit`. A marker equal to, or inside, a common
prefix thus skips the whole group (catalogue LST1-011, LST1-012, LMU-011). Order is by UTF-8 bytes.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import quote_plus

from reference_server.errors import invalid_argument

Row = tuple[Any, ...]
_TOKEN_SIGNS = b"._"
#: (lower key, number): rows in order behind that pair.
Rows = Callable[[bytes, int], Iterator[Row]]
#: Numbers before and behind every row of a key.
BEFORE, BEHIND = -(2**62), 2**62


@dataclass
class Page:
    """Rows and common prefixes of one page, and the last entry if there is more."""

    rows: list[Row] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    truncated: bool = False
    last: bytes = b""
    last_is_prefix: bool = False


def successor(prefix: bytes) -> bytes | None:
    """The least byte string greater than all that start with `prefix`; None if there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None


def folded(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """The common prefix that `key` rolls up into, if any."""
    at = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[: at + len(delimiter)] if at >= 0 else None


def page(rows: Rows, prefix: bytes, delimiter: bytes, marker: tuple[bytes, int], limit: int) -> Page:
    """Read one page.

    Args:
        rows: gives rows (key first) from a position on.
        prefix: only keys that start with it.
        delimiter: empty for none.
        marker: key and number behind which to start; an empty key for none.
        limit: at most so many rows and prefixes together; 0 gives an empty page that is not truncated.
    """
    found = Page()
    position = _start(prefix, delimiter, marker)
    while position is not None and limit > 0:
        position = _run(rows(*position), found, (prefix, delimiter), limit)
    return found


def _start(prefix: bytes, delimiter: bytes, marker: tuple[bytes, int]) -> tuple[bytes, int] | None:
    key, number = marker
    if not key or key < prefix:
        return prefix, BEFORE
    group = folded(key, prefix, delimiter) if key.startswith(prefix) else None
    if group is None:
        return key, number
    behind = successor(group)
    return (behind, BEFORE) if behind is not None else None


def _run(rows: Iterator[Row], found: Page, fold: tuple[bytes, bytes], limit: int) -> tuple[bytes, int] | None:
    """Take rows up to the next common prefix; where to seek then, or None at the end of the page."""
    prefix, delimiter = fold
    room = limit - len(found.rows) - len(found.prefixes)
    if not delimiter:
        _take(list(islice(rows, room + 1)), found, prefix, room)
        return None
    for row in rows:
        key = row[0]
        if not key.startswith(prefix):
            return None
        if room == 0:
            found.truncated = True
            return None
        room -= 1
        group = folded(key, prefix, delimiter)
        if group is not None:
            found.prefixes.append(group)
            found.last, found.last_is_prefix = group, True
            behind = successor(group)
            return (behind, BEFORE) if behind is not None else None
        found.rows.append(row)
        found.last, found.last_is_prefix = key, False
    return None


def _take(rows: list[Row], found: Page, prefix: bytes, room: int) -> None:
    """The page of a listing without delimiter, from one row more than there is room for."""
    if rows and not rows[-1][0].startswith(prefix):
        rows = [row for row in rows if row[0].startswith(prefix)]
    found.truncated = len(rows) > room
    found.rows = rows[:room]
    if found.rows:
        found.last = found.rows[-1][0]


def make_token(entry: bytes) -> str:
    """An opaque continuation token that survives URLs; a check sum tells a damaged one.

    It never begins with a minus sign, which command lines take for an option.
    """
    return base64.b64encode(zlib.crc32(entry).to_bytes(4, "big") + entry, _TOKEN_SIGNS).decode().rstrip("=")


def read_token(token: str, name: str = "continuation-token") -> bytes:
    """The entry inside a token.

    Raises:
        S3Error: InvalidArgument for a token that this server did not make.
    """
    try:
        entry = base64.b64decode(token + "=" * (-len(token) % 4), altchars=_TOKEN_SIGNS, validate=True)[4:]
        if entry and token == make_token(entry):  # base64 has spare bits, so bytes alone do not tell
            entry.decode()
            return entry
    except (binascii.Error, ValueError):
        pass
    raise invalid_argument(name, token, "The continuation token provided is incorrect")


def encoder(encoding_type: str | None) -> Callable[[str], str]:
    """How keys are written: as they are, or form-encoded with `/` kept (catalogue LST2-016, LMU-012).

    Raises:
        S3Error: InvalidArgument for another encoding type than url.
    """
    if encoding_type is None:
        return str
    if encoding_type != "url":
        raise invalid_argument("encoding-type", encoding_type, "Invalid Encoding Method specified in Request")
    return lambda text: quote_plus(text, safe="/*")
