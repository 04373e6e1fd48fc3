"""Defects of copies on the server: the source misread, the rules bent, and what of the source comes along."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

from reference_server.call import Call, Result
from reference_server.codec import http_time
from reference_server.defects.editing import calls, dropping, inputs
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error, invalid_argument
from reference_server.views import put_changed

if TYPE_CHECKING:
    from reference_server.objects import StoredObject

Operation = Callable[[Call], Result]

_COPY, _PART = {"CopyObject"}, {"UploadPartCopy"}
_COPIES = _COPY | _PART
_HEADER = "x-amz-copy-source"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)\Z")


def _path(call: Call) -> tuple[str, str]:
    """Bucket and key of the source, either empty where it names none."""
    path = unquote_plus(call.members["CopySource"].partition("?")[0])
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key


def _source(call: Call) -> StoredObject | None:
    """The source, if there is one."""
    name, key = _path(call)
    bucket = call.store.bucket(name)
    _, _, version = call.members["CopySource"].partition("?versionId=")
    return call.objects.get(bucket, key, version or None) if bucket is not None else None


# What is asked for


def _decoded_twice(call: Call) -> None:
    call.members["CopySource"] = unquote(call.members["CopySource"])


def _plus_kept(call: Call) -> None:
    call.members["CopySource"] = call.members["CopySource"].replace("+", "%2B")


def _slash_refused(call: Call) -> None:
    if call.members["CopySource"].startswith("/"):
        raise invalid_argument(_HEADER, call.members["CopySource"], "Invalid copy source bucket name")


def _keyless_is_missing(call: Call) -> None:
    _, key = _path(call)
    if not key:
        raise S3Error("NoSuchKey")


def _version_dropped(call: Call) -> None:
    call.members["CopySource"] = call.members["CopySource"].partition("?")[0]


def _self_refused(call: Call) -> None:
    if _path(call) == (call.request.bucket, call.key) and call.members.get("MetadataDirective") != "REPLACE":
        raise S3Error("InvalidRequest", "An object cannot be copied to itself.")


def _self_accepted(call: Call) -> None:
    if _path(call) == (call.request.bucket, call.key):
        call.members.setdefault("StorageClass", "STANDARD")


def _metadata_replaces(call: Call) -> None:
    if call.members.get("Metadata"):
        call.members["MetadataDirective"] = "REPLACE"


def _end_excluded(call: Call) -> None:
    span = _RANGE.match(call.members.get("CopySourceRange") or "")
    if span is not None and int(span[1]) < int(span[2]):
        call.members["CopySourceRange"] = f"bytes={span[1]}-{int(span[2]) - 1}"


def _clamped(call: Call) -> None:
    span, source = _RANGE.match(call.members.get("CopySourceRange") or ""), _source(call)
    if span is not None and source is not None and int(span[1]) < source.size <= int(span[2]):
        call.members["CopySourceRange"] = f"bytes={span[1]}-{source.size - 1}"


def _date_decides(call: Call) -> None:
    if call.members.get("CopySourceIfUnmodifiedSince"):
        call.members.pop("CopySourceIfMatch", None)
    if call.members.get("CopySourceIfModifiedSince"):
        call.members.pop("CopySourceIfNoneMatch", None)


def _future_is_now(call: Call) -> None:
    if call.members.get("CopySourceIfModifiedSince"):
        call.members["CopySourceIfModifiedSince"] = http_time(int(time.time()))


def _without_header(name: str) -> Callable[[Call], None]:
    def edit(call: Call) -> None:
        headers = {other: value for other, value in call.request.headers.items() if other != name}
        call.request = replace(call.request, headers=headers)

    return edit


family(
    "operation",
    calls,
    {
        "copy-body-ignored": row(
            "A copy that has a body is made all the same (COPY-020).", _COPY, _without_header("content-length")
        ),
        "copy-dates-decide": row(
            "Where a copy names the ETag of its source and a date, only the date counts (COPY-017, COPY-028).",
            _COPIES,
            _date_decides,
        ),
        "copy-future-date-counts": row(
            "A copy if its source was modified since a time to come is refused (COPY-018).", _COPIES, _future_is_now
        ),
        "copy-metadata-without-directive": row(
            "Metadata in the request replaces that of the source without a directive (COPY-002, COPY-005).",
            _COPY,
            _metadata_replaces,
        ),
        "copy-range-clamped": row(
            "A range of a source that is shorter is cut to what is there (COPY-026).", _PART, _clamped
        ),
        "copy-range-header-ignored": row(
            "A copy with a Range header is one of the whole object (COPY-019).", _COPY, _without_header("range")
        ),
        "copy-range-without-end": row("The last byte of a copied range is left out (COPY-024).", _PART, _end_excluded),
        "copy-self-accepted": row(
            "A copy of an object onto itself that changes nothing is a success (COPY-004, COPY-005).",
            _COPY,
            _self_accepted,
        ),
        "copy-self-needs-directive": row(
            "A copy of an object onto itself needs new metadata, whatever else it changes (COPY-006).",
            _COPY,
            _self_refused,
        ),
        "copy-source-decoded-twice": row(
            "The source of a copy is percent-decoded twice, so that another object is copied (COPY-009).",
            _COPIES,
            _decoded_twice,
        ),
        "copy-source-plus-kept": row(
            "A plus sign in the source of a copy is one, and no space (COPY-010).", _COPIES, _plus_kept
        ),
        "copy-source-slash-refused": row(
            "The source of a copy must not begin with a slash (COPY-009).", _COPIES, _slash_refused
        ),
        "copy-source-version-ignored": row(
            "A copy of an older version is one of the present version (COPY-014).", _COPIES, _version_dropped
        ),
        "copy-source-without-key-404": row(
            "A source of a copy that names no key is a missing key instead of a bad request (COPY-008).",
            _COPIES,
            _keyless_is_missing,
        ),
    },
)

family(
    "operation",
    inputs,
    {
        "tagging-directive-ignored": row(
            "A copy always has the tags of its source (COPY-011).", _COPY, dropping("TaggingDirective")
        ),
    },
)


# What is stored


def _inheriting(change: Callable[[Call, StoredObject, StoredObject], StoredObject]) -> Wrap:
    """The object that CopyObject stores has more of its source than it should: `change(call, source, new)`."""

    def inherit(call: Call) -> None:
        source = _source(call)
        if source is not None:
            put_changed(call, lambda new, _blob: change(call, source, new))

    return calls(_COPY, inherit)


def _same_class(call: Call, source: StoredObject, new: StoredObject) -> StoredObject:
    return new if call.members.get("StorageClass") else replace(new, storage_class=source.storage_class)


def _same_locks(_call: Call, source: StoredObject, new: StoredObject) -> StoredObject:
    locks = {name: source.attributes[name] for name in ("Retention", "LegalHold") if name in source.attributes}
    return replace(new, attributes=new.attributes | locks)


family(
    "operation",
    _inheriting,
    {
        "copy-inherits-class": row(
            "A copy is in the storage class of its source (COPY-012).",
            _same_class,
        ),
        "copy-inherits-etag": row(
            "A copy has the ETag of its source, also that of an upload in parts (ETAG-012, COPY-022).",
            lambda _call, source, new: replace(new, etag=source.etag),
        ),
        "copy-inherits-locks": row(
            "A copy is under the retention and the legal hold of its source (COPY-013).",
            _same_locks,
        ),
        "copy-inherits-time": row(
            "A copy has the time of its source, so that incremental backups miss it (COPY-001).",
            lambda _call, source, new: replace(new, modified=source.modified),
        ),
    },
)


@defect(
    "copy-is-a-link",
    "operation",
    "A copy is a reference to its source, and changes and goes with it (COPY-021).",
)
def _copy_is_a_link(inner: Operation) -> Operation:
    links: dict[tuple[Any, Any], tuple[str, str]] = {}

    def operation(call: Call) -> Result:
        place = (call.request.bucket, call.request.key)
        if call.operation in ("GetObject", "HeadObject") and place in links:
            bucket, key = links[place]
            call.request = replace(call.request, bucket=bucket, key=key)
        elif call.operation == "CopyObject":
            links[place] = _path(call)
        else:
            links.pop(place, None)
        return inner(call)

    return operation


# What is refused


@defect(
    "copy-error-names-target",
    "operation",
    "The error for a source that is missing names the key of the target (COPY-007).",
)
def _copy_error_names_target(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if call.operation in _COPIES and error.code == "NoSuchKey":
                raise S3Error("NoSuchKey", None, {"Key": call.key}) from None
            raise

    return operation


@defect(
    "copy-of-marker-404",
    "operation",
    "A delete marker that is named as the source of a copy is a missing key instead of a bad request (COPY-015).",
)
def _copy_of_marker_404(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        source = _source(call) if call.operation in _COPIES else None
        if source is not None and source.marker:
            raise S3Error("NoSuchKey", None, {"Key": source.key})
        return inner(call)

    return operation
