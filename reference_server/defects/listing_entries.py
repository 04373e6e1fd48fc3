"""Defects of listings: entries that are missing."""

from __future__ import annotations

from dataclasses import replace

from reference_server.defects.listing import Marker, answering
from reference_server.defects.registry import family, row
from reference_server.listing import Page


def _without_last(found: Page, *_asked: object) -> Page:
    return found if found.truncated else replace(found, rows=found.rows[:-1])


def _without_first(found: Page, _prefix: bytes, _delimiter: bytes, marker: Marker, _limit: int) -> Page:
    return replace(found, rows=found.rows[1:]) if marker[0] and len(found.rows) > 1 else found


family(
    "listing",
    answering,
    {
        "first-entry-of-next-page-missing": row(
            "The entry that a page looks ahead at, to know that there are more, is not on the next page (LST2-004, "
            "LVER-004).",
            _without_first,
        ),
        "last-entry-missing": row(
            "The last entry of a listing is left out, as by an index that is one write behind (LST1-003, LVER-001).",
            _without_last,
        ),
    },
)
