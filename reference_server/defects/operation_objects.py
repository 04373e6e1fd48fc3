"""Defects of operations on buckets and objects that are more than a member not read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_server.call import Call, Result
from reference_server.defects.editing import calls
from reference_server.defects.operation_creation import accepting, emptied
from reference_server.defects.operation_listings import backwards
from reference_server.defects.operation_versions import plain_delete
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error
from reference_server.views import put_changed

if TYPE_CHECKING:
    from reference_server.objects import StoredObject

Operation = Callable[[Call], Result]

_WRITES = {"PutObject", "CopyObject", "CreateMultipartUpload"}


# Keys


def _keys(edit: Callable[[str], str]) -> Wrap:
    """Keys are changed before they are used."""

    def change(call: Call) -> None:
        if call.request.key is not None:
            call.request = replace(call.request, key=edit(call.request.key))

    return calls((), change)


family(
    "operation",
    _keys,
    {
        "slashes-collapsed": row(
            "Several slashes in a key are one, as in AIStore (NVIDIA/aistore@583e7729).",
            lambda key: re.sub("//+", "/", key),
        ),
        "trailing-slash-dropped": row(
            "A slash at the end of a key is lost, as in AIStore (NVIDIA/aistore@583e7729).",
            lambda key: key.rstrip("/") or key,
        ),
    },
)


@defect(
    "dot-segments-refused",
    "operation",
    "A key with a segment that is one or two dots is refused, as in AIStore (NVIDIA/aistore@583e7729).",
)
def _dot_segments_refused(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if {".", ".."} & set(call.key.split("/")):
            raise S3Error("InvalidArgument", "invalid object name")
        return inner(call)

    return operation


@defect(
    "file-and-folder-conflict",
    "operation",
    "A key cannot continue another one behind a slash, since both are files, as in versitygw (versity/versitygw#137).",
)
def _file_and_folder_conflict(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation in _WRITES:
            bucket = call.bucket()
            folders = [call.key[: found.start()] for found in re.finditer("/", call.key)]
            if any(folder and call.objects.get(bucket, folder) is not None for folder in folders):
                raise S3Error("ObjectParentIsFile", "Object parent already exists as a file.", status=409)
        return inner(call)

    return operation


# Buckets

family(
    "operation",
    accepting,
    {
        "any-bucket-name": row(
            "Bucket names may have capital letters and underscores, as in AIStore (NVIDIA/aistore@583e7729).",
            {"InvalidBucketName"},
        ),
    },
)

family(
    "operation",
    emptied,
    {
        "delete-bucket-with-objects": row(
            "DeleteBucket deletes a bucket with all that is in it, as in AIStore (NVIDIA/aistore@583e7729).",
            lambda _call, _bucket: True,
        ),
    },
)


@defect(
    "own-bucket-already-exists",
    "operation",
    "CreateBucket of one's own bucket says BucketAlreadyExists as if it were another's, as in Storj and AIStore "
    "(storj/gateway-st@84df15b, NVIDIA/aistore@583e7729).",
)
def _own_bucket_already_exists(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        name = call.request.bucket or ""
        if call.operation == "CreateBucket" and call.store.bucket(name) is not None:
            raise S3Error("BucketAlreadyExists", None, {"BucketName": name})
        return inner(call)

    return operation


@defect(
    "missing-bucket-lists-empty",
    "operation",
    "A listing of a bucket that does not exist is empty instead of an error, as in Auto Drive "
    "(autonomys/auto-drive@c29e3d5b).",
)
def _missing_bucket_lists_empty(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if call.operation not in ("ListObjects", "ListObjectsV2") or error.code != "NoSuchBucket":
                raise
            shown = {"Name": call.request.bucket, "Prefix": call.members.get("Prefix") or "", "MaxKeys": 1000}
            return Result({**shown, "IsTruncated": False, "KeyCount": 0})

    return operation


# Deletes


@defect(
    "delete-missing-404",
    "operation",
    "DeleteObject of a missing key is 404 instead of 204, as in AIStore (NVIDIA/aistore@583e7729).",
)
def _delete_missing_404(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if plain_delete(call) and call.objects.get(call.bucket(), call.key) is None:
            raise S3Error("NoSuchKey", None, {"Key": call.key})
        return inner(call)

    return operation


@defect(
    "delete-says-204-but-keeps",
    "operation",
    "DeleteObject says that it deleted and does nothing, as in MinIO after a failed DeleteBucket (minio/minio#16041).",
)
def _delete_says_204_but_keeps(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if plain_delete(call):
            call.bucket()
            return Result()
        return inner(call)

    return operation


@defect(
    "delete-objects-all-deleted",
    "operation",
    "DeleteObjects lists every key as deleted, those that it could not delete too, as in AIStore "
    "(NVIDIA/aistore@583e7729).",
)
def _delete_objects_all_deleted(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "DeleteObjects":
            refused = result.members.pop("Errors", [])
            deleted = [{"Key": entry.get("Key", "")} for entry in refused]
            result.members["Deleted"] = [*result.members.get("Deleted", []), *deleted]
        return result

    return operation


# What is stored


def _storing(edit: Callable[[Call, StoredObject], StoredObject]) -> Wrap:
    """The object that PutObject stores is changed before it is."""
    return calls({"PutObject"}, lambda call: put_changed(call, lambda new, _blob: edit(call, new)))


def _other_etag(_call: Call, new: StoredObject) -> StoredObject:
    return replace(new, etag=f"v1-{new.etag[:16]}-{new.modified:x}")


def _with_chunked_coding(call: Call, new: StoredObject) -> StoredObject:
    coding: Any = call.members.get("ContentEncoding")
    return replace(new, attributes={**new.attributes, "ContentEncoding": coding}) if coding else new


family(
    "operation",
    _storing,
    {
        "aws-chunked-replayed": row(
            "aws-chunked is stored as the coding of the object and sent back with it, as by versitygw and NooBaa "
            "(versity/versitygw#2398, noobaa/noobaa-core#9138).",
            _with_chunked_coding,
        ),
        "etag-not-md5": row(
            "The ETag of a plain upload is not its MD5, as in AIStore by default and in Chimera "
            "(NVIDIA/aistore@583e7729, chimera-nas/chimera#469).",
            _other_etag,
        ),
    },
)


family(
    "operation",
    backwards,
    {
        "versions-oldest-first": row(
            "The versions of a key are listed from the oldest to the newest, as rclone knows of Hitachi's HCP "
            "(rclone/rclone@64ab1ac3).",
            "ListObjectVersions",
            "Versions",
            lambda entry: entry[1]["Key"],
        ),
    },
)
