"""Defects that only show when several clients work at the same time: steps that should be one, and are two.

Between the two steps is a pause, so that what is rare in a real store happens nearly always here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_server.call import Call, Result
from reference_server.conditions import etag_matches
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.blobs import Blob
    from reference_server.objects import Check, StoredObject
    from reference_server.store import Bucket
    from reference_server.uploads import Part, Upload

Operation = Callable[[Call], Result]

_PAUSE = 0.01
"""Seconds between two steps: time for the other clients to come in between."""

_BLOCK = 64 * 1024


class _Flights:
    """What is under way at the same time, by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: Counter[Any] = Counter()
        self._ended: Counter[Any] = Counter()

    @contextmanager
    def flight(self, name: Any) -> Iterator[Callable[[], bool]]:
        """For as long as the block runs; what it gives tells whether another of the name was under way meanwhile."""
        with self._lock:
            alone, before = self._begun[name] == self._ended[name], self._begun[name]
            self._begun[name] += 1
        try:
            yield lambda: not alone or self._begun[name] > before + 1
        finally:
            with self._lock:
                self._ended[name] += 1

    def busy(self, name: Any) -> bool:
        """Whether one of this name is under way."""
        with self._lock:
            return self._begun[name] > self._ended[name]


def _unconditional(_: object) -> None:
    """The condition was tested before."""


def _name(call: Call) -> tuple[Any, ...]:
    return call.request.bucket, call.request.key, call.members.get("UploadId")


# Tested first, written later


@defect(
    "if-match-races",
    "operation",
    "If-Match of PutObject is tested first and the object written later, so that updates are lost (CON-026).",
)
def _if_match_races(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        match = call.members.get("IfMatch")
        if call.operation == "PutObject" and match is not None:
            present = call.objects.get(call.bucket(), call.key)
            if present is not None and etag_matches(match, present.etag):
                del call.members["IfMatch"]
                time.sleep(_PAUSE)
        return inner(call)

    return operation


@defect(
    "complete-condition-races",
    "operation",
    "The condition of CompleteMultipartUpload is tested before the parts are joined and not again (CON-025).",
)
def _complete_condition_races(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation == "CompleteMultipartUpload" and call.members.get("IfNoneMatch") == "*":
            if call.objects.get(call.bucket(), call.key) is not None:
                raise S3Error("PreconditionFailed", None, {"Condition": "If-None-Match"})
            del call.members["IfNoneMatch"]
            time.sleep(_PAUSE)
        return inner(call)

    return operation


# Attributes and bytes apart


def _putting(put: Callable[[Call, Bucket, StoredObject], None]) -> Wrap:
    """Something happens before PutObject replaces an object, and others can see it."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            if call.operation != "PutObject":
                return inner(call)
            objects = call.objects

            def both(bucket: Bucket, new: StoredObject, blob: Blob | None, check: Check) -> StoredObject:
                if objects.get(bucket, new.key) is not None:
                    put(call, bucket, new)
                    time.sleep(_PAUSE / 3)
                return objects.put(bucket, new, blob, check)

            call.endpoint = view(call.endpoint, objects=view(objects, put=both))
            return inner(call)

        return operation

    return wrap


def _etag_first(call: Call, bucket: Bucket, new: StoredObject) -> None:
    where = (bucket.id, new.key.encode())
    call.store.execute("UPDATE object SET etag=? WHERE bucket=? AND key=?", new.etag, *where)


def _metadata_first(call: Call, bucket: Bucket, new: StoredObject) -> None:
    present = call.objects.get(bucket, new.key)
    if present is not None:
        call.objects.change(bucket, present, **new.attributes)


def _old_one_first(call: Call, bucket: Bucket, new: StoredObject) -> None:
    call.objects.delete(bucket, new.key, _unconditional)


family(
    "operation",
    _putting,
    {
        "overwrite-deletes-first": row(
            "An overwrite deletes the old object and then stores the new one, so that readers find none in between "
            "(CON-021).",
            _old_one_first,
        ),
        "overwrite-etag-first": row(
            "An overwrite sets the new ETag before the new bytes are there (CON-021).",
            _etag_first,
        ),
        "overwrite-metadata-first": row(
            "An overwrite sets the new metadata before the new bytes are there (CON-021).",
            _metadata_first,
        ),
    },
)


@defect(
    "read-looks-up-twice",
    "operation",
    "A read takes attributes and bytes of an object from two lookups, between which it may be overwritten (CON-023).",
)
def _read_looks_up_twice(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation not in ("GetObject", "CopyObject"):
            return inner(call)
        objects = call.objects

        def opened(bucket: Bucket, key: str, version_id: str | None = None) -> tuple[StoredObject, list[Blob]] | None:
            first = objects.open(bucket, key, version_id)
            if first is None:
                return None
            time.sleep(_PAUSE / 3)
            second = objects.open(bucket, key, version_id)
            if second is None or second[0].size < first[0].size:
                return first
            call.store.blobs.unpin(first[1])
            return first[0], second[1]

        call.endpoint = view(call.endpoint, objects=view(objects, open=opened))
        return inner(call)

    return operation


@defect(
    "download-from-live-object",
    "operation",
    "The bytes of a download are looked up block by block, so that an overwrite changes the rest of it, as in "
    "stores that overwrite files in place (CON-022).",
)
def _download_from_live_object(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        plain = call.operation == "GetObject" and not {"Range", "PartNumber", "VersionId"} & set(call.members)
        if not plain or result.length is None or isinstance(result.body, bytes):
            return result
        if result.done is not None:
            result.done()
        return replace(result, body=_live(call, call.bucket(), result.length), done=None)

    return operation


def _live(call: Call, bucket: Bucket, length: int) -> Iterator[bytes]:
    for start in range(0, length, _BLOCK):
        wanted = min(_BLOCK, length - start)
        found = call.objects.open(bucket, call.key)
        if found is None:
            return
        block = b"".join(call.store.blobs.read(found[1], start, wanted))
        call.store.blobs.unpin(found[1])
        yield block.ljust(wanted, b"\0")


# Uploads and parts


@defect(
    "complete-twice-at-once-500",
    "operation",
    "A completion that is repeated while the first one runs ends in an internal error (CON-027).",
)
def _complete_twice_500(inner: Operation) -> Operation:
    flights = _Flights()

    def operation(call: Call) -> Result:
        if call.operation != "CompleteMultipartUpload":
            return inner(call)
        with flights.flight(_name(call)) as disturbed:
            if disturbed():
                raise S3Error("InternalError")
            time.sleep(_PAUSE)
            return inner(call)

    return operation


@defect(
    "abort-keeps-late-parts",
    "operation",
    "An upload that is aborted while a part arrives comes back with this part, and cannot be aborted again (CON-028).",
)
def _abort_keeps_late_parts(inner: Operation) -> Operation:
    flights, undead = _Flights(), set[tuple[Any, ...]]()

    def operation(call: Call) -> Result:
        name = _name(call)
        if call.operation == "UploadPart":
            with flights.flight(name):
                time.sleep(_PAUSE)
                return inner(call)
        if call.operation == "AbortMultipartUpload":
            time.sleep(_PAUSE / 2)
            if flights.busy(name):
                undead.add(name)
            if name in undead:
                return Result()
        return inner(call)

    return operation


@defect(
    "part-after-abort-500",
    "operation",
    "A part whose upload is aborted while it arrives ends in an internal error (CON-028).",
)
def _part_after_abort_500(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation != "UploadPart":
            return inner(call)
        call.uploads.find(call.bucket(), call.key, call.members["UploadId"])
        time.sleep(_PAUSE)
        try:
            return inner(call)
        except S3Error as error:
            if error.code == "NoSuchUpload":
                raise S3Error("InternalError") from error
            raise

    return operation


@defect(
    "parts-list-rewritten",
    "operation",
    "The list of parts is read, extended and written back, so that parts that arrive together lose each other "
    "(CON-032).",
)
def _parts_list_rewritten(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation != "UploadPart":
            return inner(call)
        upload = call.uploads.find(call.bucket(), call.key, call.members["UploadId"])
        known = {part.number for part in call.uploads.parts(upload.seq)} | {call.members["PartNumber"]}
        time.sleep(_PAUSE)
        result = inner(call)
        with call.store.transaction():
            for part in call.uploads.parts(upload.seq):
                if part.number not in known:
                    call.store.drop_blob(part.blob)
                    call.store.execute("DELETE FROM part WHERE upload=? AND number=?", upload.seq, part.number)
        return result

    return operation


@defect(
    "part-digest-of-another",
    "operation",
    "Of a part that is sent several times at once the bytes of one and the ETag of another are kept (CON-033).",
)
def _part_digest_of_another(inner: Operation) -> Operation:
    flights = _Flights()
    last: dict[tuple[int, int], Part] = {}

    def operation(call: Call) -> Result:
        if call.operation != "UploadPart":
            return inner(call)
        uploads = call.uploads

        def put_part(bucket: Bucket, upload: Upload, part: Part, blob: Blob) -> None:
            where = upload.seq, part.number
            with flights.flight(where) as disturbed:
                last[where] = part
                time.sleep(_PAUSE if disturbed() else 5 * _PAUSE)  # the first to come is the last to store
                newest = last[where]
                uploads.put_part(bucket, upload, replace(part, etag=newest.etag), blob)

        call.endpoint = view(call.endpoint, uploads=view(uploads, put_part=put_part))
        return inner(call)

    return operation


# Buckets, deletes and the index


def _loser_fails(operation_name: str) -> Wrap:
    """Who does the same at the same time as somebody else gets an internal error."""

    def wrap(inner: Operation) -> Operation:
        flights = _Flights()

        def operation(call: Call) -> Result:
            if call.operation != operation_name:
                return inner(call)
            with flights.flight(_name(call)) as disturbed:
                late = disturbed()
                time.sleep(_PAUSE)
                if late:
                    raise S3Error("InternalError")
                return inner(call)

        return operation

    return wrap


family(
    "operation",
    _loser_fails,
    {
        "create-bucket-at-once-500": row(
            "CreateBucket fails for who creates the same bucket at the same moment as somebody else (CON-029).",
            "CreateBucket",
        ),
        "delete-at-once-500": row(
            "DeleteObject fails for who deletes the same object at the same moment as somebody else (CON-030).",
            "DeleteObject",
        ),
    },
)


@defect(
    "late-delete-unlists",
    "operation",
    "A delete takes away the entry of the index although the object was stored again meanwhile: it can be read, and "
    "is not listed (CON-034).",
)
def _late_delete_unlists(inner: Operation) -> Operation:
    stored, hidden = Counter[tuple[Any, ...]](), set[tuple[Any, ...]]()

    def operation(call: Call) -> Result:
        name = _name(call)[:2]
        if call.operation == "PutObject":
            result = inner(call)
            stored[name] += 1
            hidden.discard(name)
            return result
        if call.operation == "DeleteObject":
            before = stored[name]
            time.sleep(_PAUSE * 2)
            if stored[name] != before:
                hidden.add(name)
                return Result()
        result = inner(call)
        if call.operation in ("ListObjects", "ListObjectsV2"):
            shown = result.members["Contents"]
            kept = [entry for entry in shown if (call.request.bucket, entry["Key"]) not in hidden]
            result.members["Contents"] = kept
        return result

    return operation


@defect(
    "versions-at-once-lost",
    "operation",
    "Of versions of one key that are stored at the same time only the last one is kept (CON-036).",
)
def _versions_at_once_lost(inner: Operation) -> Operation:
    flights = _Flights()

    def operation(call: Call) -> Result:
        if call.operation != "PutObject" or not call.bucket().versioning:
            return inner(call)
        with flights.flight(_name(call)) as disturbed:
            result = inner(call)
            time.sleep(_PAUSE)
            version = result.members.get("VersionId")
            if disturbed() and version is not None and flights.busy(_name(call)):
                call.objects.delete_version(call.bucket(), call.key, str(version), _unconditional)
            return result

    return operation


@defect(
    "folder-index-rewritten",
    "operation",
    "The index of a folder is read, extended and written back, so that files that arrive together lose each other "
    "(CON-037).",
)
def _folder_index_rewritten(inner: Operation) -> Operation:
    flights = _Flights()

    def operation(call: Call) -> Result:
        if call.operation != "PutObject":
            return inner(call)
        folder = call.request.bucket, call.key.rpartition("/")[0], "folder"
        new = call.objects.get(call.bucket(), call.key) is None
        with flights.flight(folder) as disturbed:
            result = inner(call)
            time.sleep(_PAUSE / 3)
            if new and disturbed():
                call.objects.delete(call.bucket(), call.key, _unconditional)
            return result

    return operation
