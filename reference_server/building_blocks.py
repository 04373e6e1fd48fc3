"""What every author of an S3 layer has to get right once: ETags, folding keys at a delimiter, paging through both.

Pure functions over plain data: no I/O, standard library only. They follow the helpers that Auto Drive publishes for
such authors (Auto Drive S3 Layer Guide, "Building Your Own S3-Compatible Layer"), called the original below where they
differ. A page of ListObjectsV2 takes three steps:

    db_limit = compute_list_objects_db_limit(max_keys, delimiter)
    rows = ...  # see below
    page = finalize_list_objects(ListObjectsParams(bucket, prefix, delimiter, max_keys, token), rows, db_limit)

The storage contract: `rows` are the first `db_limit` objects of the bucket whose key starts with the prefix and, if
there is a token, is greater than `decode_token(token)`, in ascending order. Order is that of the UTF-8 bytes of keys,
which is also how Python compares strings. Databases often compare otherwise unless told so.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

#: No batch of rows is larger when there is a delimiter.
MAX_DB_LIMIT = 10_000
# In byte order no character is greater: a prefix with it behind is a position at the end of nearly all keys with
# that prefix. U+FFFF, which the original takes, is not allowed in XML.
_LAST = "\U0010ffff"
_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})+")
_PART_ETAG = re.compile('"[0-9A-Fa-f]{32}"|[0-9A-Fa-f]{32}')


@dataclass(frozen=True)
class S3ObjectListing:
    """One object as a listing shows it.

    Args:
        key: the whole key.
        size: bytes.
        last_modified: passed through, as is `etag`.
        etag: as it is to be shown, see `format_etag`.
    """

    key: str
    size: int = 0
    last_modified: datetime | None = None
    etag: str = ""


@dataclass(frozen=True)
class ListObjectsParams:
    """What a ListObjectsV2 request asks for; an empty delimiter or token is none."""

    bucket: str
    prefix: str = ""
    delimiter: str | None = None
    max_keys: int = 1000
    continuation_token: str | None = None


@dataclass(frozen=True)
class ListResult:
    """One page: objects and common prefixes, each in the order of the rows, and the token of the next page if any."""

    objects: tuple[S3ObjectListing, ...] = ()
    common_prefixes: tuple[str, ...] = ()
    is_truncated: bool = False
    next_continuation_token: str | None = None


@dataclass(frozen=True)
class ListObjectsResult:
    """What a ListObjectsV2 answer says: bucket, prefix and page size as asked for, and a page as in `ListResult`."""

    name: str
    prefix: str = ""
    max_keys: int = 1000
    objects: tuple[S3ObjectListing, ...] = ()
    common_prefixes: tuple[str, ...] = ()
    is_truncated: bool = False
    next_continuation_token: str | None = None


def md5_hex(data: bytes) -> str:
    """MD5 in lower-case hex."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def format_etag(md5_hex: str) -> str:
    """The ETag as it stands in headers and documents: between double quotes (catalogue ETAG-001)."""
    return f'"{md5_hex}"'


def multipart_etag(part_etags: Iterable[str]) -> str:
    """The quoted ETag of a multipart object: MD5 of the raw MD5s of its parts, and their number (catalogue MPC-022).

    Args:
        part_etags: of the parts in order, with or without quotes.

    Raises:
        ValueError: there is no part, or an ETag is not the MD5 of a part. The original answers with an ETag that
            no client can verify.
    """
    digests = [_raw_md5(etag) for etag in part_etags]
    if not digests:
        raise ValueError("a multipart object has at least one part")
    return format_etag(f"{md5_hex(b''.join(digests))}-{len(digests)}")


def _raw_md5(etag: str) -> bytes:
    if not _PART_ETAG.fullmatch(etag):
        raise ValueError(f"the ETag of a part is 32 hex digits, with or without quotes, not {etag!r}")
    return bytes.fromhex(etag.strip('"'))


def encode_token(key: str) -> str:
    """A continuation token that stands for a position behind `key`, fit for XML.

    It is the key itself, but for `%` and for characters that no log shows, among which are all that XML 1.0 does not
    allow (§2.2) or does not carry unchanged (§2.11, §3.3.3): control characters with CR, LF and TAB, U+FFFE, U+FFFF,
    U+10FFFF, lone surrogates. These are percent-encoded UTF-8. Escape it in XML as any text.
    """
    return "".join(letter if letter.isprintable() and letter != "%" else _percent(letter) for letter in key)


def _percent(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))


def decode_token(token: str) -> str:
    """The key behind which to go on: storage gives keys that are greater.

    Raises:
        ValueError: a `%` without two hex digits, or bytes that are not UTF-8. S3 answers a damaged token with
            400 InvalidArgument (catalogue LST2-009).
    """
    if "%" in _ESCAPES.sub("", token):
        raise ValueError(f"continuation token has a % that begins no escape: {token!r}")
    try:
        return _ESCAPES.sub(_character, token)
    except UnicodeDecodeError:
        raise ValueError(f"continuation token has escapes that are not UTF-8: {token!r}") from None


def _character(match: re.Match[str]) -> str:
    return bytes.fromhex(match.group().replace("%", "")).decode("utf-8", "surrogatepass")


def compute_list_objects_db_limit(max_keys: int, delimiter: str | None) -> int:
    """How many rows to ask storage for.

    Without a delimiter one more than the page holds, which tells whether there is a next one. With a delimiter many
    rows may fold into one prefix: ten for each entry and a hundred, at most 10,000.
    """
    return min(10 * max_keys + 100, MAX_DB_LIMIT) if delimiter else max_keys + 1


def build_list_result(rows: Sequence[S3ObjectListing], prefix: str, delimiter: str | None, max_keys: int) -> ListResult:
    """Fold rows into one page of at most `max_keys` objects and common prefixes together (catalogue LST2-012).

    A key that has the delimiter behind the prefix becomes a common prefix up to and including the first one. Each is
    listed once, in the order of the rows, which is byte order as in S3 (the original sorts by UTF-16 code units). Rows
    of a prefix that is listed cost nothing, so a full page ends at the first row that needs a new entry, and the token
    is the key before it.

    The page knows nothing of what lies behind the rows; `finalize_list_objects` does. With `max_keys` below 1 it is
    empty, and truncated without a token if there are rows, so a loop over pages must end where there is no token. S3
    itself answers max-keys=0 with an empty page that is not truncated (catalogue LST2-020).
    """
    objects: list[S3ObjectListing] = []
    prefixes: dict[str, None] = {}
    scanned = 0
    for row in rows:
        group = _common_prefix(row.key, prefix, delimiter)
        if group not in prefixes:
            if len(objects) + len(prefixes) >= max_keys:
                break
            if group is None:
                objects.append(row)
            else:
                prefixes[group] = None
        scanned += 1
    truncated = scanned < len(rows)
    token = encode_token(rows[scanned - 1].key) if truncated and scanned else None
    return ListResult(tuple(objects), tuple(prefixes), truncated, token)


def finalize_list_objects(
    params: ListObjectsParams, rows: Sequence[S3ObjectListing], db_limit: int
) -> ListObjectsResult:
    """One page of ListObjectsV2 from a batch of rows, such that pages show each entry exactly once.

    If all rows fit on the page but the batch is full, storage may have more: the page is truncated. When the last row
    folds into a common prefix, the token then skips the rest of that prefix. The last page may be empty.

    Rows of the common prefix that the token lies in are passed over: it is listed already. The original lists it
    again when a key in it is greater than the skip, or was written between two pages.

    Args:
        params: the request.
        rows: what storage gave for it, see the module.
        db_limit: how many rows storage was asked for.

    Raises:
        ValueError: `db_limit` is below 1, so that no rows would prove nothing (the original breaks with a TypeError),
            or the token is damaged, see `decode_token`.
    """
    if db_limit < 1:
        raise ValueError(f"db_limit must be at least 1, not {db_limit}: a batch of no rows tells nothing")
    token = decode_token(params.continuation_token or "")
    listed = _common_prefix(token, params.prefix, params.delimiter)
    fresh = rows if listed is None else [row for row in rows if not row.key.startswith(listed)]
    page = build_list_result(fresh, params.prefix, params.delimiter, params.max_keys)
    if not page.is_truncated and len(rows) >= db_limit:
        last = rows[-1].key
        group = _common_prefix(last, params.prefix, params.delimiter)
        # The greater of the two: a key may lie behind the skip, and a token must never go back.
        behind = last if group is None else max(last, group + _LAST)
        page = replace(page, is_truncated=True, next_continuation_token=encode_token(behind))
    return ListObjectsResult(
        params.bucket,
        params.prefix,
        params.max_keys,
        page.objects,
        page.common_prefixes,
        page.is_truncated,
        page.next_continuation_token,
    )


def _common_prefix(key: str, prefix: str, delimiter: str | None) -> str | None:
    """What a key folds into: its part up to and including the first delimiter behind the prefix, if there is one."""
    if not delimiter:
        return None
    at = key.find(delimiter, len(prefix))
    return key[: at + len(delimiter)] if at >= 0 else None
