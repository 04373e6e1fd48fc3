"""Listings of Storj: in the order of encrypted paths where that is fastest, otherwise by key.

Each segment of a path is encrypted by itself and the store knows only the result, so that keys come in an order that
is fixed but says nothing (storj/docs 47615f65, "ListObjects"; gateway-st 84df15b, miniogw/gateway.go).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from reference_server.errors import S3Error
from reference_server.listing import BEFORE, Page, folded

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_server.listing import Row, Rows

#: How many keys the gateway goes through to sort and fold them itself.
MOST = 100_000
_TOO_MANY = "ListObjects(V2): listing too many items for gateway-side filtering using arbitrary delimiter/prefix"
#: Stands for the key that a project's paths are encrypted with.
_SECRET = b"a project's passphrase"


@lru_cache(maxsize=65_536)
def _encrypted(segment: bytes) -> bytes:
    return hashlib.blake2s(segment, key=_SECRET, digest_size=8).digest() if segment else b""


def order(key: bytes) -> tuple[bytes, ...]:
    """Where a key, or a common prefix, stands among the others: by its segments, encrypted one by one."""
    return tuple(_encrypted(segment) for segment in key.split(b"/"))


def encrypted_page(rows: Rows, prefix: bytes, delimiter: bytes, marker: tuple[bytes, int], limit: int) -> Page:
    """One page in the order of encrypted paths; arguments as of `reference_server.listing.page`.

    Args:
        rows: gives rows (key first) from a position on.
        prefix: empty, or ends in a slash.
        delimiter: empty, or a slash.
        marker: a key or common prefix behind which to start, whatever its number; an empty key for none.
        limit: at most so many rows and prefixes together.
    """
    after, _ = marker
    if after and not after.startswith(prefix):
        if after > prefix:
            return Page()
        after = b""
    entries = _entries(rows(prefix, BEFORE), prefix, delimiter)
    if after:
        behind = order(after)
        entries = [entry for entry in entries if entry[0] > behind]
    return _cut(entries, limit)


_Entry = tuple[tuple[bytes, ...], bytes, "Row | None"]


def _entries(rows: Iterator[Row], prefix: bytes, delimiter: bytes) -> list[_Entry]:
    """Order, name and row of everything below the prefix; a common prefix has no row."""
    found: dict[bytes, _Entry] = {}
    keys: list[_Entry] = []
    for row in takewhile(lambda row: row[0].startswith(prefix), rows):
        group = folded(row[0], prefix, delimiter)
        if group is None:
            keys.append((order(row[0]), row[0], row))
        elif group not in found:
            found[group] = order(group), group, None
    return sorted([*keys, *found.values()], key=lambda entry: entry[0])


def _cut(entries: list[_Entry], limit: int) -> Page:
    page = Page(truncated=0 < limit < len(entries))
    for _, name, row in entries[:limit]:
        page.last, page.last_is_prefix = name, row is None
        if row is None:
            page.prefixes.append(name)
        else:
            page.rows.append(row)
    return page


def uploads_page(rows: Rows, prefix: bytes, delimiter: bytes, marker: tuple[bytes, int], limit: int) -> Page:
    """One page of unfinished uploads: a prefix that does not end in a slash is taken for the key itself."""
    if not prefix or prefix.endswith(b"/"):
        return encrypted_page(rows, prefix, delimiter, marker, limit)

    def exact(lower: bytes, number: int) -> Iterator[Row]:
        return (row for row in rows(lower, number) if row[0] == prefix)

    return encrypted_page(exact, prefix, b"", marker, limit)


def objects_listing(inner: Callable[..., Page]) -> Callable[..., Page]:
    """Wrap the seam `listing`: the fast way wherever prefix and delimiter are slashes or nothing."""
    return partial(_objects_page, inner)


def _objects_page(
    inner: Callable[..., Page], rows: Rows, prefix: bytes, delimiter: bytes, marker: tuple[bytes, int], limit: int
) -> Page:
    if (not prefix or prefix.endswith(b"/")) and delimiter in (b"", b"/"):
        return encrypted_page(rows, prefix, delimiter, marker, limit)
    # The gateway reads everything below the last slash of the prefix.
    below = prefix[: prefix.rfind(b"/") + 1]
    read = takewhile(lambda row: row[0].startswith(below), rows(below, BEFORE))
    if sum(1 for _ in islice(read, MOST + 1)) > MOST:
        raise S3Error("NotImplemented", _TOO_MANY)
    return inner(rows, prefix, delimiter, marker, limit)
