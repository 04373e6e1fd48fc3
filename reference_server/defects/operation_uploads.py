"""Defects of requests about multipart uploads: what is taken for a good one, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_server.call import Call
from reference_server.defects.editing import calls
from reference_server.defects.registry import family, row
from reference_server.errors import S3Error, invalid_argument
from reference_server.views import view

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMPLETE, _UPLOADS, _PARTS = "CompleteMultipartUpload", "ListMultipartUploads", "ListParts"
_LISTS = {_UPLOADS, "ListObjects", "ListObjectsV2", "ListObjectVersions"}


def _inclusive(call: Call) -> None:
    marker = call.members.get("PartNumberMarker")
    if marker:
        call.members["PartNumberMarker"] = marker - 1


def _empty_refused(call: Call) -> None:
    for name in ("part-number-marker", "max-parts"):
        if call.request.parameters.get(name) == "":
            raise invalid_argument(name, "", f"{name} is not an integer")


def _lone_marker_refused(call: Call) -> None:
    marker = call.members.get("UploadIdMarker")
    if marker and not call.members.get("KeyMarker"):
        raise invalid_argument("upload-id-marker", marker, "upload-id-marker needs a key-marker")


def _foreign_marker_dropped(call: Call) -> None:
    key, marker = call.members.get("KeyMarker"), call.members.get("UploadIdMarker")
    if not key or not marker:
        return
    try:
        call.uploads.find(call.bucket(), key, marker, finished=True)
    except S3Error:
        del call.members["UploadIdMarker"]


def _any_encoding(call: Call) -> None:
    if call.members.get("EncodingType") != "url":
        call.members.pop("EncodingType", None)


def _empty_id_refused(call: Call) -> None:
    if call.members.get("UploadId") == "":
        raise S3Error("InvalidRequest", "uploadId must not be empty")


def _uploads_count(call: Call) -> None:
    bucket = call.bucket()
    with call.store.lock:
        if next(iter(call.uploads.rows(bucket, b"", 0)), None) is not None:
            raise S3Error("BucketNotEmpty", None, {"BucketName": bucket.name})


def _all_parts(call: Call) -> None:
    """A completion that names no parts names all that were uploaded."""
    codec = call.endpoint.codec

    def parse(operation: str, body: bytes) -> Mapping[str, Any]:
        document = codec.parse_document(operation, body)
        if document.get("Parts"):
            return document
        upload = call.uploads.find(call.bucket(), call.key, call.members["UploadId"], finished=True)
        return {"Parts": [{"PartNumber": part.number, "ETag": part.etag} for part in call.uploads.parts(upload.seq)]}

    call.endpoint = view(call.endpoint, codec=view(codec, parse_document=parse))


family(
    "operation",
    calls,
    {
        "any-encoding-type": row(
            "A listing takes an encoding-type that it does not know for none (LMU-013).", _LISTS, _any_encoding
        ),
        "bucket-with-uploads-stays": row(
            "DeleteBucket is refused while there are unfinished uploads, which no listing of objects shows (MPU-027).",
            {"DeleteBucket"},
            _uploads_count,
        ),
        "complete-without-parts-takes-all": row(
            "A completion that names no part joins all that were uploaded (MPU-010).", {_COMPLETE}, _all_parts
        ),
        "empty-numbers-refused": row(
            "ListParts refuses a limit or marker without a value instead of taking the default (MPU-034).",
            {_PARTS},
            _empty_refused,
        ),
        "empty-upload-id-400": row(
            "A completion with an empty uploadId is a bad request instead of an unknown upload; versitygw keeps its "
            "test of that for AWS only (MPU-009).",
            {_COMPLETE},
            _empty_id_refused,
        ),
        "foreign-upload-marker-accepted": row(
            "ListMultipartUploads takes an upload-id-marker of another key for none (LMU-007).",
            {_UPLOADS},
            _foreign_marker_dropped,
        ),
        "lone-upload-marker-refused": row(
            "ListMultipartUploads refuses an upload-id-marker without a key-marker instead of ignoring it; versitygw "
            "keeps its test of that for AWS only (LMU-006).",
            {_UPLOADS},
            _lone_marker_refused,
        ),
        "part-marker-inclusive": row(
            "ListParts begins with its marker instead of behind it (MPU-032, MPU-033).", {_PARTS}, _inclusive
        ),
    },
)
