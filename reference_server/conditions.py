"""Conditional requests and byte ranges.

Source: RFC 9110 §13 and §14 where S3 follows them; recorded behaviour (catalogue CRD, CWR,
COPY, GET) where not.
"""

from __future__ import annotations

import calendar
import re
import time
from email.utils import parsedate
from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.objects import Check, StoredObject

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)
_COPY_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})\Z", re.ASCII)


def http_seconds(text: str | None) -> int | None:
    """Seconds of an HTTP date (or ISO 8601, which AWS takes too); None for what is neither."""
    if not text:
        return None
    try:
        parsed = parsedate(text) or time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
        return calendar.timegm(parsed)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def etag_matches(header: str, etag: str) -> bool:
    """Whether a list of entity tags, quoted or not, has this one or `*` (catalogue ETAG-016)."""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]
    return "*" in tags or etag in tags


def _failed(condition: str) -> S3Error:
    return S3Error("PreconditionFailed", None, {"Condition": condition})


def check_read(members: Mapping[str, Any], stored: StoredObject, now: float) -> bool:
    """Evaluate the conditions of a read; false means 304 Not Modified.

    If-Match outweighs If-Unmodified-Since, If-None-Match outweighs If-Modified-Since (catalogue CRD-009).

    Raises:
        S3Error: PreconditionFailed.
    """
    if members.get("IfMatch") is not None:
        if not etag_matches(members["IfMatch"], stored.etag):
            raise _failed("If-Match")
    else:
        since = http_seconds(members.get("IfUnmodifiedSince"))
        if since is not None and stored.modified > since:
            raise _failed("If-Unmodified-Since")
    if members.get("IfNoneMatch") is not None:
        return not etag_matches(members["IfNoneMatch"], stored.etag)
    since = http_seconds(members.get("IfModifiedSince"))
    return since is None or since > now or stored.modified > since


def check_copy_source(members: Mapping[str, Any], stored: StoredObject, now: float) -> None:
    """Evaluate x-amz-copy-source-if-*: every failure is 412, never 304 (catalogue COPY-016 to -018).

    Raises:
        S3Error: PreconditionFailed.
    """
    prefix = "x-amz-copy-source-"
    if members.get("CopySourceIfMatch") is not None:
        if not etag_matches(members["CopySourceIfMatch"], stored.etag):
            raise _failed(f"{prefix}If-Match")
    else:
        since = http_seconds(members.get("CopySourceIfUnmodifiedSince"))
        if since is not None and stored.modified > since:
            raise _failed(f"{prefix}If-Unmodified-Since")
    none_match = members.get("CopySourceIfNoneMatch")
    if none_match is not None and etag_matches(none_match, stored.etag):
        raise _failed(f"{prefix}If-None-Match")
    since = http_seconds(members.get("CopySourceIfModifiedSince"))
    if since is not None and since <= now and stored.modified <= since:
        raise _failed(f"{prefix}If-Modified-Since")


def write_check(members: Mapping[str, Any], key: str, touched: str | None = None) -> Check:
    """The condition of a write, to be evaluated in its transaction.

    Args:
        members: input with IfMatch and IfNoneMatch.
        key: the key written.
        touched: how the key changed while an upload was open (catalogue CWR-010, CWR-011).

    Raises:
        S3Error: NotImplemented for the forms AWS does not implement.
    """
    match, none_match = members.get("IfMatch"), members.get("IfNoneMatch")
    if match is not None and none_match is not None:
        raise S3Error("NotImplemented", None, {"Header": "If-Match,If-None-Match"})
    if match is not None and match.strip() == "*":
        raise S3Error("NotImplemented", None, {"Header": "If-Match"})
    if none_match is not None and none_match.strip() != "*":
        raise S3Error("NotImplemented", None, {"Header": "If-None-Match"})

    def check(present: StoredObject | None) -> None:
        if match is not None:
            if present is None:
                raise S3Error("NoSuchKey", None, {"Key": key})
            if not etag_matches(match, present.etag):
                raise _failed("If-Match")
            if touched == "written":
                raise _conflict("If-Match", key)
        if none_match is not None:
            if present is not None:
                raise _failed("If-None-Match")
            if touched == "deleted":
                raise _conflict("If-None-Match", key)

    return check


def _conflict(condition: str, key: str) -> S3Error:
    return S3Error("ConditionalRequestConflict", None, {"Condition": condition, "Key": key})


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a Range header; None where S3 ignores it (catalogue GET-013).

    Raises:
        S3Error: InvalidRange if no byte of it exists.
    """
    match = _RANGE.match(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        first, last = max(0, size - int(match[2])), size - 1
        satisfiable = int(match[2]) > 0 and size > 0
    else:
        first, last = int(match[1]), min(int(match[2]) if match[2] else size, size - 1)
        if match[2] and int(match[2]) < first:
            return None
        satisfiable = first < size
    if not satisfiable:
        raise S3Error("InvalidRange", None, {"ActualObjectSize": size, "RangeRequested": header})
    return first, last


def copy_range(header: str | None, size: int) -> tuple[int, int]:
    """First and last byte of x-amz-copy-source-range, strict (catalogue COPY-025, COPY-026).

    Raises:
        S3Error: InvalidArgument, or InvalidRequest if it starts past the source.
    """
    if header is None:
        return 0, size - 1
    match = _COPY_RANGE.match(header)
    elements = {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": header}
    if match is None or int(match[2]) < int(match[1]):
        message = (
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are "
            "the zero-based offsets of the first and last bytes to copy"
        )
        raise S3Error("InvalidArgument", message, dict(elements))
    first, last = int(match[1]), int(match[2])
    if first >= size:
        raise S3Error("InvalidRequest", "The specified copy range is invalid for the source object size")
    if last >= size:
        message = f"Range specified is not valid for source object of size: {size}"
        raise S3Error("InvalidArgument", message, dict(elements))
    return first, last
