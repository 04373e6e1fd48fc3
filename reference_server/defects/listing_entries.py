"""Defects of listings: entries that are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reference_server.defects.registry import defect
from reference_server.listing import Page, Rows

Lister = Callable[[Rows, bytes, bytes, tuple[bytes, int], int], Page]


@defect(
    "last-entry-missing",
    "listing",
    "The last entry of a listing is left out, as by an index that is one write behind (LST1-003, LVER-001).",
)
def _last_entry_missing(inner: Lister) -> Lister:
    def listing(rows: Rows, prefix: bytes, delimiter: bytes, marker: tuple[bytes, int], limit: int) -> Page:
        found = inner(rows, prefix, delimiter, marker, limit)
        return found if found.truncated else replace(found, rows=found.rows[:-1])

    return listing


@defect(
    "first-entry-of-next-page-missing",
    "listing",
    "The entry that a page looks ahead at, to know that there are more, is not on the next page (LST2-004, LVER-004).",
)
def _first_of_next_missing(inner: Lister) -> Lister:
    def listing(rows: Rows, prefix: bytes, delimiter: bytes, marker: tuple[bytes, int], limit: int) -> Page:
        found = inner(rows, prefix, delimiter, marker, limit)
        return replace(found, rows=found.rows[1:]) if marker[0] and len(found.rows) > 1 else found

    return listing
