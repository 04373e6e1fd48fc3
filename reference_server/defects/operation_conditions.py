"""Defects of conditional requests: conditions that are not looked at, misread, or evaluated at the wrong moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server.call import Call, Result
from reference_server.codec import http_time
from reference_server.conditions import http_seconds
from reference_server.defects.editing import Members, calls, dropping, inputs
from reference_server.defects.registry import defect, family, row
from reference_server.errors import NotModifiedError, S3Error
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.store import Bucket
    from reference_server.uploads import Upload

Operation = Callable[[Call], Result]

_READS = frozenset({"GetObject", "HeadObject"})
_WRITES = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})
_CONDITIONS = ("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
_WINDOW = 0.02
"""Seconds between a look and a write that are not one step."""


def _failed(condition: str) -> S3Error:
    return S3Error("PreconditionFailed", None, {"Condition": condition})


def _fractions_compared(members: Members) -> None:
    """As if every object had been stored some fraction after the second that Last-Modified says."""
    for name in ("IfModifiedSince", "IfUnmodifiedSince"):
        seconds = http_seconds(members.get(name))
        if seconds is not None:
            members[name] = http_time(seconds - 1)


def _future_believed(call: Call) -> None:
    seconds = http_seconds(call.members.get("IfModifiedSince"))
    if seconds is not None:
        call.members["IfModifiedSince"] = http_time(min(seconds, int(call.store.clock())))


def _presigned_unconditional(call: Call) -> None:
    if "X-Amz-Signature" in call.request.parameters:
        dropping(*_CONDITIONS)(call.members)


def _every_form(call: Call) -> None:
    """An ETag in If-None-Match means "*", "*" in If-Match means any object, and of both If-Match counts."""
    if call.members.get("IfNoneMatch") is not None:
        call.members["IfNoneMatch"] = "*"
    if call.members.get("IfMatch") is not None:
        call.members.pop("IfNoneMatch", None)
        present = call.objects.get(call.bucket(), call.key)
        if call.members["IfMatch"].strip() == "*" and present is not None:
            call.members["IfMatch"] = present.etag


def _tombstone_counts(call: Call) -> None:
    newest = call.objects.newest(call.bucket(), call.key)
    if newest is None or not newest.marker:
        return
    if call.members.get("IfNoneMatch") is not None:
        raise _failed("If-None-Match")
    call.members.pop("IfMatch", None)


def _completed_again(call: Call) -> None:
    if call.members.get("IfNoneMatch") is not None and call.objects.get(call.bucket(), call.key) is not None:
        raise _failed("If-None-Match")


def _checked_early(call: Call) -> None:
    """The test, and some time later the write."""
    if call.members.get("IfNoneMatch") == "*":
        if call.objects.get(call.bucket(), call.key) is not None:
            raise _failed("If-None-Match")
        del call.members["IfNoneMatch"]
        time.sleep(_WINDOW)


family(
    "operation",
    inputs,
    {
        "complete-conditions-ignored": row(
            "CompleteMultipartUpload replaces whatever is there, since only PutObject looks at If-Match and "
            "If-None-Match (CWR-009).",
            {"CompleteMultipartUpload"},
            dropping("IfMatch", "IfNoneMatch"),
        ),
        "copy-target-conditions-ignored": row(
            "CopyObject ignores If-Match and If-None-Match and overwrites its target (CWR-015).",
            {"CopyObject"},
            dropping("IfMatch", "IfNoneMatch"),
        ),
        "delete-if-match-ignored": row(
            "DeleteObject ignores If-Match and deletes whatever is there (CWR-017).",
            {"DeleteObject"},
            dropping("IfMatch"),
        ),
        "delete-if-match-size-ignored": row(
            "DeleteObject ignores conditions on size and time, which only directory buckets have (CWR-019).",
            {"DeleteObject"},
            dropping("IfMatchSize", "IfMatchLastModifiedTime"),
        ),
        "modified-time-with-fraction-compared": row(
            "Dates of conditions are compared with a time that has fractions of a second, so that an object is newer "
            "than its own Last-Modified (CRD-004).",
            _READS,
            _fractions_compared,
        ),
    },
)

family(
    "operation",
    calls,
    {
        "complete-again-412": row(
            "A conditional completion that is sent again finds the object that it made itself (CWR-014).",
            {"CompleteMultipartUpload"},
            _completed_again,
        ),
        "delete-marker-counts-as-object": row(
            "Conditional uploads take a delete marker for an object that is there (CWR-002).",
            {"PutObject"},
            _tombstone_counts,
        ),
        "if-modified-since-future-believed": row(
            "If-Modified-Since with a date in the future is answered 304 (CRD-005).",
            _READS,
            _future_believed,
        ),
        "if-none-match-races": row(
            "If-None-Match: * is tested first and the object written later, so that several writers win at the same "
            "time (CWR-020).",
            {"PutObject"},
            _checked_early,
        ),
        "presigned-conditions-ignored": row(
            "Conditions of presigned requests are ignored (CRD-011).",
            _READS,
            _presigned_unconditional,
        ),
        "write-conditions-in-every-form": row(
            "Conditions of writes are accepted in forms that S3 refuses, and then taken for another (CWR-003).",
            _WRITES,
            _every_form,
        ),
    },
)


@defect(
    "if-match-on-missing-412",
    "operation",
    "If-Match on a key without an object is 412 instead of 404, so that removed cannot be told from changed (CWR-005).",
)
def _if_match_on_missing_412(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if error.code != "NoSuchKey" or call.operation in _READS or call.members.get("IfMatch") is None:
                raise
            raise _failed("If-Match") from None

    return operation


@defect(
    "not-modified-before-failed",
    "operation",
    "Of several conditions of a read that fail, those that give 304 come first (CRD-009).",
)
def _not_modified_before_failed(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if error.code == "PreconditionFailed" and call.operation in _READS:
                dropping("IfMatch", "IfUnmodifiedSince")(call.members)
                done = inner(call).done
                if done is not None:
                    done()
            raise

    return operation


@defect(
    "not-modified-bare",
    "operation",
    "304 Not Modified comes without ETag and Last-Modified, so that caches cannot renew what they hold (CRD-012).",
)
def _not_modified_bare(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except NotModifiedError:
            raise NotModifiedError([]) from None

    return operation


@defect(
    "upload-forgets-writes",
    "operation",
    "A conditional completion does not know that its key was written or deleted while the upload was open (CWR-010).",
)
def _upload_forgets_writes(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation == "CompleteMultipartUpload":
            uploads = call.uploads

            def find(bucket: Bucket, key: str, upload_id: str, *, finished: bool = False) -> Upload:
                return replace(uploads.find(bucket, key, upload_id, finished=finished), touched=None)

            call.endpoint = view(call.endpoint, uploads=view(uploads, find=find))
        return inner(call)

    return operation
