"""Defects of listings as operations: parameters that are not checked, or that mean something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from reference_server.call import Call, Result
from reference_server.defects.editing import Members, dropping, inputs
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error, invalid_argument
from reference_server.listing import make_token, read_token

Operation = Callable[[Call], Result]

LISTS = {"ListObjects", "ListObjectsV2"}
_ENCODED = {*LISTS, "ListObjectVersions", "ListMultipartUploads"}
_PAGE = 1000


# What is asked for


def _delimiter_decoded_again(members: Members) -> None:
    if members.get("Delimiter"):
        members["Delimiter"] = unquote(members["Delimiter"])


def _any_encoding(members: Members) -> None:
    if members.get("EncodingType") != "url":
        members.pop("EncodingType", None)


def _no_empty_token(members: Members) -> None:
    if members.get("ContinuationToken") == "":
        members.pop("ContinuationToken")


def _start_after_wins(members: Members) -> None:
    if members.get("StartAfter"):
        members.pop("ContinuationToken", None)


def _prefix_in_small_letters(members: Members) -> None:
    if members.get("Prefix"):
        members["Prefix"] = members["Prefix"].lower()


family(
    "operation",
    inputs,
    {
        "bucket-filters-ignored": row(
            "ListBuckets ignores max-buckets, prefix and bucket-region (LBKT-003, LBKT-004, LBKT-005).",
            {"ListBuckets"},
            dropping("MaxBuckets", "Prefix", "BucketRegion"),
        ),
        "bucket-prefix-folds-case": row(
            "ListBuckets takes capital letters of a prefix for small ones (LBKT-004).",
            {"ListBuckets"},
            _prefix_in_small_letters,
        ),
        "bucket-region-ignored": row(
            "ListBuckets ignores bucket-region, a region that does not exist too (LBKT-005).",
            {"ListBuckets"},
            dropping("BucketRegion"),
        ),
        "delimiter-decoded-twice": row(
            "A delimiter is decoded twice, so that the text %2F splits at slashes (LST1-006).",
            LISTS,
            _delimiter_decoded_again,
        ),
        "empty-token-begins-listing": row(
            "An empty continuation-token of ListObjectsV2 begins the listing again (LST2-008).",
            {"ListObjectsV2"},
            _no_empty_token,
        ),
        "encoding-type-unchecked": row(
            "An unknown encoding-type is ignored (LST1-018, LVER-011).",
            _ENCODED,
            _any_encoding,
        ),
        "start-after-beats-token": row(
            "With start-after the continuation token is not read, so that every page is the first (LST2-007).",
            {"ListObjectsV2"},
            _start_after_wins,
        ),
        "versions-delimiter-ignored": row(
            "A listing of versions ignores the delimiter (LVER-007).",
            {"ListObjectVersions"},
            dropping("Delimiter"),
        ),
        "versions-id-marker-ignored": row(
            "A listing of versions ignores version-id-marker, and skips the rest of the key (LVER-004).",
            {"ListObjectVersions"},
            dropping("VersionIdMarker"),
        ),
    },
)


@defect(
    "versions-marker-must-exist",
    "operation",
    "A version-id-marker is refused once its version is deleted (LVER-009).",
)
def _versions_marker_must_exist(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        key, version = call.members.get("KeyMarker"), call.members.get("VersionIdMarker")
        marked = call.operation == "ListObjectVersions" and key and version
        if marked and call.objects.get(call.bucket(), str(key), version) is None:
            raise invalid_argument("version-id-marker", str(version), "Invalid version id specified")
        return inner(call)

    return operation


@defect(
    "bucket-token-empty-refused",
    "operation",
    "ListBuckets refuses an empty continuation-token (LBKT-007).",
)
def _bucket_token_empty_refused(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation == "ListBuckets" and call.members.get("ContinuationToken") == "":
            raise invalid_argument("continuation-token", "", "The continuation token provided is incorrect")
        return inner(call)

    return operation


# What is answered


def backwards(listing: str, member: str, key: Callable[[Any], str]) -> Wrap:
    """This listing has the entries of one key the other way round.

    Within a page: where one key has more entries than fit, the pages themselves keep their order.
    """

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            result = inner(call)
            if call.operation == listing:
                entries = list(reversed(result.members[member]))
                entries.sort(key=key)
                result.members[member] = entries
            return result

        return operation

    return wrap


family(
    "operation",
    backwards,
    {
        "uploads-newest-first": row(
            "Several uploads of one key are listed from the newest to the oldest (LMU-001).",
            "ListMultipartUploads",
            "Uploads",
            lambda entry: entry["Key"],
        ),
    },
)


@defect(
    "empty-prefix-404",
    "operation",
    "A prefix under which there is nothing is an error, as a folder that does not exist would be (LST2-001, LST1-003).",
)
def _empty_prefix_404(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        found = result.members
        nothing = call.operation in LISTS and not found["Contents"] and not found["CommonPrefixes"]
        if nothing and call.members.get("Prefix") and call.members.get("MaxKeys") != 0:
            raise S3Error("NoSuchKey", None, {"Key": call.members["Prefix"]})
        return result

    return operation


@defect(
    "start-after-echoed-with-token",
    "operation",
    "StartAfter is echoed on pages that a token asked for (LST2-007).",
)
def _start_after_echoed(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "ListObjectsV2" and call.members.get("StartAfter"):
            result.members.setdefault("StartAfter", call.members["StartAfter"])
        return result

    return operation


@defect(
    "token-is-an-offset",
    "operation",
    "The token of a listing counts entries, so that keys written or deleted meanwhile shift the next page (LST2-022).",
)
def _token_is_an_offset(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation != "ListObjectsV2" or call.members.get("MaxKeys") == 0:
            return inner(call)
        token = call.members.pop("ContinuationToken", None)
        offset = 0 if token is None else int(read_token(token).decode())
        limit = min(call.members.get("MaxKeys", _PAGE), _PAGE)
        call.members["MaxKeys"] = offset + limit
        result = inner(call)
        _from_offset(result.members, offset)
        result.members |= {"MaxKeys": limit, "ContinuationToken": token}
        if result.members["IsTruncated"]:
            result.members["NextContinuationToken"] = make_token(str(offset + limit).encode())
        return result

    return operation


def _from_offset(members: Members, offset: int) -> None:
    """Leave out so many entries, keys and common prefixes in one order, from the first on."""
    names = sorted([one["Key"] for one in members["Contents"]] + [one["Prefix"] for one in members["CommonPrefixes"]])
    dropped = set(names[:offset])
    members["Contents"] = [one for one in members["Contents"] if one["Key"] not in dropped]
    members["CommonPrefixes"] = [one for one in members["CommonPrefixes"] if one["Prefix"] not in dropped]
    members["KeyCount"] = len(members["Contents"]) + len(members["CommonPrefixes"])
