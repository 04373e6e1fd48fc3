"""Defects of stores that answer before a write counts, or go on answering with what was there before it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_server.call import Call, Result
from reference_server.defects.editing import calls
from reference_server.defects.registry import Wrap, family, row
from reference_server.errors import S3Error
from reference_server.objects import Deleted
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.blobs import Blob
    from reference_server.objects import Check, StoredObject
    from reference_server.store import Bucket

Operation = Callable[[Call], Result]

_MOMENT = 0.3
"""Seconds for which a store is behind: longer than a busy machine takes from one request to the next."""


# What is written counts later


def _later(work: Callable[..., Any], *arguments: Any) -> None:
    """Do it after a moment, if it can still be done: the bucket, or the server, may be gone by then."""

    def run() -> None:
        with suppress(S3Error, sqlite3.Error, OSError):
            work(*arguments)

    timer = threading.Timer(_MOMENT, run)
    timer.daemon = True
    timer.start()


def _unconditional(_: object) -> None:
    """The condition was tested when the write was answered."""


def _late_puts(only: Callable[[StoredObject | None], bool]) -> Callable[[Call], None]:
    """Objects are put later where `only` says so of what is there now."""

    def change(call: Call) -> None:
        objects = call.objects

        def put(bucket: Bucket, new: StoredObject, blob: Blob | None, check: Check) -> StoredObject:
            present = objects.get(bucket, new.key)
            if not only(present):
                return objects.put(bucket, new, blob, check)
            check(present)
            _later(objects.put, bucket, new, blob, _unconditional)
            return new

        call.endpoint = view(call.endpoint, objects=view(objects, put=put))

    return change


def _late_deletes(call: Call) -> None:
    objects = call.objects

    def delete(bucket: Bucket, key: str, check: Check) -> Deleted:
        present = objects.get(bucket, key)
        check(present)
        _later(objects.delete, bucket, key, _unconditional)
        return Deleted(removed=present)

    call.endpoint = view(call.endpoint, objects=view(objects, delete=delete))


def _late_completions(call: Call) -> None:
    uploads = call.uploads

    def finish(bucket: Bucket, upload: Any, new: Any, finished: Any, check: Check) -> Any:
        check(call.objects.get(bucket, new.key))
        _later(uploads.finish, bucket, upload, new, finished, _unconditional)
        return finished[2]

    call.endpoint = view(call.endpoint, uploads=view(uploads, finish=finish))


def _late_parts(call: Call) -> None:
    uploads = call.uploads

    def put_part(bucket: Bucket, upload: Any, part: Any, blob: Blob) -> None:
        _later(uploads.put_part, bucket, upload, part, blob)

    call.endpoint = view(call.endpoint, uploads=view(uploads, put_part=put_part))


def _late_changes(call: Call) -> None:
    objects = call.objects

    def change(bucket: Bucket, stored: StoredObject, **attributes: Any) -> None:
        _later(lambda: objects.change(bucket, stored, **attributes))

    call.endpoint = view(call.endpoint, objects=view(objects, change=change))


family(
    "operation",
    calls,
    {
        "completions-count-late": row(
            "CompleteMultipartUpload is answered before the object is there (CON-014).",
            {"CompleteMultipartUpload"},
            _late_completions,
        ),
        "copies-count-late": row(
            "CopyObject is answered before its target is there (CON-013).",
            {"CopyObject"},
            _late_puts(lambda _: True),
        ),
        "deletes-count-late": row(
            "A deleted object can be read and is listed for a moment (CON-006).",
            {"DeleteObject", "DeleteObjects"},
            _late_deletes,
        ),
        "deletes-of-many-count-late": row(
            "DeleteObjects is answered before the objects are gone (CON-019).",
            {"DeleteObjects"},
            _late_deletes,
        ),
        "new-objects-count-late": row(
            "A new object cannot be read for a moment after its PUT was answered (CON-001).",
            {"PutObject"},
            _late_puts(lambda present: present is None),
        ),
        "overwrites-count-late": row(
            "An overwritten object is the old one for a moment after the PUT was answered (CON-004).",
            {"PutObject"},
            _late_puts(lambda present: present is not None),
        ),
        "parts-count-late": row(
            "A part is not listed for a moment after its upload was answered (CON-015).",
            {"UploadPart", "UploadPartCopy"},
            _late_parts,
        ),
        "tags-count-late": row(
            "Tags are the old ones for a moment after they were changed (CON-017).",
            {"PutObjectTagging", "DeleteObjectTagging"},
            _late_changes,
        ),
    },
)


# What is read was read before


def _remembering(operations: set[str], errors: bool) -> Wrap:
    """Answers are given again for a moment to who asks the same: those that are refusals, or those that are not."""

    def wrap(inner: Operation) -> Operation:
        kept: dict[tuple[Any, ...], tuple[float, Result | S3Error]] = {}

        def remembered(question: tuple[Any, ...]) -> Result | S3Error | None:
            since, answer = kept.get(question, (0.0, None))
            return answer if time.monotonic() - since < _MOMENT else None

        def operation(call: Call) -> Result:
            if call.operation not in operations:
                return inner(call)
            asked = call.request
            question = (call.operation, asked.bucket, asked.key, repr(sorted(call.members.items())))
            answer = remembered(question)
            if isinstance(answer, S3Error):
                raise answer
            if answer is not None:
                return _again(answer)
            try:
                result = _whole(inner(call))
            except S3Error as error:
                if errors:
                    kept[question] = time.monotonic(), error
                raise
            if not errors:
                kept[question] = time.monotonic(), result
            return _again(result)

        return operation

    return wrap


def _whole(result: Result) -> Result:
    """The result with its body in one piece."""
    if result.body is None or isinstance(result.body, bytes):
        return result
    body = b"".join(result.body)
    if result.done is not None:
        result.done()
    return replace(result, body=body, done=None)


def _again(result: Result) -> Result:
    return replace(result, members=dict(result.members), headers=list(result.headers))


_READS = {"GetObject", "HeadObject"}

family(
    "operation",
    _remembering,
    {
        "heads-remembered": row(
            "HeadObject answers from memory for a moment, also after an overwrite (CON-016).",
            {"HeadObject"},
            False,
        ),
        "listings-remembered": row(
            "A listing is given again for a moment to who asks for the same one (CON-008).",
            {"ListObjects", "ListObjectsV2"},
            False,
        ),
        "misses-remembered": row(
            "That there is no such key is remembered for a moment, also while the key is stored, as by S3 until 2020 "
            "(CON-003).",
            _READS,
            True,
        ),
        "reads-remembered": row(
            "Objects are read from memory for a moment, also after they were overwritten or deleted, as through a "
            "cache in front of the store (CON-005).",
            _READS,
            False,
        ),
        "upload-lists-remembered": row(
            "Lists of uploads and of parts are given again for a moment to who asks for the same one (CON-015).",
            {"ListMultipartUploads", "ListParts"},
            False,
        ),
        "version-lists-remembered": row(
            "A list of versions is given again for a moment to who asks for the same one (CON-018).",
            {"ListObjectVersions"},
            False,
        ),
    },
)
