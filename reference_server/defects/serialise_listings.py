"""Defects of listings as they are written out: members and elements that are missing, wrong or out of place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from reference_server.answers import with_body
from reference_server.defects.editing import Members, answers, dropping, outputs
from reference_server.defects.registry import Wrap, family, row

if TYPE_CHECKING:
    from reference_server.wire import Answer

LISTS = {"ListObjects", "ListObjectsV2"}
VERSIONS = {"ListObjectVersions"}
_HOUR = 3600
_NAMES = ("Prefix", "Delimiter", "Marker", "NextMarker", "StartAfter", "KeyMarker", "NextKeyMarker")


# Members


def _entries(members: Members) -> list[Members]:
    """Objects, or versions and delete markers."""
    return [*members.get("Contents", []), *(entry for _, entry in members.get("Versions", []))]


def _times(edit: Callable[[int], int]) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        for entry in _entries(members):
            if isinstance(entry["LastModified"], int):  # not the text of another defect
                entry["LastModified"] = edit(entry["LastModified"])

    return change


def _sizes_padded(members: Members) -> None:
    for entry in members.get("Contents", []):
        entry["Size"] += 64


def _without_owner(members: Members) -> None:
    for entry in members.get("Contents", []):
        entry.pop("Owner", None)


def _with_delimiter(members: Members) -> None:
    members["Delimiter"] = members["Delimiter"] or ""


def _spaces_as_20(members: Members) -> None:
    if not members.get("EncodingType"):
        return
    for name in _NAMES:
        if members.get(name):
            members[name] = members[name].replace("+", "%20")
    for entry in _entries(members):
        entry["Key"] = entry["Key"].replace("+", "%20")
    members["CommonPrefixes"] = [{"Prefix": one["Prefix"].replace("+", "%20")} for one in members["CommonPrefixes"]]


def _markers_as_versions(members: Members) -> None:
    dressed = {"ETag": '"d41d8cd98f00b204e9800998ecf8427e"', "Size": 0, "StorageClass": "STANDARD"}
    members["Versions"] = [
        ("Versions", entry if kind == "Versions" else {**entry, **dressed}) for kind, entry in members["Versions"]
    ]


def _markers_last(members: Members) -> None:
    members["Versions"].sort(key=lambda entry: entry[0] == "DeleteMarkers")


def _all_latest(members: Members) -> None:
    for _, entry in members["Versions"]:
        entry["IsLatest"] = True


def _null_as_nothing(members: Members) -> None:
    for _, entry in members["Versions"]:
        entry["VersionId"] = "" if entry["VersionId"] == "null" else entry["VersionId"]


def _version_marker_always(members: Members) -> None:
    if "NextKeyMarker" in members:
        members.setdefault("NextVersionIdMarker", "null")


def _markers_of_last_page(members: Members) -> None:
    if members["Versions"]:
        last = members["Versions"][-1][1]
        members.setdefault("NextKeyMarker", last["Key"])
        members.setdefault("NextVersionIdMarker", last["VersionId"])


def _no_empty_markers(members: Members) -> None:
    for name in ("KeyMarker", "VersionIdMarker"):
        members[name] = members[name] or None


def _no_uploads(members: Members) -> None:
    members["Uploads"] = []


def _buckets_reversed(members: Members) -> None:
    members["Buckets"].reverse()


family(
    "serialise",
    outputs,
    {
        "bucket-prefix-not-echoed": row(
            "ListBuckets filters by prefix and does not say so (LBKT-004).",
            {"ListBuckets"},
            dropping("Prefix"),
        ),
        "buckets-reversed": row(
            "Buckets are listed from the last name to the first (LBKT-002).",
            {"ListBuckets"},
            _buckets_reversed,
        ),
        "list-delimiter-always": row(
            "A listing has an empty Delimiter where none was sent (LST1-005).",
            LISTS,
            _with_delimiter,
        ),
        "list-last-modified-ahead": row(
            "LastModified in listings is local time that says it is UTC, one hour ahead of HEAD (LST1-021).",
            {*LISTS, *VERSIONS},
            _times(lambda seconds: seconds + _HOUR),
        ),
        "list-last-modified-behind": row(
            "LastModified in listings is local time that says it is UTC, one hour behind HEAD (LST1-021).",
            {*LISTS, *VERSIONS},
            _times(lambda seconds: seconds - _HOUR),
        ),
        "list-owner-missing": row(
            "ListObjects has no Owner in its entries (LST1-020).",
            {"ListObjects"},
            _without_owner,
        ),
        "list-size-padded": row(
            "Size in listings is what the object takes on the disk, not its length (LST1-022).",
            LISTS,
            _sizes_padded,
        ),
        "list-spaces-as-20": row(
            "With encoding-type=url a space is %20 instead of + (LST2-016).",
            {*LISTS, *VERSIONS},
            _spaces_as_20,
        ),
        "uploads-unlisted": row(
            "ListMultipartUploads is always empty, whatever is under way (LMU-001).",
            {"ListMultipartUploads"},
            _no_uploads,
        ),
        "versions-all-latest": row(
            "Every version in a listing says that it is the latest (LVER-001).",
            VERSIONS,
            _all_latest,
        ),
        "versions-markers-as-versions": row(
            "Delete markers are listed as versions of no bytes (LVER-003).",
            VERSIONS,
            _markers_as_versions,
        ),
        "versions-markers-last": row(
            "Delete markers are listed behind all versions of the page (LVER-003).",
            VERSIONS,
            _markers_last,
        ),
        "versions-next-markers-always": row(
            "The last page of versions names markers for a next one (LVER-004).",
            VERSIONS,
            _markers_of_last_page,
        ),
        "versions-null-is-empty": row(
            "The version id of an object without one is empty instead of null (LVER-010).",
            VERSIONS,
            _null_as_nothing,
        ),
        "versions-without-id-marker": row(
            "A page of versions names only the key to go on from, and no version (LVER-004).",
            VERSIONS,
            dropping("NextVersionIdMarker"),
        ),
        "versions-without-markers": row(
            "A listing of versions leaves out markers that are empty (LVER-002).",
            VERSIONS,
            _no_empty_markers,
        ),
        "versions-id-marker-of-prefix": row(
            "A page of versions that ends in a common prefix names a version to go on from (LVER-008).",
            VERSIONS,
            _version_marker_always,
        ),
    },
)


# Documents


def _documents(operations: Collection[str], edit: Callable[[bytes], bytes]) -> Wrap:
    """The document of these operations' good answers is edited."""

    def change(answer: Answer) -> None:
        if isinstance(answer.body, bytes):
            with_body(answer, edit(answer.body))

    return answers(operations, change)


def _moved_back(tag: bytes) -> Callable[[bytes], bytes]:
    """The first element of this name becomes the last one of the document."""
    element = re.compile(b"<" + tag + b">.*?</" + tag + b">", re.DOTALL)

    def edit(document: bytes) -> bytes:
        found = element.search(document)
        if found is None:
            return document
        rest = document[: found.start()] + document[found.end() :]
        end = rest.rindex(b"</")
        return rest[:end] + found[0] + rest[end:]

    return edit


def _with_milliseconds(tag: bytes) -> Callable[[bytes], bytes]:
    return lambda document: document.replace(b".000Z</" + tag, b".123Z</" + tag)


family(
    "serialise",
    _documents,
    {
        "bucket-dates-with-fraction": row(
            "CreationDate of a bucket has milliseconds (LBKT-010).",
            {"ListBuckets"},
            _with_milliseconds(b"CreationDate>"),
        ),
        "list-last-modified-with-fraction": row(
            "LastModified in listings has milliseconds (LST1-021, LVER-013).",
            {*LISTS, *VERSIONS},
            _with_milliseconds(b"LastModified>"),
        ),
        "buckets-before-owner": row(
            "ListBuckets writes Owner behind the buckets (LBKT-001).",
            {"ListBuckets"},
            _moved_back(b"Owner"),
        ),
        "list-name-last": row(
            "A listing names its bucket behind the entries (LST2-019).",
            LISTS,
            _moved_back(b"Name"),
        ),
        "list-truncation-last": row(
            "A listing says behind its entries whether there are more (LST2-019).",
            LISTS,
            _moved_back(b"IsTruncated"),
        ),
        "list-whitespace-before-declaration": row(
            "A listing begins with white space, before the XML declaration, which strict parsers refuse (RAW-005).",
            {*LISTS, *VERSIONS},
            lambda document: b"\n  \n" + document,
        ),
    },
)
