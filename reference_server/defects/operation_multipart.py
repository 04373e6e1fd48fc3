"""Defects of multipart uploads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server.blobs import Blob
from reference_server.call import Call, Result
from reference_server.defects.editing import Members, calls
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error, invalid_argument
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.objects import Check, StoredObject
    from reference_server.store import Bucket
    from reference_server.uploads import Part, Upload

Operation = Callable[[Call], Result]

_COMPLETE = "CompleteMultipartUpload"
_FEW_PARTS = 1000


# Parts as a completion sees them


class _Large(int):
    """A size that passes for large enough."""

    def __lt__(self, other: object) -> bool:
        return False


class _Any(str):
    """An ETag that passes for every other."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


def _parts(edit: Callable[[Part], Part]) -> Wrap:
    """A completion sees other parts than were uploaded."""

    def see(call: Call) -> None:
        uploads = call.uploads
        changed = view(uploads, parts=lambda *asked: [edit(one) for one in uploads.parts(*asked)])
        call.endpoint = view(call.endpoint, uploads=changed)

    return calls({_COMPLETE}, see)


family(
    "operation",
    _parts,
    {
        "part-etag-unchecked": row(
            "A completion may name any ETag for a part, as in versitygw and S3 Orchestrator once "
            "(versity/versitygw#153, afreidah/s3-orchestrator#1165).",
            lambda part: replace(part, etag=_Any(part.etag)),
        ),
        "part-size-unchecked": row(
            "Parts may be smaller than 5 MiB, as in versitygw and MinIO once (versity/versitygw#960, "
            "minio/minio#4625).",
            lambda part: replace(part, size=_Large(part.size)),
        ),
    },
)


# The end of an upload

#: The numbers of the parts in use, a fingerprint of the completion, and what it answers.
Finished = tuple[set[int], str, Members]


def finishing(
    change: Callable[[Call, Upload, StoredObject, Finished], tuple[StoredObject, Finished]],
) -> Wrap:
    """The object that a completion makes is changed, or refused, at the last moment."""

    def prepare(call: Call) -> None:
        uploads = call.uploads

        def finish(bucket: Bucket, upload: Upload, new: StoredObject, finished: Finished, check: Check) -> Members:
            return uploads.finish(bucket, upload, *change(call, upload, new, finished), check)

        call.endpoint = view(call.endpoint, uploads=view(uploads, finish=finish))

    return calls({_COMPLETE}, prepare)


def _all_parts_used(call: Call, upload: Upload, new: StoredObject, finished: Finished) -> tuple[StoredObject, Finished]:
    uploaded = {part.number for part in call.uploads.parts(upload.seq)}
    if uploaded != finished[0]:
        raise S3Error("InvalidPart", f"partial completion is not allowed: {len(finished[0])} of {len(uploaded)} parts")
    return new, finished


def _md5_of_whole(call: Call, upload: Upload, new: StoredObject, finished: Finished) -> tuple[StoredObject, Finished]:
    used, fingerprint, result = finished
    whole = hashlib.md5()
    for part in call.uploads.parts(upload.seq):
        row = call.store.row("SELECT size, data, file FROM blob WHERE id=?", part.blob)
        if part.number in used and row is not None:
            for data in call.store.blobs.read([Blob(*row)], 0, part.size):
                whole.update(data)
    etag = whole.hexdigest()
    return replace(new, etag=etag), (used, fingerprint, {**result, "ETag": f'"{etag}"'})


family(
    "operation",
    finishing,
    {
        "composite-etag-of-whole": row(
            "The ETag of a multipart upload is the MD5 of the whole object, as in s3s (s3s-project/s3s#550).",
            _md5_of_whole,
        ),
        "incomplete-part-list-refused": row(
            "A completion must name every part that was uploaded, as in AIStore and Storj (NVIDIA/aistore@583e7729, "
            "storj/minio@95a3fa19).",
            _all_parts_used,
        ),
    },
)


@defect(
    "complete-again-404",
    "operation",
    "The same completion again is 404 instead of the same answer, as in MinIO and Adobe's S3Mock "
    "(minio/minio#13318, adobe/S3Mock#2586).",
)
def _complete_again_404(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation == _COMPLETE:
            call.uploads.find(call.bucket(), call.key, call.members["UploadId"])
        return inner(call)

    return operation


# Smaller things


@defect(
    "abort-unknown-204",
    "operation",
    "AbortMultipartUpload of an unknown upload is 204 instead of 404, as in Storj (storj/minio@95a3fa19).",
)
def _abort_unknown_204(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if call.operation != "AbortMultipartUpload" or error.code != "NoSuchUpload":
                raise
            return Result()

    return operation


@defect(
    "empty-part-refused",
    "operation",
    "A part without a byte is refused, as in AIStore (NVIDIA/aistore@583e7729).",
)
def _empty_part_refused(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        headers = call.request.headers
        length = headers.get("x-amz-decoded-content-length", headers.get("content-length"))
        if call.operation == "UploadPart" and length == "0":
            raise S3Error("InvalidArgument", "zero-size part")
        return inner(call)

    return operation


@defect(
    "max-parts-1000",
    "operation",
    "An upload has at most 1000 parts instead of 10000, as rclone knows of Scaleway (rclone/rclone@64ab1ac3).",
)
def _max_parts_1000(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        number = call.members.get("PartNumber") or 0
        if call.operation in ("UploadPart", "UploadPartCopy") and number > _FEW_PARTS:
            message = f"Part number must be an integer between 1 and {_FEW_PARTS}, inclusive"
            raise invalid_argument("partNumber", str(number), message)
        return inner(call)

    return operation
