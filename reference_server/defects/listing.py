"""Defects of listings: pages of keys that are wrong, for every operation that lists."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.listing import BEFORE, Page, Row, Rows

Marker = tuple[bytes, int]
Lister = Callable[[Rows, bytes, bytes, Marker, int], Page]

_ALL = 2**31


# What is asked for


def asking(change: Callable[[bytes, bytes, Marker, int], tuple[bytes, bytes, Marker, int]]) -> Wrap:
    """Prefix, delimiter, marker and limit are taken for others."""
    return lambda inner: lambda rows, *asked: inner(rows, *change(*asked))


family(
    "listing",
    asking,
    {
        "delimiter-always-slash": row(
            "Any delimiter is taken for a slash, as in AIStore (NVIDIA/aistore@583e7729).",
            lambda prefix, delimiter, marker, limit: (prefix, b"/" if delimiter else b"", marker, limit),
        ),
        "marker-inclusive": row(
            "A listing begins with its marker instead of behind it, as in versitygw and S3rver once "
            "(versity/versitygw#179, jamhall/s3rver#35).",
            lambda prefix, delimiter, marker, limit: (prefix, delimiter, (marker[0], BEFORE), limit),
        ),
        "max-keys-ignored": row(
            "All pages come in one, whatever max-keys says, as from AIStore (NVIDIA/aistore@583e7729).",
            lambda prefix, delimiter, marker, limit: (prefix, delimiter, marker, _ALL if limit else 0),
        ),
    },
)


# What is answered


def answering(change: Callable[[Page, bytes, bytes, Marker, int], Page | None]) -> Wrap:
    """The page is changed, in place or into another, before it is shown."""

    def wrap(inner: Lister) -> Lister:
        def listing(rows: Rows, prefix: bytes, delimiter: bytes, marker: Marker, limit: int) -> Page:
            found = inner(rows, prefix, delimiter, marker, limit)
            return change(found, prefix, delimiter, marker, limit) or found

        return listing

    return wrap


def _same_token(found: Page, _prefix: bytes, _delimiter: bytes, marker: Marker, _limit: int) -> None:
    if found.truncated and marker[0]:
        found.last, found.last_is_prefix = marker[0], False


def _truncated_when_full(found: Page, _prefix: bytes, _delimiter: bytes, _marker: Marker, limit: int) -> None:
    found.truncated = found.truncated or len(found.rows) + len(found.prefixes) == limit > 0


def _truncated_when_zero(found: Page, _prefix: bytes, _delimiter: bytes, _marker: Marker, limit: int) -> None:
    if limit == 0:
        found.truncated, found.last_is_prefix = True, True  # there is no row to show as the last one


def _never_truncated(found: Page, *_asked: object) -> None:
    found.truncated = False


def _ordered(found: Page, order: Callable[[bytes], bytes]) -> Page:
    """The entries in another order; the last one of a page that is not the last keeps its place: it is the marker."""
    rows = found.rows[:-1] if found.truncated else found.rows
    rows = sorted(rows, key=lambda row: order(row[0])) + found.rows[len(rows) :]
    return replace(found, rows=rows, prefixes=sorted(found.prefixes, key=order))


def _shuffled(found: Page, *_asked: object) -> Page:
    return _ordered(found, lambda key: hashlib.md5(key).digest())


def _in_utf16_order(found: Page, *_asked: object) -> Page:
    return _ordered(found, lambda key: key.decode().encode("utf-16-be", "surrogatepass"))


def only(found: Page, shown: Callable[[bytes], bool]) -> Page:
    """The rows with these keys; where the last one goes, the page ends with a key that is no row."""
    rows = [row for row in found.rows if shown(row[0])]
    return replace(found, rows=rows, last_is_prefix=found.last_is_prefix or rows[-1:] != found.rows[-1:])


def _without_folders(found: Page, *_asked: object) -> Page:
    return only(found, lambda key: not key.endswith(b"/"))


def _without_prefix_itself(found: Page, prefix: bytes, *_asked: object) -> Page:
    return only(found, lambda key: key != prefix)


def _nothing_without_slash(_found: Page, prefix: bytes, delimiter: bytes, *_asked: object) -> Page | None:
    return Page() if delimiter and prefix and not prefix.endswith(delimiter) else None


def _without_prefixes_of_marker(
    found: Page, _prefix: bytes, _delimiter: bytes, marker: Marker, _limit: int
) -> Page | None:
    if not marker[0]:
        return None
    return replace(found, prefixes=[prefix for prefix in found.prefixes if not prefix.startswith(marker[0])])


def _nested_twice(found: Page, *_asked: object) -> Page:
    """Rows below a folder that is a key itself, and not at the top, come again in front of the last one."""
    folders = [row[0] for row in found.rows if row[0].endswith(b"/") and row[0].count(b"/") > 1]
    again = [row for row in found.rows if any(row[0] != folder and row[0].startswith(folder) for folder in folders)]
    return replace(found, rows=[*again, *found.rows])


def _hidden_by_object(found: Page, *_asked: object) -> Page:
    keys = {row[0] for row in found.rows}

    def shown(key: bytes) -> bool:
        return not any(key[:at] in keys for at, byte in enumerate(key) if byte == ord("/"))

    kept = only(found, shown)
    return replace(kept, prefixes=[prefix for prefix in found.prefixes if shown(prefix)])


family(
    "listing",
    answering,
    {
        "folder-keys-hidden": row(
            "Keys that end in a slash are not listed, as in versitygw and MinIO once (versity/versitygw#1108, "
            "minio/minio#8148).",
            _without_folders,
        ),
        "keys-in-utf16-order": row(
            "Keys are in the order of UTF-16 code units instead of UTF-8 bytes, as in NooBaa "
            "(noobaa/noobaa-core#8218).",
            _in_utf16_order,
        ),
        "keys-twice": row(
            "Keys below a nested folder that is a key itself are listed twice, as by RustFS (rustfs/rustfs#2439).",
            _nested_twice,
        ),
        "keys-unsorted": row(
            "The keys of a page are in no order that a client knows, as from Storj and rclone serve s3 "
            "(storj/gateway-st@84df15b, rclone/rclone#9002).",
            _shuffled,
        ),
        "max-keys-zero-truncated": row(
            "A listing with max-keys=0 says that it is truncated, so that paginators never end, as from InsForge "
            "(InsForge/InsForge#1959).",
            _truncated_when_zero,
        ),
        "object-hides-folder": row(
            "A key hides all keys that continue it behind a slash, as in MinIO (minio/minio#15504).",
            _hidden_by_object,
        ),
        "prefix-key-omitted": row(
            "A key that is the prefix itself is left out, as by MinIO (minio/minio#15815).",
            _without_prefix_itself,
        ),
        "prefix-needs-slash": row(
            "With a delimiter, a prefix that does not end in it finds nothing, as in S3rver once (jamhall/s3rver#180).",
            _nothing_without_slash,
        ),
        "start-after-hides-prefix": row(
            "A common prefix that begins with the marker is skipped, as by versitygw (versity/versitygw#1275).",
            _without_prefixes_of_marker,
        ),
        "token-repeats": row(
            "The second page has the token of the first, so that paginators never end, as from Wasabi and MEGA S4 "
            "(aws/aws-cli#3917, meganz/s4-specs#3).",
            _same_token,
        ),
        "truncated-when-full": row(
            "A page that is just full says that there are more, as from versitygw (versity/versitygw#770).",
            _truncated_when_full,
        ),
        "truncation-hidden": row(
            "A page never says that there are more, so that the rest looks deleted, as from fake-s3 "
            "(curtis0x/fake-s3#85).",
            _never_truncated,
        ),
    },
)


@defect(
    "list-repeats-common-prefixes",
    "listing",
    "A page may begin with the common prefix that ended the one before, since the token is the last key that was "
    "read and not the prefix, as in LocalStack and S3 Orchestrator (localstack/localstack#9605, "
    "afreidah/s3-orchestrator#69).",
)
def _repeats_common_prefixes(inner: Lister) -> Lister:
    def listing(rows: Rows, prefix: bytes, delimiter: bytes, marker: Marker, limit: int) -> Page:
        def behind_marker(lower: bytes, number: int) -> Iterator[Row]:
            return rows(*max((lower, number), marker))

        found = inner(behind_marker, prefix, delimiter, (b"", 0), limit)
        if found.truncated and found.last_is_prefix:
            first = next(behind_marker(found.last, BEFORE))
            found.last, found.last_is_prefix = first[0], False
        return found

    return listing


@defect(
    "prefixes-uncounted",
    "listing",
    "Common prefixes do not count against max-keys, only keys do, as in cloudemu once (stackshy/cloudemu#780).",
)
def _prefixes_uncounted(inner: Lister) -> Lister:
    def listing(rows: Rows, prefix: bytes, delimiter: bytes, marker: Marker, limit: int) -> Page:
        found = inner(rows, prefix, delimiter, marker, limit)
        room = limit
        while found.truncated and len(found.rows) < limit:
            room += limit - len(found.rows)
            found = inner(rows, prefix, delimiter, marker, room)
        return found

    return listing
