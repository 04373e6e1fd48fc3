"""Defects of listings and reads that need a certain mixture of keys, pages or bytes to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from reference_server.call import Call, Result
from reference_server.defects.listing import Lister, Marker, answering, asking, only
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.listing import BEFORE, BEHIND, Page, Rows
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.blobs import Blob

Operation = Callable[[Call], Result]


def _whole_key(marker: Marker, of_versions: bool) -> Marker:
    """The marker behind its whole key; versions have numbers below 0, uploads above."""
    inside = marker[1] != BEHIND and (marker[1] < 0) == of_versions
    return (marker[0], BEHIND) if inside else marker


family(
    "listing",
    asking,
    {
        "delimiter-first-character": row(
            "Of a delimiter of several characters the first one alone counts (GEN-020).",
            lambda prefix, delimiter, marker, limit: (prefix, delimiter[:1], marker, limit),
        ),
        "uploads-page-ends-with-key": row(
            "A page of uploads that ends in the middle of a key is followed by the next key (GEN-004).",
            lambda prefix, delimiter, marker, limit: (prefix, delimiter, _whole_key(marker, of_versions=False), limit),
        ),
        "versions-page-ends-with-key": row(
            "A page of versions that ends in the middle of a key is followed by the next key (GEN-003).",
            lambda prefix, delimiter, marker, limit: (prefix, delimiter, _whole_key(marker, of_versions=True), limit),
        ),
    },
)


def _without_neighbours(found: Page, prefix: bytes, delimiter: bytes, marker: Marker, _limit: int) -> Page:
    folder = marker[0][: -len(delimiter)] if delimiter and marker[0].endswith(delimiter) else b""
    if not folder or not marker[0].startswith(prefix):
        return found
    return only(found, lambda key: not key.startswith(folder))


family(
    "listing",
    answering,
    {
        "folder-hides-neighbour": row(
            "Behind a common prefix all keys are skipped that begin like it without the delimiter, if the page begins "
            "there (GEN-001).",
            _without_neighbours,
        ),
    },
)


@defect(
    "delimiter-last-place",
    "listing",
    "A delimiter of several characters folds at its last place instead of its first where it overlaps itself "
    "(GEN-020).",
)
def _delimiter_last_place(inner: Lister) -> Lister:
    def listing(rows: Rows, prefix: bytes, delimiter: bytes, marker: Marker, limit: int) -> Page:
        found = inner(rows, prefix, delimiter, marker, limit)
        if len(delimiter) > 1:
            found.prefixes = [_stretched(rows, one, delimiter) for one in found.prefixes]
        return found

    return listing


def _stretched(rows: Rows, prefix: bytes, delimiter: bytes) -> bytes:
    key: bytes = next(rows(prefix, BEFORE))[0]
    end = len(prefix)
    while key[end - len(delimiter) + 1 : end + 1] == delimiter:
        end += 1
    return key[:end]


@defect(
    "pages-by-number",
    "listing",
    "The next page begins behind as many keys as were shown, so that keys that come or go meanwhile move the rest "
    "(CON-031).",
)
def _pages_by_number(inner: Lister) -> Lister:
    shown: dict[tuple[bytes, bytes], int] = {}

    def listing(rows: Rows, prefix: bytes, delimiter: bytes, marker: Marker, limit: int) -> Page:
        before = shown.get((prefix, marker[0]), 0) if prefix and not delimiter else 0
        found = inner(rows, prefix, delimiter, (b"", 0) if before else marker, limit + before)
        found.rows = found.rows[before:]
        if prefix and found.truncated:
            shown[prefix, found.last] = before + len(found.rows)
        return found

    return listing


@defect(
    "prefix-decoded-twice",
    "operation",
    "The prefix of a listing is decoded once more than it was encoded, so that a plus sign becomes a space (GEN-001).",
)
def _prefix_decoded_twice(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.members.get("Prefix"):
            call.members["Prefix"] = unquote_plus(call.members["Prefix"])
        return inner(call)

    return operation


def _reading(read: Callable[[Call, list[Blob], int, int], Iterator[bytes] | None]) -> Wrap:
    """The bytes of GetObject are read in another way, or in the right one where that gives none."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            if call.operation != "GetObject":
                return inner(call)
            blobs = call.store.blobs

            def changed(found: list[Blob], start: int, length: int) -> Iterator[bytes]:
                return read(call, found, start, length) or blobs.read(found, start, length)

            store = view(call.store, blobs=view(blobs, read=changed))
            call.endpoint = view(call.endpoint, store=store)
            return inner(call)

        return operation

    return wrap


def _from_each_part(call: Call, blobs: list[Blob], start: int, length: int) -> Iterator[bytes] | None:
    """A range that goes on into the next part begins there at the wrong place, by one byte."""
    if len(blobs) < 2 or not 0 < start < blobs[0].size < start + length:
        return None
    read = call.store.blobs
    rest = length - (blobs[0].size - start)
    moved = [*read.read(blobs[1:], 1, rest)]
    return iter([*read.read(blobs[:1], start, blobs[0].size), b"".join(moved).ljust(rest, b"\0")])


def _last_byte_repeated(call: Call, blobs: list[Blob], start: int, length: int) -> Iterator[bytes] | None:
    """A range that ends with the last byte of a body in a file has the byte before it twice."""
    size = sum(blob.size for blob in blobs)
    if start < 2 or start + length != size or blobs[0].file is None or len(blobs) > 1:
        return None
    body = b"".join(call.store.blobs.read(blobs, start - 1, length))
    return iter([body[1:] + body[-1:]])


family(
    "operation",
    _reading,
    {
        "range-across-parts-shifted": row(
            "A range that goes on into the next part of an object loses the first byte of that part (GEN-019).",
            _from_each_part,
        ),
        "range-to-the-end-repeats": row(
            "A range up to the end of a larger object ends with the byte before the last one (GEN-006).",
            _last_byte_repeated,
        ),
    },
)
